//! Work on an alert (研判): its states, which may follow which, and the record of who changed what and when.
//!
//! ```text
//! new 新建 ──▶ investigating 研判中 ──▶ confirmed 已确认
//!                      ▲  │
//!                      │  └──────────▶ dismissed 已驳回
//!                      └── (with a note) ── confirmed, dismissed
//! ```
//!
//! A change may also keep the state and only add a note. This module is pure: it does not know where work is kept, what
//! time it is or how a change came in.

use serde::{Deserialize, Serialize};

use traffic::{Alert, AlertId, CivilTime};

/// The state of the work on an alert. The numbers are part of the on-disk format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum WorkStatus {
    /// 新建: not looked at yet.
    #[default]
    New = 0,
    /// 研判中: under investigation.
    Investigating = 1,
    /// 已确认: it is a cloned plate.
    Confirmed = 2,
    /// 已驳回: it is not.
    Dismissed = 3,
}

impl WorkStatus {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::New, Self::Investigating, Self::Confirmed, Self::Dismissed];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Investigating => "investigating",
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
        }
    }

    /// The states that may follow.
    pub fn allowed(self) -> &'static [Self] {
        match self {
            Self::New => &[Self::Investigating],
            Self::Investigating => &[Self::Confirmed, Self::Dismissed],
            Self::Confirmed | Self::Dismissed => &[Self::Investigating],
        }
    }

    /// Whether the work is done.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Dismissed)
    }
}

/// Why the work on a case ended as it did, as a code. The numbers are part of the on-disk format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum WorkReason {
    /// 现场查获: one of the two cars was stopped.
    Stopped = 0,
    /// 图像比对: the pictures show two cars.
    Photos = 1,
    /// 车主证实: the owner was elsewhere.
    Owner = 2,
    /// 号牌误识别: another plate was read as this one.
    Misread = 3,
    /// 设备时钟错误: a camera's clock was wrong.
    Clock = 4,
    /// 同号不同种类: two vehicles carry the number lawfully.
    PlateTypes = 5,
    /// 正常行驶: one car made all sightings.
    Fast = 6,
    /// 其他: see the note.
    Other = 7,
}

impl WorkReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Stopped,
        Self::Photos,
        Self::Owner,
        Self::Misread,
        Self::Clock,
        Self::PlateTypes,
        Self::Fast,
        Self::Other,
    ];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Photos => "photos",
            Self::Owner => "owner",
            Self::Misread => "misread",
            Self::Clock => "clock",
            Self::PlateTypes => "plate_types",
            Self::Fast => "fast",
            Self::Other => "other",
        }
    }
}

/// Decisions (changes of the state) that are kept of an alert, and just as many notes; beyond that the oldest of the same kind are
/// dropped. So no number of notes hides who dismissed an alert.
pub const MAX_OF_A_KIND: usize = 100;
/// Longest note, in characters.
pub const MAX_NOTE_CHARS: usize = 1000;
/// Longest name of who makes a change, in characters.
pub const MAX_BY_CHARS: usize = 64;

/// A requested change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkChange {
    /// The requested state; none keeps the state and only adds the note.
    pub status: Option<WorkStatus>,
    /// Why; may be empty if the state moves on.
    pub note: String,
    /// Why, as a code.
    pub reason: Option<WorkReason>,
    /// Who.
    pub by: String,
    /// When, in civil time.
    pub at: CivilTime,
    /// The version that the change was based on; none accepts any.
    pub version: Option<u64>,
}

/// A change that was made: a decision, or a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkEntry {
    /// When, in civil time.
    pub at: CivilTime,
    /// Who.
    pub by: String,
    /// The state before.
    pub from: WorkStatus,
    /// The state since; the same where only a note was added.
    pub to: WorkStatus,
    /// Why; may be empty.
    pub note: String,
    /// Why, as a code.
    pub reason: Option<WorkReason>,
}

