//! Reading a table of hourly counts, `master_data_expanded.csv`: `KKMC,hour,is_weekend,traffic_count` and perhaps
//! `date`, in any order of columns. A row that cannot be used is refused with its line number and reason; the others
//! are used.

use std::collections::BTreeMap;
use std::io::{self, Read};

use csv::ByteRecord;

use super::calendar::{HOURS, parse_date};
use super::grid::{GridBuilder, MAX_COUNT, MAX_SITES};

/// Refused rows that are kept to be shown.
const SHOWN: usize = 20;
/// Longest name of a checkpoint, in bytes.
const MAX_NAME: usize = 512;
/// Rows between two reports of progress.
const REPORT_EVERY: u64 = 16_384;

/// A table that was read.
#[derive(Debug)]
pub struct Table {
    /// The good rows.
    pub rows: GridBuilder,
    /// The others.
    pub bad: BadRows,
}

/// Refused rows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct BadRows {
    /// How many.
    pub total: u64,
    /// By reason.
    pub by_reason: BTreeMap<&'static str, u64>,
    /// The first of them: line and what is wrong there.
    pub shown: Vec<(u64, String)>,
}

impl BadRows {
    /// Notes a refused row.
    pub fn add(&mut self, line: u64, reason: &'static str, detail: String) {
        self.total += 1;
        *self.by_reason.entry(reason).or_default() += 1;
        if self.shown.len() < SHOWN {
            self.shown.push((line, detail));
        }
    }
}

/// A row that cannot be used: the reason as a short name, and in words.
type Refused = (&'static str, String);

/// The places of the columns.
struct Columns {
    kkmc: usize,
    hour: usize,
    weekend: usize,
    count: usize,
    date: Option<usize>,
    all: usize,
}

/// Reads a table. `progress` is called now and then with the bytes read so far.
///
/// # Errors
/// A sentence where the header lacks a column or the file cannot be read.
pub fn read_table(file: impl Read, mut progress: impl FnMut(u64)) -> Result<Table, String> {
    let lines = PlainLines { inner: file, ended: false };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(1 << 18).from_reader(lines);
    let unreadable = |error: csv::Error| format!("the table cannot be read: {error}");
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(unreadable)? {
        return Err(
            "the table is empty: its first line must name the columns KKMC,hour,is_weekend,traffic_count".to_owned()
        );
    }
    let columns = Columns::of(&record)?;
    let mut table = Table { rows: GridBuilder::default(), bad: BadRows::default() };
    let (mut rows, mut date_text, mut day) = (0u64, Vec::new(), None);
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        rows += 1;
        if rows.is_multiple_of(REPORT_EVERY) {
            progress(reader.position().byte());
        }
        // Dates come in long runs.
        if let Some(text) = columns.date.and_then(|column| record.get(column))
            && text != date_text
        {
            date_text = text.to_owned();
            day = std::str::from_utf8(text).ok().and_then(|text| parse_date(text.trim()));
        }
        // After a record the reader is on the following line. The beginning of the record, as the reader reports it,
        // may be some blank lines earlier.
        let within = record.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        let line = reader.position().line().saturating_sub(1 + within);
        if let Err((reason, detail)) = columns.take(&record, line, day, &mut table.rows) {
            table.bad.add(line, reason, detail);
        }
    }
    Ok(table)
}

/// A file whose lines all end with `\n` alone, the last one too, so that lines can be counted.
struct PlainLines<R> {
    inner: R,
    ended: bool,
}

