//! Prediction as a user sees it: trained from a table or a data directory, served, copied, replaced while it runs,
//! damaged, and trained again on schedule.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::demo::{ask_until, stop};
use crate::harness::{Ended, Replay, Running, folder, get, get_data, platewatch, run, serve, simulated};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/spark_lr/train.csv");
const PATIENT: Duration = Duration::from_secs(60);

fn train(input: &Path, model: &Path, more: &[&str]) -> Ended {
    let mut command = platewatch();
    command.args(["train", "--input"]).arg(input).arg("--model-dir").arg(model).args(more);
    command.output().unwrap().into()
}

fn metadata(model: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(model.join("metadata.json")).unwrap()).unwrap()
}

/// A server without a source over a new data directory, with this model folder.
fn serve_model(folder: &Path, model: &Path, more: &str) -> (Running, String) {
    let data = folder.join("data");
    serve(&format!(
        "data_dir = {data:?}\n[source]\nkind = \"none\"\n[predict]\nmodel_dir = {model:?}\ntrain = \"off\"\n{more}\n"
    ))
}

fn version(address: &str) -> Value {
    get_data(address, "/api/predict/model")["model"]["version"].clone()
}

#[test]
fn trained_from_a_table_served_and_copied() {
    let folder = folder();
    let model = folder.path().join("somewhere/traffic_flow_model");
    let ended = train(TABLE.as_ref(), &model, &[]);
    ended.done();
    for part in [
        "MAE",
        "RMSE",
        "WAPE",
        "coverage",
        "by checkpoint",
        "seasonal ",
        "spark-linear ",
        "recent-weeks ",
        "blend ",
        "constant ",
        "last-day ",
        "last-week ",
        "week-hour-mean ",
        "last finished hour",
    ] {
        assert!(ended.stdout.contains(part), "{part:?} is not in:\n{}", ended.stdout);
    }
    let metadata = metadata(&model);
    assert_eq!((&metadata["kind"], &metadata["trained_from"]["rows"]), (&"seasonal".into(), &5482.into()));
    let expected: Value =
        serde_json::from_slice(&std::fs::read(Path::new(TABLE).with_file_name("expected.json")).unwrap()).unwrap();
    let intercept = metadata["spark"]["intercept"].as_f64().unwrap();
    assert!((intercept / expected["intercept"].as_f64().unwrap() - 1.0).abs() < 1e-8, "{intercept}");

    let (running, address) = serve_model(folder.path(), &model, "");
    ask_until("the model", || version(&address), Value::is_string);
    let paths =
        ["flow?kkmc=S250_Pizhou_Sulu&hour=8&date=2024-01-03", "flow?hour=8&date=2024-01-03", "day?date=2024-01-06"];
    let answers = |address: &str| paths.map(|path| get_data(address, &format!("/api/predict/{path}")));
    let first = answers(&address);
    let [checkpoint, city, day] = &first;
    let flow = |one: &Value| ["lower", "predicted_flow", "upper"].map(|name| one[name].as_f64().unwrap());
    let [lower, predicted, upper] = flow(checkpoint);
    assert!(
        0.0 < lower && lower < predicted && predicted < upper && (100.0..500.0).contains(&predicted),
        "{checkpoint}"
    );
    let [lower, all, upper] = flow(city);
    assert!(all > 10.0 * predicted && all - lower < 0.6 * all && upper < 2.0 * all, "{city}");
    assert_eq!((day["hours"].as_array().unwrap().len(), &day["model"]["version"]), (24, &metadata["version"]));
    let model_data = get_data(&address, "/api/predict/model");
    assert_eq!(model_data["metadata"], metadata);
    assert_eq!(model_data["versions"][0]["version"], metadata["version"], "the registry lists it");
    assert_eq!(get_data(&address, "/api/status")["model"]["version"], metadata["version"]);
    stop(running, PATIENT);

    // Its copy gives the same answers elsewhere; and the registry of the first data directory keeps the version.
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in ["model.bin", "metadata.json"] {
        std::fs::copy(model.join(file), copy.join(file)).unwrap();
    }
    std::fs::remove_dir_all(&model).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    let (running, address) = serve_model(&elsewhere, &copy, "");
    ask_until("the copy", || version(&address), Value::is_string);
    assert_eq!(answers(&address), first);
    stop(running, PATIENT);
    let (running, address) = serve_model(folder.path(), &model, "");
    let flow = get_data(&address, "/api/predict/flow");
    let said = ["predicted_flow", "lower", "upper"].map(|name| flow[name].as_f64());
    assert_eq!((said, flow["basis"].as_str()), ([Some(0.0); 3], Some("untrained")), "nothing is stored: {flow}");
    assert_eq!(get_data(&address, "/api/predict/model")["versions"][0]["version"], metadata["version"]);
    stop(running, PATIENT);
}

