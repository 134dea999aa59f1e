//! The targets, each with the words that its inputs are made of, and its first inputs. It runs none of them.

use super::target::Target;
use super::{audit, checkpoints, config, file, line, ring, segment, sql, wildcard, zone};
use crate::{predict, serve, source, store, viid};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
/// Two bytes may say that a lane of texts holds 1 MiB of one byte; while it grows, it is held three times.
const LANE: usize = 2 * MIB;

const LINE: &[&[u8]] = &[
    b"GCXH\tXZQHMC\tKKMC\tFXLX\tGCSJ\tHPZL\tHPHM\tCLPPXH",
    b"G320300109027253771",
    "铜山县".as_bytes(),
    b"S250_Pizhou_Sulu",
    b"2024-01-01 00:00:24",
    b"2024/1/1 0:00",
    b"20240101000024",
    b"2024-01-01T00:00:24.123+08:00",
    b"1704067224",
    b"02",
    b"52",
    "苏C12345".as_bytes(),
    "苏CD12345".as_bytes(),
    "Ｃ·123 45".as_bytes(),
    "无牌".as_bytes(),
    "大众牌-朗逸".as_bytes(),
    b"\t",
    b",",
    b";",
    b"|",
    b"\n",
    b"\r\n",
    b"\r",
    b"\"",
    b"\"\"",
    b"-",
    b"\0",
    b"\xef\xbb\xbf",
    "\u{3000}".as_bytes(),
    "\u{a0}".as_bytes(),
    b"\xff",
];

const FIELDS: &[&[u8]] = &[
    b"kkmc",
    b"hphm",
    b"startTime",
    b"endTime",
    b"vehicleType",
    b"province",
    b"fuelType",
    b"fxlx",
    b"hpzl",
    b"clppxh",
    b"order",
    b"page",
    b"limit",
    b"lastEventId",
    b"newest",
    b"oldest",
    b"2024-01-01 00:00:00",
    b"2024-01-01",
    b"T00:00:00Z",
    b"%2B08:00",
    b"%E8%8B%8F",
    b"%",
    b"%00",
    b"%ff",
    b"&",
    b"=",
    b"+",
    b"true",
    b"false",
    b"null",
    b"1e3",
    b"10.0",
    b"-1",
    b"0.5",
    b"9007199254740991",
    b"18446744073709551616",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\"",
    b"\\u0000",
    b"\\ud83d",
    b"\\",
    b"\n",
    b" ",
    b"speed",
    b"window",
];

const OBJECT: &[&[u8]] = &[
    b"{\"GCXH\":",
    b",\"kkmc\":",
    b",\"GCSJ\":\"2024-01-01 00:00:24\"",
    ",\"HPHM\":\"苏C12345\"".as_bytes(),
    b",\"more\":",
    b"null",
    b"true",
    b"18446744073709551616",
    b"-1",
    b"1e999",
    b"0.5",
    b"\"",
    b"\\u0009",
    b"\\ud83d",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b"\n",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff",
];

const VIID: &[&[u8]] = &[
    b"{\"MotorVehicleListObject\":",
    b"{\"MotorVehicleObject\":",
    b"{\"SubscribeNotificationListObject\":",
    b"{\"SubscribeNotificationObject\":",
    b"\"MotorVehicleObjectList\":",
    b"\"MotorVehicleID\":",
    b"\"PassTime\":\"20240101000024\"",
    "\"PlateNo\":\"苏C12345\"".as_bytes(),
    b"\"VehicleBrand\":",
    b"null",
    b"true",
    b"1e999",
    b"\"",
    b"\\u0015",
    b"\\",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b"Digest ",
    b"qop=auth",
    b"=",
];

