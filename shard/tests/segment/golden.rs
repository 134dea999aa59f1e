//! Bytes that an earlier build wrote must stay readable: the fixtures are never written again, only added to.

use shard::{Compression, ZoneMap, encode};

use crate::road::{Row, names, rows};
use crate::round_trip::read;

/// The rows in the fixtures: every kind of id and plate, several partitions, a jump back in time.
pub(crate) fn texts() -> Vec<Row> {
    let ids = ["G320300109027253771", "320300108860652979", "过车-7", "7"];
    let plates = ["苏C12345", "苏CD12345", "苏CDM***", "无牌", "-", "粤Z1234港", "苏宁CZ***"];
    (0..1500u32)
        .map(|n| {
            let id = match n % 50 {
                0 => ids[(n / 50 % 4) as usize].to_owned() + &n.to_string(),
                odd if odd % 2 == 1 => format!("G3203001090{:08}", n * 65_537),
                _ => format!("3203001088{:08}", n * 8191),
            };
            let plate = match n % 10 {
                0 => plates[(n / 10 % 7) as usize].to_owned(),
                _ => format!("苏{}{:05}", ['A', 'B', 'C'][(n % 3) as usize], n * 61 % 100_000),
            };
            Row {
                arrival: u64::from(n) * 2 + u64::from(n % 7),
                partition: n / 600,
                time: 1_704_067_200 + i64::from(n % 700) * 3 - i64::from(n % 4),
                id,
                plate,
                names: [n % 11, n % 4, n % 3, n % 7, n * n % 400],
            }
        })
        .collect()
}

#[test]
fn version_1_stays_readable() {
    let expected = rows(&texts());
    for bytes in [
        &include_bytes!("../fixtures/segment_v1_fast.bin")[..],
        &include_bytes!("../fixtures/segment_v1_dense.bin")[..],
    ] {
        assert_eq!(read(bytes).unwrap(), expected);
    }
    let zone = ZoneMap::decode(include_bytes!("../fixtures/zone_v1.bin")).unwrap();
    let mut fresh = encode(&expected, &names(), 4096, Compression::Fast).unwrap().zone;
    // What LZ4 makes of the same columns may differ in length from release to release; all that is ours does not.
    fresh.bytes = zone.bytes;
    assert_eq!(zone, fresh);
}
