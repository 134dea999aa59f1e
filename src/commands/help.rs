//! `completions` and `man`: what shells and manuals want to know of the command line, made from its declaration. It does not know the
//! subcommands.

use std::io::{self, Write};

use clap::Command;
use clap_complete::Shell;

/// Shells that have completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CompletionShell {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

/// Writes the completions of a command line.
///
/// # Errors
/// `out` refuses.
pub fn completions(mut command: Command, shell: CompletionShell, out: &mut impl Write) -> io::Result<()> {
    let shell = match shell {
        CompletionShell::Bash => Shell::Bash,
        CompletionShell::Zsh => Shell::Zsh,
        CompletionShell::Fish => Shell::Fish,
    };
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    out.write_all(&text)
}

/// Writes the man page of a command line, all subcommands in one page.
///
/// # Errors
/// `out` refuses.
pub fn man(mut command: Command, out: &mut impl Write) -> io::Result<()> {
    command.build();
    let name = command.get_name().to_owned();
    let page = clap_mangen::Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        writeln!(out, ".SH \"{}\"", format!("{name} {}", subcommand.get_name()).to_uppercase().replace('-', "\\-"))?;
        of_subcommand(subcommand, out)?;
        for nested in subcommand.get_subcommands().filter(|nested| nested.get_name() != "help") {
            writeln!(
                out,
                ".SS \"{}\"",
                format!("{} {}", subcommand.get_name(), nested.get_name()).replace('-', "\\-")
            )?;
            of_subcommand(nested, out)?;
        }
    }
    page.render_extra_section(out)?;
    page.render_version_section(out)
}

/// Usage, description and options, without headings.
fn of_subcommand(command: &Command, out: &mut impl Write) -> io::Result<()> {
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render_synopsis_section(&mut text)?;
    writeln!(text, ".PP")?;
    page.render_description_section(&mut text)?;
    if command.get_arguments().next().is_some() {
        page.render_options_section(&mut text)?;
    }
    // Headings, and what each section defines again.
    let is_repeated = |line: &str| [".SH ", ".ie ", ".el "].iter().any(|begin| line.starts_with(begin));
    for line in String::from_utf8_lossy(&text).lines().filter(|line| !is_repeated(line)) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, ".PP")
}
