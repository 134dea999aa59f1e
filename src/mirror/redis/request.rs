//! Calls of the script `alerts.lua`: pure, from alerts to its arguments. It does not know connections.

use traffic::Alert;

use crate::alert_json;

/// What the script is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Newer alerts go to the head.
    Head,
    /// All of these alerts must be there, in their order.
    Mend {
        /// The last known place of the one before them.
        place: i64,
        /// Alerts before them were missing, so a full list may have older ones in their place.
        insist: bool,
    },
}

/// What the script answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// The list has one of the alerts that it was asked about.
    pub(super) found: bool,
    pub(super) pushed: u64,
    pub(super) length: u64,
    /// The place of the last of them; below 0 if the list ends before it.
    pub(super) last: i64,
}

/// The arguments of a call: the task, the most alerts that the list keeps, `SEQ:ID` of the alert before those that
/// follow (empty without one), its place, and the alerts.
///
/// # Errors
/// An alert cannot be written as JSON.
pub(super) fn arguments(
    task: Task,
    max_length: u64,
    before: Option<&Alert>,
    alerts: &[Alert],
) -> serde_json::Result<Vec<String>> {
    let (name, place) = match task {
        Task::Head => ("head", 0),
        Task::Mend { place, insist: false } => ("mend", place),
        Task::Mend { place, insist: true } => ("insist", place),
    };
    let before = before.map_or_else(String::new, |alert| format!("{}:{}", alert.seq, alert.id));
    let mut arguments = vec![name.to_owned(), max_length.to_string(), before, place.to_string()];
    for alert in alerts {
        arguments.push(alert_json::to_text(alert)?);
    }
    Ok(arguments)
}

/// Bytes that one of these alerts takes on average.
pub(super) fn bytes_of_each(alerts: &[Alert]) -> u64 {
    let bytes: usize = alerts.iter().filter_map(|alert| alert_json::to_text(alert).ok()).map(|text| text.len()).sum();
    (bytes / alerts.len().max(1)) as u64
}

#[cfg(test)]
mod tests {
    use traffic::{AlertId, AlertSighting, CivilTime, Rule, Severity};

    use super::*;

    #[test]
    fn golden_arguments() {
        let sighting =
            |passage: &str| AlertSighting { checkpoint: "A".into(), passed_at: CivilTime(0), passage: passage.into() };
        let alert = |seq| Alert {
            seq,
            id: AlertId(255),
            plate: "-".into(),
            earlier: sighting("1"),
            later: sighting("2"),
            gap_seconds: 0,
            distance_km: None,
            speed_kmh: None,
            severity: Severity::Low,
            rule: Rule::Window,
            cause: None,
            evidence: None,
        };
        let json = alert_json::to_text(&alert(7)).unwrap();
        let made = |task, before: Option<&Alert>, alerts: &[Alert]| arguments(task, 100, before, alerts).unwrap();
        assert_eq!(made(Task::Head, None, &[]), ["head", "100", "", "0"]);
        let before = alert(6);
        let head = made(Task::Head, Some(&before), &[alert(7)]);
        assert_eq!(head, ["head", "100", "6:00000000000000ff", "0", json.as_str()]);
        let mend = |insist| made(Task::Mend { place: 12, insist }, None, &[alert(7)]);
        assert_eq!(mend(false), ["mend", "100", "", "12", json.as_str()]);
        assert_eq!(mend(true), ["insist", "100", "", "12", json.as_str()]);
        assert_eq!((bytes_of_each(&[alert(7), alert(8)]), bytes_of_each(&[])), (json.len() as u64, 0));
    }
}
