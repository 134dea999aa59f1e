//! `platewatch token`: tokens with which programs log in. Like users, they can be changed beside a running appliance.

use std::io::Write;

use access::trail::{Action, Details};
use access::{Accounts, Area, Permission, Token};
use clap::{Args, Subcommand};
use traffic::TimeZoneName;

use super::books::{AreaArgs, Books, Place, scope_names, with_area};
use super::failure::Usage;
use super::user::name_of;
use crate::clock::unix_now;
use crate::gate::{AccountFiles, MAX_TOKEN_DAYS, MAX_TOKEN_NOTE_CHARS, secret};
use crate::plain;

const SECONDS_PER_DAY: i64 = 86_400;

/// Arguments of `token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
    #[command(flatten)]
    place: Place,
}

/// What is done.
#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print it, once
    Add {
        /// The user in whose name it acts; it may never more than this user
        user: String,
        /// What it may do; may be given several times
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = scope)]
        scopes: Vec<Permission>,
        #[command(flatten)]
        area: AreaArgs,
        /// For how many days it is valid
        #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_TOKEN_DAYS)))]
        days: u16,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// List all tokens, without their secrets
    List,
    /// Take a token back
    Revoke {
        /// Its id, as `list` shows it
        id: String,
    },
}

fn scope(text: &str) -> Result<Permission, String> {
    let known = || Permission::ALL.map(Permission::as_str).join(", ");
    Permission::parse(text).ok_or_else(|| format!("scopes are {}", known()))
}

/// Does it.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &TokenArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let books = args.place.books()?;
    match &args.command {
        TokenCommand::Add { user, scopes, area, days, note } => {
            add(&books, user, (scopes, area.area()?), *days, note, out)
        }
        TokenCommand::List => list(&books.files, out),
        TokenCommand::Revoke { id } => {
            let of =
                |token: &Token| Details::default().with("id", token.id.as_str()).with("owner", token.owner.as_str());
            let token = books.change(Action::TokenRevoke, |accounts| accounts.revoke(id), of)?;
            Ok(writeln!(out, "the token {} of {} is not valid any more", token.id.as_str(), token.owner)?)
        }
    }
}

fn add(
    books: &Books,
    user: &str,
    (scopes, area): (&[Permission], Option<Area>),
    days: u16,
    note: &str,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    if note.chars().count() > MAX_TOKEN_NOTE_CHARS || note.chars().any(plain::is_hazard) {
        return Err(Usage(format!("--note takes up to {MAX_TOKEN_NOTE_CHARS} visible characters")).into());
    }
    let (owner, now) = (name_of(user)?, unix_now());
    let secret = secret(Token::PREFIX)?;
    let expires_at = now + i64::from(days) * SECONDS_PER_DAY;
    let token =
        Token::new(secret.digest(), owner, note.to_owned(), scopes.to_vec(), now, Some(expires_at)).within(area);
    let id = token.id.as_str().to_owned();
    let details = Details::default()
        .with("id", id.as_str())
        .with("owner", token.owner.as_str())
        .with("scopes", scope_names(scopes))
        .with("days", u64::from(days))
        .with("note", note);
    let details = with_area(details, token.area.as_ref());
    let give = |accounts: &mut Accounts| {
        let granted = accounts.user(&token.owner).map(|owner| token.permissions(owner.permissions()));
        let useless: Vec<&str> = scopes
            .iter()
            .filter(|scope| granted.is_some_and(|granted| !granted.allow(**scope)))
            .map(|scope| scope.as_str())
            .collect();
        accounts.add_token(token)?;
        Ok(useless.join(", "))
    };
    let useless = books.change(Action::TokenAdd, give, |_| details)?;
    writeln!(out, "{}\nIt is not shown again. Its id is {id}; send it as `Authorization: Bearer …`.", secret.reveal())?;
    if !useless.is_empty() {
        writeln!(out, "note: the roles of {user} do not include {useless}, so neither does the token")?;
    }
    Ok(())
}

fn list(files: &AccountFiles, out: &mut impl Write) -> anyhow::Result<()> {
    let accounts = files.accounts()?;
    // Nobody needs them to see which tokens there are.
    let uses = files.last_uses().unwrap_or_else(|error| {
        tracing::warn!(%error, "when tokens were last used is not known");
        std::collections::BTreeMap::new()
    });
    let (now, zone) = (unix_now(), TimeZoneName::default());
    if accounts.tokens().is_empty() {
        return Ok(writeln!(out, "there are no tokens; `platewatch token add USER --scope dashboard` makes one")?);
    }
    for token in accounts.tokens() {
        let scopes = token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
        let until = match token.expires_at.and_then(|unix| zone.civil(unix)) {
            _ if token.has_expired(now) => "expired".to_owned(),
            Some(time) => format!("until {time}"),
            None => String::new(),
        };
        let used = uses.get(&token.id).and_then(|unix| zone.civil(*unix));
        let used = used.map_or_else(|| "never used".to_owned(), |time| format!("used {time}"));
        let line = format!(
            "{} {:<20} {:<28} {until:<26} {used:<24} {}",
            token.id.as_str(),
            token.owner,
            scopes,
            plain::line(&token.note)
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
