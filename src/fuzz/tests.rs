//! A test for each target. See `driver` for what it does.

use super::driver::check;
use super::table::TARGETS;

#[test]
fn every_target_has_a_test() {
    let text = include_str!("tests.rs");
    for target in TARGETS {
        assert!(
            text.contains(&format!("fn {0}() {{\n    check(\"{0}\");\n}}", target.name)),
            "{} has none",
            target.name
        );
    }
}

#[test]
fn line() {
    check("line");
}

#[test]
fn file() {
    check("file");
}

#[test]
fn segment() {
    check("segment");
}

#[test]
fn zone() {
    check("zone");
}

#[test]
fn codec() {
    check("codec");
}

#[test]
fn evidence() {
    check("evidence");
}

#[test]
fn model() {
    check("model");
}

#[test]
fn metadata() {
    check("metadata");
}

#[test]
fn table() {
    check("table");
}

#[test]
fn query_string() {
    check("query_string");
}

#[test]
fn query_body() {
    check("query_body");
}

#[test]
fn ingest_body() {
    check("ingest_body");
}

#[test]
fn objects() {
    check("objects");
}

#[test]
fn viid() {
    check("viid");
}

#[test]
fn headers() {
    check("headers");
}

#[test]
fn wildcard() {
    check("wildcard");
}

#[test]
fn sql_literal() {
    check("sql_literal");
}

#[test]
fn kafka_metadata() {
    check("kafka_metadata");
}

#[test]
fn kafka_position() {
    check("kafka_position");
}

#[test]
fn checkpoints() {
    check("checkpoints");
}

#[test]
fn audit() {
    check("audit");
}

#[test]
fn config() {
    check("config");
}

#[test]
fn certificate() {
    check("certificate");
}

#[test]
fn ring() {
    check("ring");
}
