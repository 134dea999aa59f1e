//! The queries of the `api` role to MySQL, as text: pure, so that golden tests cover every form.
//!
//! IMPORTANT: only forms that MyCat 1.6 answers correctly over two shards. Groups have neither LIMIT nor HAVING nor an
//! order: they are sorted and cut by us. Sorted columns are selected. Nothing is computed around an aggregate, and there
//! is no subquery, no union and no COUNT(DISTINCT) of anything. A text is searched with INSTR, because MyCat rewrites a
//! statement with LIMIT, and a `%` or `_` that LIKE must not interpret would have to survive that; LIKE is only used
//! for wildcards. All comparisons are byte by byte through the columns' collation (utf8mb4_bin).

use std::fmt::Write as _;
use std::sync::LazyLock;

use traffic::{
    BUS_MAKERS, CivilTime, FuelType, LORRY_MAKERS, PSEUDONYM_MARK, PlateClass, PlateCode, PseudonymKind, VehicleType,
};

use crate::mysql::push_text;
use crate::mysql::table::{CHECKPOINT, CHECKPOINTS, DIRECTION, DISTRICT, ID, MODEL, PASSAGES, PLATE, PLATE_TYPE, TIME};
use crate::reader::{Order, QueryFilter, TimeRange};

/// CLPPXH up to the first 牌 or `-`, as [`traffic::brand_of`] has it.
static BRAND: LazyLock<String> =
    LazyLock::new(|| format!("SUBSTRING_INDEX(SUBSTRING_INDEX({MODEL}, '牌', 1), '-', 1)"));

/// The conditions on a passage; all must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conditions(Vec<String>);

impl Conditions {
    /// Only a range of time.
    pub(super) fn within(range: TimeRange) -> Self {
        Self::default().and_within(range)
    }

    /// These, and within `range`.
    pub(super) fn and_within(mut self, range: TimeRange) -> Self {
        let mut bound = |sign: &str, time: Option<CivilTime>| {
            if let Some(time) = time {
                self.0.push(format!("{TIME} {sign} '{time}'"));
            }
        };
        bound(">=", range.start);
        bound("<=", range.end);
        self
    }

    /// These, and at this second after this GCXH.
    pub(super) fn and_behind(mut self, time: CivilTime, gcxh: &str) -> Self {
        self.0.push(format!("{TIME} = '{time}'"));
        self.0.push(format!("{ID} > {}", text(gcxh)));
        self
    }

    /// Of one plate, at any of these checkpoints.
    pub(super) fn of_plate(hphm: &str, range: TimeRange, kkmc: Option<&[String]>) -> Self {
        let mut conditions = Self::within(range);
        conditions.0.push(format!("{PLATE} = {}", text(hphm)));
        conditions.0.extend(kkmc.map(|names| one_of(CHECKPOINT, names)));
        conditions
    }

    /// Of a query's filter.
    pub(super) fn of(filter: &QueryFilter) -> Self {
        let mut all = Self::within(filter.time).0;
        let equal = |column: &str, wanted: &str| format!("{column} = {}", text(wanted));
        if let Some(names) = &filter.kkmc {
            all.push(one_of(CHECKPOINT, names));
        }
        if let Some(district) = &filter.xzqhmc {
            all.push(equal(DISTRICT, district));
        }
        if let Some(direction) = &filter.fxlx {
            all.push(equal(DIRECTION, direction));
        }
        if let Some(plate_type) = &filter.hpzl {
            all.push(equal(PLATE_TYPE, plate_type));
        }
        if let Some(province) = &filter.province {
            all.push(equal(&format!("LEFT({PLATE}, 1)"), province));
        }
        if let Some(model) = &filter.clppxh {
            all.push(contains(MODEL, model));
        }
        if let Some(pattern) = &filter.hphm {
            all.extend(like_plate(pattern));
        }
        if let Some(kind) = filter.vehicle_type {
            all.push(of_vehicle_type(kind));
        }
        if let Some(fuel) = filter.fuel_type {
            all.push(of_fuel_type(fuel));
        }
        Self(all)
    }

    fn clause(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!(" WHERE {}", self.0.join(" AND ")) }
    }
}

/// Passages by hour, as `YYYY-MM-DD HH`.
pub(super) fn by_hour(conditions: &Conditions) -> String {
    format!(
        "SELECT DATE_FORMAT({TIME}, '%Y-%m-%d %H') AS gcsj_hour, COUNT(*) AS passages FROM {}{} GROUP BY gcsj_hour",
        PASSAGES.name,
        conditions.clause()
    )
}

