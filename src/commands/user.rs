//! `platewatch user`: who may log in. It works beside a running appliance, which notices changes within a second.

use std::io::Write;

use access::trail::{Action, Details};
use access::{Accounts, PasswordHash, Role, Roles, User, UserName};
use clap::{Args, Subcommand};

use super::books::{AreaArgs, Place, area_words, role_names, with_area};
use super::failure::Usage;
use super::passwords::new_password;
use crate::clock::unix_now;
use crate::gate::{AccountFiles, salt};
use crate::plain;

/// Arguments of `user`.
#[derive(Debug, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
    #[command(flatten)]
    place: Place,
}

/// What is done.
#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add a user. The password is asked for, or read from standard input
    Add {
        /// The name to log in with: letters, digits, `.`, `-` and `_`
        name: String,
        /// What the user may do; may be given several times
        #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role)]
        roles: Vec<Role>,
        /// The name that others see, such as 王警官
        #[arg(long, value_name = "NAME")]
        shown: Option<String>,
        #[command(flatten)]
        area: AreaArgs,
        /// Make a password and print it; the user must choose another at the first login
        #[arg(long)]
        generate: bool,
    },
    /// List all users
    List,
    /// Set what a user may do
    Roles {
        /// The user
        name: String,
        /// The new roles, instead of the old ones
        #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role)]
        roles: Vec<Role>,
    },
    /// Limit a user to some districts and checkpoints; without any the user sees everything
    Scope {
        /// The user
        name: String,
        #[command(flatten)]
        area: AreaArgs,
    },
    /// Set a new password; all sessions of the user end
    Password {
        /// The user
        name: String,
        /// Make a password and print it; the user must choose another at the next login
        #[arg(long)]
        generate: bool,
    },
    /// Do not let a user log in any more; sessions and tokens end
    Disable {
        /// The user
        name: String,
    },
    /// Let a user log in again
    Enable {
        /// The user
        name: String,
    },
}

fn role(text: &str) -> Result<Role, String> {
    let known = || Role::ALL.map(Role::as_str).join(", ");
    Role::parse(text).ok_or_else(|| format!("roles are {}", known()))
}

/// The user's name in `text`.
pub(super) fn name_of(text: &str) -> anyhow::Result<UserName> {
    UserName::parse(text).ok_or_else(|| {
        Usage(format!(
            "{text:?} is no name to log in with: up to {} letters, digits, `.`, `-` and `_`",
            access::MAX_NAME_CHARS
        ))
        .into()
    })
}