impl<R: Read> Read for PlainLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            if read == 0 {
                return Ok(match buffer.first_mut() {
                    Some(first) if !std::mem::replace(&mut self.ended, true) => {
                        *first = b'\n';
                        1
                    }
                    _ => 0,
                });
            }
            let Some(bytes) = buffer.get_mut(..read) else { return Ok(read) };
            let Some(first) = bytes.iter().position(|byte| *byte == b'\r') else { return Ok(read) };
            let mut kept = first;
            for place in first..read {
                if let Some(byte) = bytes.get(place).copied().filter(|byte| *byte != b'\r')
                    && let Some(to) = bytes.get_mut(kept)
                {
                    *to = byte;
                    kept += 1;
                }
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

impl Columns {
    fn of(header: &ByteRecord) -> Result<Self, String> {
        let names: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().trim_start_matches('\u{feff}').to_lowercase())
            .collect();
        let find = |name: &str| names.iter().position(|known| *known == name.to_lowercase());
        let missing: Vec<&str> =
            ["KKMC", "hour", "is_weekend", "traffic_count"].into_iter().filter(|name| find(name).is_none()).collect();
        let (Some(kkmc), Some(hour), Some(weekend), Some(count)) =
            (find("KKMC"), find("hour"), find("is_weekend"), find("traffic_count"))
        else {
            return Err(format!(
                "line 1: the header lacks {}: it must name KKMC,hour,is_weekend,traffic_count and may name date, in any order",
                missing.join(", ")
            ));
        };
        Ok(Self { kkmc, hour, weekend, count, date: find("date"), all: names.len() })
    }

    fn take(&self, record: &ByteRecord, line: u64, day: Option<i64>, rows: &mut GridBuilder) -> Result<(), Refused> {
        if record.len() != self.all {
            return Err(("wrong_column_count", format!("{} fields, but the header has {}", record.len(), self.all)));
        }
        let kkmc = field(record, self.kkmc)?;
        if kkmc.is_empty() || kkmc.len() > MAX_NAME {
            return Err(("invalid_kkmc", format!("KKMC is empty or longer than {MAX_NAME} bytes")));
        }
        let text = field(record, self.hour)?;
        let hour = whole(text)
            .filter(|hour| *hour < HOURS as f64)
            .ok_or_else(|| ("invalid_hour", format!("hour is {text:?}, not a whole number from 0 to 23")))?
            as u8;
        let text = field(record, self.weekend)?;
        let is_weekend = match text {
            "0" | "0.0" => false,
            "1" | "1.0" => true,
            _ if text.eq_ignore_ascii_case("false") => false,
            _ if text.eq_ignore_ascii_case("true") => true,
            _ => return Err(("invalid_is_weekend", format!("is_weekend is {text:?}, not 0 or 1"))),
        };
        let text = field(record, self.count)?;
        let count = text.parse().ok().filter(|count: &f64| (0.0..=MAX_COUNT).contains(count)).ok_or_else(|| {
            ("invalid_traffic_count", format!("traffic_count is {text:?}, not a number from 0 to {MAX_COUNT}"))
        })?;
        let day = match self.date {
            None => None,
            Some(column) => Some(day.ok_or_else(|| {
                let text = field(record, column).unwrap_or_default();
                ("invalid_date", format!("date is {text:?}, not a date from 2000 to 2099 such as 2024-01-31"))
            })?),
        };
        let site =
            rows.site(kkmc).ok_or_else(|| ("too_many_checkpoints", format!("more than {MAX_SITES} checkpoints")))?;
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        match day {
            Some(day) => rows.add(site, day * HOURS as i64 + i64::from(hour), is_weekend, count, line),
            None => rows.add_undated(site, hour, is_weekend, count, line),
        }
        Ok(())
    }
}

fn field(record: &ByteRecord, column: usize) -> Result<&str, Refused> {
    let bytes = record.get(column).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.trim()),
        Err(_) => Err(("invalid_encoding", "not UTF-8: save the table as UTF-8".to_owned())),
    }
}

/// A whole number, also in the form that pandas writes: `8.0`.
fn whole(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse::<u8>() {
        return Some(f64::from(number));
    }
    text.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && *number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::calendar::Calendar;

    fn read(text: &str) -> Table {
        read_table(text.as_bytes(), |_| {}).unwrap()
    }

    #[test]
    fn bad_rows_are_refused_with_their_line_and_the_others_count() {
        let table = read(
            "\u{feff}date,kkmc,Hour,is_weekend,traffic_count,note\r\n\
             2024-01-01,a,0,0,5,x\r\n\
             2024-01-01,a,24,0,5,x\r\n\
             2024-01-01,a,1.5,0,5,x\r\n\
             2024-02-30,a,1,0,5,x\r\n\
             2024-01-01,,1,0,5,x\r\n\
             2024-01-01,a,1,2,5,x\r\n\
             2024-01-01,a,1,0,-5,x\r\n\
             2024-01-01,a,1,0,NaN,x\r\n\
             2024-01-01,a,1,0,1e15,x\r\n\
             2024-01-01,a,1,0\r\n\
             \r\n\
             \r\n\
             2024/1/2,\"a\",\"23.0\",TRUE,7.5,\"two\nlines\"\r\n\
             2024/1/2,a,99,0,1,x",
        );
        assert_eq!(table.rows.len(), 2);
        let lines: Vec<u64> = table.bad.shown.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10, 11, 16]);
        assert_eq!(table.bad.total, 10);
        assert_eq!(table.bad.by_reason["invalid_traffic_count"], 3);
        let (_, hour) = &table.bad.shown[0];
        assert_eq!(hour, "hour is \"24\", not a whole number from 0 to 23");
        let (grid, repeated) = table.rows.finish(&Calendar::default());
        assert!(repeated.is_empty() && grid.is_dated());
        assert_eq!((grid.days(), grid.count(0, 47)), (2, Some(7.5)));
    }

    #[test]
    fn headers_are_asked_for_what_they_lack() {
        let error = read_table(&b"KKMC,stunde,traffic_count\n"[..], |_| {}).unwrap_err();
        assert!(error.contains("lacks hour, is_weekend"), "{error}");
        assert!(read_table(&b""[..], |_| {}).unwrap_err().contains("empty"));
        let latin = read_table(&b"KKMC,hour,is_weekend,traffic_count\n\xff\xfe,1,0,5\n"[..], |_| {}).unwrap();
        assert_eq!(latin.bad.by_reason["invalid_encoding"], 1);
    }
}
