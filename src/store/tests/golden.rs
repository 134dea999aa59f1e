//! The bytes of stored values: a change of them is a change of the on-disk format, and needs a new version.

use storage::codec;
use traffic::evidence::{PairEvidence, PairFinding, Reason};
use traffic::{
    Alert, AlertId, AlertSighting, Cause, CivilTime, ClockCount, Lead, PassageId, PlateCode, PlateType, Reached,
    RejectReason, Resolution, Rule, Severity, Sighting, WatermarkState,
};

use super::scene::shard;
use crate::store::disk::keys;
use crate::store::disk::records::{
    DetectionTotals, PartitionState, Rollup, decode_alert, decode_plate, decode_work_of_alert, encode_alert,
    encode_plate, encode_work,
};
use crate::store::state::HourCounter;
use crate::store::{MirrorCursor, RefusedRow, StoredReject, Totals};
use crate::work::{AlertWork, WorkEntry, WorkReason, WorkStatus};

fn check(name: &str, bytes: &[u8], golden: &str) {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex, golden,
        "{name}: stored data would no longer be read; raise the version and keep reading the old one"
    );
}

#[test]
fn plate_state() {
    let time = CivilTime::from_civil(2024, 1, 1, 0, 0, 24).unwrap();
    let sighting = |seconds, checkpoint, id| {
        let (resolution, plate_type) = (Resolution::Minute, PlateType::of("52"));
        Sighting::new(CivilTime(time.0 + seconds), resolution, checkpoint, plate_type, PassageId::pack(id))
    };
    let odd = PassageId::pack("过车-1");
    let sightings = [sighting(0, 3, "G320300109027253771"), sighting(100, 300, "过车-1")];
    let mut value = Vec::new();
    encode_plate(&sightings, &[(odd, "过车-1")], &mut value).unwrap();
    check("plate", &value, PLATE);
    let (stored, texts) = decode_plate(&value).unwrap();
    let details: Vec<_> =
        stored.iter().map(|(_, at, .., resolution, plate_type)| (*at, *resolution, *plate_type)).collect();
    assert_eq!(details, [(3, 1, 53), (300, 1, 53)]);
    // Layout 1 had neither resolution nor plate type.
    let (first, first_texts) = decode_plate(&bytes_of(PLATE_1)).unwrap();
    assert_eq!(first_texts, texts);
    assert!(
        first
            .iter()
            .zip(&stored)
            .all(|(first, now)| (first.0, first.1, first.2, first.3) == (now.0, now.1, now.2, now.3))
    );
    assert!(first.iter().all(|(.., resolution, plate_type)| (*resolution, *plate_type) == (0, 0)));
    assert_eq!(texts, [(odd.number, odd.tag, "过车-1".to_owned())]);
    check("plate key", &keys::plate(7, PlateCode::pack("苏C12345")), "00000007003534333231430e");
}

#[test]
fn alert() {
    let start = CivilTime::from_civil(2024, 1, 1, 0, 0, 0).unwrap();
    let sighting = |checkpoint: &str, seconds, passage: &str| AlertSighting {
        checkpoint: checkpoint.to_owned(),
        passed_at: CivilTime(start.0 + seconds),
        passage: passage.to_owned(),
    };
    let alert = Alert {
        seq: 12,
        id: AlertId(0x9f0c_0000_0000_0001),
        plate: "苏C12345".to_owned(),
        earlier: sighting("A", 0, "G1"),
        later: sighting("B", 123, "G2"),
        gap_seconds: 123,
        distance_km: Some(45.2),
        speed_kmh: None,
        severity: Severity::High,
        rule: Rule::Speed,
        cause: None,
        evidence: None,
    };
    assert_eq!(decode_alert(&bytes_of(ALERT_1)).unwrap(), alert, "layout 1 had no cause");
    let alert = Alert { cause: Some(Cause::PlateTypes), ..alert };
    assert_eq!(decode_alert(&bytes_of(ALERT_2)).unwrap(), alert, "layout 2 had texts for id and times");
    assert_eq!(decode_alert(&bytes_of(ALERT_3)).unwrap(), alert, "layout 3 had no evidence");
    let reasons = vec![
        Reason::Gap(123, 1260.5),
        Reason::ClockCorrection(-37),
        Reason::Contradictions(300),
        Reason::SecondCar(4, 2),
        Reason::BrandDiffers(1),
        Reason::NeighbourDue(PlateCode::pack("苏C12346")),
        Reason::OtherPlateType(1),
    ];
    let pair = PairEvidence { probability: 0.9731, cause: Cause::Clone, reasons, model: 473_352 };
    let alert = alert.weighed(PairFinding::Weighed(pair));
    let bytes = encode_alert(&alert).unwrap();
    check("alert", &bytes, ALERT);
    assert_eq!(decode_alert(&bytes).unwrap(), alert);
    assert!(Cause::ALL.into_iter().enumerate().all(|(number, cause)| cause.code() == number as u8));
    for (number, severity) in [Severity::High, Severity::Medium, Severity::Low].into_iter().enumerate() {
        assert_eq!(severity.code(), number as u8);
    }
    for (number, rule) in [Rule::Window, Rule::Speed].into_iter().enumerate() {
        assert_eq!(rule.code(), number as u8);
    }
}