/// Does it.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &UserArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let books = args.place.books()?;
    let files = &books.files;
    let of = |name: &UserName| Details::default().with("name", name.as_str());
    match &args.command {
        UserCommand::Add { name, roles, shown, area, generate } => {
            let name = name_of(name)?;
            let shown = shown.as_deref().map(str::trim).filter(|shown| !shown.is_empty()).unwrap_or(name.as_str());
            if shown.chars().count() > crate::work::MAX_BY_CHARS || shown.chars().any(plain::is_hazard) {
                return Err(
                    Usage(format!("--shown takes up to {} visible characters", crate::work::MAX_BY_CHARS)).into()
                );
            }
            let area = area.area()?;
            // Before a password is asked for.
            if files.accounts()?.user(&name).is_some() {
                return Err(Usage(access::AccountError::Exists(name).to_string()).into());
            }
            let (hash, made) = hashed(&name, *generate)?;
            let now = unix_now();
            let user = User {
                name: name.clone(),
                shown: shown.to_owned(),
                roles: Roles::from(roles.clone()),
                area,
                password: Some(hash),
                must_change: made.is_some(),
                disabled: false,
                made_at: now,
                password_at: now,
            };
            let details = of(&name).with("roles", role_names(&user.roles)).with("shown", shown);
            let details = with_area(details, user.area.as_ref());
            books.change(Action::UserAdd, |accounts| accounts.add(user), |()| details)?;
            writeln!(out, "{name} may log in now")?;
            show(made.as_deref(), out)
        }
        UserCommand::List => list(files, out),
        UserCommand::Roles { name, roles } => {
            let name = name_of(name)?;
            let roles = Roles::from(roles.clone());
            let details = of(&name).with("roles", role_names(&roles));
            books.change(Action::UserRoles, |accounts| accounts.set_roles(&name, roles.clone()), |()| details)?;
            Ok(writeln!(out, "{name} is now {}", words(&roles))?)
        }
        UserCommand::Scope { name, area } => {
            let (name, area) = (name_of(name)?, area.area()?);
            let details = with_area(of(&name), area.as_ref());
            let set = |accounts: &mut Accounts| accounts.set_area(&name, area.clone());
            books.change(Action::UserScope, set, |()| details)?;
            match &area {
                Some(area) => writeln!(out, "{name} sees only {}", area_words(Some(area)))?,
                None => writeln!(out, "{name} sees everything")?,
            }
            Ok(())
        }
        UserCommand::Password { name, generate } => {
            let name = name_of(name)?;
            if files.accounts()?.user(&name).is_none() {
                return Err(Usage(access::AccountError::NoUser(name).to_string()).into());
            }
            if files.accounts()?.external_id(&name).is_some() {
                return Err(Usage(access::AccountError::External(name).to_string()).into());
            }
            let (hash, made) = hashed(&name, *generate)?;
            let set = |accounts: &mut Accounts| accounts.set_password(&name, hash, made.is_some(), unix_now());
            books.change(Action::UserPassword, set, |()| of(&name))?;
            writeln!(out, "{name} has a new password; all sessions have ended")?;
            show(made.as_deref(), out)
        }
        UserCommand::Disable { name } => {
            let name = name_of(name)?;
            books.change(Action::UserDisable, |accounts| accounts.set_disabled(&name, true), |()| of(&name))?;
            Ok(writeln!(out, "{name} may not log in any more")?)
        }
        UserCommand::Enable { name } => {
            let name = name_of(name)?;
            books.change(Action::UserEnable, |accounts| accounts.set_disabled(&name, false), |()| of(&name))?;
            Ok(writeln!(out, "{name} may log in again")?)
        }
    }
}

/// The hash of a new password, and the password if it was made here.
fn hashed(name: &UserName, generate: bool) -> anyhow::Result<(PasswordHash, Option<String>)> {
    let (password, is_made) = new_password(name.as_str(), generate)?;
    let hash = PasswordHash::new(&password, name.as_str(), salt()?).map_err(|weak| Usage(weak.to_string()))?;
    Ok((hash, is_made.then_some(password)))
}

fn show(made: Option<&str>, out: &mut impl Write) -> anyhow::Result<()> {
    if let Some(made) = made {
        writeln!(out, "password: {made}\nIt is not shown again, and must be changed at the next login.")?;
    }
    Ok(())
}

fn words(roles: &Roles) -> String {
    roles.iter().map(Role::as_str).collect::<Vec<_>>().join(", ")
}

fn list(files: &AccountFiles, out: &mut impl Write) -> anyhow::Result<()> {
    let accounts = files.accounts()?;
    if accounts.are_empty() {
        return Ok(writeln!(out, "there are no users yet; `platewatch user add NAME --role admin` makes the first")?);
    }
    for user in accounts.users() {
        let state = match (user.disabled, user.must_change) {
            (true, _) => "disabled",
            (false, true) => "must choose a new password",
            (false, false) if accounts.external_id(&user.name).is_some() => "single sign-on",
            (false, false) => "",
        };
        let area = area_words(user.area.as_ref());
        let area = if area.is_empty() { area } else { format!("only {}  ", plain::line(&area)) };
        let shown = plain::line(&user.shown);
        let line = format!("{:<20} {:<28} {shown:<16} {area}{state}", user.name, words(&user.roles));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