/// Passages by everything that statistics distinguish: hour, checkpoint, district, plate type, and what precedes the
/// first 牌 or `-` of the model.
pub(super) fn statistics(conditions: &Conditions) -> String {
    let groups = format!("{CHECKPOINT}, {DISTRICT}, {PLATE_TYPE}");
    format!(
        "SELECT DATE_FORMAT({TIME}, '%Y-%m-%d %H') AS gcsj_hour, {groups}, {} AS brand, COUNT(*) AS passages \
         FROM {}{} GROUP BY gcsj_hour, {groups}, brand",
        *BRAND,
        PASSAGES.name,
        conditions.clause()
    )
}

/// Passages by the values of `columns`.
pub(super) fn by_columns(columns: &[&str], conditions: &Conditions) -> String {
    let columns = columns.join(", ");
    let (table, clause) = (PASSAGES.name, conditions.clause());
    format!("SELECT {columns}, COUNT(*) AS passages FROM {table}{clause} GROUP BY {columns}")
}

/// How many passages there are.
pub(super) fn count(conditions: &Conditions) -> String {
    format!("SELECT COUNT(*) AS passages FROM {}{}", PASSAGES.name, conditions.clause())
}

/// The newest time of all.
pub(super) fn newest_time() -> String {
    format!("SELECT MAX({TIME}) AS newest FROM {}", PASSAGES.name)
}

/// The first `limit` passages in `order`, ties by GCXH.
pub(super) fn first_passages(conditions: &Conditions, order: Order, limit: u64) -> String {
    let direction = if order == Order::Newest { " DESC" } else { "" };
    let (columns, table, clause) = (PASSAGES.list(), PASSAGES.name, conditions.clause());
    format!("SELECT {columns} FROM {table}{clause} ORDER BY {TIME}{direction}, {ID} LIMIT {limit}")
}

/// The checkpoints; not in order.
pub(super) fn checkpoints() -> String {
    format!("SELECT {} FROM {}", CHECKPOINTS.list(), CHECKPOINTS.name)
}

pub(super) fn text(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    push_text(&mut literal, value);
    literal
}

fn one_of<T: AsRef<str>>(column: &str, values: impl IntoIterator<Item = T>) -> String {
    let list: Vec<String> = values.into_iter().map(|value| text(value.as_ref())).collect();
    format!("{column} IN ({})", list.join(", "))
}

fn contains(column: &str, wanted: &str) -> String {
    format!("INSTR({column}, {}) > 0", text(wanted))
}

/// HPHM contains the pattern: `*` is any run of characters, `?` is one.
pub(super) fn like_plate(pattern: &str) -> Option<String> {
    let runs: Vec<&str> = pattern.split('*').filter(|run| !run.is_empty()).collect();
    match runs.as_slice() {
        [] => None,
        [run] if !run.contains('?') => Some(contains(PLATE, run)),
        runs => {
            let mut like = "%".to_owned();
            for run in runs {
                for symbol in run.chars() {
                    match symbol {
                        '?' => like.push('_'),
                        '%' | '_' | '\\' => {
                            like.push('\\');
                            like.push(symbol);
                        }
                        other => like.push(other),
                    }
                }
                like.push('%');
            }
            Some(format!("{PLATE} LIKE {}", text(&like)))
        }
    }
}

/// The rows for which [`VehicleType::of`] says `kind`. It is evaluated for every plate type and a maker of each sort,
/// so that its table exists only once.
fn of_vehicle_type(kind: VehicleType) -> String {
    let codes: Vec<String> = (0..100).map(|number| format!("{number:02}")).collect();
    let lorry = LORRY_MAKERS.first().copied().unwrap_or_default();
    let bus = BUS_MAKERS.first().copied().unwrap_or_default();
    let makers = [
        (lorry, one_of(&BRAND, LORRY_MAKERS)),
        (bus, one_of(&BRAND, BUS_MAKERS)),
        ("", one_of(&format!("{} NOT", *BRAND), LORRY_MAKERS.iter().chain(&BUS_MAKERS))),
    ];
    let mut cases = Vec::new();
    for (maker, condition) in makers {
        let is = |code: &str| VehicleType::of(code, maker) == kind;
        let is_of_unknown = is("");
        let exceptions: Vec<&String> = codes.iter().filter(|code| is(code) != is_of_unknown).collect();
        match (is_of_unknown, exceptions.is_empty()) {
            (true, true) => cases.push(condition),
            (true, false) => {
                cases.push(format!("({condition} AND {})", one_of(&format!("{PLATE_TYPE} NOT"), exceptions)))
            }
            (false, true) => {}
            (false, false) => cases.push(format!("({condition} AND {})", one_of(PLATE_TYPE, exceptions))),
        }
    }
    format!("({})", cases.join(" OR "))
}

