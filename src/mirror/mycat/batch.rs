//! Rows on their way to MySQL: in one statement, or in parts where they are too many for it or one is refused.
//!
//! **Away or refused.** A failure without an error of the server (a timeout, a broken connection) means that the target
//! is away: the mirror stops and returns to the cursor. If the error blames a value ([`Blame::Row`]), the statement is
//! halved until the row is alone; it is kept with MySQL's message, and the stream goes on. After an unclear error the
//! statement is repeated, and after some attempts halved too; but then a row is only refused if others were taken.

use std::ops::Range;
use std::sync::Arc;

use shard::ShardId;

use crate::mirror::failure::{Failure, Kind};
use crate::mirror::rows::{INSERT, line, literal};
use crate::mirror::statement::Form;
use crate::mysql::{MysqlError, MysqlPool};
use crate::reader::PassageRow;
use crate::store::RefusedRow;

/// How often a statement that met a deadlock or a lock is repeated at once.
const BUSY_ATTEMPTS: u32 = 5;

/// Rows under way, and the cursor after them.
pub(in crate::mirror) struct Batch {
    pub(in crate::mirror) rows: Vec<(u64, PassageRow)>,
    pub(in crate::mirror) next: u64,
    /// Rows before them that retention had dropped.
    pub(in crate::mirror) lost: u64,
}

/// What became of a batch.
pub(in crate::mirror) struct Sent {
    pub(in crate::mirror) batch: Batch,
    pub(in crate::mirror) warnings: u64,
    pub(in crate::mirror) refused: Vec<RefusedRow>,
}

/// Sends a batch: in one statement, or in parts where it is too large or a row is refused.
pub(super) async fn send(
    pool: Arc<MysqlPool>,
    shard: ShardId,
    batch: Batch,
    suspicious: bool,
) -> Result<Sent, Failure> {
    let literals: Vec<String> = batch.rows.iter().map(|(_, row)| literal(row)).collect();
    let SentRows { warnings, refused } = send_rows(&pool, &INSERT, &literals, suspicious).await?;
    let refused = refused.into_iter().map(|(at, error)| {
        let (number, row) = batch.rows.get(at).ok_or_else(lost)?;
        let (gcxh, gcsj) = (row.gcxh.clone(), row.gcsj.0);
        Ok(RefusedRow { shard: u32::from(shard.number()), row: *number, gcxh, gcsj, line: line(row), error })
    });
    let refused = refused.collect::<Result<_, Failure>>()?;
    Ok(Sent { batch, warnings, refused })
}

/// What became of rows.
#[derive(Debug, Default)]
pub(in crate::mirror) struct SentRows {
    /// Warnings of the target.
    pub(in crate::mirror) warnings: u64,
    /// Places of rows that it refused, with its message.
    pub(in crate::mirror) refused: Vec<(usize, String)>,
}

/// Sends rows, each a list of values in parentheses. `suspicious`: single rows may be to blame for an unclear error.
pub(in crate::mirror) async fn send_rows<T: AsRef<str>>(
    pool: &MysqlPool,
    form: &Form,
    rows: &[T],
    suspicious: bool,
) -> Result<SentRows, Failure> {
    let mut parts =
        Parts { pool, form, rows, suspicious, taken: 0, warnings: 0, refused: Vec::new(), suspects: Vec::new() };
    fail::fail_point!("mirror::before-send");
    parts.send_all().await?;
    parts.send_suspects_alone().await?;
    Ok(SentRows { warnings: parts.warnings, refused: parts.refused })
}

/// A row is not in its batch: the mirror begins again at its cursor.
fn lost() -> Failure {
    debug_assert!(false, "a row is not in its batch");
    Failure::away("a row is not in its batch: please report it")
}

/// A batch in parts.
struct Parts<'a, T> {
    pool: &'a MysqlPool,
    form: &'a Form,
    rows: &'a [T],
    suspicious: bool,
    /// Rows that the target took.
    taken: usize,
    warnings: u64,
    /// Places of rows that it refused, with its message.
    refused: Vec<(usize, String)>,
    /// Places of rows that it did not take, with an error that does not blame them clearly.
    suspects: Vec<usize>,
}

