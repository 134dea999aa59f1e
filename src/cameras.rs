//! What the traffic says about each camera, in words: its clock, how its records arrive, what it reads badly, and what to
//! do. It knows numbers, not where they are kept or shown.

use std::sync::Arc;

use traffic::evidence::{CameraFault, CameraState};

/// Whether a camera can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraHealth {
    /// Nothing is known against it.
    Ok,
    /// Its records can be used, with care.
    Doubtful,
    /// It must be repaired.
    Bad,
}

impl CameraHealth {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Doubtful, Self::Bad];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Doubtful => "doubtful",
            Self::Bad => "bad",
        }
    }
}

/// A silence that is no chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silence {
    /// Corrected event time of the last record, in civil seconds.
    pub since: i64,
    /// How likely a camera that works is silent so long, 0 to 1.
    pub by_chance: f64,
}

/// A camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// KKMC as in the records.
    pub kkmc: Arc<str>,
    /// What was learnt of it at the last whole hour.
    pub known: CameraState,
    /// A silence that is no chance.
    pub silence: Option<Silence>,
}

impl Camera {
    /// What is wrong with it.
    pub fn faults(&self) -> impl Iterator<Item = CameraFault> + '_ {
        self.silence.map(|_| CameraFault::Silent).into_iter().chain(self.known.faults.iter().copied())
    }

    /// Whether it can be relied on.
    pub fn health(&self) -> CameraHealth {
        use CameraFault::{Batches, Doubles, Drifts, Leaps, Minutes, Offset, Silent, Steps, Unbranded, Unread};
        let of = |fault: CameraFault| match fault {
            Leaps | Drifts | Steps | Offset | Silent | Unread => CameraHealth::Bad,
            Batches | Minutes | Unbranded | Doubles => CameraHealth::Doubtful,
        };
        let worst = self.faults().map(of).max_by_key(|health| *health as u8);
        worst.unwrap_or(CameraHealth::Ok)
    }

    /// What a fault of it means, and what to do, in one sentence each.
    pub fn explained(&self, fault: CameraFault) -> (String, &'static str) {
        let seconds = |seconds: f64| format!("{:.0} s", seconds.abs());
        let percent = |part: u32, all: u32| format!("{:.0} %", f64::from(part) * 100.0 / f64::from(all.max(1)));
        let readings = self.known.records + self.known.unread;
        match fault {
            CameraFault::Leaps => (
                format!("{} of {} times are far ahead of all others", self.known.ahead, self.known.records),
                "check the clock module, or the program that sets it",
            ),
            CameraFault::Drifts => (
                format!("its clock gains {:+.0} s a day", self.known.drift),
                "switch on time synchronisation (NTP) and check that the server is reached",
            ),
            CameraFault::Steps => (
                format!("its clock was set within the last hours; it is {} off now", seconds(self.known.offset)),
                "find out who sets it: two time sources may disagree",
            ),
            CameraFault::Batches => (
                "its records arrive in batches".to_owned(),
                "check the connection, and the interval at which it uploads",
            ),
            CameraFault::Offset => {
                let which = if self.known.offset > 0.0 { "fast" } else { "slow" };
                (
                    format!("its clock is {} {which}", seconds(self.known.offset)),
                    "set the clock, and switch on time synchronisation (NTP)",
                )
            }
            CameraFault::Minutes => (
                "its times are written to the minute".to_owned(),
                "have the seconds exported: what is less than two minutes apart cannot be told",
            ),
            CameraFault::Silent => ("it reports nothing while the others do".to_owned(), "check power and connection"),
            CameraFault::Unread => (
                format!("{} of its plates are masked or read in part", percent(self.known.unread, readings)),
                "clean and adjust it, and check the flash",
            ),
            CameraFault::Unbranded => (
                format!("{} of its records have no brand", percent(self.known.unbranded, self.known.records)),
                "check the version of its recognition program",
            ),
            CameraFault::Doubles => (
                format!("{} of its records repeat a vehicle", percent(self.known.doubles, self.known.records)),
                "check the trigger lines: two lanes may see one vehicle",
            ),
        }
    }
}
