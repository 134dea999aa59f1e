//! The tables as `sql/schema.sql` makes them: columns, types and keys, and how a row of them becomes values and is
//! read. A test compares them with the files in `sql/`. Every statement takes its columns from here.

use std::fmt::Write as _;
use std::sync::Arc;

use traffic::{Checkpoint, CivilTime};

use super::answer::civil_time;
use super::literal::push_text;
use crate::reader::PassageRow;

/// GCXH.
pub(crate) const ID: &str = "id";
/// XZQHMC.
pub(crate) const DISTRICT: &str = "xzqhmc";
/// KKMC, which decides the instance and so never changes.
pub(crate) const CHECKPOINT: &str = "kkmc";
/// FXLX.
pub(crate) const DIRECTION: &str = "fxlx";
/// GCSJ.
pub(crate) const TIME: &str = "gcsj";
/// HPZL.
pub(crate) const PLATE_TYPE: &str = "hpzl";
/// HPHM.
pub(crate) const PLATE: &str = "hphm";
/// CLPPXH.
pub(crate) const MODEL: &str = "clppxh";

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// As MySQL writes it, in upper case.
    pub(crate) sql_type: &'static str,
    pub(crate) nullable: bool,
}

/// A table of `N` columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table<const N: usize> {
    pub(crate) name: &'static str,
    pub(crate) columns: [Column; N],
    /// The column that is the primary key.
    pub(crate) key: &'static str,
    /// The column of the other index.
    pub(crate) index: &'static str,
}

const fn filled(name: &'static str, sql_type: &'static str) -> Column {
    Column { name, sql_type, nullable: false }
}

const fn nullable(name: &'static str, sql_type: &'static str) -> Column {
    Column { name, sql_type, nullable: true }
}

/// One row per passage.
pub(crate) const PASSAGES: Table<8> = Table {
    name: "traffic_data",
    columns: [
        filled(ID, "VARCHAR(64)"),
        filled(DISTRICT, "VARCHAR(128)"),
        filled(CHECKPOINT, "VARCHAR(255)"),
        filled(DIRECTION, "VARCHAR(32)"),
        filled(TIME, "DATETIME"),
        filled(PLATE_TYPE, "VARCHAR(16)"),
        filled(PLATE, "VARCHAR(64)"),
        filled(MODEL, "VARCHAR(255)"),
    ],
    key: ID,
    index: TIME,
};

/// The number that grows with each change of a case, so that an older state never takes the place of a newer one.
pub(crate) const VERSION: &str = "version";

/// One row per alert, all on the first instance.
pub(crate) const ALERTS: Table<15> = Table {
    name: "traffic_alerts",
    columns: [
        filled(ID, "VARCHAR(16)"),
        filled("seq", "BIGINT"),
        filled("hphm", "VARCHAR(64)"),
        filled("prev_kkmc", "VARCHAR(255)"),
        filled("curr_kkmc", "VARCHAR(255)"),
        filled("prev_time", "DATETIME"),
        filled("curr_time", "DATETIME"),
        filled("gap_seconds", "BIGINT"),
        nullable("distance_km", "DOUBLE"),
        nullable("speed_kmh", "DOUBLE"),
        filled("severity", "VARCHAR(16)"),
        filled("rule", "VARCHAR(16)"),
        nullable("cause", "VARCHAR(16)"),
        nullable("probability", "DOUBLE"),
        filled("body", "MEDIUMTEXT"),
    ],
    key: ID,
    index: "curr_time",
};

/// One row per case, all on the first instance.
pub(crate) const CASES: Table<14> = Table {
    name: "traffic_cases",
    columns: [
        filled(ID, "VARCHAR(16)"),
        filled("seq", "BIGINT"),
        filled("hphm", "VARCHAR(64)"),
        filled("probability", "DOUBLE"),
        filled("cause", "VARCHAR(16)"),
        filled("contradictions", "BIGINT"),
        filled("first_time", "DATETIME"),
        filled("last_time", "DATETIME"),
        filled("opened_at", "DATETIME"),
        filled("status", "VARCHAR(16)"),
        filled("kkmcs", "MEDIUMTEXT"),
        filled("brief", "MEDIUMTEXT"),
        filled("body", "MEDIUMTEXT"),
        filled(VERSION, "BIGINT"),
    ],
    key: ID,
    index: "last_time",
};

