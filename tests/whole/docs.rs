//! The commands that the handbook shows: each block marked ```` ```sh run ```` is run with the real program, those of a chapter one
//! after the other in a folder of their own. `demo` and `serve` in the mark say that it goes on until it is stopped.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Ended, Running, folder, get, platewatch, repository, tell};

/// A block of commands in a chapter.
#[derive(Debug, PartialEq)]
struct Block {
    line: usize,
    /// The words after ```` ``` ````.
    marks: Vec<String>,
    text: String,
}

/// The blocks of a chapter; those inside of lists are indented.
fn blocks(chapter: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(Block, usize)> = None;
    for (number, line) in chapter.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(marks), None) => {
                let marks = marks.split_whitespace().map(str::to_owned).collect();
                open = Some((Block { line: number + 1, marks, text: String::new() }, indent));
            }
            (Some(_), Some(_)) => found.extend(open.take().map(|(block, _)| block)),
            (None, Some((block, indent))) => {
                block.text.push_str(line.get(*indent..).unwrap_or_default());
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block has no end");
    found
}

/// Every chapter of a book, in no order.
fn chapters(language: &str) -> Vec<PathBuf> {
    let mut folders = vec![repository("docs/book").join(language).join("src")];
    let mut chapters = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "md") {
                chapters.push(entry);
            }
        }
    }
    chapters
}

/// A shell in this folder that finds the program, and takes any free port instead of the one that is shown.
fn shell(place: &Path, commands: &str) -> Command {
    let program = platewatch();
    let bin = place.join(".bin");
    if !bin.exists() {
        std::fs::create_dir(&bin).unwrap();
        symlink(program.get_program(), bin.join("platewatch")).unwrap();
    }
    let mut command = Command::new("bash");
    for (name, _) in program.get_envs() {
        command.env_remove(name);
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    command.args(["-euo", "pipefail", "-c", commands]).current_dir(place).env("PATH", path);
    command.env("PLATEWATCH__API__LISTEN", "127.0.0.1:0");
    command
}

/// Runs a block that ends; it must succeed.
fn run(place: &Path, block: &Block, chapter: &Path) {
    let ended: Ended = shell(place, &block.text).stdin(Stdio::null()).output().unwrap().into();
    assert_eq!(ended.code, Some(0), "{}, line {}:\n{}{ended:?}", chapter.display(), block.line, block.text);
}

/// Starts a block that goes on, until it answers; then it is stopped.
fn start(place: &Path, block: &Block, announced: &str) {
    let line = block.text.trim();
    assert_eq!(line.lines().count(), 1, "one command goes on: {line}");
    let port = if block.marks.iter().any(|mark| mark == "demo") { " --port 0" } else { "" };
    let mut running = Running::start(shell(place, &format!("exec {line}{port}")));
    let said = running.wait_for(announced);
    let address = said.split(announced).nth(1).unwrap().split(' ').next().unwrap().trim().to_owned();
    assert_eq!(get(&address, "/healthz").0, 200);
    assert!(get(&address, "/docs/zh/").1.contains("<html lang=\"zh-CN\">"));
    running.signal("TERM");
    running.end().done();
}

/// Runs all of a book; returns how many blocks were run, and how many lines of commands were not.
fn run_book(language: &str) -> (usize, usize) {
    let (mut ran, mut left) = (0, 0);
    for chapter in chapters(language) {
        let place = folder();
        for block in blocks(&std::fs::read_to_string(&chapter).unwrap()) {
            let has = |wanted: &str| block.marks.iter().any(|mark| mark == wanted);
            if !has("run") {
                left += if has("sh") { block.text.lines().count() } else { 0 };
                continue;
            }
            if has("demo") {
                start(place.path(), &block, "open http://");
            } else if has("serve") {
                start(place.path(), &block, "address=");
            } else {
                run(place.path(), &block, &chapter);
            }
            ran += 1;
        }
    }
    tell(&format!(
        "{language}: {ran} blocks run, {left} lines of commands need root, another machine or a file of one's own"
    ));
    (ran, left)
}

#[test]
fn the_commands_of_the_chinese_book_work() {
    let (ran, left) = run_book("zh");
    assert!(ran >= 14 && left <= 27, "{ran} run, {left} not");
}

#[test]
fn the_commands_of_the_english_book_work() {
    let (ran, left) = run_book("en");
    assert!(ran >= 14 && left <= 27, "{ran} run, {left} not");
}

#[test]
fn blocks_are_found_in_lists_too() {
    let found = blocks("a\n```sh run\none\n```\n1. x\n\n   ```toml\n   two\n     three\n   ```\n");
    let block = |line, marks: &[&str], text: &str| Block {
        line,
        marks: marks.iter().map(|&mark| mark.to_owned()).collect(),
        text: text.to_owned(),
    };
    assert_eq!(found, [block(2, &["sh", "run"], "one\n"), block(7, &["toml"], "two\n  three\n")]);
}
