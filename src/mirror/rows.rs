//! Statements for `traffic_data`: pure, from rows to SQL text that MySQL and MyCat 1.6 read alike.
//!
//! A row that is there already stays as it is: `ON DUPLICATE KEY UPDATE id=id` changes nothing, and unlike `INSERT
//! IGNORE` keeps errors of values as errors, so that a text which does not fit is refused, not cut. The shard key is
//! never updated, which MyCat would refuse. It does not know connections.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::statement::Form;
use crate::mysql::push_text;
use crate::mysql::table::{CHECKPOINT, ID, PASSAGES, joined, values};
use crate::reader::PassageRow;

/// What the mirror does to a row that is there already: nothing.
pub(super) static INSERT: LazyLock<Form> =
    LazyLock::new(|| Form { head: PASSAGES.insert(), tail: format!(" ON DUPLICATE KEY UPDATE {ID}={ID}") });

/// What a repair does to a row that is there already: all columns but the key and the shard key are set again.
static OVERWRITE: LazyLock<Form> = LazyLock::new(|| {
    let names = PASSAGES.names().into_iter().filter(|name| ![ID, CHECKPOINT].contains(name));
    let set: Vec<String> = names.map(|name| format!("{name}=VALUES({name})")).collect();
    Form { head: PASSAGES.insert(), tail: format!(" ON DUPLICATE KEY UPDATE {}", set.join(",")) }
});

/// The statements that write these rows, all of one shard, and overwrite those that are there with other values; each
/// under the limit.
pub fn overwrite_statements(rows: &[PassageRow]) -> Vec<String> {
    let literals: Vec<String> = rows.iter().map(literal).collect();
    let mut statements = Vec::new();
    let mut rest = literals.as_slice();
    while !rest.is_empty() {
        let (some, others) = rest.split_at(OVERWRITE.fitting(rest));
        statements.push(OVERWRITE.statement(some));
        rest = others;
    }
    statements
}

/// The values of a row in parentheses.
pub(super) fn literal(row: &PassageRow) -> String {
    let mut literal = String::from("(");
    for (position, value) in values(row).into_iter().enumerate() {
        if position > 0 {
            literal.push(',');
        }
        value.push_literal(&mut literal);
    }
    literal.push(')');
    literal
}

/// The query for which of these GCXH exist. With `kkmcs` it names the shard key too, so that MyCat asks one instance.
pub(super) fn presence_question<'a>(
    ids: impl IntoIterator<Item = &'a str>,
    kkmcs: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut question = format!("SELECT {ID} FROM {} WHERE ", PASSAGES.name);
    let kkmcs: BTreeSet<&str> = kkmcs.into_iter().collect();
    if !kkmcs.is_empty() {
        push_list(&mut question, CHECKPOINT, kkmcs);
        question.push_str(" AND ");
    }
    push_list(&mut question, ID, ids);
    question
}

fn push_list<'a>(question: &mut String, column: &str, texts: impl IntoIterator<Item = &'a str>) {
    question.push_str(column);
    question.push_str(" IN (");
    for (position, text) in texts.into_iter().enumerate() {
        if position > 0 {
            question.push(',');
        }
        push_text(question, text);
    }
    question.push(')');
}

/// A row as a line: its columns in their default order, TAB-separated.
pub(super) fn line(row: &PassageRow) -> String {
    joined(row, '\t')
}

#[cfg(test)]
mod tests {
    use traffic::CivilTime;

    use super::*;

    fn row(gcxh: &str, kkmc: &str, hphm: &str, clppxh: &str) -> PassageRow {
        PassageRow {
            gcxh: gcxh.to_owned(),
            xzqhmc: "睢宁县".into(),
            kkmc: kkmc.into(),
            fxlx: "1".into(),
            gcsj: CivilTime::from_civil(2024, 1, 1, 0, 0, 24).unwrap(),
            hpzl: "02".into(),
            hphm: hphm.to_owned(),
            clppxh: clppxh.into(),
        }
    }

