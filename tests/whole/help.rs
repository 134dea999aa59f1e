//! What shells and manuals get of the command line: the completions complete in a real bash, and the man page is one.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::harness::{binary, done, folder, run};

/// The subcommands, as `--help` lists them.
fn subcommands() -> Vec<String> {
    let help = done(["--help"]);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|name| name != "help").collect()
}

/// What bash offers for a command line.
fn offered(line: &str) -> Vec<String> {
    let folder = folder();
    let file = folder.path().join("completions");
    std::fs::write(&file, done(["completions", "bash"])).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let script = format!(
        "source {file:?}; COMP_WORDS=({}); COMP_CWORD={}; COMP_LINE={line:?}; COMP_POINT={}; \
         _platewatch platewatch {:?} {:?}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
        line.len(),
        words.last().unwrap(),
        words[words.len() - 2],
    );
    let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_subcommands_and_options() {
    assert_eq!(offered("platewatch verify-a"), ["verify-audit"]);
    assert_eq!(offered("platewatch re"), ["replay", "repair-mirror", "restore"]);
    assert_eq!(offered("platewatch restore --che"), ["--check"]);
    assert_eq!(offered("platewatch completions z"), ["zsh"]);
    let all = offered("platewatch ");
    for name in subcommands() {
        assert!(all.contains(&name), "{name}: {all:?}");
    }
}

#[test]
fn other_shells_get_all_subcommands_too() {
    for shell in ["bash", "zsh", "fish"] {
        let text = done(["completions", shell]);
        for name in subcommands() {
            assert!(text.contains(&name), "{shell} {name}");
        }
    }
    assert_eq!(run(["completions", "csh"]).code, Some(2));
    // Where the shell is there, it reads them.
    for shell in ["zsh", "fish"] {
        let Ok(mut child) = Command::new(shell).arg("-n").stdin(Stdio::piped()).spawn() else { continue };
        child.stdin.take().unwrap().write_all(done(["completions", shell]).as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{shell}");
    }
}

#[test]
fn the_man_page_is_one_without_warnings_and_names_everything() {
    let page = done(["man"]);
    let mut groff = Command::new("groff");
    groff
        .args(["-Kutf8", "-man", "-Tutf8", "-wall", "-rLL=100n", "-P-cbou"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = groff.stderr(Stdio::piped()).spawn().expect("groff formats the page: install it");
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let warnings = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && warnings.is_empty(), "{warnings}");
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let names = subcommands();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("platewatch {name}")), "{name}");
        assert!(text.contains(&format!("PLATEWATCH {}", name.to_uppercase())), "{name}");
    }
    for part in ["--data-dir", "--check", "user add", "token revoke", "plate-key new", "Exit codes: 0 done"] {
        assert!(text.contains(part), "{part}");
    }
    // It says what the program says.
    assert!(text.contains(env!("CARGO_PKG_VERSION")) && binary().exists());
}
