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

/// What the traffic says about all cameras.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CameraReport {
    /// Whether anything is learnt of the traffic: `detect.evidence` is on.
    pub is_on: bool,
    /// The whole hour that was learnt last, in hours since 1970; none before the first.
    pub model: Option<i64>,
    /// Every camera that has reported.
    pub cameras: Arc<[Camera]>,
}

impl CameraReport {
    /// How many are in each state; none before the first whole hour.
    pub fn counts(&self) -> Option<CameraCounts> {
        self.model?;
        let count = |health| self.cameras.iter().filter(|camera| camera.health() == health).count() as u64;
        let [ok, doubtful, bad] = CameraHealth::ALL.map(count);
        Some(CameraCounts { ok, doubtful, bad })
    }

    /// All of them, the worst first, then by name.
    pub fn worst_first(&self) -> Vec<&Camera> {
        let mut cameras: Vec<&Camera> = self.cameras.iter().collect();
        cameras.sort_by(|a, b| (b.health() as u8).cmp(&(a.health() as u8)).then_with(|| a.kkmc.cmp(&b.kkmc)));
        cameras
    }
}

/// How many cameras are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameraCounts {
    /// Nothing is known against these.
    pub ok: u64,
    /// Their records can be used, with care.
    pub doubtful: u64,
    /// These must be repaired.
    pub bad: u64,
}

/// An offset that may be wrong by so many seconds is not known.
const UNKNOWN_SECONDS: f64 = 600.0;

impl Camera {
    /// Seconds that its clock is fast, negative if it is slow, and by how much that may be wrong; none if it is not known.
    pub fn offset(&self) -> Option<(f64, f64)> {
        (self.known.error < UNKNOWN_SECONDS).then_some((self.known.offset, self.known.error))
    }

    /// What is wrong with it.
    pub fn faults(&self) -> impl Iterator<Item = CameraFault> + '_ {
        self.silence.map(|_| CameraFault::Silent).into_iter().chain(self.known.faults.iter().copied())
    }

    /// Whether it can be relied on.
    pub fn health(&self) -> CameraHealth {
        use CameraFault::{
            Batches, Doubles, Drifts, Leaps, Minutes, Misreads, Offset, Silent, Steps, Unbranded, Unread,
        };
        let of = |fault: CameraFault| match fault {
            Leaps | Drifts | Steps | Offset | Silent | Unread => CameraHealth::Bad,
            Batches | Minutes | Unbranded | Doubles | Misreads => CameraHealth::Doubtful,
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
            CameraFault::Misreads => (
                format!(
                    "{} of its plates contradict other sightings, more than usual: many are misread",
                    percent(self.known.contradicted, self.known.compared)
                ),
                "compare its pictures with its readings, then clean and adjust it",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(faults: Vec<CameraFault>, error: f64) -> Camera {
        let known = CameraState {
            offset: -90.0,
            error,
            drift: 0.0,
            records: 100,
            ahead: 0,
            compared: 0,
            contradicted: 0,
            unread: 0,
            unbranded: 0,
            doubles: 0,
            usual_share: 0.1,
            faults,
        };
        Camera { kkmc: "A".into(), known, silence: None }
    }

    #[test]
    fn a_camera_is_as_bad_as_its_worst_fault() {
        assert_eq!(camera(vec![], 1.0).health(), CameraHealth::Ok);
        assert_eq!(camera(vec![CameraFault::Batches], 1.0).health(), CameraHealth::Doubtful);
        assert_eq!(camera(vec![CameraFault::Batches, CameraFault::Offset], 1.0).health(), CameraHealth::Bad);
        let silence = Some(Silence { since: 0, by_chance: 1e-9 });
        assert_eq!(Camera { silence, ..camera(vec![], 1.0) }.health(), CameraHealth::Bad);
    }

    #[test]
    fn nothing_is_counted_before_the_first_hour() {
        let cameras: Arc<[Camera]> =
            [camera(vec![], 1.0), camera(vec![CameraFault::Steps], 1.0), camera(vec![CameraFault::Doubles], 1.0)]
                .into();
        let report = CameraReport { is_on: true, model: None, cameras };
        assert_eq!(report.counts(), None);
        let counts = CameraReport { model: Some(473_352), ..report }.counts();
        assert_eq!(counts, Some(CameraCounts { ok: 1, doubtful: 1, bad: 1 }));
    }

    #[test]
    fn an_offset_of_which_nothing_is_known_is_none() {
        assert_eq!(camera(vec![], 600.0).offset(), None);
        assert_eq!(camera(vec![], 4.0).offset(), Some((-90.0, 4.0)));
    }
}