#[test]
fn mirrors() {
    let cursor = MirrorCursor { next: 70_000, time: Some(1_704_067_224), refused: 2, lost: 300, refilled: 1 };
    let bytes = codec::encode(keys::MIRROR, &cursor).unwrap();
    check("mirror", &bytes, MIRROR);
    assert_eq!(codec::decode::<MirrorCursor>(keys::MIRROR, &bytes).unwrap(), cursor);
    assert_eq!(keys::mirror("mysql/0"), b"mirror/mysql/0");

    let refused = RefusedRow {
        shard: 1,
        row: 70_000,
        gcxh: "G1".to_owned(),
        gcsj: 1_704_067_224,
        line: "G1\t铜山县".to_owned(),
        error: "too long".to_owned(),
    };
    let bytes = codec::encode(keys::REFUSED, &refused).unwrap();
    check("refused", &bytes, REFUSED);
    assert_eq!(codec::decode::<RefusedRow>(keys::REFUSED, &bytes).unwrap(), refused);
    check("refused key", &keys::refused(shard(1), 70_000), "ff010000000000011170");
}

#[test]
fn reject() {
    let reject = StoredReject {
        origin: "卡口.log".to_owned(),
        line: 70_000,
        reason: RejectReason::InvalidGcsj,
        raw: vec![0xff, b'x'],
        near: Some(1_704_067_200),
        bytes: 70_001,
    };
    let bytes = codec::encode(keys::REJECT, &reject).unwrap();
    check("reject", &bytes, REJECT);
    assert_eq!(StoredReject::decode(&bytes).unwrap(), reject);
    // As an older program wrote it.
    let first: Vec<u8> =
        (0..REJECT_1.len() / 2).map(|at| u8::from_str_radix(&REJECT_1[2 * at..2 * at + 2], 16).unwrap()).collect();
    assert_eq!(StoredReject::decode(&first).unwrap(), StoredReject { bytes: 2, ..reject });
    for (number, reason) in RejectReason::ALL.into_iter().enumerate() {
        assert_eq!(codec::encode(keys::REJECT, &reason).unwrap().last(), Some(&(number as u8)));
    }
}

#[test]
fn hour() {
    let mut counter = HourCounter::default();
    let mut rollup = Rollup::default();
    for (second, names, kind) in [(0, [1, 0, 900], 0), (5, [1, 2, 3], 3), (9, [0, 0, 3], 0)] {
        counter.add(CivilTime(1_704_067_200 + second), names, kind, |_, _| panic!("one hour"));
    }
    counter.finish(|hour, counted| {
        assert_eq!(hour, 473_352);
        rollup = counted;
    });
    let bytes = codec::encode(keys::HOUR, &rollup).unwrap();
    check("hour", &bytes, HOUR);
    assert_eq!(codec::decode::<Rollup>(keys::HOUR, &bytes).unwrap(), rollup);
    check("hour key", &keys::hour(473_352), "8000000000073908");
    assert_eq!(keys::split_hour(&keys::hour(-3)), Some(-3));
}

