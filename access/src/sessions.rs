//! All sessions: how long they last, and how many there are.

use std::collections::HashMap;
use std::time::Duration;

use crate::secret::Digest;
use crate::session::Session;
use crate::user::UserName;

/// The most sessions of one user; for one more, the one that was idle longest ends.
const OF_ONE_USER: usize = 32;
/// The most sessions of all users.
const OF_ALL: usize = 20_000;

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a request.
    pub idle: Duration,
    /// In any case.
    pub absolute: Duration,
}

/// All sessions.
#[derive(Debug)]
pub struct Sessions {
    limits: SessionLimits,
    by_digest: HashMap<Digest, Session>,
}

impl Sessions {
    /// These sessions, as far as they have not ended.
    pub fn new(limits: SessionLimits, known: impl IntoIterator<Item = Session>) -> Self {
        Self { limits, by_digest: known.into_iter().map(|session| (session.digest, session)).collect() }
    }

    /// Adds a session.
    pub fn open(&mut self, session: Session, now: i64) {
        self.by_digest.retain(|_, known| !has_ended(self.limits, known, now));
        while self.of(&session.user).count() >= OF_ONE_USER {
            self.close_idlest(|known| known.user == session.user);
        }
        while self.by_digest.len() >= OF_ALL {
            self.close_idlest(|_| true);
        }
        self.by_digest.insert(session.digest, session);
    }

    fn close_idlest(&mut self, among: impl Fn(&Session) -> bool) {
        let idlest = self.by_digest.values().filter(|known| among(known));
        let idlest = idlest.min_by_key(|known| (known.seen_at, known.digest)).map(|known| known.digest);
        idlest.map(|digest| self.by_digest.remove(&digest));
    }

    /// The session with this digest, which is seen now; none if it has ended.
    pub fn see(&mut self, digest: &Digest, now: i64) -> Option<&Session> {
        let limits = self.limits;
        if self.by_digest.get(digest).is_some_and(|known| has_ended(limits, known, now)) {
            self.by_digest.remove(digest);
        }
        let session = self.by_digest.get_mut(digest)?;
        session.seen_at = session.seen_at.max(now);
        Some(session)
    }

    /// When a session ends at the latest, in seconds since 1970.
    pub fn ends_at(&self, session: &Session) -> i64 {
        session.opened_at.saturating_add(seconds(self.limits.absolute))
    }

    /// Ends the session with this digest.
    pub fn close(&mut self, digest: &Digest) -> Option<Session> {
        self.by_digest.remove(digest)
    }

    /// Ends the session of a user with this public name.
    pub fn close_by_id(&mut self, user: &UserName, id: &str) -> Option<Session> {
        let digest = self.of(user).find(|known| known.id() == id)?.digest;
        self.close(&digest)
    }

    /// Ends all sessions of a user but one.
    pub fn close_of(&mut self, user: &UserName, but: Option<&Digest>) {
        self.by_digest.retain(|digest, known| known.user != *user || Some(digest) == but);
    }

    /// The sessions of a user, in no order.
    pub fn of(&self, user: &UserName) -> impl Iterator<Item = &Session> {
        self.by_digest.values().filter(move |known| known.user == *user)
    }

    /// How many sessions each user has that have not ended.
    pub fn counts(&self, now: i64) -> HashMap<&UserName, usize> {
        let mut counts = HashMap::new();
        for known in self.by_digest.values().filter(|known| !has_ended(self.limits, known, now)) {
            *counts.entry(&known.user).or_insert(0) += 1;
        }
        counts
    }

    /// All sessions, in the order of their digests.
    pub fn all(&self) -> Vec<Session> {
        let mut all: Vec<Session> = self.by_digest.values().cloned().collect();
        all.sort_by_key(|session| session.digest);
        all
    }
}

fn has_ended(limits: SessionLimits, session: &Session, now: i64) -> bool {
    let idle = now.saturating_sub(session.seen_at) >= seconds(limits.idle);
    idle || now.saturating_sub(session.opened_at) >= seconds(limits.absolute)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SessionLimits = SessionLimits { idle: Duration::from_secs(100), absolute: Duration::from_secs(1000) };

    fn session(number: u32, user: &str, now: i64) -> Session {
        let user = UserName::parse(user).unwrap();
        Session::new(Digest::of(&number.to_string()), user, now, "10.0.0.7".to_owned(), "Firefox\n/1")
    }

    #[test]
    fn a_session_lasts_while_it_is_used_and_not_for_ever() {
        let mut sessions = Sessions::new(LIMITS, []);
        let one = session(1, "wang", 0);
        assert_eq!(one.agent, "Firefox/1");
        sessions.open(one.clone(), 0);
        for now in (90..1000).step_by(90) {
            assert_eq!(sessions.see(&one.digest, now).map(|seen| seen.seen_at), Some(now));
        }
        assert_eq!(sessions.ends_at(&one), 1000);
        assert!(sessions.see(&one.digest, 1000).is_none() && sessions.all().is_empty());
        let two = session(2, "wang", 0);
        sessions.open(two.clone(), 0);
        assert!(sessions.see(&two.digest, 99).is_some() && sessions.see(&two.digest, 199).is_none());
    }

    #[test]
    fn sessions_of_a_user_end_together_or_alone() {
        let mut sessions = Sessions::new(LIMITS, []);
        let all = [session(1, "wang", 0), session(2, "wang", 0), session(3, "li", 0)];
        all.iter().for_each(|one| sessions.open(one.clone(), 0));
        let [wang, li] = ["wang", "li"].map(|name| UserName::parse(name).unwrap());
        assert!(sessions.close_by_id(&li, &all[0].id()).is_none(), "nobody ends another's session");
        assert_eq!((sessions.counts(0)[&wang], sessions.counts(0)[&li]), (2, 1));
        assert!(sessions.counts(100).is_empty(), "those that have ended do not count");
        assert_eq!(sessions.close_by_id(&wang, &all[0].id()).map(|ended| ended.digest), Some(all[0].digest));
        sessions.open(all[0].clone(), 0);
        sessions.close_of(&wang, Some(&all[1].digest));
        let left: Vec<_> = Sessions::new(LIMITS, sessions.all()).all();
        assert_eq!(left.len(), 2);
        assert!(left.contains(&all[1]) && left.contains(&all[2]));
        assert_ne!(all[0].digest.csrf(), all[1].digest.csrf());
    }

    #[test]
    fn there_are_never_too_many() {
        let mut sessions = Sessions::new(LIMITS, []);
        for number in 0..2 * OF_ONE_USER as u32 {
            sessions.open(session(number, "wang", i64::from(number)), i64::from(number));
        }
        let wang = UserName::parse("wang").unwrap();
        assert_eq!(sessions.of(&wang).count(), OF_ONE_USER);
        assert!(sessions.of(&wang).all(|known| known.opened_at >= OF_ONE_USER as i64), "the oldest have ended");
    }
}
