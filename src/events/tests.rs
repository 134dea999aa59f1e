//! Events of each known reader, and what is none. The samples are of our own making, after what each reader's documentation shows.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Bounds, EventLines, EventTable, EventTables, TooMuch};

const ENOUGH: Bounds = Bounds { bytes: 1 << 20, records: 1_000 };

fn known(name: &str) -> Arc<EventTable> {
    let names: Vec<String> = traffic::Layout::default().names().map(str::to_owned).collect();
    EventTables::load(None, &names).unwrap().get(name).unwrap()
}

/// The lines of an event, an empty one as null.
fn read(name: &str, event: &Value) -> Vec<Value> {
    let mut lines = EventLines::within(ENOUGH);
    known(name).take(event, &mut lines).unwrap();
    let text = String::from_utf8(lines.into_bytes()).unwrap();
    let value = |line: &str| match line.strip_prefix('\u{15}') {
        Some(refused) => json!({"refused": serde_json::from_str::<Value>(refused).unwrap()}),
        None if line.is_empty() => Value::Null,
        None => serde_json::from_str(line).unwrap(),
    };
    text.lines().map(value).collect()
}

fn with(event: &Value, pointer: &str, value: Value) -> Value {
    let mut event = event.clone();
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

fn recognition() -> Value {
    json!({
        "hook": {"target": "http://127.0.0.1:5000", "id": "gate-1", "event": "recognition", "filename": "gate-1/x.jpg"},
        "data": {
            "camera_id": "gate-1", "filename": "gate-1/x.jpg", "timestamp": "2024-01-01T00:00:24.606935Z",
            "timestamp_local": "2024-01-01 08:00:24.606935+08:00",
            "results": [
                {"plate": "苏c12345", "score": 0.9, "direction": "Front",
                 "model_make": [{"make": "Volkswagen", "model": "Lavida", "score": 0.7}], "vehicle": {"type": "Sedan"}},
                {"plate": "苏c54321", "score": 0.8, "direction": ""},
            ],
        },
    })
}

#[test]
fn plate_recognizer_sends_the_vehicles_of_a_picture() {
    let event = recognition();
    let lines = read("plate-recognizer", &event);
    let first = json!({"GCXH": "gate-1-2024-01-01T00:00:24.606935Z-苏c12345", "KKMC": "gate-1", "FXLX": "Front",
        "GCSJ": "2024-01-01T00:00:24.606935Z", "HPHM": "苏c12345", "CLPPXH": "Volkswagen-Lavida"});
    let second = json!({"GCXH": "gate-1-2024-01-01T00:00:24.606935Z-苏c54321", "KKMC": "gate-1",
        "GCSJ": "2024-01-01T00:00:24.606935Z", "HPHM": "苏c54321"});
    assert_eq!(lines, [first, second]);
    assert_eq!(read("plate-recognizer", &with(&event, "/hook/event", json!("vehicle"))), [Value::Null]);
    assert_eq!(read("plate-recognizer", &with(&event, "/data/results", json!([]))), [Value::Null]);
    // What cannot be read is passed on as it came: the event where the list is not there, and else the element.
    let without = with(&event, "/data/results", json!("none"));
    assert_eq!(read("plate-recognizer", &without)[0]["refused"], without);
    let nameless = with(&event, "/data/results/0/plate", Value::Null);
    assert_eq!(read("plate-recognizer", &nameless)[0]["refused"], nameless["data"]["results"][0]);
    assert_eq!(read("plate-recognizer", &nameless)[1]["HPHM"], "苏c54321");
}

#[test]
fn rekor_sends_a_group_for_each_vehicle() {
    let event = json!({
        "data_type": "alpr_group", "version": 3, "epoch_start": 1_704_038_424_789_u64, "epoch_end": 1_704_038_426_046_u64,
        "agent_uid": "AGENT", "camera_id": 1_414_799_424, "uuids": ["a-1", "a-2"], "best_uuid": "a-2",
        "best_plate_number": "苏C12345", "best_plate": {"plate": "苏C12345", "confidence": 92.0}, "travel_direction": 175.5,
        "vehicle": {"make": [{"name": "volkswagen", "confidence": 80.0}], "body_type": [{"name": "sedan-standard"}]},
    });
    let expected = json!({"GCXH": "a-2", "KKMC": "AGENT-1414799424", "FXLX": "175.5", "GCSJ": "2023-12-31T16:00:24Z",
        "HPHM": "苏C12345", "CLPPXH": "volkswagen-sedan-standard"});
    assert_eq!(read("rekor", &event), [expected]);
    assert_eq!(read("rekor", &json!({"data_type": "heartbeat"})), [Value::Null]);
    assert_eq!(read("rekor", &json!({"data_type": "alpr_results", "results": []})), [Value::Null]);
    assert_eq!(read("rekor", &json!(7)), [Value::Null]);
    // An older one.
    let older = json!({"data_type": "alpr_group", "epoch_start": 1_704_038_424_789_u64, "site_id": "site", "camera_id": 1,
        "uuids": ["b-1"], "best_plate": {"plate": "苏C12345"}});
    let expected = json!({"GCXH": "b-1", "KKMC": "site-1", "GCSJ": "2023-12-31T16:00:24Z", "HPHM": "苏C12345"});
    assert_eq!(read("rekor", &older), [expected]);
    let nested = with(&event, "/best_uuid", json!({"a": 1}));
    assert_eq!(read("rekor", &nested)[0]["refused"], nested);
}

#[test]
fn frigate_sends_the_end_of_each_vehicle() {
    let event = json!({
        "type": "end",
        "before": {"id": "1704038424.475377-mxklsc", "camera": "gate"},
        "after": {"id": "1704038424.475377-mxklsc", "camera": "gate", "label": "car", "start_time": 1_704_038_424.475_377,
            "end_time": 1_704_038_430.0, "recognized_license_plate": ["苏C12345", 0.95]},
    });
    let expected =
        json!({"GCXH": "1704038424.475377-mxklsc", "KKMC": "gate", "GCSJ": "2023-12-31T16:00:24Z", "HPHM": "苏C12345"});
    assert_eq!(read("frigate", &event)[0], expected);
    assert_eq!(read("frigate", &with(&event, "/after/recognized_license_plate", json!("苏C12345"))), [expected]);
    for (pointer, value) in [("/type", json!("new")), ("/type", json!("update")), ("/after/label", json!("person"))] {
        assert_eq!(read("frigate", &with(&event, pointer, value)), [Value::Null]);
    }
    // A vehicle whose plate was not read passed all the same.
    let unread = read("frigate", &with(&event, "/after/recognized_license_plate", Value::Null));
    assert_eq!((&unread[0]["GCXH"], unread[0].get("HPHM")), (&json!("1704038424.475377-mxklsc"), None));
}

#[test]
fn what_is_made_of_events_is_bounded() {
    let table = known("plate-recognizer");
    let mut event = recognition();
    let many = vec![event["data"]["results"][0].clone(); 101];
    event["data"]["results"] = json!(many);
    let taken = |bounds| table.take(&event, &mut EventLines::within(bounds));
    assert_eq!(taken(Bounds { bytes: 1 << 20, records: 100 }), Err(TooMuch::Records));
    assert_eq!(taken(Bounds { bytes: 10_000, records: 1_000 }), Err(TooMuch::Bytes));
    assert_eq!(taken(Bounds { bytes: 1 << 20, records: 101 }), Ok(()));
    // What stands once in an event stands in each of its records: a long one is no field.
    event["data"]["camera_id"] = json!("x".repeat(2_000));
    let mut lines = EventLines::within(ENOUGH);
    table.take(&event, &mut lines).unwrap();
    assert!(lines.into_bytes().len() < 101 * 300);
}
