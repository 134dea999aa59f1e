//! Times that were not written to the second: a column of their own, which segments without them do not have.

use proptest::prelude::*;
use shard::{Compression, Rows, SegmentError, SegmentReader, encode};
use traffic::Resolution;

use crate::golden::texts;
use crate::road::{any_rows, names, rows};
use crate::round_trip::read;

/// Gives every `each`-th row from `from` on a coarse time.
fn coarsen(rows: &mut Rows, from: usize, each: usize) {
    let resolutions = [Resolution::Minute, Resolution::Day];
    let coarse = (from..rows.len()).step_by(each).map(|row| (row as u32, resolutions[row % 2]));
    rows.coarse_times = coarse.collect();
}

fn version(bytes: &[u8]) -> (u16, u8) {
    (u16::from_le_bytes([bytes[4], bytes[5]]), bytes[6])
}

proptest! {
    #[test]
    fn resolutions_come_back(texts in any_rows(300), from in 0usize..300, each in 1usize..40, dense: bool) {
        let mut rows = rows(&texts);
        coarsen(&mut rows, from, each);
        let compression = if dense { Compression::Dense } else { Compression::Fast };
        let bytes = encode(&rows, &names(), 17, compression).unwrap().bytes;
        prop_assert_eq!(version(&bytes), if rows.coarse_times.is_empty() { (1, 12) } else { (2, 13) });
        prop_assert_eq!(read(&bytes).unwrap(), rows);
    }

    #[test]
    fn damage_is_noticed(texts in any_rows(100), at: prop::sample::Index, change in 1u8..) {
        let mut rows = rows(&texts);
        coarsen(&mut rows, 0, 3);
        let mut bytes = encode(&rows, &names(), 17, Compression::Fast).unwrap().bytes;
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(read(&bytes).is_err());
    }
}

#[test]
fn a_segment_of_seconds_costs_nothing_and_one_of_minutes_two_bytes() {
    let mut rows = rows(&texts());
    let seconds = encode(&rows, &names(), 0, Compression::Fast).unwrap().bytes;
    coarsen(&mut rows, 0, 1);
    rows.coarse_times.iter_mut().for_each(|(_, resolution)| *resolution = Resolution::Minute);
    let minutes = encode(&rows, &names(), 0, Compression::Fast).unwrap().bytes;
    assert_eq!(minutes.len() - seconds.len(), 8 + 2, "its entry in the directory, and a constant lane");
    assert_eq!(SegmentReader::open(&seconds).unwrap().coarse_times().unwrap(), []);
}

#[test]
fn a_coarse_time_without_a_row_is_refused() {
    let mut rows = rows(&texts());
    for coarse in [vec![(1500, Resolution::Day)], vec![(1, Resolution::Day); 2]] {
        rows.coarse_times = coarse;
        assert!(matches!(encode(&rows, &names(), 0, Compression::Fast), Err(SegmentError::Rows(_))));
    }
}

#[test]
fn version_2_stays_readable() {
    let mut expected = rows(&texts());
    coarsen(&mut expected, 7, 3);
    assert_eq!(read(include_bytes!("../fixtures/segment_v2_fast.bin")).unwrap(), expected);
}
