//! A passage as JSON, with derived fields: province, vehicle type, fuel, label of the checkpoint. Shared by the query, the
//! track and the export, whose columns it lists; it knows no filters and no paging.

use serde::Serialize;
use traffic::{Catalogue, CivilTime, FuelType, PlateCode, VehicleType, province_of};
use utoipa::ToSchema;

use super::codes::{FuelTypeName, VehicleTypeName};
use crate::config::TimeFormat;
use crate::reader::{Page, PassageRow};

/// One passage.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = Passage)]
pub(super) struct PassageJson {
    /// Passage id 过车序号.
    #[schema(example = "G320300109027253771")]
    pub(super) gcxh: String,
    /// District 行政区划名称.
    #[schema(example = "邳州市")]
    pub(super) xzqhmc: String,
    /// Checkpoint 卡口名称 as it was recorded: code or full name.
    #[schema(example = "S250_Pizhou_Sulu")]
    pub(super) kkmc: String,
    /// Direction 方向类型.
    #[schema(example = "1")]
    pub(super) fxlx: String,
    /// Passage time 过车时间, civil time of the road, `YYYY-MM-DD HH:MM:SS`; of a query with the `timeFormat` `http`,
    /// `Mon, 01 Jan 2024 00:00:24 GMT`.
    #[schema(example = "2024-01-01 00:00:24")]
    pub(super) gcsj: String,
    /// Plate type 号牌种类 (GA 24.7), padded to two digits.
    #[schema(example = "02")]
    pub(super) hpzl: String,
    /// Plate number 号牌号码, normalised; `-` if none was read.
    #[schema(example = "苏C12345")]
    pub(super) hphm: String,
    /// Brand and model 车辆品牌型号.
    #[schema(example = "大众牌-朗逸-2015")]
    pub(super) clppxh: String,
    /// The plate's first character.
    #[schema(example = "苏")]
    pub(super) province: String,
    /// Type of vehicle, by plate type and brand: 小型客车, 大型客车, 货车 or 其他.
    #[schema(value_type = VehicleTypeName, example = "小型客车")]
    pub(super) vehicle_type_name: &'static str,
    /// 新能源 (HPZL 51 or 52, or a plate of that form) or 燃油.
    #[schema(value_type = FuelTypeName, example = "燃油")]
    pub(super) fuel_type: &'static str,
    /// Short name of the checkpoint from the catalogue; KKMC where it is not known there.
    #[schema(example = "S250-邳州-苏鲁界")]
    pub(super) kkmc_label: String,
}

/// A column of an exported file: its name, its Chinese title, and its value.
pub(super) type Column = (&'static str, &'static str, fn(&PassageJson) -> &str);

/// All columns of an exported file, in the order in which they are written unless the caller chooses.
pub(super) const COLUMNS: [Column; 12] = [
    ("GCXH", "过车序号", |row| &row.gcxh),
    ("XZQHMC", "行政区划", |row| &row.xzqhmc),
    ("KKMC", "卡口名称", |row| &row.kkmc),
    ("FXLX", "方向类型", |row| &row.fxlx),
    ("GCSJ", "过车时间", |row| &row.gcsj),
    ("HPZL", "号牌种类", |row| &row.hpzl),
    ("HPHM", "号牌号码", |row| &row.hphm),
    ("CLPPXH", "车辆品牌型号", |row| &row.clppxh),
    ("PROVINCE", "号牌省份", |row| &row.province),
    ("VEHICLE_TYPE_NAME", "车辆类型", |row| row.vehicle_type_name),
    ("FUEL_TYPE", "燃料类型", |row| row.fuel_type),
    ("KKMC_LABEL", "卡口简称", |row| &row.kkmc_label),
];

/// One page of passages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PassagePage)]
pub(super) struct PassagePageJson {
    /// How many match on all pages.
    #[schema(example = 1)]
    total: u64,
    /// Those of this page.
    records: Vec<PassageJson>,
}

impl PassageJson {
    /// The row as JSON.
    pub(super) fn new(row: PassageRow, catalogue: &Catalogue) -> Self {
        Self {
            province: province_of(&row.hphm).to_owned(),
            vehicle_type_name: VehicleType::of(&row.hpzl, &row.clppxh).as_str(),
            fuel_type: FuelType::of(&row.hpzl, PlateCode::pack(&row.hphm).class(&row.hphm)).as_str(),
            kkmc_label: label(catalogue, &row.kkmc),
            gcxh: row.gcxh,
            xzqhmc: row.xzqhmc.to_string(),
            kkmc: row.kkmc.to_string(),
            fxlx: row.fxlx.to_string(),
            gcsj: row.gcsj.to_string(),
            hpzl: row.hpzl.to_string(),
            hphm: row.hphm,
            clppxh: row.clppxh.to_string(),
        }
    }
}

impl PassagePageJson {
    /// The page as JSON.
    pub(super) fn new(page: Page<PassageRow>, catalogue: &Catalogue, times: TimeFormat) -> Self {
        let json = |row: PassageRow| {
            let http = (times == TimeFormat::Http).then(|| http_date(row.gcsj));
            let json = PassageJson::new(row, catalogue);
            PassageJson { gcsj: http.unwrap_or(json.gcsj), ..json }
        };
        Self { total: page.total, records: page.records.into_iter().map(json).collect() }
    }
}

/// A civil time in the form of an HTTP date (RFC 9110, section 5.6.7), which says GMT of whatever it is given: so Flask's
/// `jsonify` writes a time without a zone.
fn http_date(time: CivilTime) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = time.date();
    let weekday = DAYS.get(usize::from(time.weekday())).copied().unwrap_or_default();
    let month = MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or_default();
    let (hour, minute, second) = (time.hour_of_day(), time.minute_of_hour(), time.second_of_minute());
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// The label of a checkpoint; the KKMC itself where the catalogue does not know it.
pub(super) fn label(catalogue: &Catalogue, kkmc: &str) -> String {
    catalogue.label_of(kkmc).to_owned()
}

/// All names by which a checkpoint may have been recorded: for a code, a full name or a label of the catalogue, its code and
/// its full name; for anything else, the text itself.
pub(super) fn kkmc_texts(catalogue: &Catalogue, text: &str) -> Vec<String> {
    let known = catalogue.find(text).or_else(|| catalogue.iter().find(|checkpoint| checkpoint.label == text));
    match known {
        Some(checkpoint) => vec![checkpoint.code.clone(), checkpoint.name.clone()],
        None => vec![text.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_the_civil_time() {
        for (time, expected) in [
            ((2025, 1, 7, 20, 24, 8), "Tue, 07 Jan 2025 20:24:08 GMT"),
            ((2024, 2, 29, 0, 0, 0), "Thu, 29 Feb 2024 00:00:00 GMT"),
            ((2023, 12, 31, 23, 59, 59), "Sun, 31 Dec 2023 23:59:59 GMT"),
        ] {
            let (year, month, day, hour, minute, second) = time;
            let time = CivilTime::from_civil(year, month, day, hour, minute, second).unwrap();
            assert_eq!(http_date(time), expected);
            // Another library writes the same.
            let date = jiff::civil::date(year as i16, month as i8, day as i8);
            let at = date.at(hour as i8, minute as i8, second as i8, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
            assert_eq!(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(), expected);
        }
    }
}
