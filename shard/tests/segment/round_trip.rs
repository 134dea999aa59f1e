//! What is encoded comes back, and the zone map tells the truth about it.

use std::sync::Arc;

use proptest::prelude::*;
use shard::{
    Codes, ColumnKind, ColumnLoader, Compression, Predicate, Rows, SegmentError, SegmentReader, ZoneMap, encode,
};
use traffic::{Dimension, PlateCode};

use crate::road::{DIMENSIONS, Row, any_rows, names, repeated, rows};

/// Rows of a segment, with the numbers of `names()`.
pub(crate) fn read(bytes: &[u8]) -> Result<Rows, SegmentError> {
    let names = names();
    SegmentReader::open(bytes)?
        .rows(|dimension, text: &Arc<str>| names.all(dimension).iter().position(|name| name == text).unwrap() as u32)
}

fn check(texts: &[Row], compression: Compression) {
    let (rows, names) = (rows(texts), names());
    let segment = encode(&rows, &names, 17, compression).unwrap();
    assert_eq!(read(&segment.bytes).unwrap(), rows);

    let reader = SegmentReader::open(&segment.bytes).unwrap();
    assert_eq!((reader.len(), reader.first_row()), (rows.len(), 17));
    for dimension in DIMENSIONS {
        let column = reader.names(dimension).unwrap();
        for (row, name) in rows.names(dimension).iter().enumerate() {
            assert_eq!(column.text(row), names.text(dimension, *name));
        }
    }
    for kind in ColumnKind::ALL {
        assert!(reader.load(kind).unwrap().bytes() > 0);
    }

    let zone = ZoneMap::decode(&segment.zone.encode().unwrap()).unwrap();
    assert_eq!(zone, segment.zone);
    assert_eq!((zone.first_row, zone.end_row()), (17, 17 + rows.len() as u64));
    assert_eq!(zone.bytes, segment.bytes.len() as u64);
    assert_eq!(Some(zone.min_time), rows.times.iter().copied().min());
    assert_eq!(Some(zone.max_time), rows.times.iter().copied().max());
    assert_eq!(Some(zone.min_arrival), rows.arrivals.iter().copied().min());
    assert_eq!(Some(zone.max_arrival), rows.arrivals.iter().copied().max());
    for (partition, count) in &zone.partitions {
        assert_eq!(rows.partitions.iter().filter(|here| *here == partition).count(), *count as usize);
    }
    assert_eq!(zone.partitions.iter().map(|(_, count)| *count as usize).sum::<usize>(), rows.len());
    let listed =
        |row: &Row| zone.checkpoints.iter().any(|text| **text == *names.text(Dimension::Checkpoint, row.names[0]));
    assert!(zone.checkpoints_incomplete || texts.iter().all(listed));
    assert_eq!(zone.plates.is_some(), rows.len() >= 1024);
    if let Some(filter) = &zone.plates {
        assert!(rows.plates.iter().all(|plate| filter.may_contain(*plate)));
    }
}

proptest! {
    #[test]
    fn any_rows_come_back(rows in any_rows(300)) {
        check(&rows, Compression::Fast);
        check(&rows, Compression::Dense);
    }

    #[test]
    fn many_rows_come_back(rows in any_rows(60), count in 1024usize..3000) {
        check(&repeated(&rows, count), Compression::Dense);
    }
}

#[test]
fn one_row_is_small() {
    let row = Row {
        arrival: 1_000_000,
        partition: 3,
        time: 1_704_067_224,
        id: "G320300109027253771".into(),
        plate: "苏C12345".into(),
        names: [1, 1, 1, 1, 1],
    };
    let segment = encode(&rows(&[row]), &names(), 0, Compression::Fast).unwrap();
    assert!(segment.bytes.len() < 400, "{}", segment.bytes.len());
    assert!(segment.zone.encode().unwrap().len() < 200);
}

#[test]
fn more_names_than_a_byte_and_more_checkpoints_than_the_zone_lists() {
    let many: Vec<Row> = (0..1400u32)
        .map(|n| Row {
            arrival: u64::from(n),
            partition: n,
            time: i64::from(n),
            id: format!("{n}"),
            plate: "-".into(),
            names: [n % 700, n % 4, n % 3, n % 7, n % 400],
        })
        .collect();
    check(&many, Compression::Fast);
    let segment = encode(&rows(&many), &names(), 0, Compression::Dense).unwrap();
    assert!(segment.zone.checkpoints_incomplete);
    assert_eq!(segment.zone.checkpoints.len(), ZoneMap::MAX_CHECKPOINTS);
    let unlisted = names().text(Dimension::Checkpoint, 699).to_owned();
    assert!(!segment.zone.checkpoints.iter().any(|listed| **listed == *unlisted));
    assert!(Predicate { checkpoints: Some(vec![unlisted]), ..Predicate::default() }.may_match(&segment.zone));
    let reader = SegmentReader::open(&segment.bytes).unwrap();
    assert!(matches!(reader.names(Dimension::Checkpoint).unwrap().codes, Codes::U16(_)));
    assert!(matches!(reader.names(Dimension::District).unwrap().codes, Codes::U8(_)));
    assert!(matches!(reader.names(Dimension::Route), Err(SegmentError::WrongColumn(_))));
}

#[test]
fn ids_take_the_bits_they_need() {
    let size = |id: &dyn Fn(u64) -> String| {
        let row = |n| Row { arrival: n, partition: 0, time: 0, id: id(n), plate: "-".into(), names: [0; 5] };
        let segment = encode(&rows(&(0..8000).map(row).collect::<Vec<_>>()), &names(), 0, Compression::Fast).unwrap();
        SegmentReader::open(&segment.bytes).unwrap().column_bytes(ColumnKind::Ids)
    };
    // Nine random digits below a common head take 30 bits; counted ids take the two of a step and its sign.
    let random = size(&|n| format!("320300109{:09}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000));
    assert!((30_000..30_100).contains(&random), "{random}");
    let counted = size(&|n| format!("320300109{n:09}"));
    assert!((2_000..2_100).contains(&counted), "{counted}");
}

#[test]
fn rows_that_contradict_themselves_are_refused() {
    let good =
        rows(&[Row { arrival: 1, partition: 0, time: 0, id: "过车".into(), plate: "无牌".into(), names: [0; 5] }]);
    let names = names();
    let refused = |change: &dyn Fn(&mut Rows)| {
        let mut rows = good.clone();
        change(&mut rows);
        matches!(encode(&rows, &names, 0, Compression::Fast), Err(SegmentError::Rows(_)))
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&Rows::clear));
    assert!(refused(&|rows| rows.columns[Dimension::Model].push(0)));
    assert!(refused(&|rows| rows.arrivals.clear()));
    assert!(refused(&|rows| rows.odd_ids.clear()));
    assert!(refused(&|rows| rows.odd_plates.push((0, "无牌".into()))));
    assert!(refused(&|rows| rows.plates = vec![PlateCode::pack("苏C12345")]));
}