impl<'a, T: AsRef<str>> Parts<'a, T> {
    /// Some of the rows.
    fn part(&self, places: Range<usize>) -> Result<&'a [T], Failure> {
        self.rows.get(places).ok_or_else(lost)
    }

    async fn send_all(&mut self) -> Result<(), Failure> {
        // From and to; the first part is last.
        let mut waiting = vec![(0, self.rows.len())];
        while let Some((from, to)) = waiting.pop() {
            let part = self.part(from..to)?;
            let count = self.form.fitting(part);
            if count < part.len() {
                waiting.extend([(from + count, to), (from, from + count)]);
                continue;
            }
            let Err(error) = self.insert(part).await else { continue };
            let blame = Blame::of(&error);
            let divisible = match blame {
                Blame::Row | Blame::Size => true,
                Blame::Unclear => self.suspicious,
                Blame::Busy | Blame::Target => false,
            };
            match (divisible, part.len()) {
                (false, _) => return Err(failure(&error)),
                (true, 1) if blame == Blame::Row => self.refused.push((from, error.to_string())),
                (true, 1) => self.suspects.push(from),
                (true, length) => waiting.extend([(from + length / 2, to), (from, from + length / 2)]),
            }
        }
        Ok(())
    }

    /// A row that no error clearly blames is refused if it fails again while the target takes others.
    async fn send_suspects_alone(&mut self) -> Result<(), Failure> {
        for at in std::mem::take(&mut self.suspects) {
            let row = self.part(at..at + 1)?;
            let Err(error) = self.insert(row).await else { continue };
            if self.taken == 0 || matches!(Blame::of(&error), Blame::Busy | Blame::Target) {
                return Err(failure(&error));
            }
            self.refused.push((at, error.to_string()));
        }
        Ok(())
    }

    async fn insert(&mut self, rows: &[T]) -> Result<(), MysqlError> {
        let statement = self.form.statement(rows);
        let mut attempt = 1;
        loop {
            match self.pool.execute(&statement).await {
                Ok(done) => {
                    self.taken += rows.len();
                    self.warnings += u64::from(done.warnings);
                    return Ok(());
                }
                Err(error) if attempt < BUSY_ATTEMPTS && Blame::of(&error) == Blame::Busy => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

fn failure(error: &MysqlError) -> Failure {
    if Blame::of(error) == Blame::Unclear {
        return Failure { kind: Kind::Unclear, ..Failure::away(error) };
    }
    Failure::from(error.clone())
}

/// What an error blames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    /// A value of a row.
    Row,
    /// The size of the statement.
    Size,
    /// A lock, which passes at once.
    Busy,
    /// The target, which is unable for now, or must be repaired.
    Target,
    /// Nothing, clearly.
    Unclear,
}

impl Blame {
    fn of(error: &MysqlError) -> Self {
        let MysqlError::Server { code, state, .. } = error else { return Self::Target };
        match code {
            // Too long, out of range, wrong date or time, wrong text for the column, a value cut, NULL, a check or a
            // trigger that refuses, a partition that does not exist, an invalid character.
            1048 | 1264 | 1265 | 1292 | 1300 | 1366 | 1406 | 1411 | 1425 | 1426 | 1452 | 1526 | 1644 | 3819 | 4025 => {
                Self::Row
            }
            // A packet over max_allowed_packet.
            1153 => Self::Size,
            1205 | 1213 => Self::Busy,
            // Space, memory, connections, accounts, rights, missing tables and columns, read-only, shutdown,
            // interrupted, network.
            1020..=1047
            | 1049
            | 1053
            | 1054
            | 1114
            | 1129
            | 1130
            | 1135
            | 1142
            | 1143
            | 1146
            | 1158..=1161
            | 1180
            | 1184
            | 1194
            | 1195
            | 1203
            | 1226
            | 1227
            | 1290
            | 1297
            | 1317
            | 1370
            | 1792
            | 1836
            | 1927
            | 1969
            | 3024
            | 3032
            | 3100
            | 4031 => Self::Target,
            // SQLSTATE: data exception, integrity constraint violation.
            _ if state.starts_with("22") || state.starts_with("23") => Self::Row,
            _ => Self::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blame(code: u16, state: &str) -> Blame {
        Blame::of(&MysqlError::Server { code, state: state.to_owned(), message: String::new() })
    }

    #[test]
    fn errors_blame_the_row_only_where_they_speak_of_values() {
        for (code, state) in
            [(1406, "22001"), (1264, "22003"), (1292, "22007"), (1366, "HY000"), (9999, "22012"), (4025, "23000")]
        {
            assert_eq!(blame(code, state), Blame::Row, "{code}");
        }
        for (code, state) in [
            (1040, "08004"),
            (1045, "28000"),
            (1053, "08S01"),
            (1114, "HY000"),
            (1146, "42S02"),
            (1054, "42S22"),
            (1290, "HY000"),
            (1142, "42000"),
            (1927, "70100"),
            (1021, "HY000"),
        ] {
            assert_eq!(blame(code, state), Blame::Target, "{code}");
        }
        assert_eq!(blame(1213, "40001"), Blame::Busy);
        assert_eq!(blame(1153, "08S01"), Blame::Size);
        assert_eq!(blame(1064, "42000"), Blame::Unclear);
        assert_eq!(Blame::of(&MysqlError::Connection("reset".to_owned())), Blame::Target);
        assert_eq!(Blame::of(&MysqlError::Timeout(std::time::Duration::from_secs(1), "statement")), Blame::Target);
    }
}
