//! Detection in JSON: the watermark, late and early passages, and the clocks of the checkpoints.

use serde::Serialize;
use utoipa::ToSchema;

use crate::camera_clocks::{CheckpointClock, ClockAdvice, DetectionStatus};
use crate::serve::codes::ClockAdviceName;
use crate::serve::records::label;
use crate::serve::sight::Sight;

/// Detection, and the clocks of the checkpoints.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DetectionStatus)]
pub(super) struct DetectionJson {
    /// The newest GCSJ that three checkpoints have reached, of the partition that is furthest ahead; null before there is one.
    #[schema(example = "2024-01-01 12:34:55")]
    watermark: Option<String>,
    /// Accepted passages that were too old to be compared.
    #[schema(example = 12)]
    late: u64,
    /// Accepted passages far ahead of the watermark; they were compared.
    #[schema(example = 3)]
    ahead: u64,
    /// Sightings that are no longer compared, because their plate had more within `detect.state_ttl` than are kept.
    #[schema(example = 0)]
    forgotten: u64,
    /// Records whose GCXH had been accepted with another GCSJ.
    conflicts: ConflictsJson,
    /// All checkpoints with an accepted passage, in order of their first.
    checkpoints: Vec<CheckpointClockJson>,
}

/// Records whose GCXH was accepted with another GCSJ: ids damaged by a spreadsheet, or a camera that restarted its count.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GcxhConflicts)]
struct ConflictsJson {
    /// How many were rejected.
    #[schema(example = 0)]
    count: u64,
    /// One of these GCXH; null if there is none.
    #[schema(example = json!(null))]
    sample: Option<String>,
}

/// The clock of a checkpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckpointClock)]
struct CheckpointClockJson {
    /// KKMC as it was recorded.
    #[schema(example = "S250_Pizhou_Sulu")]
    kkmc: String,
    /// Short name; KKMC where the catalogue does not know it.
    #[schema(example = "S250-邳州-苏鲁界")]
    label: String,
    /// Accepted passages.
    #[schema(example = 52000)]
    accepted: u64,
    /// Of these, late passages.
    #[schema(example = 12)]
    late: u64,
    /// Of these, passages far ahead.
    #[schema(example = 3)]
    ahead: u64,
    /// Seconds by which its times are ahead of most checkpoints, negative if behind: the median of GCSJ less the
    /// watermark over its newest records, less the median of that over all checkpoints. Null before there are enough of both.
    #[schema(example = 303)]
    offset_seconds: Option<i64>,
    /// What is wrong with its clock; null if nothing is.
    advice: Option<ClockAdviceJson>,
}

/// What is wrong with a clock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClockAdvice)]
struct ClockAdviceJson {
    /// `clock_ahead`, `clock_behind` (or its records are sent that late), `sends_late` (not all of them equally) or
    /// `clock_leaps` (right most of the time, far ahead at some).
    #[schema(value_type = ClockAdviceName, example = "clock_ahead")]
    code: &'static str,
    /// By about how many seconds; null for `clock_leaps`.
    #[schema(example = 303)]
    seconds: Option<i64>,
    /// The same in words.
    #[schema(example = "clock about 5 min ahead")]
    text: String,
}

pub(super) fn detection_json(status: DetectionStatus, sight: &Sight) -> DetectionJson {
    let catalogue = sight.catalogue();
    let clock = |clock: CheckpointClock| CheckpointClockJson {
        label: label(&catalogue, &clock.kkmc),
        kkmc: clock.kkmc.to_string(),
        accepted: clock.accepted,
        late: clock.late,
        ahead: clock.ahead,
        offset_seconds: clock.offset_seconds,
        advice: clock.advice.map(advice_json),
    };
    DetectionJson {
        watermark: status.watermark.map(|time| time.to_string()),
        late: status.late,
        ahead: status.ahead,
        forgotten: status.forgotten,
        conflicts: ConflictsJson { count: status.conflicts, sample: status.conflict_sample },
        checkpoints: status.checkpoints.into_iter().map(clock).collect(),
    }
}

fn advice_json(advice: ClockAdvice) -> ClockAdviceJson {
    ClockAdviceJson { code: advice.code(), seconds: advice.seconds(), text: advice.text() }
}