impl WorkEntry {
    /// Whether the state changed.
    pub fn is_decision(&self) -> bool {
        self.from != self.to
    }
}

/// The work on one alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertWork {
    /// The current state.
    pub status: WorkStatus,
    /// How many changes were made; it shows whether another change came first.
    pub version: u64,
    /// The newest [`MAX_OF_A_KIND`] decisions and as many notes, oldest first.
    pub history: Vec<WorkEntry>,
}

/// An alert and the work on it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkedAlert {
    /// The alert.
    pub alert: Alert,
    /// The work.
    pub work: AlertWork,
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// There is no such alert, or it is no longer kept.
    #[error("there is no alert {0}: it was never raised here, or is older than store.alerts_retention")]
    NotFound(AlertId),
    /// There is no such case, or it is no longer kept.
    #[error("there is no case {0}: it was never opened here, or is older than store.alerts_retention")]
    NoCase(AlertId),
    /// Another change came first.
    #[error("it was changed meanwhile (version {actual}, not {expected}): read it again with GET, then decide again")]
    Changed {
        /// The version that the change was based on.
        expected: u64,
        /// The current version.
        actual: u64,
    },
    /// This state may not follow.
    #[error("what is {from} cannot become {to}: allowed is {allowed}", from = .from.as_str(), to = .to.as_str(), allowed = names(.from.allowed()))]
    NotAllowed {
        /// The current state.
        from: WorkStatus,
        /// The requested state.
        to: WorkStatus,
    },
    /// Nothing would change.
    #[error("it is {0} already: give a `note` to add one, or another `status`: allowed is {allowed}", allowed = names(.1.allowed()))]
    Nothing(&'static str, WorkStatus),
    /// Work is resumed without a reason.
    #[error("it is {}: taking it up again needs a `note` that says why", .0.as_str())]
    NeedsNote(WorkStatus),
    /// This reader cannot keep work.
    #[error("{0}")]
    Unsupported(String),
    /// It could not be kept.
    #[error("{0}")]
    Failed(String),
}

fn names(states: &[WorkStatus]) -> String {
    let names: Vec<&str> = states.iter().map(|status| status.as_str()).collect();
    names.join(" or ")
}

impl AlertWork {
    /// Makes a change.
    ///
    /// # Errors
    /// [`WorkError`] if it was based on another version or may not follow; nothing has changed then.
    pub fn change(&mut self, change: &WorkChange) -> Result<(), WorkError> {
        if let Some(expected) = change.version.filter(|version| *version != self.version) {
            return Err(WorkError::Changed { expected, actual: self.version });
        }
        let from = self.status;
        let to = change.status.unwrap_or(from);
        if to == from && change.note.is_empty() {
            return Err(WorkError::Nothing(from.as_str(), from));
        }
        if to != from && !from.allowed().contains(&to) {
            return Err(WorkError::NotAllowed { from, to });
        }
        if to != from && from.is_final() && change.note.is_empty() {
            return Err(WorkError::NeedsNote(from));
        }
        let entry = WorkEntry {
            at: change.at,
            by: change.by.clone(),
            from,
            to,
            note: change.note.clone(),
            reason: change.reason,
        };
        self.make_room(entry.is_decision());
        self.history.push(entry);
        self.status = to;
        self.version += 1;
        Ok(())
    }