#[test]
fn totals() {
    let totals = Totals {
        lines: 1,
        headers: 2,
        blank: 3,
        rejected: vec![0, 4],
        duplicates: 5,
        accepted: 70_000,
        late: 6,
        alerts: 7,
        by_shard: vec![8, 9].try_into().unwrap(),
        sealed: vec![10, 11].try_into().unwrap(),
        rejects: 12,
        oldest_alert: 13,
        oldest_reject: 14,
        first_time: Some(1_704_067_200),
        last_time: Some(-1),
    };
    let bytes = codec::encode(keys::TOTALS, &totals).unwrap();
    check("totals", &bytes, TOTALS);
    assert_eq!(Totals::decode(&bytes).unwrap(), totals);
    assert_eq!(Totals::decode(&bytes_of(TOTALS_1)).unwrap(), totals, "layout 1");
}

#[test]
fn partition_state() {
    let watermark = WatermarkState {
        time: Some(1_704_067_200),
        accepted: 70_000,
        moved: 69_000,
        above: vec![Reached { checkpoint: 300, newest: 1_704_067_300, last: 69_999 }],
    };
    let state = PartitionState { watermark, saved_watermark: WatermarkState::default(), saved_arrival: 300 };
    let bytes = codec::encode(keys::PARTITION, &state).unwrap();
    check("partition", &bytes, PARTITION);
    assert_eq!(PartitionState::decode(&bytes).unwrap(), Some(state));
    assert_eq!(PartitionState::decode(&bytes_of(PARTITION_1)).unwrap(), None, "layout 1 says too little");
    check("clocks key", &keys::clocks(258), "636c6f636b732f00000102");
    check("partition key", &keys::partition(258), "706172746974696f6e2f00000102");
    check("name key", &keys::name(traffic::Dimension::Model, 258), "6e616d652f0400000102");
    check("zone key", &keys::zone(shard(1), 258), "010000000000000102");
}

