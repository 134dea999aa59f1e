//! Segments: whatever stands behind right checksums, reading ends in rows or an error; rows can be written, and are read back
//! as the same by row and by column; and a search finds the rows that a look at each of them finds.

use std::sync::Arc;

use shard::{
    ColumnKind, ColumnLoader as _, Compression, PlatePattern, Predicate, Rows, Segment, SegmentReader, encode,
    scan_segment,
};
use traffic::{Dimension, NameTable, PerDimension};
use xxhash_rust::xxh3::xxh3_64;

use super::outcome::{kind, outcome, size};

/// Bytes before the directory, and of each column in it.
const DIRECTORY: usize = 19;
const ENTRY: usize = 8;
/// More rows are read only: a few bytes can say that a million rows are alike.
const MOST_ROWS: usize = 10_000;

/// Input: a segment; its checksums are made right.
pub(super) fn run(data: &[u8]) -> u64 {
    let mut bytes = data.to_vec();
    sign(&mut bytes);
    let reader = match SegmentReader::open(&bytes) {
        Ok(reader) => reader,
        Err(error) => return outcome(kind(error)),
    };
    let loaded = ColumnKind::ALL.map(|column| reader.load(column).is_ok());
    let mut names = NameTable::default();
    let rows = match read(&reader, &mut names) {
        Ok(rows) => rows,
        Err(error) => return outcome((loaded, error)),
    };
    assert_eq!(rows.len(), reader.len());
    assert!(loaded.iter().all(|loaded| *loaded), "rows are read, and {loaded:?} of the columns");
    if rows.len() > MOST_ROWS {
        return outcome((loaded, size(rows.len())));
    }
    for compression in [Compression::Fast, Compression::Dense] {
        let written = encode(&rows, &names, reader.first_row(), compression);
        assert!(written.is_ok(), "what was read cannot be written: {:?}", written.err());
        let Ok(Segment { zone, bytes }) = written else { return 0 };
        let again = SegmentReader::open(&bytes).map_err(kind).and_then(|reader| read(&reader, &mut names.clone()));
        assert_eq!(again.as_ref(), Ok(&rows), "it is another one read back");
        let decoded = zone.encode().and_then(|bytes| shard::ZoneMap::decode(&bytes));
        assert_eq!(decoded.as_ref().ok(), Some(&zone));
        search(&bytes, &zone, &rows);
    }
    let odd = (size(rows.odd_ids.len()), size(rows.odd_plates.len()), size(rows.coarse_times.len()));
    outcome((size(rows.len()), odd, Dimension::STORED.map(|dimension| size(names.all(dimension).len()))))
}

/// The rows, with numbers of `names`, which takes new ones.
fn read(reader: &SegmentReader<'_>, names: &mut NameTable) -> Result<Rows, String> {
    let mut known = PerDimension::of(|dimension| {
        let all = names.all(dimension).iter().cloned();
        all.zip(0u32..).collect::<std::collections::BTreeMap<Arc<str>, u32>>()
    });
    let rows = reader.rows(|dimension, text: &Arc<str>| {
        *known[dimension].entry(text.clone()).or_insert_with(|| names.push(dimension, text.clone()))
    });
    rows.map_err(kind)
}

/// Searches by a part of a plate that is there, and by a time.
fn search(bytes: &[u8], zone: &shard::ZoneMap, rows: &Rows) {
    let Ok(reader) = SegmentReader::open(bytes) else { return };
    let middle = rows.len() / 2;
    let plate: String = rows.plate_text(middle).chars().skip(1).take(3).collect();
    let pattern = PlatePattern::compile(&plate);
    let time = rows.times.get(middle).copied();
    for predicate in [
        Predicate { plate: Some(pattern.clone()), ..Predicate::default() },
        Predicate { time: traffic::TimeRange { start: time, end: time }, ..Predicate::default() },
    ] {
        let expected = (0..rows.len()).filter(|row| match &predicate.plate {
            Some(pattern) => rows.plates.get(*row).is_some_and(|code| pattern.matches(*code, &rows.plate_text(*row))),
            None => rows.times.get(*row).copied() == time,
        });
        let expected: Vec<u32> = expected.map(|row| row as u32).collect();
        assert!(predicate.may_match(zone) || expected.is_empty(), "the zone map hides {predicate:?}");
        let found = scan_segment(&predicate, zone, &reader).map(|found| found.iter().collect::<Vec<u32>>());
        assert_eq!(found.map_err(kind), Ok(expected), "{predicate:?}");
    }
}

/// Makes the checksums of the columns and of the head right.
fn sign(bytes: &mut [u8]) {
    let columns = bytes.get(6).map_or(0, |columns| usize::from(*columns));
    let mut start = DIRECTORY + ENTRY * columns + 4;
    for column in 0..columns {
        let entry = DIRECTORY + ENTRY * column;
        let Some(length) = bytes.get(entry..).and_then(|entry| entry.first_chunk()) else { return };
        let end = (start + u32::from_le_bytes(*length) as usize).min(bytes.len());
        let check = xxh3_64(bytes.get(start.min(end)..end).unwrap_or_default()) as u32;
        put(bytes, entry + 4, check);
        start = end;
    }
    let head = DIRECTORY + ENTRY * columns;
    let check = xxh3_64(bytes.get(..head).unwrap_or_default()) as u32;
    put(bytes, head, check);
}

fn put(bytes: &mut [u8], at: usize, check: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&check.to_le_bytes());
    }
}

/// A segment of lines as they are, with an odd one now and then.
#[cfg(test)]
pub(super) fn example(count: usize, compression: Compression) -> Segment {
    use traffic::{Interner, Layout, LineParser, ParserSettings, PassageBatch, TimeZoneName};

    let settings = ParserSettings {
        layout: Layout::default(),
        delimiter: None,
        not_after: traffic::CivilTime::from_civil(2024, 12, 31, 0, 0, 0).unwrap(),
        zone: TimeZoneName::default(),
        max_names: Interner::DEFAULT_MAX_NAMES,
    };
    let (mut parser, mut batch) = (LineParser::new(settings, &NameTable::default()), PassageBatch::default());
    for n in 0..count {
        let (id, plate) = if n % 9 == 7 { ("过车-", "无牌车") } else { ("G32030010902725", "苏C1") };
        let time = if n % 13 == 5 {
            "2024-01-02".to_owned()
        } else {
            format!("2024-01-01 {:02}:{:02}:00", n / 60 % 24, n % 60)
        };
        let line = format!(
            "{id}{n:04}\t铜山县\tS{}_Pizhou\t{}\t{time}\t0{}\t{plate}{n:04}\t大众牌-{}\n",
            n % 5,
            n % 3,
            n % 3,
            n % 7
        );
        parser.parse_lines(line.as_bytes(), 1, &mut batch);
    }
    assert_eq!(batch.len(), count, "{:?}", batch.rejects);
    let (mut names, mut rows) = (NameTable::default(), Rows::default());
    for (dimension, name) in &batch.new_names {
        names.push(*dimension, name.clone());
    }
    (0..count).for_each(|row| rows.push_from(&batch, row, 1_000 + row as u64, (row % 2) as u32));
    encode(&rows, &names, 17, compression).unwrap()
}

#[cfg(test)]
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let of = |rows, compression| example(rows, compression).bytes;
    vec![
        of(1, Compression::Fast),
        of(5, Compression::Fast),
        of(60, Compression::Fast),
        of(60, Compression::Dense),
        of(300, Compression::Dense),
    ]
}
