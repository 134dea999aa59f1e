//! The three endpoints of prediction over a model that answers with what it was asked.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::memory::MemoryReader;
use super::{Server, time};
use crate::forecast::{Basis, FlowForecast, Forecast, Forecaster, ForecasterStatus, ModelAbout};

/// Knows two checkpoints; the flow is the number of the hour, since 1970, less that of the first of 2024.
struct Twin(ModelAbout);

const FIRST: i64 = 473_352;

fn forecast(hour: i64, basis: Basis) -> FlowForecast {
    let flow = (hour - FIRST) as f64;
    FlowForecast { flow, lower: flow / 2.0, upper: flow * 2.0 + 0.06, basis, correction: None }
}

impl Forecast for Twin {
    fn checkpoint(&self, names: &[String], hour: i64) -> Option<FlowForecast> {
        let is_known = names.iter().any(|name| name == "S250_Pizhou_Sulu" || name == "only-in-the-model");
        is_known.then(|| forecast(hour, Basis::Checkpoint))
    }

    fn unknown_checkpoint(&self, hour: i64) -> FlowForecast {
        forecast(hour, Basis::TypicalCheckpoint)
    }

    fn city(&self, hour: i64) -> FlowForecast {
        forecast(hour, Basis::City)
    }

    fn names(&self, limit: usize) -> (Vec<String>, usize) {
        (["only-in-the-model".to_owned()].into_iter().take(limit).collect(), 500)
    }

    fn about(&self) -> &ModelAbout {
        &self.0
    }
}

struct TwinForecaster {
    model: Option<Arc<Twin>>,
    status: ForecasterStatus,
}

impl Forecaster for TwinForecaster {
    fn current(&self) -> Option<Arc<dyn Forecast>> {
        self.model.clone().map(|model| model as Arc<dyn Forecast>)
    }

    fn status(&self) -> ForecasterStatus {
        self.status.clone()
    }
}

async fn server(has_model: bool, status: ForecasterStatus) -> Server {
    let about = ModelAbout {
        kind: "seasonal",
        version: "v1".to_owned(),
        trained_at: "2024-01-01T16:00:00Z".to_owned(),
        trained_at_unix: 1_704_124_800,
        interval: 0.8,
        interval_samples: 600,
        metadata: Arc::new(json!({"rows": 7})),
    };
    let model = has_model.then(|| Arc::new(Twin(about)));
    let forecaster = Arc::new(TwinForecaster { model, status });
    Server::start_with(MemoryReader::sample(), |settings| settings.forecaster = forecaster).await
}

/// A server with a model.
pub(super) async fn ready() -> Server {
    server(true, ForecasterStatus { folder: "models".to_owned(), history_hours: 30, ..ForecasterStatus::default() })
        .await
}

fn hours_to(text: &str) -> f64 {
    (time(text).hour() - FIRST) as f64
}

/// The clock of the tests stands at 2024-01-02 12:00.
#[tokio::test]
async fn hours_and_dates_have_their_defaults() {
    let server = ready().await;
    for (query, expected) in [
        ("", "2024-01-02 13:00:00"),
        ("?hour=12", "2024-01-02 12:00:00"),
        ("?hour=11", "2024-01-03 11:00:00"),
        ("?hour=0", "2024-01-03 00:00:00"),
        ("?date=2024-02-29", "2024-02-29 13:00:00"),
        ("?date=2024/2/29&hour=08", "2024-02-29 08:00:00"),
        ("?hour=&date=&kkmc=", "2024-01-02 13:00:00"),
        ("?kkmc=%E5%85%A8%E5%B8%82", "2024-01-02 13:00:00"),
    ] {
        let data = server.get(&format!("/api/predict/flow{query}")).await.data();
        assert_eq!(data["predicted_flow"], hours_to(expected), "{query}: {data}");
        assert_eq!((&data["kkmc"], &data["basis"]), (&json!("全市"), &json!("city")));
        assert_eq!(format!("{} {:02}:00:00", data["date"].as_str().unwrap(), data["hour"].as_u64().unwrap()), expected);
    }
}

