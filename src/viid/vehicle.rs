//! A MotorVehicle object (GA/T 1400.3), to the columns of a record. It does not know how it came. docs/gat1400.md has the same table of
//! fields, and a test compares them.

use std::fmt::Write as _;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use super::body::NOT_UTF8;
use super::checkpoints::Checkpoints;
use super::codes::{NO_PLATE, brand, plate_type};
use super::elide::LEFT_OUT;

/// A field: a text, a number or a flag, as a text. What is missing or null is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a text, a whole number or a flag")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        let text = text.trim();
        if text.contains(LEFT_OUT) || text.contains([NOT_UTF8, '\t', '\r', '\n']) {
            return Err(E::custom("a text that is no field"));
        }
        Ok(Text(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Text, E> {
        Ok(Text(u8::from(flag).to_string()))
    }

    fn visit_unit<E: Error>(self) -> Result<Text, E> {
        Ok(Text::default())
    }
}

/// Declares the fields that are read.
macro_rules! fields {
    ($($field:ident = $name:literal,)+) => {
        /// What is read of an object. Everything else in it is passed over.
        #[derive(Debug, Default, Deserialize)]
        #[serde(default)]
        struct Fields { $(#[serde(rename = $name)] $field: Text,)+ }

        /// Their names.
        #[cfg(test)]
        const NAMES: &[&str] = &[$($name,)+];
    };
}

fields! {
    id = "MotorVehicleID",
    tollgate = "TollgateID",
    device = "DeviceID",
    direction = "Direction",
    passed = "PassTime",
    appeared = "AppearTime",
    marked = "MarkTime",
    has_plate = "HasPlate",
    plate_class = "PlateClass",
    plate_color = "PlateColor",
    plate = "PlateNo",
    brand = "VehicleBrand",
    model = "VehicleModel",
    styles = "VehicleStyles",
}

/// A record with the names of its columns; one that is empty is left out.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct Columns {
    #[serde(skip_serializing_if = "String::is_empty")]
    gcxh: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    xzqhmc: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kkmc: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    fxlx: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    gcsj: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    hpzl: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    hphm: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    clppxh: String,
}

impl Columns {
    /// The record of an object, and its id; none if it is not one, or a field in it is neither text nor number.
    pub fn of(object: &str, checkpoints: &Checkpoints) -> Option<Self> {
        let fields: Fields = serde_json::from_str(object).ok().filter(|_| object.starts_with('{'))?;
        let Fields { id, tollgate, device, direction, passed, appeared, marked, .. } = &fields;
        let time = [passed, appeared, marked].into_iter().find(|time| !time.0.is_empty());
        let place = checkpoints.place(&[&tollgate.0, &device.0]);
        Some(Self {
            gcxh: id.0.clone(),
            xzqhmc: place.district,
            kkmc: place.kkmc,
            fxlx: direction.0.clone(),
            gcsj: time.map(|time| civil(&time.0)).unwrap_or_default(),
            hpzl: plate_type(&fields.plate_class.0, &fields.plate_color.0).to_owned(),
            hphm: plate(&fields),
            clppxh: model(&fields),
        })
    }
}

/// The id of an object, if it has one.
pub fn id_of(object: &str) -> String {
    #[derive(Deserialize)]
    struct Id {
        #[serde(rename = "MotorVehicleID", default)]
        id: Text,
    }
    serde_json::from_str(object).map(|Id { id }| id.0).unwrap_or_default()
}

fn plate(fields: &Fields) -> String {
    let text = &fields.plate.0;
    let is_none = NO_PLATE.iter().any(|none| none.eq_ignore_ascii_case(text));
    if is_none || matches!(&*fields.has_plate.0, "0" | "false") { String::new() } else { text.clone() }
}

/// Maker, model and year, as in `大众牌-朗逸-2015`. A model that is a number is a code of its sender, which says nothing here.
fn model(fields: &Fields) -> String {
    let Some(maker) = brand(&fields.brand.0) else { return String::new() };
    let mut model = maker.trim_end_matches('牌').to_owned() + "牌";
    let is_code = |text: &str| text.is_empty() || text.bytes().all(|byte| byte.is_ascii_digit());
    if is_code(&fields.model.0) {
        return model;
    }
    let _ = write!(model, "-{}", fields.model.0);
    if !fields.styles.0.is_empty() && fields.styles.0 != "0" {
        let _ = write!(model, "-{}", fields.styles.0);
    }
    model
}

/// `20240101000024`, and the same with milliseconds, as `2024-01-01 00:00:24`; any other text as it is.
fn civil(text: &str) -> String {
    let is_compact = matches!(text.len(), 14 | 17) && text.bytes().all(|byte| byte.is_ascii_digit());
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    if is_compact {
        format!("{}-{}-{} {}:{}:{}", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn vehicle() -> Value {
        json!({
            "MotorVehicleID": "320312000013100000010220240101000024000010200001", "InfoKind": 1,
            "SourceID": "32031200001310000001022024010100002400001", "TollgateID": "32031200001310000001",
            "DeviceID": "32031200001190000001", "LaneNo": 2, "HasPlate": true, "PlateClass": "02", "PlateColor": "5",
            "PlateNo": "苏C12345", "Speed": 87.5, "Direction": "1", "VehicleClass": "K33", "VehicleBrand": "1",
            "VehicleModel": "朗逸", "VehicleStyles": "2015", "VehicleColor": "2", "PassTime": "20240101000024",
            "SubImageList": {"SubImageInfoObject": [{"ImageID": "1", "Data": "\u{15}"}]},
        })
    }

    fn read(changes: Value) -> Option<Value> {
        let mut object = vehicle();
        for (name, value) in changes.as_object().unwrap() {
            object[name] = value.clone();
        }
        let columns = Columns::of(&object.to_string(), &Checkpoints::default())?;
        Some(serde_json::to_value(columns).unwrap())
    }

    #[test]
    fn an_object_becomes_a_record() {
        let expected = json!({
            "GCXH": "320312000013100000010220240101000024000010200001", "KKMC": "32031200001310000001", "FXLX": "1",
            "GCSJ": "2024-01-01 00:00:24", "HPZL": "02", "HPHM": "苏C12345", "CLPPXH": "大众牌-朗逸-2015",
        });
        assert_eq!(read(json!({})), Some(expected));
        let column = |changes: Value, name: &str| read(changes).unwrap().get(name).cloned();
        for (changes, name, value) in [
            (json!({"TollgateID": null}), "KKMC", Some("32031200001190000001")),
            (json!({"PassTime": "", "AppearTime": "20240101000025123"}), "GCSJ", Some("2024-01-01 00:00:25")),
            (
                json!({"PassTime": null, "MarkTime": "2024-01-01T00:00:26+08:00"}),
                "GCSJ",
                Some("2024-01-01T00:00:26+08:00"),
            ),
            (json!({"PassTime": 20_240_101_000_024_u64}), "GCSJ", Some("2024-01-01 00:00:24")),
            (json!({"PlateClass": 2}), "HPZL", Some("2")),
            (json!({"PlateClass": "", "PlateColor": "6"}), "HPZL", Some("01")),
            (json!({"HasPlate": false}), "HPHM", None),
            (json!({"HasPlate": "0"}), "HPHM", None),
            (json!({"PlateNo": "无车牌"}), "HPHM", None),
            (json!({"VehicleModel": "1203"}), "CLPPXH", Some("大众牌")),
            (json!({"VehicleStyles": "0"}), "CLPPXH", Some("大众牌-朗逸")),
            (json!({"VehicleBrand": "福田牌", "VehicleModel": ""}), "CLPPXH", Some("福田牌")),
            (json!({"VehicleBrand": "0"}), "CLPPXH", None),
            (json!({"MotorVehicleID": null}), "GCXH", None),
        ] {
            assert_eq!(column(changes.clone(), name), value.map(Value::from), "{changes}");
        }
        assert_eq!(id_of(&vehicle().to_string()), vehicle()["MotorVehicleID"].as_str().unwrap());
    }

    #[test]
    fn what_is_no_field_makes_no_record() {
        for wrong in [
            json!({"PlateNo": ["苏C12345"]}),
            json!({"PassTime": {"a": 1}}),
            json!({"MotorVehicleID": 1.5}),
            json!({"MotorVehicleID": LEFT_OUT}),
            json!({"PlateNo": "苏C\t1"}),
            json!({"PlateNo": format!("{NOT_UTF8}C1")}),
        ] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
        for wrong in ["", "7", "[]", "null", "{\"PlateNo\":1,\"PlateNo\":2}", "{"] {
            assert_eq!(Columns::of(wrong, &Checkpoints::default()), None, "{wrong}");
            assert_eq!(id_of(wrong), "");
        }
    }

    #[test]
    fn the_documentation_has_the_same_fields() {
        let page = include_str!("../../docs/gat1400.md");
        let (_, section) = page.split_once("\n## Fields and columns\n").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let documented: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("| `")).collect();
        let mut names: Vec<&str> = documented
            .iter()
            .flat_map(|row| row.split("| ").next())
            .flat_map(|cell| {
                cell.split('`').filter(|part| part.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase()))
            })
            .collect();
        let mut read = NAMES.to_vec();
        names.sort_unstable();
        read.sort_unstable();
        assert_eq!(names, read);
    }
}