    /// Drops the oldest changes of a kind, so that one more of it is not too many.
    fn make_room(&mut self, for_decision: bool) {
        let of_kind = self.history.iter().filter(|entry| entry.is_decision() == for_decision).count();
        let mut excess = (of_kind + 1).saturating_sub(MAX_OF_A_KIND);
        self.history.retain(|entry| {
            let goes = excess > 0 && entry.is_decision() == for_decision;
            excess -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(status: Option<WorkStatus>, note: &str) -> WorkChange {
        WorkChange {
            status, note: note.to_owned(), reason: None, by: "王".to_owned(), at: CivilTime(7), version: None
        }
    }

    /// Every pair of states, with and without a note, against the table of the contract.
    #[test]
    fn what_may_follow() {
        use WorkStatus::{Confirmed, Dismissed, Investigating, New};
        for from in WorkStatus::ALL {
            for to in WorkStatus::ALL {
                for note in ["", "why"] {
                    let mut work = AlertWork { status: from, version: 3, history: Vec::new() };
                    let before = work.clone();
                    let made = work.change(&change(Some(to), note));
                    let allowed = match (from, to) {
                        (New, Investigating) | (Investigating, Confirmed | Dismissed) => true,
                        (Confirmed | Dismissed, Investigating) => !note.is_empty(),
                        (same, other) => same == other && !note.is_empty(),
                    };
                    assert_eq!(made.is_ok(), allowed, "{from:?} {to:?} {note:?}: {made:?}");
                    if allowed {
                        assert_eq!((work.status, work.version, work.history.len()), (to, 4, 1));
                        assert_eq!((work.history[0].from, work.history[0].to), (from, to));
                    } else {
                        assert_eq!(work, before, "a refused change must not leave a trace");
                        let text = made.unwrap_err().to_string();
                        assert!(text.contains(from.as_str()), "{text}");
                    }
                }
            }
        }
        let refused = AlertWork::default().change(&change(Some(Confirmed), "")).unwrap_err().to_string();
        assert_eq!(refused, "what is new cannot become confirmed: allowed is investigating");
    }

    #[test]
    fn another_version_is_refused() {
        let mut work = AlertWork::default();
        let decided_on = |version| WorkChange { version: Some(version), ..change(Some(WorkStatus::Investigating), "") };
        assert_eq!(work.change(&decided_on(1)), Err(WorkError::Changed { expected: 1, actual: 0 }));
        work.change(&decided_on(0)).unwrap();
        assert_eq!(work.change(&decided_on(0)), Err(WorkError::Changed { expected: 0, actual: 1 }));
    }

    #[test]
    fn history_is_bounded_and_the_version_goes_on() {
        let mut work = AlertWork::default();
        for number in 0..MAX_OF_A_KIND + 5 {
            work.change(&change(None, &format!("note {number}"))).unwrap();
        }
        assert_eq!((work.history.len(), work.version), (MAX_OF_A_KIND, MAX_OF_A_KIND as u64 + 5));
        assert_eq!(work.history[0].note, "note 5");
        assert_eq!(work.history[MAX_OF_A_KIND - 1].note, format!("note {}", MAX_OF_A_KIND + 4));
    }

    /// Who dismisses an alert cannot hide that behind notes, nor notes behind decisions.
    #[test]
    fn notes_push_no_decision_out() {
        use WorkStatus::{Dismissed, Investigating};
        let mut work = AlertWork::default();
        work.change(&change(None, "first note")).unwrap();
        work.change(&change(Some(Investigating), "")).unwrap();
        work.change(&change(Some(Dismissed), "dismissed")).unwrap();
        for number in 0..3 * MAX_OF_A_KIND {
            work.change(&change(None, &format!("note {number}"))).unwrap();
        }
        let decisions: Vec<_> = work.history.iter().filter(|entry| entry.is_decision()).map(|entry| entry.to).collect();
        assert_eq!(decisions, [Investigating, Dismissed]);
        assert_eq!(work.history[1].note, "dismissed", "oldest first");
        assert_eq!(work.history.len(), 2 + MAX_OF_A_KIND);
        for number in 0..3 * MAX_OF_A_KIND {
            let to = if number.is_multiple_of(2) { Investigating } else { Dismissed };
            work.change(&change(Some(to), "again")).unwrap();
        }
        assert_eq!(work.history.len(), 2 * MAX_OF_A_KIND);
        assert_eq!(work.history[0].note, format!("note {}", 2 * MAX_OF_A_KIND));
    }
}