/// One row per checkpoint, complete on every instance.
pub(crate) const CHECKPOINTS: Table<8> = Table {
    name: "kkmc_info",
    columns: [
        filled("code", "VARCHAR(128)"),
        filled("kkmc", "VARCHAR(255)"),
        filled("label", "VARCHAR(128)"),
        filled("xzqhmc", "VARCHAR(128)"),
        filled("road", "VARCHAR(64)"),
        nullable("lon", "DOUBLE"),
        nullable("lat", "DOUBLE"),
        filled("sort_no", "INT"),
    ],
    key: "code",
    index: "kkmc",
};

impl<const N: usize> Table<N> {
    /// The names of its columns, in their order.
    pub(crate) fn names(&self) -> [&'static str; N] {
        self.columns.map(|column| column.name)
    }

    /// The names of its columns in a statement.
    pub(crate) fn list(&self) -> String {
        self.names().join(", ")
    }

    /// The beginning of a statement that inserts rows.
    pub(crate) fn insert(&self) -> String {
        format!("INSERT INTO {} ({}) VALUES ", self.name, self.names().join(","))
    }
}

/// A value of a passage.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Time(CivilTime),
}

impl Value<'_> {
    /// Appends it as a literal.
    pub(crate) fn push_literal(self, statement: &mut String) {
        match self {
            Self::Text(text) => push_text(statement, text),
            // Digits need no escape.
            Self::Time(_) => {
                statement.push('\'');
                self.push_plain(statement);
                statement.push('\'');
            }
        }
    }

    /// Appends its text.
    pub(crate) fn push_plain(self, text: &mut String) {
        match self {
            Self::Text(value) => text.push_str(value),
            // Writing to a string does not fail.
            Self::Time(time) => drop(write!(text, "{time}")),
        }
    }
}

/// The values of a passage in the order of [`PASSAGES`].
pub(crate) fn values(row: &PassageRow) -> [Value<'_>; PASSAGES.columns.len()] {
    use Value::{Text, Time};
    let PassageRow { gcxh, xzqhmc, kkmc, fxlx, gcsj, hpzl, hphm, clppxh } = row;
    [Text(gcxh), Text(xzqhmc), Text(kkmc), Text(fxlx), Time(*gcsj), Text(hpzl), Text(hphm), Text(clppxh)]
}

/// The values of a passage as one text.
pub(crate) fn joined(row: &PassageRow, separator: char) -> String {
    let mut text = String::new();
    for (place, value) in values(row).into_iter().enumerate() {
        if place > 0 {
            text.push(separator);
        }
        value.push_plain(&mut text);
    }
    text
}

/// The passage of an answer with the columns of [`PASSAGES`]; none if it has another form.
pub(crate) fn passage(texts: Vec<Option<String>>) -> Option<PassageRow> {
    let [id, xzqhmc, kkmc, fxlx, gcsj, hpzl, hphm, clppxh]: [Option<String>; PASSAGES.columns.len()] =
        texts.try_into().ok()?;
    // A table that was not made by schema.sql may hold NULL, which is an empty text here.
    let shared = |text: Option<String>| Arc::<str>::from(text.unwrap_or_default());
    Some(PassageRow {
        gcxh: id?,
        xzqhmc: shared(xzqhmc),
        kkmc: shared(kkmc),
        fxlx: shared(fxlx),
        gcsj: civil_time(&gcsj?)?,
        hpzl: shared(hpzl),
        hphm: hphm.unwrap_or_default(),
        clppxh: shared(clppxh),
    })
}

