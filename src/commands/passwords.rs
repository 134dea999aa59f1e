//! A new password on the command line: typed twice where there is a terminal, the first line of standard input where there is
//! none, or made here.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::Context as _;

use super::failure::Usage;
use crate::gate;

/// A password for `name`, and whether it was made here and must be shown.
pub(super) fn new_password(name: &str, generate: bool) -> anyhow::Result<(String, bool)> {
    if generate {
        return Ok((gate::made_password()?, true));
    }
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).context("cannot read the password from standard input")?;
        return Ok((line.trim_end_matches(['\n', '\r']).to_owned(), false));
    }
    let ask = |prompt: String| rpassword::prompt_password(prompt).context("cannot read the password");
    let password = ask(format!("Password of {name}: "))?;
    if ask("The same again: ".to_owned())? != password {
        return Err(Usage("the two passwords differ: nothing was changed".to_owned()).into());
    }
    Ok((password, false))
}
