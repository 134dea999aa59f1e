//! One file of a lake: passages to Parquet, a row group at a time. It knows no folder.
//!
//! Columns are those of the contract; GCSJ is a time without a zone, as it was on the road. Names that repeat are written once
//! in each group. Everything is of the kind that the oldest readers know (format 1.0, plain and dictionary pages), packed with
//! Zstandard.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use traffic::{CivilTime, Column};

use super::name::PartName;
use crate::reader::PassageRow;

/// A row group has at least as many rows, where the file has: that of DuckDB.
const GROUP_ROWS: u64 = 122_880;
/// A group ends at these bytes of texts, however few its rows are.
const GROUP_BYTES: usize = 64 << 20;
/// Values that are handed over at once.
const VALUES: usize = 4_096;
const MICROS: i64 = 1_000_000;

/// Writes the rows of a file.
pub struct PartWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    /// Rows that are to come in all.
    count: u64,
    /// Groups in all, if no row is unusually long.
    groups: u64,
    /// Groups that were ended by their number of rows.
    ended: u64,
    written: u64,
    group: Group,
}

impl<W: Write + Send> PartWriter<W> {
    /// Begins a file of `count` rows, which are among those that `name` says.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(out: W, name: &PartName, count: u64) -> Result<Self> {
        let fields = Column::ALL.map(|column| match column {
            Column::Gcsj => format!("required int64 {} (TIMESTAMP(MICROS,false));", column.as_str()),
            _ => format!("required binary {} (STRING);", column.as_str()),
        });
        let schema = Arc::new(parse_message_type(&format!("message passages {{ {} }}", fields.join(" ")))?);
        let facts = [
            ("platewatch.shard", name.shard.to_string()),
            ("platewatch.first_row", name.rows.start.to_string()),
            ("platewatch.last_row", name.rows.end.saturating_sub(1).to_string()),
        ];
        let mut properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(format!("platewatch version {}", env!("CARGO_PKG_VERSION")))
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(None)
            .set_key_value_metadata(Some(
                facts.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect(),
            ));
        for column in [Column::Gcxh, Column::Hphm] {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(column.as_str()), false);
        }
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
        let groups = (count / GROUP_ROWS).max(1);
        Ok(Self { writer, count, groups, ended: 0, written: 0, group: Group::default() })
    }

    /// The next row.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn push(&mut self, row: &PassageRow) -> Result<()> {
        self.group.push(row);
        self.written += 1;
        // Groups of one size, but for one row.
        let end = u128::from(self.count) * u128::from(self.ended + 1) / u128::from(self.groups);
        if u128::from(self.written) >= end {
            self.ended += 1;
            self.end_group()
        } else if self.group.bytes() >= GROUP_BYTES {
            self.end_group()
        } else {
            Ok(())
        }
    }

    fn end_group(&mut self) -> Result<()> {
        let group = std::mem::take(&mut self.group);
        if group.times.is_empty() {
            return Ok(());
        }
        let mut writer = self.writer.next_row_group()?;
        let Group { ids, plates, times, names } = group;
        let (ids, plates) = (Slices::from(ids), Slices::from(plates));
        for column in Column::ALL {
            let mut next =
                writer.next_column()?.ok_or_else(|| ParquetError::General("a column is missing".to_owned()))?;
            match (column, next.untyped()) {
                (Column::Gcsj, ColumnWriter::Int64ColumnWriter(column)) => {
                    for times in times.chunks(VALUES) {
                        let micros: Vec<i64> = times.iter().map(|time| time.0.saturating_mul(MICROS)).collect();
                        column.write_batch(&micros, None, None)?;
                    }
                }
                (Column::Gcxh, ColumnWriter::ByteArrayColumnWriter(column)) => ids.write(column)?,
                (Column::Hphm, ColumnWriter::ByteArrayColumnWriter(column)) => plates.write(column)?,
                (other, ColumnWriter::ByteArrayColumnWriter(column)) => {
                    if let Some(names) = named(other).and_then(|place| names.get(place)) {
                        names.write(column)?;
                    }
                }
                _ => return Err(ParquetError::General("a column has another type".to_owned())),
            }
            next.close()?;
        }
        writer.close()?;
        Ok(())
    }

    /// Ends the file, which is not yet forced to the disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<W> {
        self.end_group()?;
        self.writer.into_inner()
    }
}

/// The place of a column among those whose values repeat.
fn named(column: Column) -> Option<usize> {
    const NAMED: [Column; 5] = [Column::Xzqhmc, Column::Kkmc, Column::Fxlx, Column::Hpzl, Column::Clppxh];
    NAMED.into_iter().position(|named| named == column)
}

/// The rows of a group, by column.
#[derive(Default)]
struct Group {
    ids: Texts,
    plates: Texts,
    times: Vec<CivilTime>,
    names: [Names; 5],
}

