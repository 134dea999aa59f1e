use bytes::Bytes;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;

const TEXTS: [&str; 7] = ["HPHM", "hpzl", "KKMC", "XZQHMC", "FXLX", "CLPPXH", "GCXH"];

/// A file of so many rows, with columns in another order than ours and one that nobody asked for.
fn file(rows: usize, model: &str, gcsj: &str) -> Vec<u8> {
    let texts = TEXTS.map(|name| format!("optional binary {name} (STRING);")).join(" ");
    let schema = format!("message x {{ required int64 other; {texts} required int64 GCSJ {gcsj}; }}");
    let mut writer = SerializedFileWriter::new(
        Vec::new(),
        Arc::new(parse_message_type(&schema).unwrap()),
        Arc::new(parquet::file::properties::WriterProperties::builder().build()),
    )
    .unwrap();
    for from in (0..rows).step_by(1_000) {
        let rows: Vec<usize> = (from..rows.min(from + 1_000)).collect();
        let mut group = writer.next_row_group().unwrap();
        let numbers = |of: fn(usize) -> i64| rows.iter().map(|row| of(*row)).collect::<Vec<i64>>();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&numbers(|row| row as i64), None, None).unwrap();
        column.close().unwrap();
        for name in TEXTS {
            let text = |row: &usize| {
                ByteArray::from(match name {
                    "HPHM" => "苏C12345".as_bytes().to_vec(),
                    "GCXH" => format!("G{row:09}").into_bytes(),
                    "CLPPXH" => model.as_bytes().to_vec(),
                    _ => name.to_lowercase().into_bytes(),
                })
            };
            let values: Vec<ByteArray> = rows.iter().map(text).collect();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&vec![1; rows.len()]), None).unwrap();
            column.close().unwrap();
        }
        let mut column = group.next_column().unwrap().unwrap();
        let times = numbers(|row| 1_704_067_200_000 + row as i64 * 1_000);
        column.typed::<Int64Type>().write_batch(&times, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn lines(bytes: &[u8]) -> io::Result<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    std::fs::write(&path, bytes).unwrap();
    let mut text = String::new();
    ParquetLines::open(&path, &Layout::default(), Arc::default())?.read_to_string(&mut text)?;
    Ok(text)
}

const MILLIS: &str = "(TIMESTAMP(MILLIS,false))";

#[test]
fn rows_are_lines_in_our_order() {
    let text = lines(&file(2_500, "a\\b", MILLIS)).unwrap();
    assert_eq!(text.lines().count(), 2_500);
    assert_eq!(
        text.lines().next_back(),
        Some("G000002499\txzqhmc\tkkmc\tfxlx\t2024-01-01 00:41:39\thpzl\t苏C12345\ta\\b")
    );
    let utc = lines(&file(1, "", "(TIMESTAMP(MILLIS,true))")).unwrap();
    assert!(utc.contains("\t2024-01-01 00:00:00Z\t"), "{utc}");
}

#[test]
fn a_value_that_no_line_can_hold_makes_too_many_fields() {
    let text = lines(&file(1, "a\nb\r\tc", MILLIS)).unwrap();
    assert_eq!((text.lines().count(), text.split('\t').count()), (1, 11), "{text:?}");
}

#[test]
fn a_file_without_a_column_says_what_to_do() {
    let bytes = file(1, "", MILLIS);
    for (from, to, part) in [
        ("HPHM", "HPHN", "it lacks the column HPHM; it has other, HPHN, hpzl,"),
        ("hpzl", "hphm", "several columns HPHM"),
    ] {
        // The name stands in the schema, at the end of the file, and in the metadata of the groups.
        let mut bytes = bytes.clone();
        for at in 0..bytes.len() - 4 {
            if bytes[at..].starts_with(from.as_bytes()) {
                bytes[at..at + 4].copy_from_slice(to.as_bytes());
            }
        }
        let error = lines(&bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let error = lines(b"PAR1 is no more than its first bytes").unwrap_err().to_string();
    assert!(!error.is_empty());
}

#[test]
fn a_damaged_file_is_an_error_and_never_a_panic() {
    let bytes = file(1_500, "x", MILLIS);
    let whole = lines(&bytes).unwrap();
    let mut refused = 0;
    let mut random = 7u64;
    for _ in 0..400 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = bytes.clone();
        let at = (random >> 33) as usize % bytes.len();
        bytes[at] ^= 1 << (random & 7);
        match lines(&bytes) {
            Ok(text) => assert!(text.len() < whole.len() * 4),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 50, "{refused}");
    for length in [0, 4, 12, bytes.len() / 2, bytes.len() - 1] {
        assert!(lines(&bytes[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_column_that_ends_before_its_group_is_damage() {
    let reader = SerializedFileReader::new(Bytes::from(file(1_500, "x", MILLIS))).unwrap();
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema();
    let columns = Columns::find(schema, &Layout::default(), Path::new("a")).ok().unwrap();
    check_lengths(metadata, &columns).unwrap();
    let shorter = |name: &str| {
        let group = metadata.row_group(1);
        let column = |column: &parquet::file::metadata::ColumnChunkMetaData| {
            let count = column.num_values() - i64::from(column.column_path().string() == name);
            column.clone().into_builder().set_num_values(count).build().unwrap()
        };
        let columns = group.columns().iter().map(column).collect();
        let group = group.clone().into_builder().set_column_metadata(columns).build().unwrap();
        let groups = vec![metadata.row_group(0).clone(), group];
        metadata.clone().into_builder().set_row_groups(groups).build()
    };
    let error = check_lengths(&shorter("hpzl"), &columns).unwrap_err().to_string();
    assert!(error.contains("column hpzl has 499 values in a group of 500 rows"), "{error}");
    check_lengths(&shorter("other"), &columns).unwrap();
}

#[test]
fn an_error_shows_no_value() {
    let mut bytes = file(1, "MODEL", MILLIS);
    for at in 0..bytes.len() - 5 {
        if bytes[at..].starts_with(b"MODEL") {
            bytes[at + 1] = 0xff;
        }
    }
    let error = lines(&bytes).unwrap_err().to_string();
    assert!(error.contains("Error reading BYTE_ARRAY as String: it is damaged"), "{error}");
    assert!(!error.contains("255") && !error.contains("77"), "{error}");
}

#[test]
fn a_footer_that_is_too_large_is_not_read() {
    let mut bytes = b"PAR1".to_vec();
    bytes.extend((footer::MAX_BYTES + 1).to_le_bytes());
    bytes.extend(b"PAR1");
    let error = lines(&bytes).unwrap_err().to_string();
    assert!(error.contains("its footer has 16777217 bytes, and 16777216 are read"), "{error}");
}

#[test]
fn what_the_lake_writes_is_read() {
    let bytes = {
        let name = crate::lake::PartName { shard: 0, rows: 0..1 };
        let mut writer = crate::lake::PartWriter::new(Vec::new(), &name, 1).unwrap();
        let row = crate::reader::PassageRow {
            gcxh: "G1".to_owned(),
            xzqhmc: "睢宁县".into(),
            kkmc: "K1".into(),
            fxlx: "1".into(),
            gcsj: traffic::CivilTime::from_civil(2024, 1, 1, 0, 0, 24).unwrap(),
            hpzl: "02".into(),
            hphm: "-".to_owned(),
            clppxh: "".into(),
        };
        writer.push(&row).unwrap();
        writer.finish().unwrap()
    };
    assert_eq!(lines(&Bytes::from(bytes)).unwrap(), "G1\t睢宁县\tK1\t1\t2024-01-01 00:00:24\t02\t-\t\n");
}