    fn insert<'a>(rows: impl IntoIterator<Item = &'a PassageRow>) -> String {
        let literals: Vec<String> = rows.into_iter().map(literal).collect();
        INSERT.statement(&literals)
    }

    #[test]
    fn golden_statements() {
        let plain = row("G320300109027253771", "S250_Pizhou_Sulu", "苏C12345", "大众牌-朗逸-2015");
        let golden = "INSERT INTO traffic_data (id,xzqhmc,kkmc,fxlx,gcsj,hpzl,hphm,clppxh) VALUES \
                      ('G320300109027253771','睢宁县','S250_Pizhou_Sulu','1','2024-01-01 00:00:24','02','苏C12345','大众牌-朗逸-2015') \
                      ON DUPLICATE KEY UPDATE id=id";
        assert_eq!(insert([&plain]), golden);

        let odd = PassageRow {
            xzqhmc: "".into(),
            fxlx: "a\\b".into(),
            hpzl: "".into(),
            gcsj: CivilTime::from_civil(2000, 2, 29, 23, 59, 59).unwrap(),
            ..row("G'1\"", "徐州市\u{1a}K1", "-***`;--", "line\nfeed\r\0🚗")
        };
        let golden = "INSERT INTO traffic_data (id,xzqhmc,kkmc,fxlx,gcsj,hpzl,hphm,clppxh) VALUES \
                      ('G320300109027253771','睢宁县','S250_Pizhou_Sulu','1','2024-01-01 00:00:24','02','苏C12345','大众牌-朗逸-2015'),\
                      ('G''1\\\"','','徐州市\\ZK1','a\\\\b','2000-02-29 23:59:59','','-***\\`;--','line\\nfeed\\r\\0🚗') \
                      ON DUPLICATE KEY UPDATE id=id";
        assert_eq!(insert([&plain, &odd]), golden);
    }

    #[test]
    fn golden_repair() {
        let golden = "INSERT INTO traffic_data (id,xzqhmc,kkmc,fxlx,gcsj,hpzl,hphm,clppxh) VALUES \
                      ('G1','睢宁县','K1','1','2024-01-01 00:00:24','02','-','-') \
                      ON DUPLICATE KEY UPDATE xzqhmc=VALUES(xzqhmc),fxlx=VALUES(fxlx),gcsj=VALUES(gcsj),\
                      hpzl=VALUES(hpzl),hphm=VALUES(hphm),clppxh=VALUES(clppxh)";
        assert_eq!(overwrite_statements(&[row("G1", "K1", "-", "-")]), [golden]);
    }

    #[test]
    fn golden_question() {
        assert_eq!(presence_question(["G1", "G'2"], []), "SELECT id FROM traffic_data WHERE id IN ('G1','G''2')");
        assert_eq!(
            presence_question(["G1", "G2"], ["K2", "K1", "K2"]),
            "SELECT id FROM traffic_data WHERE kkmc IN ('K1','K2') AND id IN ('G1','G2')"
        );
    }

    #[test]
    fn golden_line() {
        let line = line(&row("G1", "K1", "-", "-"));
        assert_eq!(line, "G1\t睢宁县\tK1\t1\t2024-01-01 00:00:24\t02\t-\t-");
    }

    #[test]
    fn a_repair_is_cut_into_statements_under_the_limit() {
        let small: Vec<_> = (0..500).map(|number| row(&format!("G{number}"), "K1", "苏C12345", "大众牌")).collect();
        assert_eq!(overwrite_statements(&small).len(), 1);
        let text = "'".repeat(60_000);
        let large: Vec<_> = (0..50).map(|number| row(&format!("G{number}"), "K1", "苏C12345", &text)).collect();
        let statements = overwrite_statements(&large);
        assert_eq!(statements.len(), 8, "seven of 120 KB each");
        assert!(statements.iter().all(|statement| statement.len() <= crate::mysql::MAX_STATEMENT_BYTES));
        let huge = row("G1", "K1", "-", &"\\".repeat(1 << 20));
        assert_eq!((overwrite_statements(&[huge]).len(), overwrite_statements(&[]).len()), (1, 0));
    }
}
