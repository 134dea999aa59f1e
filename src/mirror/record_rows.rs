//! Rows of `traffic_alerts` and `traffic_cases`: pure, from an alert or a case to its values as literals, and the questions
//! whether they are there. It does not know connections.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use traffic::Alert;

use super::statement::{Form, Literal, tuple};
use crate::alert_json;
use crate::case_json::{CaseBriefJson, CaseJson, CaseRecordJson};
use crate::mysql::push_text;
use crate::mysql::table::{ALERTS, CASES, ID, VERSION};
use crate::store::ChangedCase;

/// An alert never changes: one that is there stays as it is.
pub(super) static ALERT_FORM: LazyLock<Form> =
    LazyLock::new(|| Form { head: ALERTS.insert(), tail: format!(" ON DUPLICATE KEY UPDATE {ID}={ID}") });

/// A case takes the place of its older states and of no newer one. The version is set last: the columns before it are
/// compared with the old one.
pub(super) static CASE_FORM: LazyLock<Form> = LazyLock::new(|| {
    let names = CASES.names().into_iter().filter(|name| ![ID, VERSION].contains(name));
    let newer = |name: &str| format!("{name}=IF(VALUES({VERSION})>{VERSION},VALUES({name}),{name})");
    let set: Vec<String> = names.map(newer).collect();
    let tail = format!(" ON DUPLICATE KEY UPDATE {},{VERSION}=GREATEST(VALUES({VERSION}),{VERSION})", set.join(","));
    Form { head: CASES.insert(), tail }
});

/// An alert on its way.
///
/// # Errors
/// It cannot be written as JSON.
pub(super) fn alert_row(alert: &Alert) -> serde_json::Result<String> {
    let body = alert_json::to_text(alert)?;
    let (prev_time, curr_time) = (alert.earlier.passed_at.to_string(), alert.later.passed_at.to_string());
    use Literal::{Name, Number, Text, Whole};
    Ok(tuple([
        Text(&alert.id.to_string()),
        Whole(alert.seq as i64),
        Text(&alert.plate),
        Text(&alert.earlier.checkpoint),
        Text(&alert.later.checkpoint),
        Text(&prev_time),
        Text(&curr_time),
        Whole(alert.gap_seconds),
        Number(alert.distance_km),
        Number(alert.speed_kmh),
        Text(alert.severity.name()),
        Text(alert.rule.name()),
        Name(alert.cause.map(traffic::Cause::as_str)),
        Number(alert.evidence.as_ref().map(|pair| pair.probability)),
        Text(&body),
    ]))
}

/// A case on its way.
///
/// # Errors
/// It cannot be written as JSON.
pub(super) fn case_row(changed: &ChangedCase) -> serde_json::Result<String> {
    let record = CaseRecordJson::from(changed.worked.clone());
    let (body, brief) = (serde_json::to_string(&record)?, serde_json::to_string(&CaseBriefJson::of(&record.case))?);
    let case = &record.case;
    use Literal::{Number, Text, Whole};
    Ok(tuple([
        Text(&case.id),
        Whole(case.seq as i64),
        Text(&case.hphm),
        Number(Some(case.probability)),
        Text(case.cause.as_str()),
        Whole(i64::from(case.contradictions)),
        Text(&case.first_time),
        Text(&case.last_time),
        Text(&case.opened_at),
        Text(case.status.as_str()),
        Text(&lines_of_checkpoints(case)),
        Text(&brief),
        Text(&body),
        Whole(changed.change as i64),
    ]))
}

/// The checkpoints of its contradictions, each once, with a line end before and behind each: a name holds none, so that it
/// is found by a search for the name between two of them.
fn lines_of_checkpoints(case: &CaseJson) -> String {
    let names = case.pairs.iter().flat_map(|pair| [pair.earlier.kkmc.as_str(), pair.later.kkmc.as_str()]);
    let names: BTreeSet<&str> = names.collect();
    let mut lines = String::from("\n");
    for name in names {
        lines.push_str(name);
        lines.push('\n');
    }
    lines
}

/// The query for which of these alerts are there.
pub(super) fn alerts_question<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    question(ALERTS.name, ID, ids)
}

/// The query for which of these cases are there, in which version.
pub(super) fn cases_question<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    question(CASES.name, &format!("{ID}, {VERSION}"), ids)
}

fn question<'a>(table: &str, columns: &str, ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut question = format!("SELECT {columns} FROM {table} WHERE {ID} IN (''");
    for id in ids {
        question.push(',');
        push_text(&mut question, id);
    }
    question.push(')');
    question
}

#[cfg(test)]
mod tests {
    use traffic::{AlertId, AlertSighting, CivilTime, Rule, Severity};

    use super::*;

    #[test]
    fn golden_alert() {
        let sighting = |checkpoint: &str, time| AlertSighting {
            checkpoint: checkpoint.to_owned(),
            passed_at: CivilTime::from_civil(2024, 1, 1, 0, 0, time).unwrap(),
            passage: "G1".to_owned(),
        };
        let alert = Alert {
            seq: 7,
            id: AlertId(255),
            plate: "苏C12345".to_owned(),
            earlier: sighting("it's", 1),
            later: sighting("B", 24),
            gap_seconds: 23,
            distance_km: Some(12.5),
            speed_kmh: None,
            severity: Severity::High,
            rule: Rule::Window,
            cause: None,
            evidence: None,
        };
        let row = alert_row(&alert).unwrap();
        let values = "('00000000000000ff',7,'苏C12345','it''s','B','2024-01-01 00:00:01','2024-01-01 00:00:24',23,\
                      1.25e1,NULL,'high','window',NULL,NULL,'{\\\"seq\\\":7,";
        assert!(row.starts_with(values), "{row}");
        assert!(
            ALERT_FORM.statement(&[row]).starts_with("INSERT INTO traffic_alerts (id,seq,hphm,prev_kkmc,"),
            "the columns in their order"
        );
    }

    #[test]
    fn golden_forms_and_questions() {
        let tail = &CASE_FORM.tail;
        assert!(
            tail.starts_with(" ON DUPLICATE KEY UPDATE seq=IF(VALUES(version)>version,VALUES(seq),seq),"),
            "{tail}"
        );
        assert!(tail.ends_with("body),version=GREATEST(VALUES(version),version)"), "{tail}");
        assert_eq!(alerts_question(["a", "b"]), "SELECT id FROM traffic_alerts WHERE id IN ('','a','b')");
        assert_eq!(cases_question(["a"]), "SELECT id, version FROM traffic_cases WHERE id IN ('','a')");
    }
}