impl Group {
    fn push(&mut self, row: &PassageRow) {
        self.ids.push(&row.gcxh);
        self.plates.push(&row.hphm);
        self.times.push(row.gcsj);
        let names = [&row.xzqhmc, &row.kkmc, &row.fxlx, &row.hpzl, &row.clppxh];
        self.names.iter_mut().zip(names).for_each(|(names, name)| names.push(name));
    }

    fn bytes(&self) -> usize {
        let names: usize = self.names.iter().map(|names| names.bytes).sum();
        self.ids.bytes.len() + self.plates.bytes.len() + names
    }
}

/// Texts one after another.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len());
    }
}

/// The same, to be shared.
struct Slices {
    bytes: Bytes,
    ends: Vec<usize>,
}

impl From<Texts> for Slices {
    fn from(texts: Texts) -> Self {
        Self { bytes: Bytes::from(texts.bytes), ends: texts.ends }
    }
}

type TextColumn<'a> = parquet::column::writer::ColumnWriterImpl<'a, parquet::data_type::ByteArrayType>;

impl Slices {
    fn write(&self, column: &mut TextColumn<'_>) -> Result<()> {
        let mut start = 0;
        for ends in self.ends.chunks(VALUES) {
            let text = |end: &usize| ByteArray::from(self.bytes.slice(std::mem::replace(&mut start, *end)..*end));
            let values: Vec<ByteArray> = ends.iter().map(text).collect();
            column.write_batch(&values, None, None)?;
        }
        Ok(())
    }
}

/// Texts that repeat, by number.
#[derive(Default)]
struct Names {
    known: HashMap<Arc<str>, usize>,
    texts: Vec<ByteArray>,
    numbers: Vec<usize>,
    bytes: usize,
}

impl Names {
    fn push(&mut self, name: &Arc<str>) {
        let number = match self.known.get(name) {
            Some(number) => *number,
            None => {
                self.bytes += name.len();
                self.texts.push(ByteArray::from(Bytes::copy_from_slice(name.as_bytes())));
                self.known.insert(name.clone(), self.texts.len() - 1);
                self.texts.len() - 1
            }
        };
        self.numbers.push(number);
    }

    fn write(&self, column: &mut TextColumn<'_>) -> Result<()> {
        for numbers in self.numbers.chunks(VALUES) {
            let values: Vec<ByteArray> = numbers.iter().filter_map(|number| self.texts.get(*number).cloned()).collect();
            column.write_batch(&values, None, None)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    use super::*;

    fn row(number: u64, text: &str) -> PassageRow {
        PassageRow {
            gcxh: format!("G{number:020}"),
            xzqhmc: "睢宁县".into(),
            kkmc: format!("K{}", number % 7).into(),
            fxlx: "1".into(),
            gcsj: CivilTime(1_704_067_200 + number as i64),
            hpzl: "02".into(),
            hphm: text.to_owned(),
            clppxh: "".into(),
        }
    }

    fn file(count: u64, text: &str) -> Vec<u8> {
        let name = PartName { shard: 0, rows: 10..10 + count };
        let mut writer = PartWriter::new(Vec::new(), &name, count).unwrap();
        (0..count).for_each(|number| writer.push(&row(number, text)).unwrap());
        writer.finish().unwrap()
    }

    #[test]
    fn groups_are_as_long_as_those_of_duckdb_where_there_are_as_many_rows() {
        for (count, groups) in [(0, vec![]), (3, vec![3]), (245_759, vec![245_759]), (245_761, vec![122_880, 122_881])]
        {
            let bytes = file(count, "苏C12345");
            let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
            let found: Vec<u64> = reader.metadata().row_groups().iter().map(|group| group.num_rows() as u64).collect();
            assert_eq!(found, groups);
        }
    }

    #[test]
    fn the_same_rows_give_the_same_bytes() {
        assert_eq!(file(1_000, "苏C12345"), file(1_000, "苏C12345"));
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let reader = SerializedFileReader::new(Bytes::from(file(5_000, "苏C12345"))).unwrap();
        let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(rows.len(), 5_000);
        assert_eq!(
            rows[4_999],
            "{GCXH: \"G00000000000000004999\", XZQHMC: \"睢宁县\", KKMC: \"K1\", FXLX: \"1\", GCSJ: 2024-01-01 01:23:19.000000 +00:00, \
             HPZL: \"02\", HPHM: \"苏C12345\", CLPPXH: \"\"}"
        );
    }

    #[test]
    fn long_texts_do_not_wait_for_a_whole_group() {
        let reader = SerializedFileReader::new(Bytes::from(file(100_000, &"x".repeat(1_000)))).unwrap();
        assert_eq!(reader.metadata().num_row_groups(), 2);
        assert_eq!(reader.metadata().file_metadata().num_rows(), 100_000);
    }
}
