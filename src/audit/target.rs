//! The MySQL side of a comparison. Its statements keep to what MyCat 1.6 answers correctly: a group is on one shard, so
//! that a sum that MyCat gives as a floating-point number is still exact (below 2⁵³: two million rows in a group).

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use traffic::CivilTime;

use super::error::AuditError;
use super::group::{Group, Sums};
use crate::mysql::table::{CHECKPOINT, ID, PASSAGES, TIME};
use crate::mysql::{MysqlPool, civil_time, push_text, texts, whole};

/// The groups of all servers.
pub(super) async fn groups(
    pools: &[Arc<MysqlPool>],
    span: (CivilTime, CivilTime),
) -> Result<HashMap<Group, Sums>, AuditError> {
    let statement = by_hour_and_checkpoint(span);
    let asked = join_all(pools.iter().map(|pool| pool.trusted(pool.rows(&statement)))).await;
    let mut groups = HashMap::new();
    for ((server, pool), answer) in pools.iter().enumerate().zip(asked) {
        for row in answer.map_err(|error| AuditError::of(pool.address(), error))? {
            let columns = texts(row);
            let (group, sums) = read(server, &columns).ok_or_else(|| AuditError::Answer {
                address: pool.address().to_owned(),
                answer: format!("{columns:?}"),
            })?;
            groups.insert(group, sums);
        }
    }
    Ok(groups)
}

/// The GCXHs of a group.
pub(super) async fn ids(pool: &MysqlPool, group: &Group) -> Result<Vec<String>, AuditError> {
    let rows = pool.trusted(pool.rows(&ids_of(group))).await;
    let rows = rows.map_err(|error| AuditError::of(pool.address(), error))?;
    Ok(rows.into_iter().filter_map(|row| texts(row).into_iter().next().flatten()).collect())
}

fn read(server: usize, columns: &[Option<String>]) -> Option<(Group, Sums)> {
    let [Some(hour), Some(kkmc), Some(passages), Some(ids), Some(contents)] = columns else { return None };
    let hour = civil_time(&format!("{hour}:00:00"))?.hour();
    let sums = Sums { passages: whole(passages)?, ids: whole(ids)?, contents: whole(contents)? };
    Some((Group { server, hour, kkmc: Arc::from(kkmc.as_str()) }, sums))
}

fn by_hour_and_checkpoint((from, to): (CivilTime, CivilTime)) -> String {
    let (table, columns) = (PASSAGES.name, PASSAGES.list());
    format!(
        "SELECT DATE_FORMAT({TIME}, '%Y-%m-%d %H') AS gcsj_hour, {CHECKPOINT}, COUNT(*) AS passages, \
         SUM(CRC32({ID})) AS ids, SUM(CRC32(CONCAT_WS(',', {columns}))) AS contents \
         FROM {table} WHERE {TIME} >= '{from}' AND {TIME} <= '{to}' GROUP BY gcsj_hour, {CHECKPOINT}"
    )
}

fn ids_of(group: &Group) -> String {
    let (from, to) = group.span();
    let mut statement = format!("SELECT {ID} FROM {} WHERE {CHECKPOINT} = ", PASSAGES.name);
    push_text(&mut statement, &group.kkmc);
    statement.push_str(&format!(" AND {TIME} >= '{from}' AND {TIME} <= '{to}'"));
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_statements() {
        let from = CivilTime::from_civil(2024, 1, 1, 7, 0, 0).unwrap();
        assert_eq!(
            by_hour_and_checkpoint((from, CivilTime(from.0 + 7199))),
            "SELECT DATE_FORMAT(gcsj, '%Y-%m-%d %H') AS gcsj_hour, kkmc, COUNT(*) AS passages, SUM(CRC32(id)) AS ids, \
             SUM(CRC32(CONCAT_WS(',', id, xzqhmc, kkmc, fxlx, gcsj, hpzl, hphm, clppxh))) AS contents \
             FROM traffic_data WHERE gcsj >= '2024-01-01 07:00:00' AND gcsj <= '2024-01-01 08:59:59' \
             GROUP BY gcsj_hour, kkmc"
        );
        let group = Group { server: 0, hour: from.hour(), kkmc: "K'1".into() };
        assert_eq!(
            ids_of(&group),
            "SELECT id FROM traffic_data WHERE kkmc = 'K''1' AND gcsj >= '2024-01-01 07:00:00' AND gcsj <= '2024-01-01 07:59:59'"
        );
    }

    #[test]
    fn mysqls_and_mycats_numbers() {
        let columns = |sum: &str| ["2024-01-01 07", "K1", "2", "4294967296000", sum].map(|text| Some(text.to_owned()));
        let (group, sums) = read(1, &columns("4.294967296E9")).unwrap();
        assert_eq!((group.server, group.span().0.to_string().as_str()), (1, "2024-01-01 07:00:00"));
        assert_eq!(sums, Sums { passages: 2, ids: 4_294_967_296_000, contents: 4_294_967_296 });
        assert_eq!(read(1, &columns("much")), None);
    }
}
