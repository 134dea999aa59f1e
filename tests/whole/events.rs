//! Webhooks of plate readers to the real program: known ones, one of the user's own table, and what is neither.

use serde_json::{Value, json};

use crate::harness::{Answer, Appliance, PATIENCE, agent, answer, folder, run, url};

/// Posts an event, and reads the answer.
fn post(appliance: &Appliance, events: &str, kind: &str, body: &[u8]) -> Answer {
    let request = agent(PATIENCE).post(url(&appliance.address(), &format!("/api/ingest/{events}")));
    answer(request.header("content-type", kind).send(body)).into()
}

fn counts(receipt: &Answer) -> [Value; 4] {
    ["lines", "skipped", "accepted", "rejected"].map(|name| receipt.data()[name].clone())
}

fn recognition(camera: &str, second: u32, plates: &[&str]) -> Value {
    let results: Vec<Value> = plates.iter().map(|plate| json!({"plate": plate, "score": 0.9})).collect();
    json!({
        "hook": {"event": "recognition"},
        "data": {"camera_id": camera, "timestamp": format!("2024-01-01T00:00:{second:02}.606935Z"), "results": results},
    })
}

#[test]
fn webhooks_become_passages_and_alerts() {
    let folder = folder();
    let tables = folder.path().join("events.toml");
    std::fs::write(
        &tables,
        "[gate]\nrecords = \"/cars\"\n[gate.columns]\nGCXH = \"./nr\"\nKKMC = \"=S252_Suining_Suwan\"\nGCSJ = \"./at\"\nHPHM = \"./plate\"\nFXLX = \"=2\"\n",
    )
    .unwrap();
    let mut appliance = Appliance::new(folder.path());
    let data = appliance.data();
    let settings =
        format!("data_dir = {data:?}\n[source]\nkind = \"http\"\nevents = {tables:?}\n[predict]\ntrain = \"off\"\n");
    appliance.configure(&settings, "");
    appliance.start();

    let json = "application/json";
    let two = recognition("G3_Sulu", 24, &["苏C12345", "苏C54321"]).to_string();
    let receipt = post(&appliance, "plate-recognizer", json, two.as_bytes());
    assert_eq!(json!(counts(&receipt)), json!([2, 0, 2, 0]));
    // Sent again they are known.
    assert_eq!(post(&appliance, "plate-recognizer", json, two.as_bytes()).data()["duplicates"], 2);
    // A form with a picture, as these cameras send it.
    let one = recognition("G3_Sulu", 25, &["苏C11111"]);
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{one}\r\n--x\r\nContent-Disposition: form-data; \
         name=\"upload\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--x--\r\n"
    );
    let receipt = post(&appliance, "plate-recognizer", "multipart/form-data; boundary=x", form.as_bytes());
    assert_eq!(json!(counts(&receipt)), json!([1, 0, 1, 0]));
    // The same plate at the other end of the region, by another reader.
    let cars = json!({"cars": [{"nr": 7, "at": 1_704_067_230, "plate": "苏C12345"}, {"nr": 8, "plate": "苏C12345"}]});
    let receipt = post(&appliance, "gate", json, cars.to_string().as_bytes());
    assert_eq!(json!(counts(&receipt)), json!([2, 0, 1, 1]));
    assert_eq!(receipt.data()["rejects"], json!([{"line": 2, "reason": "invalid_gcsj"}]));
    let warnings = appliance.get("/api/warnings").unwrap();
    assert_eq!(warnings["total"], 1, "{warnings}");
    let alert = &warnings["records"][0];
    let seen = ["prev_kkmc", "curr_kkmc", "prev_time", "curr_time", "curr_gcxh"].map(|name| alert[name].clone());
    let expected = ["G3_Sulu", "S252_Suining_Suwan", "2024-01-01 08:00:24", "2024-01-01 08:00:30", "7"];
    assert_eq!(json!(seen), json!(expected));

    // What is about something else is skipped, and what is no event is kept.
    assert_eq!(
        json!(counts(&post(&appliance, "rekor", json, b"[{\"data_type\":\"heartbeat\"},7]"))),
        json!([2, 2, 0, 0])
    );
    let receipt = post(&appliance, "rekor", "application/x-ndjson", b"{\"data_type\":\"alpr_group\"}\nnonsense\n");
    assert_eq!(json!(counts(&receipt)), json!([2, 0, 0, 2]));
    for (events, kind, body, status, reason) in [
        ("nobody", json, &b"{}"[..], 404, "events_unknown"),
        ("rekor", "text/plain", b"{}", 415, "event_type"),
        ("rekor", json, b"{", 400, "not_json"),
        ("rekor", "multipart/form-data; boundary=x", b"--x--\r\n", 400, "body_unread"),
    ] {
        let refused = post(&appliance, events, kind, body);
        assert_eq!((refused.status, &refused.json["reason"]), (status, &json!(reason)), "{}", refused.json);
    }
    let unknown = post(&appliance, "nobody", json, b"{}");
    assert!(unknown.message().contains("frigate, gate, plate-recognizer, rekor"), "{}", unknown.message());
    appliance.stop();

    // A table that cannot be used is told before anything is served.
    std::fs::write(&tables, "[gate]\ncolumns = { GCXH = \"./nr\" }\n").unwrap();
    let refused = run(["serve".as_ref(), "--config".as_ref(), appliance.config().as_os_str()]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("source.events") && refused.stderr.contains("[gate]"), "{}", refused.stderr);
}
