//! Compressed records: every codec of Kafka is read, and an unknown one is reported instead of waited for.

use std::path::Path;

use super::{LINE, STATIC_MEMBER};
use crate::harness::{Appliance, LONG, platewatch, wait_until};
use crate::kafka::{Broker, topic};

const CODECS: [&str; 4] = ["gzip", "snappy", "lz4", "zstd"];
/// Where a batch has its checksum, and its attributes, of which the last three bits are the codec.
const CHECKSUM: usize = 17;
const ATTRIBUTES: usize = 21;

fn lines(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|number| LINE.replace("G1\t", &format!("G{number}\t"))).collect()
}

/// What `check-config --connect` reports on the configuration of an appliance, and its exit code.
fn check(config: &Path) -> (Option<i32>, String) {
    let mut command = platewatch();
    let output = command.args(["check-config", "--connect"]).arg(config).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// The codec of the first batch of a partition, as it is on the broker's disk.
fn codec(broker: &Broker, topic: &str, partition: i32) -> u8 {
    std::fs::read(broker.segment(topic, partition)).unwrap()[ATTRIBUTES + 1] & 7
}

#[test]
fn all_four_codecs_are_read_and_checked() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let name = "codecs";
    broker.create_topic(name, CODECS.len() as i32);
    for (partition, codec) in CODECS.iter().enumerate() {
        let lines = lines(partition * 1000, 1000);
        topic::produce_to(broker, name, partition as i32, &[("compression.type", *codec), ("linger.ms", "50")], &lines);
    }
    let found: Vec<u8> = (0..CODECS.len() as i32).map(|partition| codec(broker, name, partition)).collect();
    assert_eq!(found, [1, 2, 3, 4]);
    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    let (code, said) = check(&appliance.config());
    assert!(code == Some(0) && said.contains("partitions: 4"), "{code:?} {said}");
    appliance.start();
    appliance.wait_for_lines(4000);
    let status = appliance.status();
    assert!(status["pipeline"]["accepted"] == 4000 && status["source"]["kafka"]["stopped"].is_null(), "{status}");
}

#[test]
fn a_codec_that_is_not_known_is_an_error_and_not_a_silent_stop() {
    let mut broker = Broker::start();
    let dir = tempfile::tempdir().unwrap();
    let name = "unknown";
    broker.create_topic(name, 2);
    let one_batch = [("linger.ms", "1000"), ("compression.type", "gzip")];
    topic::produce_to(&broker, name, 0, &one_batch, &lines(0, 5));
    topic::produce_to(&broker, name, 1, &one_batch, &lines(10, 5));
    broker.stop();
    set_codec(&broker.segment(name, 0), 5);
    broker.start_again();

    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    let (code, said) = check(&appliance.config());
    assert!(code == Some(1) && said.contains("partitions 0 of the topic unknown hold records that"), "{said}");
    assert!(said.contains("a codec that this program does not have") && said.contains("codec 0x5"), "{said}");

    appliance.start();
    wait_until(LONG, "it is told", || !appliance.status()["source"]["kafka"]["stopped"].is_null());
    // The other partition goes on.
    topic::produce_to(&broker, name, 1, &[], &lines(20, 5));
    wait_until(LONG, "the other partition is read", || appliance.lines() == 10);
    let status = appliance.status();
    let stopped = &status["source"]["kafka"]["stopped"];
    assert!(stopped["code"] == "codec" && stopped["partitions"] == serde_json::json!([0]), "{stopped}");
    assert!(status["ready"] == false && status["failure"] == stopped["text"], "{status}");
    let (code, said) = appliance.answer("/readyz");
    assert!(code == 503 && said.contains("not ready: partitions 0 of the topic"), "{code} {said}");
    assert!(said.contains("gzip, snappy, lz4 or zstd"), "{said}");
    let log = appliance.log();
    assert_eq!(log.matches("cannot be read on").count(), 1, "{log}");

    // As the text says: the records are removed, and shown as a gap.
    topic::produce_to(&broker, name, 0, &[], &lines(30, 5));
    broker.delete_before(name, 0, 5);
    appliance.wait_for_lines(15);
    let status = appliance.status();
    let kafka = &status["source"]["kafka"];
    assert!(kafka["missing_records"] == 5 && kafka["stopped"].is_null() && status["ready"] == true, "{status}");
    assert_eq!(appliance.answer("/readyz").0, 200);
}

/// Writes another codec into the first batch, with the checksum that it then has.
fn set_codec(segment: &Path, codec: u8) {
    let mut bytes = std::fs::read(segment).unwrap();
    let length = u32::from_be_bytes(bytes[8..12].try_into().unwrap()) as usize + 12;
    bytes[ATTRIBUTES + 1] = (bytes[ATTRIBUTES + 1] & !7) | codec;
    let checksum = crc32c(&bytes[ATTRIBUTES..length]);
    bytes[CHECKSUM..ATTRIBUTES].copy_from_slice(&checksum.to_be_bytes());
    std::fs::write(segment, bytes).unwrap();
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}
