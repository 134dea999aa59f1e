//! Cases from `traffic_cases` on the first instance, asked directly or through MyCat by the hint for its dataNode. So a
//! statement may have any form that MySQL knows.
//!
//! A deployment whose tables are of an earlier version has no cases: that is told, and nothing else fails. It does not know
//! who writes the table.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use super::statements::{like_plate, text};
use super::target::Target;
use crate::case_json::{CaseBriefJson, CaseRecordJson, WorkedCase};
use crate::mysql::table::{CASES, ID};
use crate::mysql::{MysqlError, MysqlPool, texts, whole};
use crate::reader::{CaseFilter, CaseOrder, Page, ReadError};

/// The table.
pub(super) struct Cases {
    pool: Arc<MysqlPool>,
    target: Arc<Target>,
}

impl Cases {
    /// The table on the instance that `pool` leads to; `target` knows whether its server answers.
    pub(super) fn new(pool: Arc<MysqlPool>, target: Arc<Target>) -> Self {
        Self { pool, target }
    }

    /// A page of those that match.
    pub(super) async fn matching(
        &self,
        filter: &CaseFilter,
        order: CaseOrder,
        page: u64,
        limit: usize,
    ) -> Result<Page<CaseBriefJson>, ReadError> {
        let clause = clause(filter);
        let counted = self.ask(&format!("SELECT COUNT(*) AS cases FROM {}{clause}", CASES.name)).await?;
        let total = counted.first().and_then(|row| whole(row.first()?.as_deref()?)).unwrap_or(0);
        let skip = page.saturating_sub(1).saturating_mul(limit as u64);
        if total <= skip {
            return Ok(Page { total, records: Vec::new() });
        }
        let rows = self.ask(&page_statement(&clause, order, skip, limit)).await?;
        let records = rows.iter().map(|row| parsed::<CaseBriefJson>(row)).collect::<Result<_, _>>()?;
        Ok(Page { total, records })
    }

    /// The case with this id, and the work on it.
    pub(super) async fn by_id(&self, id: u64) -> Result<Option<WorkedCase>, ReadError> {
        let rows = self.ask(&format!("SELECT body FROM {} WHERE {ID} = '{id:016x}'", CASES.name)).await?;
        Ok(rows.first().map(|row| parsed::<CaseRecordJson>(row)).transpose()?.map(WorkedCase::from))
    }

    async fn ask(&self, statement: &str) -> Result<Vec<Vec<Option<String>>>, ReadError> {
        self.target.check_reach()?;
        let answer = async {
            // It shows what listens there too, and so whether the statement needs MyCat's hint.
            self.pool.all_answer(Instant::now()).await?;
            let statement = self.pool.on_first_node(statement);
            self.pool.trusted(self.pool.rows(&statement)).await
        };
        let answered: Result<_, MysqlError> = answer.await;
        let rows = answered.map_err(|error| self.target.refusal("cases", &error))?;
        Ok(rows.into_iter().map(texts).collect())
    }
}

/// The JSON in the first column.
fn parsed<T: serde::de::DeserializeOwned>(row: &[Option<String>]) -> Result<T, ReadError> {
    let json = row.first().and_then(Option::as_deref).unwrap_or_default();
    serde_json::from_str(json)
        .map_err(|error| ReadError::Storage(format!("a row of {} holds no case ({error})", CASES.name)))
}

fn page_statement(clause: &str, order: CaseOrder, skip: u64, limit: usize) -> String {
    let first = match order {
        CaseOrder::Probability => "probability DESC, last_time DESC",
        CaseOrder::Newest => "opened_at DESC",
    };
    format!("SELECT brief FROM {}{clause} ORDER BY {first}, seq DESC, {ID} LIMIT {limit} OFFSET {skip}", CASES.name)
}

fn clause(filter: &CaseFilter) -> String {
    let mut all = Vec::new();
    for (sign, time) in [(">=", filter.time.start), ("<=", filter.time.end)] {
        all.extend(time.map(|time| format!("last_time {sign} '{time}'")));
    }
    all.extend(filter.hphm.as_deref().and_then(like_plate));
    if let Some(names) = &filter.kkmc {
        let mut any = String::from("(0");
        for name in names {
            // Each name stands between two line ends, see the mirror.
            let _ = write!(any, " OR INSTR(kkmcs, {}) > 0", text(&format!("\n{name}\n")));
        }
        all.push(any + ")");
    }
    // With an exponent it is compared as the number that the column holds.
    all.extend(filter.min_probability.map(|least| format!("probability >= {least:e}")));
    all.extend(filter.cause.map(|cause| format!("cause = '{}'", cause.as_str())));
    all.extend(filter.status.map(|status| format!("status = '{}'", status.as_str())));
    if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
}

#[cfg(test)]
mod tests {
    use traffic::{Cause, CivilTime};

    use super::*;
    use crate::reader::TimeRange;
    use crate::work::WorkStatus;

    #[test]
    fn filters_as_conditions() {
        assert_eq!(clause(&CaseFilter::default()), "");
        let filter = CaseFilter {
            time: TimeRange { start: CivilTime::from_civil(2024, 1, 1, 0, 0, 24), end: None },
            hphm: Some("苏C*'8".to_owned()),
            kkmc: Some(vec!["A".to_owned(), "it's".to_owned()]),
            min_probability: Some(0.9),
            cause: Some(Cause::Clone),
            status: Some(WorkStatus::New),
        };
        assert_eq!(
            clause(&filter),
            " WHERE last_time >= '2024-01-01 00:00:24' AND hphm LIKE '%苏C%''8%' AND \
             (0 OR INSTR(kkmcs, '\\nA\\n') > 0 OR INSTR(kkmcs, '\\nit''s\\n') > 0) AND probability >= 9e-1 AND \
             cause = 'clone' AND status = 'new'"
        );
        assert_eq!(
            page_statement("", CaseOrder::Newest, 20, 10),
            "SELECT brief FROM traffic_cases ORDER BY opened_at DESC, seq DESC, id LIMIT 10 OFFSET 20"
        );
        assert!(
            page_statement("", CaseOrder::Probability, 0, 10)
                .contains("ORDER BY probability DESC, last_time DESC, seq")
        );
    }
}
