//! The accounts with which cameras and platforms register, from a file, and whether a request proves that it comes from one. It does
//! not know HTTP beyond the header, nor which device uses an account.

use std::collections::HashMap;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use access::Attempts;
use parking_lot::Mutex;

use super::digest::{Authorization, secret};
use super::nonces::Nonces;

/// A longer file is none of accounts.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// The file of accounts cannot be used; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// Somebody else may read it.
    #[error("{} may be read by others (mode {mode:03o}): run chmod 600 on it, and change the passwords if others had access", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A line is no account.
    #[error("{}, line {line}: write NAME:PASSWORD, each name once and without quotes", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// There is more in it than accounts.
    #[error("{} is larger than {} MiB: it is no file of accounts", .path.display(), MAX_FILE_BYTES >> 20)]
    Large {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// Why a request is from nobody we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stranger {
    /// It says nothing that could be right, or not any more: a new challenge is needed.
    Unproven {
        /// The nonce was the only fault.
        stale: bool,
    },
    /// The sum is wrong: with this account, if there is one.
    Wrong(Option<String>),
    /// Too many wrong ones came from there: seconds to wait.
    Wait(i64),
}

/// The accounts of one process.
#[derive(Debug)]
pub struct Accounts {
    realm: String,
    /// By name, what is known instead of the password.
    secrets: HashMap<String, String>,
    /// Of nobody, for names that there are not: their sum takes as long.
    nobody: String,
    nonces: Nonces,
    attempts: Mutex<Attempts>,
}

impl Accounts {
    /// The accounts of a file; none without one. `key` is random.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub fn load(file: Option<&Path>, realm: &str, key: [u8; 32]) -> Result<Self, AccountsError> {
        let text = file.map(read).transpose()?.unwrap_or_default();
        let mut secrets = HashMap::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim_end_matches('\r');
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let account = line.split_once(':').map(|(name, password)| (name.trim(), password));
            let account = account.filter(|(name, word)| !name.is_empty() && !name.contains('"') && !word.is_empty());
            let known = account.map(|(name, word)| secrets.insert(name.to_owned(), secret(name, realm, word)));
            if known != Some(None) {
                return Err(AccountsError::Line {
                    path: file.map(Path::to_owned).unwrap_or_default(),
                    line: number + 1,
                });
            }
        }
        let nobody = secret("", realm, &format!("{key:?}"));
        Ok(Self { realm: realm.to_owned(), secrets, nobody, nonces: Nonces::new(key), attempts: Mutex::default() })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// What a request without proof is asked for, as a header.
    pub fn challenge(&self, stale: bool, now: i64) -> String {
        let nonce = self.nonces.make(now);
        let stale = if stale { ", stale=true" } else { "" };
        format!("Digest realm=\"{}\", nonce=\"{nonce}\", qop=\"auth\", algorithm=MD5{stale}", self.realm)
    }

    /// The account that a request from `address` proves to come from.
    ///
    /// # Errors
    /// [`Stranger`].
    pub fn identify(
        &self,
        header: Option<&str>,
        method: &str,
        uri: &str,
        address: &str,
        now: i64,
    ) -> Result<&str, Stranger> {
        let Some(answer) = header.and_then(Authorization::parse).filter(|answer| answer.realm == self.realm) else {
            return Err(Stranger::Unproven { stale: false });
        };
        let Some(number) = answer.count() else { return Err(Stranger::Unproven { stale: false }) };
        let Some(made) = self.nonces.made(&answer.nonce, now) else {
            return Err(Stranger::Unproven { stale: true });
        };
        let known = self.secrets.get_key_value(&answer.user);
        // Not by account alone: one that many cameras share must not be closed to them by who guesses at it elsewhere. Nor by address
        // alone: who has one account could guess at the others between two logins, and one camera with a wrong password would close
        // the address to all behind it. All names that do not exist count as one.
        let tried = format!("{address} {}", known.map_or("", |(name, _)| name));
        let wait = self.attempts.lock().wait(&tried, now);
        if wait > 0 {
            return Err(Stranger::Wait(wait));
        }
        let proves = answer.proves(known.map_or(&self.nobody, |(_, secret)| secret), method);
        let Some((name, _)) = known.filter(|_| proves && is_same_place(&answer.uri, uri)) else {
            self.attempts.lock().failed(&tried, now);
            return Err(Stranger::Wrong(known.map(|(name, _)| name.clone())));
        };
        if !self.nonces.take(made, number, now) {
            return Err(Stranger::Unproven { stale: true });
        }
        self.attempts.lock().succeeded(&tried);
        Ok(name)
    }
}