#[tokio::test]
async fn a_checkpoint_has_several_names_and_three_kinds() {
    let server = ready().await;
    let ask = async |kkmc: &str| {
        let encoded = utf8_percent_encode(kkmc, NON_ALPHANUMERIC);
        server.get(&format!("/api/predict/flow?kkmc={encoded}&hour=13")).await
    };
    let full = "徐州市邳州市S250宿邳线K1江苏徐州-S250-苏鲁界省际卡口";
    for name in ["S250_Pizhou_Sulu", full, "S250-邳州-苏鲁界"] {
        let data = ask(name).await.data();
        assert_eq!(
            data,
            json!({"kkmc": "S250_Pizhou_Sulu", "label": "S250-邳州-苏鲁界", "date": "2024-01-02", "hour": 13,
                "predicted_flow": 37.0, "lower": 18.5, "upper": 74.1, "basis": "checkpoint",
                "nowcast": null, "model": {"kind": "seasonal", "version": "v1", "trained_at": "2024-01-01T16:00:00Z", "interval": 0.8,
                    "interval_samples": 600}})
        );
    }
    // In the model, though in no catalogue; in the catalogue only; recorded only.
    assert_eq!(ask("only-in-the-model").await.data()["basis"], "checkpoint");
    assert_eq!(ask("G3_Sulu").await.data()["basis"], "typical_checkpoint");
    assert_eq!(ask("unlisted-1").await.data()["basis"], "typical_checkpoint");
    let msg = ask("S250_Pizhou").await.error(404);
    for part in ["\"S250_Pizhou\"", "S250_Pizhou_Sulu, ", "/api/checkpoints", "481 more"] {
        assert!(msg.contains(part), "{part}: {msg}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_is_valid() {
    let server = ready().await;
    for (query, parts) in [
        ("flow?hour=24", ["`hour`", "0 to 23"]),
        ("flow?hour=-1", ["`hour`", "0 to 23"]),
        ("flow?hour=noon", ["`hour`", "0 to 23"]),
        ("flow?date=2024-02-30", ["`date`", "2024-01-31"]),
        ("flow?date=1999-12-31", ["`date`", "from 2000 to 2099"]),
        ("flow?date=2100-01-01", ["`date`", "from 2000 to 2099"]),
        ("flow?date=2024-01-01T10:00:00", ["`date`", "2024-01-31"]),
        ("day?date=tomorrow", ["`date`", "2024-01-31"]),
    ] {
        let msg = server.get(&format!("/api/predict/{query}")).await.error(400);
        assert!(parts.iter().all(|part| msg.contains(part)), "{query}: {msg}");
    }
    assert!(server.get("/api/predict/day?kkmc=nowhere").await.error(404).contains("nowhere"));
}

#[tokio::test]
async fn a_day_has_24_hours_and_what_was_counted() {
    let server = ready().await;
    let city = server.get("/api/predict/day?date=2024-01-01").await.data();
    let hours = city["hours"].as_array().unwrap();
    assert_eq!((hours.len(), &city["kkmc"], &city["basis"]), (24, &json!("全市"), &json!("city")));
    let actual = |data: &Value| -> Vec<Option<u64>> {
        data["hours"].as_array().unwrap().iter().map(|hour| hour["actual"].as_u64()).collect()
    };
    let mut expected = vec![None; 24];
    (expected[0], expected[8], expected[23]) = (Some(1), Some(1), Some(1));
    assert_eq!(actual(&city), expected, "an hour without any passage at all is not known to be empty");
    assert_eq!(
        hours[8],
        json!({"hour": 8, "predicted_flow": 8.0, "lower": 4.0, "upper": 16.1, "actual": 1, "nowcast": null})
    );

    // Recorded once under its code and once under its full name; nothing where only others recorded.
    let pizhou = server.get("/api/predict/day?date=2024-01-01&kkmc=S250_Pizhou_Sulu").await.data();
    (expected[0], expected[8], expected[23]) = (Some(1), Some(1), Some(0));
    assert_eq!(actual(&pizhou), expected);

    // Today: the hour in which the newest passage lies is not over.
    let today = server.get("/api/predict/day").await.data();
    assert_eq!(today["date"], "2024-01-02");
    assert_eq!((actual(&today)[0], actual(&today)[11], actual(&today)[12]), (Some(1), None, None));
    let later = server.get("/api/predict/day?date=2030-01-01").await.data();
    assert_eq!(actual(&later), vec![None; 24]);
}

/// Seven passages are stored: at 00:00 and 08:00 of the first, the newest at 12:00 of the second.
#[tokio::test]
async fn without_a_model_the_mean_of_what_was_counted_answers() {
    let server = server(false, ForecasterStatus::default()).await;
    let said = |data: &Value| ["predicted_flow", "lower", "upper"].map(|name| data[name].as_f64().unwrap());
    let eight = server.get("/api/predict/flow?hour=8").await.data();
    assert_eq!((said(&eight), &eight["basis"], &eight["kkmc"]), ([1.0; 3], &json!("untrained"), &json!("全市")));
    let model =
        json!({"kind": "untrained", "version": null, "trained_at": null, "interval": 1.0, "interval_samples": 0});
    assert_eq!(eight["model"], model);
    for kkmc in ["S250_Pizhou_Sulu", "G3_Sulu", "unlisted-1"] {
        let flow = server.get(&format!("/api/predict/flow?kkmc={kkmc}")).await.data();
        let [predicted, lower, upper] = said(&flow);
        assert!(lower <= predicted && predicted <= upper && upper > 0.0, "{flow}");
        assert_eq!((predicted * 10.0).fract(), 0.0, "one decimal: {flow}");
    }
    let day = server.get("/api/predict/day").await.data();
    assert_eq!((day["hours"].as_array().unwrap().len(), &day["basis"]), (24, &json!("untrained")));
    // What is wrong is still said.
    assert!(server.get("/api/predict/flow?hour=99").await.error(400).contains("0 to 23"));
    assert!(server.get("/api/predict/flow?kkmc=nowhere").await.error(404).contains("/api/checkpoints"));
    assert_eq!(server.get("/api/predict/model").await.data()["model"], Value::Null);
}

#[tokio::test]
async fn of_an_empty_store_zero_is_predicted() {
    let server = Server::start_with(MemoryReader::empty(), |_| {}).await;
    for path in ["flow", "flow?hour=3&date=2024-01-09", "flow?kkmc=S250_Pizhou_Sulu", "day"] {
        let data = server.get(&format!("/api/predict/{path}")).await.data();
        let flow = data["hours"].get(0).unwrap_or(&data);
        let zero = ["predicted_flow", "lower", "upper"].map(|name| flow[name].as_f64());
        assert_eq!((zero, &data["basis"]), ([Some(0.0); 3], &json!("untrained")), "{path}: {data}");
    }
}

#[tokio::test]
async fn model_status_and_metrics_tell_of_the_model() {
    let server = ready().await;
    let model = server.get("/api/predict/model").await.data();
    assert_eq!((&model["model"]["version"], &model["metadata"]), (&json!("v1"), &json!({"rows": 7})));
    assert_eq!((&model["history_hours"], &model["min_hours"]), (&json!(30), &Value::Null));
    let status = server.get("/api/status").await.data();
    assert_eq!((&status["model"]["version"], &status["model"]["history_hours"]), (&json!("v1"), &json!(30)));
    let metrics = server.get("/metrics").await;
    let line = "platewatch_model_trained_timestamp_seconds{kind=\"seasonal\",version=\"v1\"} 1704124800";
    assert!(metrics.text().contains(line), "{}", metrics.text());
    // What the description says is what comes.
    let document = server.get("/api/openapi.json").await.json();
    for (path, name) in [("flow", "Flow"), ("day", "FlowDay"), ("model", "FlowModelStatus")] {
        let data = server.get(&format!("/api/predict/{path}")).await.data();
        let described = document["components"]["schemas"][name]["properties"].as_object().unwrap();
        let mut fields: [Vec<&String>; 2] = [data.as_object().unwrap(), described].map(|one| one.keys().collect());
        fields.iter_mut().for_each(|fields| fields.sort());
        assert_eq!(fields[0], fields[1], "{path}");
    }
}
