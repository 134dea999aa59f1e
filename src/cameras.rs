//! What the traffic says about each camera, in words: its clock, how its records arrive, what it reads badly, and what to
//! do. It knows numbers, not where they are kept or shown.

use std::sync::Arc;

use traffic::evidence::CameraFault;

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

/// What is known of a camera. Counts are of the last six whole hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// KKMC as in the records.
    pub kkmc: Arc<str>,
    /// Seconds that its clock is fast; negative if it is slow.
    pub offset: f64,
    /// By how much that may be wrong, in seconds; 600 or more if nothing is known.
    pub error: f64,
    /// Seconds a day that its clock gains, if it drifts.
    pub drift: f64,
    /// Records with a complete plate.
    pub records: u32,
    /// Those far ahead of all others among them.
    pub ahead: u32,
    /// Records that were compared with the plate's sighting before.
    pub compared: u32,
    /// Contradictions among them.
    pub contradicted: u32,
    /// Records with a masked or irregular plate.
    pub unread: u32,
    /// Records without a brand.
    pub unbranded: u32,
    /// Records of a plate that the camera had recorded within the minute before.
    pub doubles: u32,
    /// A silence that is no chance.
    pub silence: Option<Silence>,
    /// What is wrong with it.
    pub faults: Vec<CameraFault>,
}

impl Camera {
    /// Whether it can be relied on.
    pub fn health(&self) -> CameraHealth {
        use CameraFault::{Batches, Doubles, Drifts, Leaps, Minutes, Offset, Silent, Steps, Unbranded, Unread};
        let of = |fault: &CameraFault| match fault {
            Leaps | Drifts | Steps | Offset | Silent | Unread => CameraHealth::Bad,
            Batches | Minutes | Unbranded | Doubles => CameraHealth::Doubtful,
        };
        let worst = self.faults.iter().map(of).max_by_key(|health| *health as u8);
        worst.unwrap_or(CameraHealth::Ok)
    }

    /// What a fault of it means, and what to do, in one sentence each.
    pub fn explained(&self, fault: CameraFault) -> (String, &'static str) {
        let seconds = |seconds: f64| format!("{:.0} s", seconds.abs());
        let percent = |part: u32, all: u32| format!("{:.0} %", f64::from(part) * 100.0 / f64::from(all.max(1)));
        let readings = self.records + self.unread;
        match fault {
            CameraFault::Leaps => (
                format!("{} of {} times are far ahead of all others", self.ahead, self.records),
                "check the clock module, or the program that sets it",
            ),
            CameraFault::Drifts => (
                format!("its clock gains {:+.0} s a day", self.drift),
                "switch on time synchronisation (NTP) and check that the server is reached",
            ),
            CameraFault::Steps => (
                format!("its clock was set within the last hours; it is {} off now", seconds(self.offset)),
                "find out who sets it: two time sources may disagree",
            ),
            CameraFault::Batches => (
                "its records arrive in batches".to_owned(),
                "check the connection, and the interval at which it uploads",
            ),
            CameraFault::Offset => {
                let which = if self.offset > 0.0 { "fast" } else { "slow" };
                (
                    format!("its clock is {} {which}", seconds(self.offset)),
                    "set the clock, and switch on time synchronisation (NTP)",
                )
            }
            CameraFault::Minutes => (
                "its times are written to the minute".to_owned(),
                "have the seconds exported: what is less than two minutes apart cannot be told",
            ),
            CameraFault::Silent => ("it reports nothing while the others do".to_owned(), "check power and connection"),
            CameraFault::Unread => (
                format!("{} of its plates are masked or read in part", percent(self.unread, readings)),
                "clean and adjust it, and check the flash",
            ),
            CameraFault::Unbranded => (
                format!("{} of its records have no brand", percent(self.unbranded, self.records)),
                "check the version of its recognition program",
            ),
            CameraFault::Doubles => (
                format!("{} of its records repeat a vehicle", percent(self.doubles, self.records)),
                "check the trigger lines: two lanes may see one vehicle",
            ),
        }
    }
}