/// Whether what an answer is about is what was asked for: as it is, or behind scheme and host.
fn is_same_place(said: &str, asked: &str) -> bool {
    let path = said.split_once("://").map_or(Some(said), |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
    path == Some(asked)
}

/// systemd gives credentials to a service by an access list, which shows as read access of the group.
fn read(path: &Path) -> Result<String, AccountsError> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let others = if credentials.is_some_and(|folder| path.starts_with(folder)) { 0o037 } else { 0o077 };
    let failed = |error| AccountsError::Io { path: path.to_owned(), error };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & others != 0 {
        return Err(AccountsError::Open { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(AccountsError::Large { path: path.to_owned() });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viid::digest::Challenge;
    use std::os::unix::fs::PermissionsExt as _;

    const REGISTER: &str = "/VIID/System/Register";

    fn load(text: &str, mode: u32) -> Result<Accounts, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Accounts::load(Some(&path), "viid", [7; 32]).map_err(|error| error.to_string())
    }

    fn answer(accounts: &Accounts, user: &str, password: &str, now: i64) -> String {
        let challenge = Challenge::parse(&accounts.challenge(false, now)).unwrap();
        challenge.answered(user, password, "POST", REGISTER, "c")
    }

    fn identify(accounts: &Accounts, header: &str, now: i64) -> Result<String, Stranger> {
        accounts.identify(Some(header), "POST", REGISTER, "10.0.0.7", now).map(str::to_owned)
    }

    #[test]
    fn files_are_read_or_refused_in_words() {
        assert_eq!(load("# cameras\n\ngate:a:b c\r\ndesk:x", 0o600).unwrap().len(), 2);
        for (text, line) in [("gate", 1), ("a:b\n:c", 2), ("a:b\na:c", 2), ("a:", 1), ("a\"b:c", 1)] {
            let error = load(text, 0o600).unwrap_err();
            assert!(error.contains(&format!("line {line}")) && error.contains("NAME:PASSWORD"), "{error}");
        }
        let accounts = load("\u{feff}gate:hush", 0o600).unwrap();
        assert_eq!(identify(&accounts, &answer(&accounts, "gate", "hush", 1_000), 1_000), Ok("gate".to_owned()));
        let large = format!("a:{}\n", "x".repeat(usize::try_from(MAX_FILE_BYTES).unwrap()));
        assert!(load(&large, 0o600).unwrap_err().contains("larger than 4 MiB"));
        assert!(load("a:b", 0o640).unwrap_err().contains("chmod 600"));
        assert!(
            Accounts::load(Some(Path::new("/nowhere/x")), "viid", [7; 32])
                .unwrap_err()
                .to_string()
                .contains("/nowhere")
        );
        assert_eq!(Accounts::load(None, "viid", [7; 32]).unwrap().len(), 0);
    }

    #[test]
    fn who_knows_the_password_is_known_and_once_for_each_answer() {
        let accounts = load("gate:hush", 0o600).unwrap();
        let right = answer(&accounts, "gate", "hush", 1_000);
        assert_eq!(identify(&accounts, &right, 1_000).unwrap(), "gate");
        assert_eq!(identify(&accounts, &right, 1_001), Err(Stranger::Unproven { stale: true }), "it was sent again");
        let old = answer(&accounts, "gate", "hush", 1_000);
        assert_eq!(identify(&accounts, &old, 1_300), Err(Stranger::Unproven { stale: true }));
        let nothing = accounts.identify(None, "POST", REGISTER, "10.0.0.7", 1_000);
        assert_eq!(nothing, Err(Stranger::Unproven { stale: false }));
        let elsewhere = answer(&accounts, "gate", "hush", 1_001).replace("viid", "other");
        assert_eq!(identify(&accounts, &elsewhere, 1_001), Err(Stranger::Unproven { stale: false }));
        // The same for another request.
        let right = answer(&accounts, "gate", "hush", 1_002);
        let other = accounts.identify(Some(&right), "POST", "/VIID/MotorVehicles", "10.0.0.8", 1_002);
        assert_eq!(other, Err(Stranger::Wrong(Some("gate".to_owned()))));
        let other = accounts.identify(Some(&right), "DELETE", REGISTER, "10.0.0.8", 1_002);
        assert_eq!(other, Err(Stranger::Wrong(Some("gate".to_owned()))));
        assert!(is_same_place("http://a:1/VIID/x?y", "/VIID/x?y") && !is_same_place("http://a", "/"));
    }

    #[test]
    fn who_guesses_waits_and_others_do_not() {
        let accounts = load("gate:hush", 0o600).unwrap();
        for name in ["gate", "nobody", "gate", "gate", "gate", "gate"] {
            let wrong = identify(&accounts, &answer(&accounts, name, "guess", 1_000), 1_000);
            assert_eq!(wrong, Err(Stranger::Wrong((name == "gate").then(|| name.to_owned()))));
        }
        let right = answer(&accounts, "gate", "hush", 1_000);
        assert_eq!(identify(&accounts, &right, 1_000), Err(Stranger::Wait(2)));
        let other = accounts.identify(Some(&right), "POST", REGISTER, "10.0.0.8", 1_000);
        assert_eq!(other, Ok("gate"));
        let later = answer(&accounts, "gate", "hush", 1_002);
        assert_eq!(identify(&accounts, &later, 1_002), Ok("gate".to_owned()));
    }

    #[test]
    fn who_has_an_account_waits_for_guesses_at_another_and_not_for_those_of_others() {
        let accounts = load("gate:hush\ndesk:quiet", 0o600).unwrap();
        let tried = |name: &str, password: &str| identify(&accounts, &answer(&accounts, name, password, 1_000), 1_000);
        for _ in 0..5 {
            assert_eq!(tried("gate", "guess"), Err(Stranger::Wrong(Some("gate".to_owned()))));
            assert_eq!(tried("desk", "quiet"), Ok("desk".to_owned()), "its neighbour has a wrong password");
        }
        assert_eq!(tried("gate", "guess"), Err(Stranger::Wait(2)));
        for number in 0..5 {
            assert_eq!(tried(&format!("nobody{number}"), "guess"), Err(Stranger::Wrong(None)));
        }
        assert_eq!(tried("somebody", "guess"), Err(Stranger::Wait(2)), "names that there are not count as one");
        assert_eq!(tried("desk", "quiet"), Ok("desk".to_owned()));
    }
}