#[test]
fn a_pinned_model_is_served() {
    let folder = folder();
    let model = folder.path().join("model");
    train(TABLE.as_ref(), &model, &["--quiet"]).done();
    let (running, address) = serve_model(folder.path(), &model, "kind = \"spark-linear\"");
    ask_until("the model", || version(&address), Value::is_string);
    let flow = get_data(&address, "/api/predict/flow?kkmc=S251_Pizhou_Sulu&hour=8&date=2024-01-03");
    // Spark's value, to the decimal that is shown.
    assert_eq!((flow["predicted_flow"].as_f64(), &flow["model"]["kind"]), (Some(106.8), &"spark-linear".into()));
    stop(running, PATIENT);
    train(TABLE.as_ref(), &model, &["--kind", "spark-linear"]).done();
    assert_eq!(metadata(&model)["kind"], "spark-linear");
}

#[test]
fn bad_rows_are_told_by_line_and_bad_tables_refused() {
    let folder = folder();
    let [file, model] = ["table.csv", "model"].map(|name| folder.path().join(name));
    let with = |text: &str| std::fs::write(&file, format!("KKMC,hour,is_weekend,traffic_count\n{text}")).unwrap();
    with("a,1,0,5\na,25,0,5\na,2,0,many\na,3,0,7\n");
    let ended = train(&file, &model, &[]);
    ended.done();
    for part in ["line 3: hour is \"25\"", "line 4: traffic_count is \"many\"", "2 rows are refused"] {
        assert!(ended.stderr.contains(part), "{part:?} is not in: {}", ended.stderr);
    }
    assert!(ended.stdout.contains("too little history to test on"), "{}", ended.stdout);
    let written = metadata(&model);
    assert_eq!((&written["trained_from"]["rows"], &written["trained_from"]["rejected"]), (&2.into(), &2.into()));

    with("a,25,0,5\n");
    let ended = train(&file, &model, &[]);
    assert!(ended.code == Some(2) && ended.stderr.contains("nothing to learn from"), "{ended:?}");
    assert_eq!(metadata(&model), written, "a failed training leaves the model");
    std::fs::write(&file, "KKMC,hour\na,1\n").unwrap();
    train(&file, &model, &[]).failed(2, &["table.csv: line 1: the header lacks is_weekend, traffic_count"]);
    train(&folder.path().join("none.csv"), &model, &[]).failed(2, &["none.csv", "No such file"]);
    let neither = run(["train"]);
    assert!(neither.code == Some(2) && neither.stderr.contains("--input"), "{neither:?}");
    let holidays = folder.path().join("holidays.csv");
    std::fs::write(&holidays, "date,kind\n2024-01-01,party\n").unwrap();
    let more = ["--holidays", holidays.to_str().unwrap()];
    train(TABLE.as_ref(), &model, &more).failed(2, &["holidays.csv: line 2: the kind is \"party\""]);
}

