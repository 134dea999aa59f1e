//! The description of the interface agrees with the interface and with the committed file.

use std::collections::BTreeSet;

use expect_test::expect_file;
use serde_json::Value;
use traffic::{Rule, Severity};

use super::Server;
use super::client::request;
use super::memory::{alert, sample_case};
use crate::alert_json::AlertJson;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");

/// `scripts/generate` writes the file instead.
#[test]
fn the_committed_file_is_current() {
    expect_file![COMMITTED].assert_eq(&crate::serve::endpoints::openapi_json().unwrap());
}

#[tokio::test]
async fn every_described_endpoint_exists_and_has_docs() {
    let server = Server::start().await;
    let document = server.get("/api/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 24, "{} paths", paths.len());
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{path} {parameter}");
                assert!(!parameter["example"].is_null(), "{path} {parameter}");
            }
            if path == "/api/warnings/stream" {
                continue;
            }
            let reply = request(server.address, &method.to_uppercase(), path, &[], b"").await;
            if reply.status == 404 && path.starts_with("/api/session/oidc") {
                assert_eq!(reply.json()["reason"], "no_single_sign_on");
                continue;
            }
            if reply.status == 404 && path.starts_with("/VIID/") {
                assert_eq!(reply.json()["ResponseStatusObject"]["StatusCode"], "4", "it is not spoken here");
                continue;
            }
            assert!(!matches!(reply.status, 404 | 405), "{method} {path}: {}", reply.status);
            assert!(operation["responses"][reply.status.to_string()].is_object(), "{method} {path}: {}", reply.status);
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let text = property.to_string();
            assert!(text.contains("\"description\""), "{name}.{field} has no description: {text}");
        }
    }
}

/// Field names of answers and of their schemas are the same.
#[tokio::test]
async fn schemas_have_the_fields_of_the_answers() {
    let server = Server::start().await;
    let document = server.get("/api/openapi.json").await.json();
    let schema_fields = |name: &str| -> BTreeSet<String> {
        let schema = &document["components"]["schemas"][name];
        schema["properties"].as_object().unwrap_or_else(|| panic!("{name}: {schema}")).keys().cloned().collect()
    };
    let fields = |value: &Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };

    let raised = alert(1, "a", "b", "c", "2024-01-01 00:00:00", Severity::High, Rule::Speed);
    let pair = traffic::evidence::PairEvidence {
        probability: 0.97,
        cause: traffic::Cause::Clone,
        reasons: vec![traffic::evidence::Reason::Contradictions(3)],
        model: 473_352,
    };
    let explained = raised.weighed(traffic::evidence::PairFinding::Weighed(pair));
    assert_eq!(fields(&serde_json::to_value(AlertJson::from(explained)).unwrap()), schema_fields("Alert"));
    let with_work = ["status", "version", "changed_at", "changed_by", "note"].map(str::to_owned);
    let record = server.get("/api/warnings").await.data()["records"][0].take();
    // What the traffic says stands only where anything is learnt.
    let learnt = ["cause", "probability", "reasons", "model"];
    let always = schema_fields("Alert").into_iter().filter(|name| !learnt.contains(&name.as_str()));
    assert_eq!(fields(&record), always.chain(with_work).collect());
    let case = sample_case();
    assert_eq!(fields(&serde_json::to_value(&case).unwrap()), schema_fields("Case"));
    assert_eq!(fields(&serde_json::to_value(&case.pairs[0]).unwrap()), schema_fields("CasePair"));
    assert_eq!(fields(&server.get("/api/cases").await.data()["records"][0]), schema_fields("CaseBrief"));
    let records = server.post("/api/query", "").await.data();
    assert_eq!(fields(&records["records"][0]), schema_fields("Passage"));
    for (path, name) in [
        ("/api/overview", "Overview"),
        ("/api/status", "Status"),
        ("/api/stats/hour_count", "HourCounts"),
        ("/api/stats/recent", "RecentFlow"),
        ("/api/rejects", "RejectList"),
    ] {
        assert_eq!(fields(&server.get(path).await.data()), schema_fields(name), "{path}");
    }
    for (path, name) in [("/api/checkpoints", "Checkpoint"), ("/api/stats/kkmc_count", "CheckpointCount")] {
        assert_eq!(fields(&server.get(path).await.data()[0]), schema_fields(name), "{path}");
    }
    let query: BTreeSet<_> = crate::serve::query::FIELDS.map(str::to_owned).into();
    assert_eq!(schema_fields("Query"), query);
}
