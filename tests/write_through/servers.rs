//! The servers and the proxy do what the other tests rely on.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::harness::{repository, wait_until};
use crate::servers::mariadb::{MariaDb, WRITER_PASSWORD};
use crate::servers::proxy::{Fault, Mode, Proxy};
use crate::servers::redis::{Options, Redis};

const LONG: Duration = Duration::from_secs(60);

const ROW: &str = "INSERT INTO traffic_db.traffic_data VALUES ('G1','d','k','1','2024-01-01 00:00:24','02','p','m');";

/// A server that answers every `n` with `n` bytes `a`.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut buffer = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let _ = stream.write_all(&buffer[..count]);
                }
            });
        }
    });
    port
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Sends something that gets no answer.
fn unheard(stream: &mut TcpStream, text: &str) {
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(say(stream, text).is_err());
    stream.set_read_timeout(Some(LONG)).unwrap();
}

fn say(stream: &mut TcpStream, text: &str) -> Result<String, std::io::Error> {
    stream.write_all(text.as_bytes())?;
    let mut heard = vec![0; text.len()];
    stream.read_exact(&mut heard)?;
    Ok(String::from_utf8(heard).unwrap())
}

#[test]
fn the_proxy_passes_refuses_stalls_and_goes_on() {
    let proxy = Proxy::start(echo());
    let mut one = connect(proxy.port());
    let mut other = connect(proxy.port());
    assert_eq!(say(&mut one, "hello").unwrap(), "hello");
    assert_eq!(say(&mut other, "hello").unwrap(), "hello");
    assert_eq!(proxy.bytes(), (10, 10));

    let [first, second] = proxy.connections()[..] else { panic!("{:?}", proxy.connections()) };
    proxy.set_one(first, Mode::Stall);
    unheard(&mut one, "swallowed");
    assert_eq!(say(&mut other, "passed").unwrap(), "passed");
    proxy.set(Mode::Stall);
    unheard(&mut other, "swallowed");
    let mut late = connect(proxy.port());
    unheard(&mut late, "x");
    proxy.set(Mode::Pass);
    let mut heard = [0; 9];
    one.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"swallowed");

    proxy.cut_one(second);
    // What was held back may still arrive before the end.
    let mut rest = Vec::new();
    let _ = other.read_to_end(&mut rest);
    assert!(rest.is_empty() || rest == b"swallowed", "{rest:?}");
    assert!(say(&mut other, "gone").is_err());
    proxy.set(Mode::Refuse);
    assert!(say(&mut one, "gone").is_err());
    assert!(TcpStream::connect(("127.0.0.1", proxy.port())).is_err());
    proxy.set(Mode::Delay(Duration::from_millis(30)));
    let before = std::time::Instant::now();
    let mut slow = connect(proxy.port());
    assert_eq!(say(&mut slow, "slow").unwrap(), "slow");
    assert!(before.elapsed() >= Duration::from_millis(60));
}

#[test]
fn the_proxy_cuts_where_it_was_told() {
    let proxy = Proxy::start(echo());
    let all = |mut stream: TcpStream| {
        let mut heard = String::new();
        let _ = stream.read_to_string(&mut heard);
        heard
    };
    proxy.arm(Fault::CutUpstream(5));
    let mut stream = connect(proxy.port());
    stream.write_all(b"truncated").unwrap();
    let _ = all(stream);
    assert_eq!((proxy.faults_met(), proxy.bytes().0), (1, 5));

    proxy.arm(Fault::CutBeforeAnswer { least: 3 });
    let mut stream = connect(proxy.port());
    assert_eq!(say(&mut stream, "ab").unwrap(), "ab");
    stream.write_all(b"done").unwrap();
    assert_eq!(all(stream), "");
    assert_eq!((proxy.faults_met(), proxy.bytes().0), (2, 11));

    proxy.arm(Fault::TruncateAnswer { least: 3, arrive: 2 });
    let mut stream = connect(proxy.port());
    stream.write_all(b"answer").unwrap();
    assert_eq!(all(stream), "an");
    assert_eq!(proxy.faults_met(), 3);
}

#[test]
fn mariadb_restarts_with_its_data_or_without() {
    let mut server = MariaDb::start();
    server.sql(ROW);
    server.kill();
    assert!(server.try_sql("SELECT 1").is_err());
    server.start_again();
    assert_eq!(server.count("traffic_data"), 1);
    server.stop();
    server.start_empty();
    assert_eq!(server.count("traffic_data"), 0);
}

#[test]
fn mariadb_and_redis_speak_tls() {
    let server = MariaDb::start_tls();
    let cipher =
        "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'";
    assert_eq!(server.sql_as("platewatch", WRITER_PASSWORD, cipher).unwrap(), "1\n");

    let redis = Redis::start_with(Options { tls: true, password: Some("s3cret".to_owned()), ..Options::default() });
    assert!(redis.url().starts_with("rediss://:s3cret@"));
    assert_eq!(redis.command(&["SET", "a", "b"]), "OK");
    assert_eq!(redis.command(&["GET", "a"]), "b");
}

#[test]
fn redis_keeps_what_it_shall_and_runs_out_of_memory() {
    let mut redis = Redis::start_with(Options { append_only: true, ..Options::default() });
    redis.command(&["RPUSH", "list", "a", "b"]);
    redis.kill();
    redis.start_again();
    assert_eq!(redis.list("list"), ["a", "b"]);
    redis.stop();
    redis.start_empty();
    assert_eq!(redis.list("list"), Vec::<String>::new());

    let small = Redis::start_with(Options { max_memory: Some("100kb".to_owned()), ..Options::default() });
    assert!(small.try_command(&["SET", "a", "b"]).unwrap_err().contains("OOM"));
    small.freeze();
    small.thaw();
    wait_until(LONG, "it goes on", || small.try_command(&["PING"]).is_ok());
}

#[test]
fn the_servers_own_configuration_is_in_force() {
    let server = MariaDb::start();
    let mode = server.sql("SELECT @@sql_mode, @@event_scheduler, @@character_set_server, @@time_zone");
    assert!(mode.contains("STRICT_TRANS_TABLES"), "{mode}");
    assert!(mode.ends_with("\tON\tutf8mb4\t+08:00\n"), "{mode}");
    assert!(repository("sql/instance.cnf").exists());
}
