//! A program whose log is no longer read: it goes on, and ends when it is stopped.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use crate::harness::{PATIENCE, folder, get_data, platewatch};

#[test]
fn a_log_that_nobody_reads_any_more_stops_neither_the_program_nor_its_end() {
    let folder = folder();
    let file = folder.path().join("platewatch.toml");
    let data = folder.path().join("data");
    let config = format!(
        "data_dir = {data:?}\n[source]\nkind = \"simulator\"\nrate = 500.0\n[predict]\ntrain = \"off\"\n[api]\nlisten = \"127.0.0.1:0\"\n"
    );
    std::fs::write(&file, config).unwrap();
    let mut command = platewatch();
    command.args(["serve", "--config"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let pid = child.id().to_string();

    let log = BufReader::new(child.stderr.take().unwrap());
    let listening = log.lines().map_while(Result::ok).find(|line| line.contains("address=")).unwrap();
    // From here on every line that it logs meets a closed pipe: what read it is dropped.
    let address = listening.split("address=").nth(1).unwrap().trim();
    assert_eq!(get_data(address, "/api/status")["ready"], true);

    let signal = |name: &str| Command::new("kill").args([name, &pid]).status().unwrap();
    assert!(signal("-TERM").success());
    let (sender, ended) = channel();
    std::thread::spawn(move || sender.send(child.wait()));
    let Ok(status) = ended.recv_timeout(PATIENCE) else {
        signal("-KILL");
        panic!("it does not end");
    };
    assert_eq!(status.unwrap().code(), Some(0));
}