#[test]
fn a_new_model_is_loaded_while_it_serves_and_a_damaged_one_is_not() {
    let folder = folder();
    let model = folder.path().join("model");
    let (running, address) = serve_model(folder.path(), &model, "");
    assert_eq!(get_data(&address, "/api/predict/flow")["basis"], "untrained");
    train(TABLE.as_ref(), &model, &["--quiet"]).done();
    let first = metadata(&model)["version"].clone();
    ask_until("the first model", || version(&address), |version| *version == first);

    train(TABLE.as_ref(), &model, &["--quiet", "--interval", "0.9"]).done();
    let second = metadata(&model)["version"].clone();
    assert_ne!(first, second);
    ask_until("the second model", || version(&address), |version| *version == second);

    // Half a model: the second stays in use, and the reason is reported.
    let good = std::fs::read(model.join("model.bin")).unwrap();
    let problem = || get_data(&address, "/api/predict/model")["problem"].clone();
    std::fs::write(model.join("model.bin"), &good[..good.len() / 2]).unwrap();
    let told = ask_until("the problem", problem, |problem| problem.is_string());
    let told = told.as_str().unwrap();
    assert!(told.contains("model.bin") && told.contains(second.as_str().unwrap()), "{told}");
    assert_eq!((version(&address), get(&address, "/api/predict/flow").0), (second.clone(), 200));
    assert_eq!(get_data(&address, "/api/status")["model"]["problem"], told);

    // A model of a newer program is reported as such.
    let newer: Vec<u8> = [&b"F\x63"[..], &good[2..]].concat();
    std::fs::write(model.join("model.bin"), newer).unwrap();
    ask_until("the newer problem", problem, |problem| {
        problem.as_str().is_some_and(|text| text.contains("newer than 1"))
    });
    assert_eq!(version(&address), second);

    std::fs::write(model.join("model.bin"), good).unwrap();
    ask_until("the end of the problem", problem, Value::is_null);
    assert_eq!(version(&address), second);
    running.signal("TERM");
    let ended = running.end();
    ended.done();
    assert!(ended.stderr.contains("the flow model cannot be loaded"), "{}", ended.stderr);
}

#[test]
fn trained_from_a_data_directory_and_again_on_schedule() {
    let folder = folder();
    let [file, data, model] = ["capture.tsv", "data", "model"].map(|name| folder.path().join(name));
    // Some 33 hours.
    std::fs::write(&file, simulated(60_000, 81, &["--rate", "0.5"])).unwrap();
    Replay::new(&file, &folder.path().join("out")).args(["--data-dir"]).args([&data]).results();

    let mut command = platewatch();
    command.args(["train", "--data-dir"]).arg(&data).arg("--model-dir").arg(&model);
    let ended: Ended = command.output().unwrap().into();
    ended.done();
    let by_hand = metadata(&model);
    assert_eq!((&by_hand["trained_from"]["kind"], &by_hand["checkpoints"]), (&"counters".into(), &19.into()));
    assert!(by_hand["hours"].as_u64().unwrap() >= 24, "{by_hand}");
    std::fs::remove_dir_all(&model).unwrap();

    let config = format!(
        "data_dir = {data:?}\n[source]\nkind = \"none\"\n[predict]\nmodel_dir = {model:?}\nretrain_every = \"1s\"\n"
    );
    let (running, address) = serve(&config);
    let first = ask_until("a model", || version(&address), Value::is_string);
    assert_ne!(first, by_hand["version"]);
    let second = ask_until("another model", || version(&address), |version| version.is_string() && *version != first);
    let state = get_data(&address, "/api/predict/model");
    assert_eq!(state["history_hours"], by_hand["hours"]);
    let versions: Vec<&Value> = state["versions"].as_array().unwrap().iter().map(|one| &one["version"]).collect();
    for known in [&first, &second, &by_hand["version"]] {
        assert!(versions.contains(&known), "{known} is not in {versions:?}");
    }
    // Counts are shown beside predictions.
    let day = get_data(&address, "/api/predict/day?date=2024-01-01");
    let counted = day["hours"].as_array().unwrap().iter().filter(|hour| hour["actual"].is_u64()).count();
    assert_eq!(counted, 23, "all but the first hour, of which a part may be missing: {day}");
    stop(running, PATIENT);

    // A model of two weeks is not replaced for a day of counts.
    train(TABLE.as_ref(), &model, &["--quiet"]).done();
    let table = metadata(&model)["version"].clone();
    let (running, address) = serve(&config);
    ask_until("the model of the table", || version(&address), |version| *version == table);
    ask_until(
        "the history",
        || get_data(&address, "/api/predict/model")["history_hours"].clone(),
        |hours| hours.as_u64() >= Some(24),
    );
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(version(&address), table);
    stop(running, PATIENT);
}