#[test]
fn detection() {
    let totals = DetectionTotals { ahead: 300, forgotten: 7, conflict_sample: Some("3.2E+17".to_owned()), cases: 0 };
    assert_eq!(DetectionTotals::decode(&bytes_of(DETECTION_1)).unwrap(), totals, "layout 1");
    let totals = DetectionTotals { cases: 70_000, ..totals };
    let bytes = codec::encode(keys::DETECTION, &totals).unwrap();
    check("detection", &bytes, DETECTION);
    assert_eq!(DetectionTotals::decode(&bytes).unwrap(), totals);
    let clocks = vec![
        ClockCount::default(),
        ClockCount { accepted: 70_000, late: 300, ahead: 1, lead: Some(Lead { median: -300, spread: 4 }) },
    ];
    let bytes = codec::encode(keys::CLOCKS, &clocks).unwrap();
    check("clocks", &bytes, CLOCKS);
    assert_eq!(codec::decode::<Vec<ClockCount>>(keys::CLOCKS, &bytes).unwrap(), clocks);
    let samples: &[i32] = &[3, -2, 600];
    check("clock samples", &codec::encode(keys::CLOCK_SAMPLES, &samples).unwrap(), "6c0182653825030603fbb004");
    check("clock samples key", &keys::clock_samples(258, 3), "636c6f636b2d73616d706c65732f0000010200000003");
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn work_on_an_alert() {
    let entry = |at, by: &str, from, to, note: &str| WorkEntry {
        at: CivilTime(at),
        by: by.to_owned(),
        from,
        to,
        note: note.to_owned(),
        reason: None,
    };
    let work = AlertWork {
        status: WorkStatus::Dismissed,
        version: 300,
        history: vec![
            entry(1_704_067_200, "王", WorkStatus::New, WorkStatus::Investigating, ""),
            entry(1_704_067_260, "a", WorkStatus::Investigating, WorkStatus::Dismissed, "误识别"),
        ],
    };
    assert_eq!(decode_work_of_alert(&bytes_of(WORK_1)).unwrap(), work, "layout 1 had no reasons");
    let mut work = work;
    work.history[1].reason = Some(WorkReason::Misread);
    let bytes = encode_work(&work).unwrap();
    check("work", &bytes, WORK);
    assert_eq!(decode_work_of_alert(&bytes).unwrap(), work);
    check("work key", &keys::work(258), "776f726b2f0000000000000102");
    for (number, status) in WorkStatus::ALL.into_iter().enumerate() {
        assert_eq!(
            (status as usize, codec::encode(keys::WORK, &status).unwrap().last()),
            (number, Some(&(number as u8)))
        );
    }
}

const WORK_1: &str = "4501920c4b2d03fb2c0102fc000124cb03e78e8b000100fc780124cb0161010309e8afafe8af86e588ab";
const WORK: &str = "4502cc1fa69703fb2c0102fc000124cb03e78e8b00010000fc780124cb0161010309e8afafe8af86e588ab0103";
const ALERT: &str = concat!(
    "410472973fad0cfd0100000000000c9f09e88b8f4331323334350141fc000124cb0247310142fcf60124cb024732f6019a99999999994640",
    "0000010101016b9a779ca223ef3f0700f60000000000b29340014902fb2c01030402040105fd0e433132333436000601fc10720e00"
);
const PLATE: &str = concat!(
    "00000000659200fc500271e241c602fc300124cb03fd0b9e168c40ef7104fc120000470135fcf80124cbfb2c01fdff721814ad1edce9fc00",
    "6bb691013501fdff721814ad1edce9fc006bb69108e8bf87e8bda62d31",
);
const PLATE_1: &str = concat!(
    "00000000659200fc5001d5a2034102fc300124cb03fd0b9e168c40ef7104fc12000047fcf80124cbfb2c01fdff721814ad1edce9fc006b",
    "b69101fdff721814ad1edce9fc006bb69108e8bf87e8bda62d31"
);
const MIRROR: &str = "55013c1283bdfc7011010001fc300124cb02fb2c0101";
const REFUSED: &str = "52015a0c9e1001fc70110100024731fc300124cb0c473109e9939ce5b1b1e58ebf08746f6f206c6f6e67";
const ALERT_3: &str = concat!(
    "4103e15ef9070cfd0100000000000c9f09e88b8f4331323334350141fc000124cb0247310142fcf60124cb024732f6019a99999999994640",
    "0000010100"
);
const ALERT_2: &str = concat!(
    "410272d0a8900c103966306330303030303030303030303109e88b8f4331323334350141014213323032342d30312d30312030303a30303a",
    "303013323032342d30312d30312030303a30323a3033024731024732f6019a999999999946400000010100",
);
const ALERT_1: &str = concat!(
    "4101e0cb8b570c103966306330303030303030303030303109e88b8f4331323334350141014213323032342d30312d30312030303a3030",
    "3a303013323032342d30312d30312030303a30323a3033024731024732f6019a99999999994640000001"
);
const REJECT_1: &str = "4a01ff76bf0b0ae58da1e58fa32e6c6f67fc701101000602ff7801fc000124cb";
const REJECT: &str = "4a0285b8786b0ae58da1e58fa32e6c6f67fc701101000602ff7801fc000124cbfc71110100";
const HOUR: &str = "480187c04e730302000101020200020201020302fb84030102000001";
const TOTALS: &str = "5402076935f101020302000405fc701101000607020809020a0b0c0d0e01fc000124cb0101";
const TOTALS_1: &str = "540129713bcf01020302000405fc70110100060708090a0b0c0d0e01fc000124cb0101";
const PARTITION: &str = "57022ac34f6a01fc000124cbfc70110100fc880d010001fb2c01fcc80124cbfc6f11010000000000fb2c01";
const DETECTION_1: &str = "4401b7cc7dabfb2c01070107332e32452b3137";
const DETECTION: &str = "44020531e66efb2c01070107332e32452b3137fc70110100";
const CLOCKS: &str = "51013ddc97d30200000000fc70110100fb2c010101fb570208";
const PARTITION_1: &str = "5701275196c801fc000124cb00fb2c01";