/// The rows whose plate is a pseudonym that shows this class: it stands behind the mark, before which there may be a province.
fn of_pseudonym(class: PlateClass) -> String {
    let mark = format!("{PSEUDONYM_MARK}{}", PseudonymKind { class, is_long_special: false }.number());
    let at = |begin: u8| format!("SUBSTRING({PLATE}, {begin}, 2) = {}", text(&mark));
    format!("({} OR {})", at(1), at(2))
}

/// The rows for which [`FuelType::of`] says `fuel`. The grammar of new energy plates is evaluated symbol by symbol.
fn of_fuel_type(fuel: FuelType) -> String {
    let mut cases = vec![one_of(PLATE_TYPE, ["51", "52"]), of_pseudonym(PlateClass::NewEnergy)];
    for sample in ["苏CDA1234", "苏C12345D"] {
        let mut places = vec![format!("CHAR_LENGTH({PLATE}) = 8")];
        for place in 0..sample.chars().count() {
            let admitted = (0..=u8::MAX >> 1).filter_map(PlateCode::char_of).filter(|symbol| {
                let plate: String =
                    sample.chars().enumerate().map(|(at, here)| if at == place { *symbol } else { here }).collect();
                PlateCode::pack(&plate).class(&plate) == PlateClass::NewEnergy
            });
            let symbols = admitted.map(String::from);
            places.push(one_of(&format!("SUBSTRING({PLATE}, {}, 1)", place + 1), symbols));
        }
        cases.push(format!("({})", places.join(" AND ")));
    }
    let mut condition = String::new();
    let not = if fuel == FuelType::NewEnergy { "" } else { "NOT " };
    let _ = write!(condition, "{not}({})", cases.join(" OR "));
    condition
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> CivilTime {
        CivilTime::parse(text.as_bytes(), &traffic::TimeZoneName::default()).unwrap()
    }

    fn check(filter: QueryFilter, expected: &str) {
        let conditions = Conditions::of(&filter);
        assert_eq!(conditions.clause(), if expected.is_empty() { String::new() } else { format!(" WHERE {expected}") });
    }

    fn plate(pattern: &str) -> QueryFilter {
        QueryFilter { hphm: Some(pattern.to_owned()), ..QueryFilter::default() }
    }

    #[test]
    fn the_forms_of_questions() {
        let day = TimeRange { start: Some(time("2024-01-01 00:00:00")), end: Some(time("2024-01-01 23:59:59")) };
        let (all, day) = (Conditions::default(), Conditions::within(day));
        for (statement, expected) in [
            (
                by_hour(&all),
                "SELECT DATE_FORMAT(gcsj, '%Y-%m-%d %H') AS gcsj_hour, COUNT(*) AS passages FROM traffic_data GROUP BY gcsj_hour",
            ),
            (
                by_columns(&["hpzl", "clppxh"], &day),
                "SELECT hpzl, clppxh, COUNT(*) AS passages FROM traffic_data WHERE gcsj >= '2024-01-01 00:00:00' AND \
                 gcsj <= '2024-01-01 23:59:59' GROUP BY hpzl, clppxh",
            ),
            (
                statistics(&day),
                "SELECT DATE_FORMAT(gcsj, '%Y-%m-%d %H') AS gcsj_hour, kkmc, xzqhmc, hpzl, \
                 SUBSTRING_INDEX(SUBSTRING_INDEX(clppxh, '牌', 1), '-', 1) AS brand, COUNT(*) AS passages FROM traffic_data \
                 WHERE gcsj >= '2024-01-01 00:00:00' AND gcsj <= '2024-01-01 23:59:59' \
                 GROUP BY gcsj_hour, kkmc, xzqhmc, hpzl, brand",
            ),
            (
                count(&Conditions::default().and_behind(time("2024-01-01 00:00:24"), "G'1")),
                "SELECT COUNT(*) AS passages FROM traffic_data WHERE gcsj = '2024-01-01 00:00:24' AND id > 'G''1'",
            ),
            (count(&all), "SELECT COUNT(*) AS passages FROM traffic_data"),
            (newest_time(), "SELECT MAX(gcsj) AS newest FROM traffic_data"),
            (
                first_passages(
                    &Conditions::of_plate("苏C'1", TimeRange::default(), Some(&["A".to_owned(), "b'".to_owned()])),
                    Order::Newest,
                    20,
                ),
                "SELECT id, xzqhmc, kkmc, fxlx, gcsj, hpzl, hphm, clppxh FROM traffic_data WHERE hphm = '苏C''1' \
                 AND kkmc IN ('A', 'b''') ORDER BY gcsj DESC, id LIMIT 20",
            ),
            (
                first_passages(&all, Order::Oldest, 5),
                "SELECT id, xzqhmc, kkmc, fxlx, gcsj, hpzl, hphm, clppxh FROM traffic_data ORDER BY gcsj, id LIMIT 5",
            ),
        ] {
            assert_eq!(statement, expected);
        }
    }

    #[test]
    fn no_form_that_mycat_answers_wrongly() {
        let conditions = Conditions::of(&QueryFilter {
            hphm: Some("苏?1*2".to_owned()),
            vehicle_type: Some(VehicleType::Goods),
            fuel_type: Some(FuelType::NewEnergy),
            clppxh: Some("大众".to_owned()),
            province: Some("苏".to_owned()),
            ..QueryFilter::default()
        });
        let grouped = [by_hour(&conditions), statistics(&conditions), by_columns(&["kkmc"], &conditions)];
        let plain = [count(&conditions), first_passages(&conditions, Order::Newest, 5)];
        for statement in grouped.iter().chain(&plain) {
            for wrong in ["DISTINCT", "HAVING", "UNION", " OVER ", "OFFSET", "JOIN", "?", "(SELECT"] {
                assert!(!statement.contains(wrong), "{wrong}: {statement}");
            }
            assert_eq!(statement.matches("SELECT").count(), 1, "{statement}");
            assert!(!statement.contains(';'));
        }
        for statement in grouped {
            assert!(!statement.contains("LIMIT") && !statement.contains("ORDER BY"), "{statement}");
        }
    }

    #[test]
    fn filters_as_conditions() {
        check(QueryFilter::default(), "");
        check(
            QueryFilter {
                kkmc: Some(vec!["S250_Pizhou_Sulu".to_owned(), "徐州".to_owned()]),
                xzqhmc: Some("邳州市".to_owned()),
                fxlx: Some("1".to_owned()),
                hpzl: Some("02".to_owned()),
                province: Some("苏".to_owned()),
                clppxh: Some("100%_\\".to_owned()),
                time: TimeRange { start: None, end: Some(time("2024-01-01 00:00:24")) },
                ..QueryFilter::default()
            },
            "gcsj <= '2024-01-01 00:00:24' AND kkmc IN ('S250_Pizhou_Sulu', '徐州') AND xzqhmc = '邳州市' AND fxlx = '1' \
             AND hpzl = '02' AND LEFT(hphm, 1) = '苏' AND INSTR(clppxh, '100%_\\\\') > 0",
        );
        check(plate("C123"), "INSTR(hphm, 'C123') > 0");
        check(plate("*C123*"), "INSTR(hphm, 'C123') > 0");
        check(plate("***"), "");
        check(plate("苏C*88"), "hphm LIKE '%苏C%88%'");
        check(plate("苏?1"), "hphm LIKE '%苏_1%'");
        check(plate("?%_"), "hphm LIKE '%_\\\\%\\\\_%'");
    }

    #[test]
    fn kinds_and_fuels_follow_the_tables() {
        let small = of_vehicle_type(VehicleType::SmallPassenger);
        assert!(small.contains("hpzl IN ('02', '03', "), "{small}");
        assert!(small.contains(&format!("({} AND hpzl IN ('02', '52'))", one_of(&BRAND, BUS_MAKERS))), "{small}");
        let other = of_vehicle_type(VehicleType::Other);
        // A lorry maker makes something else only where the plate type says so; unknown types are other for the rest.
        let motorcycles = "hpzl IN ('07', '08', '09', '10', '11', '12', '14', '17', '19', '21', '24', '25')";
        assert!(other.contains(&format!("{} AND {motorcycles}", one_of(&BRAND, LORRY_MAKERS))), "{other}");
        assert!(other.contains("hpzl NOT IN ('01', "), "{other}");

        let new = of_fuel_type(FuelType::NewEnergy);
        assert_eq!(of_fuel_type(FuelType::Combustion), format!("NOT {new}"));
        for part in [
            "SUBSTRING(hphm, 3, 1) IN ('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K')",
            "SUBSTRING(hphm, 8, 1) IN ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')",
            "SUBSTRING(hphm, 4, 1) IN ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', \
             'H', 'J', 'K', 'L', 'M', 'N', 'P', ",
        ] {
            assert!(new.contains(part), "{part}: {new}");
        }
        let provinces = new.split("SUBSTRING(hphm, 1, 1) IN (").nth(1).unwrap().split(')').next().unwrap();
        assert_eq!(provinces.split(", ").count(), 31, "{provinces}");
    }
}