#[rustfmt::skip]
pub(super) const TARGETS: [Target; 24] = [
    Target { name: "line", run: line::run, words: LINE, max_len: KIB, memory: (4 * MIB, 512) },
    Target { name: "file", run: file::run, words: LINE, max_len: KIB, memory: (24 * MIB, 1 << 16) },
    Target { name: "segment", run: segment::run, words: &[b"PWSG", b"\0\0\0\0"], max_len: 6 * KIB, memory: (64 * MIB, LANE) },
    Target { name: "zone", run: zone::run, words: &[b"PWZM", b"\x80\x01"], max_len: 4 * KIB, memory: (MIB, LANE) },
    Target { name: "codec", run: store::fuzz::value, words: &[b"\xfb\x00\x04", b"\xfc\0\0\0\x80", b"\xfd"], max_len: KIB, memory: (4 * MIB, 512) },
    Target { name: "evidence", run: store::fuzz::evidence, words: &[b"\xfb\x00\x04", b"\xfc\0\0\0\x80", b"\xfd"], max_len: 4 * KIB, memory: (16 * MIB, 16 * KIB) },
    Target { name: "model", run: predict::fuzz::model, words: &[b"\xfb\x00\x04", b"\0\0\x80\x3f", b"\0\0\xc0\x7f"], max_len: 8 * KIB, memory: (4 * MIB, 512) },
    Target { name: "metadata", run: predict::fuzz::metadata, words: FIELDS, max_len: 4 * KIB, memory: (MIB, 512) },
    Target { name: "table", run: predict::fuzz::table, words: &[b"KKMC,hour,is_weekend,traffic_count", b"date", b"date,kind", b"holiday", b"workday", b"2024-10-01", b"\n", b"\"", b",", b"true", b"NaN", b"1e308"], max_len: 2 * KIB, memory: (64 * MIB, 64 * KIB) },
    Target { name: "query_string", run: serve::fuzz::query_string, words: FIELDS, max_len: KIB, memory: (MIB, 512) },
    Target { name: "query_body", run: serve::fuzz::query_body, words: FIELDS, max_len: 2 * KIB, memory: (MIB, 512) },
    Target { name: "ingest_body", run: serve::fuzz::ingest_body, words: OBJECT, max_len: 2 * KIB, memory: (MIB, 512) },
    Target { name: "objects", run: source::fuzz::objects, words: OBJECT, max_len: 2 * KIB, memory: (4 * MIB, 512) },
    Target { name: "viid", run: viid::fuzz::bodies, words: VIID, max_len: 6 * KIB, memory: (4 * MIB, 512) },
    Target { name: "headers", run: serve::fuzz::headers, words: &[b"__Host-platewatch=", b"; ", b"Bearer ", b"bearer", b"pw_", b"\nc", b"\na", b"\nl", b"\nh", b"\np", b"127.0.0.1", b"[::1]", b"localhost", b":5000", b"@", b"case"], max_len: KIB, memory: (MIB, 512) },
    Target { name: "wildcard", run: wildcard::run, words: &["苏C12345".as_bytes(), b"*", b"?", "？".as_bytes(), "＊".as_bytes(), "·".as_bytes(), b"-", b"\n", "无牌".as_bytes(), "警".as_bytes(), "学".as_bytes()], max_len: 200, memory: (MIB, 512) },
    Target { name: "sql_literal", run: sql::run, words: &[b"'", b"''", b"\\", b"\"", b"`", b"\0", b"\x1a", b"MYCATSEQ_", b"mycatseq_", b" OR 1=1 -- ", b"/*!", "🚗".as_bytes()], max_len: 400, memory: (MIB, 512) },
    Target { name: "kafka_metadata", run: source::kafka::fuzz::metadata, words: &[b"platewatch/2", b" ", b"-", b"9223372036854775807", b"-9223372036854775808", b"+1"], max_len: 200, memory: (MIB, 512) },
    Target { name: "kafka_position", run: source::kafka::fuzz::position, words: &[b"\xfd", b"\xfc", b"\x01", b"\0"], max_len: 600, memory: (4 * MIB, 512) },
    Target { name: "checkpoints", run: checkpoints::run, words: &[b"code,kkmc,label,xzqhmc,road,lon,lat", b"117.5", b"34.2", b"-181", b"NaN", b"inf", b"1e2", b"\n", b"\r\n", b"\"", b"\"\"", b",", b"\xef\xbb\xbf"], max_len: 2 * KIB, memory: (MIB, 512) },
    Target { name: "audit", run: audit::run, words: FIELDS, max_len: 4 * KIB, memory: (MIB, 512) },
    Target { name: "config", run: config::run, words: &[b"[api]", b"[store]", b"[source]", b"[kafka]", b"[detect]", b"\n", b" = ", b"\"", b"'", b"\"\"\"", b"[", b"]", b"{", b"}", b"#", b"5m", b"3d", b"forever", b"512MiB", b"true", b"1e9", b"-1", b"0x10", b"mysql://u:p@h:3306/d", b"redis://"], max_len: 2 * KIB, memory: (4 * MIB, 2 * KIB) },
    Target { name: "certificate", run: serve::fuzz::certificate, words: &[b"-----BEGIN CERTIFICATE-----\n", b"\n-----END CERTIFICATE-----\n", b"-----BEGIN PRIVATE KEY-----\n", b"\x30\x82", b"\x30\x80", b"\x17\x0d", b"\x18\x0f", b"250101000000Z", b"20500101000000Z", b"\x84\xff\xff\xff\xff"], max_len: 2 * KIB, memory: (MIB, 512) },
    Target { name: "ring", run: ring::run, words: &["徐州市邳州市S250".as_bytes(), "🚗".as_bytes(), b"SHARD-0"], max_len: 400, memory: (4 * MIB, 512) },
];

/// Runs a target by its name, for cargo-fuzz.
///
/// # Panics
/// Where something does not hold that must, or if there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    assert!(target.is_some(), "there is no target {name}");
    if let Some(target) = target {
        (target.run)(data);
    }
}

/// The first inputs of a target, which `fuzz/corpus/` must hold: those of binary layouts follow what the program writes.
#[cfg(test)]
pub(super) fn seeds(name: &str) -> Vec<Vec<u8>> {
    match name {
        "line" => line::seeds(),
        "file" => file::seeds(),
        "segment" => segment::seeds(),
        "zone" => zone::seeds(),
        "codec" => store::fuzz::seeds::values(),
        "evidence" => store::fuzz::seeds::evidence(),
        "model" => predict::fuzz::seeds::models(),
        "metadata" => predict::fuzz::seeds::metadata(),
        "table" => predict::fuzz::seeds::tables(),
        "kafka_position" => source::kafka::fuzz::seeds(),
        "ingest_body" => serve::fuzz::ingest_bodies(),
        "objects" => source::fuzz::seeds(),
        "viid" => viid::fuzz::seeds(),
        "audit" => audit::seeds(),
        "config" => config::seeds(),
        _ => Vec::new(),
    }
}

/// Words of a target that are lists of the program.
#[cfg(test)]
pub(super) fn extra_words(name: &str) -> Vec<Vec<u8>> {
    match name {
        "config" => config::words(),
        _ => Vec::new(),
    }
}
