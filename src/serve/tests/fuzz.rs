//! Whatever is sent, the server answers without a failure of its own.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use super::Server;
use super::client::request;

/// The document of the interface.
fn document() -> Value {
    serde_json::from_str(&crate::serve::endpoints::openapi_json().unwrap()).unwrap()
}

/// Paths that are read and answered with an envelope, and one that is none.
fn paths() -> Vec<String> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    let read = paths.filter(|(path, operations)| {
        let answer = &operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
        path.starts_with("/api/") && answer.as_str().is_some_and(|name| name.contains("/Envelope_"))
    });
    let mut paths: Vec<String> = read.map(|(path, _)| path.replace("{id}", "0123456789abcdef")).collect();
    assert!(paths.len() > 15, "{paths:?}");
    paths.push("/elsewhere".to_owned());
    paths
}

/// All parameters of a query string, and all fields of a query.
fn fields() -> Vec<String> {
    let document = document();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let parameters = operations.flat_map(|operation| operation["parameters"].as_array().into_iter().flatten());
    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
    let names = in_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned());
    let body = document["components"]["schemas"]["Query"]["properties"].as_object().unwrap().keys().cloned();
    let fields: BTreeSet<String> = names.chain(body).collect();
    assert!(fields.len() > 20, "{fields:?}");
    fields.into_iter().collect()
}

/// Values near those that count, and noise.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{0,20}",
        "-?[0-9]{1,3}(\\.[0-9])?",
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|\\+08:00)?)?",
        "(苏|鲁|皖)?[A-Z*?·-]{0,6}",
        "(high|low|window|speed|货车|新能源|G3_Sulu)",
        "\\PC{0,12}",
    ]
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// Runs `check` on `cases` values of `strategy` against one server.
fn fuzz<S: Strategy>(cases: u32, strategy: S, check: impl AsyncFn(&Server, S::Value)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(super::predict::ready());
    runner(cases)
        .run(&strategy, |value| {
            runtime.block_on(check(&server, value));
            Ok(())
        })
        .unwrap();
}

#[test]
fn query_strings() {
    let pairs = proptest::collection::vec((proptest::sample::select(fields()), value()), 0..4);
    // All that HTTP allows in a query string; the HTTP library itself turns anything else away.
    let raw = "[!$-;=?-~]{0,40}";
    let query = prop_oneof![
        pairs.prop_map(|pairs| {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
                .collect();
            pairs.join("&")
        }),
        raw,
    ];
    fuzz(400, (proptest::sample::select(paths()), query), async |server, (path, query)| {
        let reply = server.get(&format!("{path}?{query}")).await;
        match reply.status {
            200 if path.starts_with("/api") => drop(reply.data()),
            200 | 404 => {}
            409 => drop(reply.error(409)),
            _ => drop(reply.error(400)),
        }
    });
}

#[test]
fn bodies() {
    let field = prop_oneof![
        value().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
        Just(serde_json::Value::Bool(true)),
        Just(serde_json::json!([{"a": 1}])),
    ];
    let object = proptest::collection::btree_map(proptest::sample::select(fields()), field, 0..4)
        .prop_map(|fields| serde_json::to_vec(&fields).unwrap());
    let noise = proptest::collection::vec(any::<u8>(), 0..60);
    fuzz(400, prop_oneof![3 => object, 1 => noise], async |server, body| {
        let headers = [("content-type", "application/json")];
        let reply = request(server.address, "POST", "/api/query", &headers, &body).await;
        match reply.status {
            200 => drop(reply.data()),
            409 => drop(reply.error(409)),
            _ => drop(reply.error(400)),
        }
    });
}