/// The checkpoint of an answer with the columns of [`CHECKPOINTS`], and its place in the list; none if it has another
/// form.
pub(crate) fn checkpoint(texts: Vec<Option<String>>) -> Option<(i64, Checkpoint)> {
    let [code, kkmc, label, xzqhmc, road, lon, lat, sort_no]: [Option<String>; CHECKPOINTS.columns.len()] =
        texts.try_into().ok()?;
    let degrees = |text: Option<String>| text.and_then(|text| text.parse().ok());
    let checkpoint = Checkpoint {
        code: code?,
        name: kkmc?,
        label: label.unwrap_or_default(),
        district: xzqhmc.unwrap_or_default(),
        road: road.unwrap_or_default(),
        lon: degrees(lon),
        lat: degrees(lat),
    };
    Some((sort_no?.parse().ok()?, checkpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = include_str!("../../sql/schema.sql");

    /// What `schema.sql` says of a table: its columns, and its keys as written.
    fn declared(table: &str) -> (Vec<(String, String, bool)>, Vec<String>) {
        let (_, rest) = SCHEMA.split_once(&format!("CREATE TABLE IF NOT EXISTS {table} (\n")).expect("the table");
        let (body, _) = rest.split_once("\n) ENGINE").expect("its end");
        let (mut columns, mut keys) = (Vec::new(), Vec::new());
        for line in body.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["PRIMARY" | "UNIQUE" | "INDEX", ..] => keys.push(line.trim().trim_end_matches(',').to_owned()),
                [name, sql_type, null, ..] => columns.push((name.to_owned(), sql_type.to_owned(), null == "NULL")),
                _ => panic!("{line}"),
            }
        }
        (columns, keys)
    }

    fn check<const N: usize>(table: &Table<N>, index: &str) {
        let (columns, keys) = declared(table.name);
        let expected =
            table.columns.map(|column| (column.name.to_owned(), column.sql_type.to_owned(), column.nullable));
        assert_eq!(columns, expected, "{}", table.name);
        assert_eq!(keys, [format!("PRIMARY KEY ({})", table.key), format!("{index} ({})", table.index)]);
    }

    #[test]
    fn the_tables_are_those_of_the_schema() {
        check(&PASSAGES, "INDEX idx_gcsj");
        check(&CHECKPOINTS, "UNIQUE INDEX idx_kkmc");
        check(&ALERTS, "INDEX idx_curr_time");
        check(&CASES, "INDEX idx_last_time");
        assert_eq!(SCHEMA.matches("CREATE TABLE").count(), 4);
    }

    #[test]
    fn accounts_event_and_mycat_name_the_same_tables() {
        let users = include_str!("../../sql/users.sql");
        for line in users.lines().filter(|line| line.starts_with("GRANT")) {
            let table = line.split(" ON traffic_db.").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
            assert!([PASSAGES.name, CHECKPOINTS.name, ALERTS.name, CASES.name].contains(&table), "{line}");
        }
        let (event, mycat) = (include_str!("../../sql/events.sql"), include_str!("../../sql/mycat/schema.xml"));
        assert!(event.contains(&format!("DELETE FROM {} WHERE {TIME} <", PASSAGES.name)));
        for (table, time) in [(ALERTS.name, ALERTS.index), (CASES.name, CASES.index)] {
            assert!(event.contains(&format!("DELETE FROM {table} WHERE {time} <")), "{table}");
        }
        for table in [PASSAGES.name, CHECKPOINTS.name, ALERTS.name, CASES.name] {
            assert!(mycat.contains(&format!("<table name=\"{table}\"")));
        }
        assert!(include_str!("../../sql/mycat/rule.xml").contains(&format!("<columns>{CHECKPOINT}</columns>")));
    }

    #[test]
    fn values_lead_back() {
        let row = PassageRow {
            gcxh: "G1".to_owned(),
            xzqhmc: "睢宁县".into(),
            kkmc: "K1".into(),
            fxlx: "1".into(),
            gcsj: CivilTime::from_civil(2024, 1, 1, 0, 0, 24).unwrap(),
            hpzl: "02".into(),
            hphm: "苏C12345".to_owned(),
            clppxh: "-".into(),
        };
        assert_eq!(joined(&row, ','), "G1,睢宁县,K1,1,2024-01-01 00:00:24,02,苏C12345,-");
        let plain = |value: Value<'_>| {
            let mut text = String::new();
            value.push_plain(&mut text);
            Some(text)
        };
        let texts = values(&row).map(plain);
        assert_eq!(passage(texts.to_vec()), Some(row));
        assert_eq!(passage(texts[1..].to_vec()), None);
        for (place, name) in PASSAGES.names().into_iter().enumerate() {
            let mut missing = texts.to_vec();
            missing[place] = None;
            assert_eq!(passage(missing).is_none(), [ID, TIME].contains(&name), "{name} is NULL");
        }
    }
}
