//! Which column of a Parquet file, or which folder above it, is which column of the layout. It reads no row.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::Result;
use parquet::record::Row;
use parquet::schema::types::Type;
use percent_encoding::percent_decode_str;
use traffic::{Column, Layout};

use super::value::{Scale, push_value};

/// A file that cannot be read, in words.
pub(super) struct Unfit(pub(super) String);

/// Where the value of a column comes from.
enum Origin {
    /// The column of the projection with this number.
    File(usize, Scale),
    /// The name of a folder.
    Folder(String),
}

/// The columns of a file, in the order of the layout.
pub(super) struct Columns {
    origins: Vec<Origin>,
    /// The columns that are read, in the order of the file.
    fields: Vec<Arc<Type>>,
    root: String,
    line: Vec<u8>,
}

impl Columns {
    /// Finds the columns of `layout` in a file with this schema at this path.
    pub(super) fn find(schema: &Type, layout: &Layout, path: &Path) -> std::result::Result<Self, Unfit> {
        let wanted = |field: &&Arc<Type>| layout.names().any(|name| name.eq_ignore_ascii_case(field.name()));
        let fields: Vec<Arc<Type>> = schema.get_fields().iter().filter(wanted).cloned().collect();
        let mut missing = Vec::new();
        let mut origins = Vec::new();
        for name in layout.names() {
            let mut here = fields.iter().enumerate().filter(|(_, field)| field.name().eq_ignore_ascii_case(name));
            match (here.next(), here.next()) {
                (Some((place, field)), None) => origins.push(Origin::File(place, scale_of(name, field)?)),
                (Some(_), Some(_)) => {
                    return Err(Unfit(format!(
                        "it has several columns {name}, in upper and lower case: leave one of them"
                    )));
                }
                (None, _) => match from_folders(path, name) {
                    Some(value) => origins.push(Origin::Folder(value)),
                    None => missing.push(name),
                },
            }
        }
        if !missing.is_empty() {
            let names: Vec<_> = schema.get_fields().iter().map(|field| field.name()).collect();
            return Err(Unfit(format!(
                "it lacks the column {}; it has {}. Write it again with the columns called so (in SQL: SELECT … AS {})",
                missing.join(", "),
                names.join(", "),
                missing.first().copied().unwrap_or_default()
            )));
        }
        Ok(Self { origins, fields, root: schema.name().to_owned(), line: Vec::new() })
    }

    /// Whether a column of the file is among those that are read.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name() == name)
    }

    /// What is read of the file.
    pub(super) fn projection(&self) -> Result<Type> {
        Type::group_type_builder(&self.root).with_fields(self.fields.clone()).build()
    }

    /// Adds the line that a row stands for.
    pub(super) fn push_line(&mut self, row: &Row, lines: &mut Vec<u8>) {
        let line = &mut self.line;
        for (place, origin) in self.origins.iter().enumerate() {
            if place > 0 {
                lines.push(b'\t');
            }
            line.clear();
            match origin {
                Origin::Folder(value) => line.extend_from_slice(value.as_bytes()),
                Origin::File(column, scale) => {
                    if let Some((_, value)) = row.get_column_iter().nth(*column) {
                        push_value(value, *scale, line);
                    }
                }
            }
            // It would end the field or the line: then the line has too many fields, and is a reject.
            lines.extend(line.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b'\t' } else { *byte }));
        }
        lines.push(b'\n');
    }
}

fn unreadable<T>(field: &Type, what: &str) -> std::result::Result<T, Unfit> {
    Err(Unfit(format!("its column {} is {what}: write it as a text, or GCSJ as a TIMESTAMP", field.name())))
}

/// How the values of the column `name` are meant. A time as a bare number has no unit.
fn scale_of(name: &str, field: &Type) -> std::result::Result<Scale, Unfit> {
    match scale(field)? {
        Scale::Number if name.eq_ignore_ascii_case(Column::Gcsj.as_str()) => {
            unreadable(field, "a number that is not said to be a time")
        }
        scale => Ok(scale),
    }
}

/// How the numbers of a column are meant.
fn scale(field: &Type) -> std::result::Result<Scale, Unfit> {
    let unreadable = |what: &str| unreadable(field, what);
    let info = field.get_basic_info();
    if !field.is_primitive() || (info.has_repetition() && info.repetition() == Repetition::REPEATED) {
        return unreadable("a list or a structure");
    }
    let (logical, converted) = (info.logical_type_ref(), info.converted_type());
    Ok(match (field.get_physical_type(), logical) {
        (Physical::INT64, Some(LogicalType::Timestamp(time))) => {
            let per_second = match time.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            };
            Scale::Time { per_second, is_utc: time.is_adjusted_to_u_t_c }
        }
        // Before there were logical types, every time was an instant.
        (Physical::INT64, None) if converted == ConvertedType::TIMESTAMP_MILLIS => {
            Scale::Time { per_second: 1_000, is_utc: true }
        }
        (Physical::INT64, None) if converted == ConvertedType::TIMESTAMP_MICROS => {
            Scale::Time { per_second: 1_000_000, is_utc: true }
        }
        // Spark and Hive write an instant so.
        (Physical::INT96, _) => Scale::Instant,
        (Physical::INT32, Some(LogicalType::Date)) => Scale::Days,
        // What older writers say instead.
        (Physical::INT32, None) if converted == ConvertedType::DATE => Scale::Days,
        (Physical::INT32 | Physical::INT64, Some(LogicalType::Integer(_))) => Scale::Number,
        (Physical::INT32 | Physical::INT64, None) if is_whole(converted) => Scale::Number,
        (Physical::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json)) => Scale::Text,
        (Physical::BYTE_ARRAY, None) if is_text(converted) => Scale::Text,
        (Physical::FLOAT | Physical::DOUBLE, _) => return unreadable("a number with a fraction"),
        (Physical::BOOLEAN, _) => return unreadable("true or false"),
        _ => return unreadable("of a type that is no text, whole number or time"),
    })
}

fn is_whole(converted: ConvertedType) -> bool {
    use ConvertedType as Is;
    let signed = matches!(converted, Is::NONE | Is::INT_8 | Is::INT_16 | Is::INT_32 | Is::INT_64);
    signed || matches!(converted, Is::UINT_8 | Is::UINT_16 | Is::UINT_32 | Is::UINT_64)
}

fn is_text(converted: ConvertedType) -> bool {
    matches!(converted, ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON)
}

/// The value of a column that the folders above a file name, as Hive, Spark and DuckDB write them.
fn from_folders(path: &Path, name: &str) -> Option<String> {
    path.parent()?.components().rev().find_map(|part| {
        let (column, value) = part.as_os_str().to_str()?.split_once('=')?;
        let value = percent_decode_str(value).decode_utf8().ok()?;
        let value = if value == "__HIVE_DEFAULT_PARTITION__" { "".into() } else { value };
        column.eq_ignore_ascii_case(name).then(|| value.into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_columns() {
        let path = Path::new("lake/KKMC=S250%3AK1/hpzl=02/part-0.parquet");
        assert_eq!(from_folders(path, "KKMC").as_deref(), Some("S250:K1"));
        assert_eq!(from_folders(path, "HPZL").as_deref(), Some("02"));
        assert_eq!(from_folders(path, "HPHM"), None);
        assert_eq!(from_folders(Path::new("FXLX=__HIVE_DEFAULT_PARTITION__/a.parquet"), "FXLX").as_deref(), Some(""));
    }

    fn judged(name: &str, column: &str) -> Option<Scale> {
        let schema = parquet::schema::parser::parse_message_type(&format!("message x {{ {column} }}")).unwrap();
        scale_of(name, &schema.get_fields()[0]).ok()
    }

    #[test]
    fn types_that_say_what_their_values_are_are_read() {
        for (column, scale) in [
            ("required binary HPHM;", Some(Scale::Text)),
            ("optional binary HPHM (UTF8);", Some(Scale::Text)),
            ("repeated binary HPHM (STRING);", None),
            ("required binary HPHM (DECIMAL(9,2));", None),
            ("required binary HPHM (BSON);", None),
            ("required int32 HPHM;", Some(Scale::Number)),
            ("required int32 HPHM (INT_8);", Some(Scale::Number)),
            ("required int64 HPHM (UINT_64);", Some(Scale::Number)),
            ("required int32 HPHM (DECIMAL(9,2));", None),
            ("required int64 HPHM (TIME_MICROS);", None),
            ("required double HPHM;", None),
        ] {
            assert_eq!(judged("HPHM", column), scale, "{column}");
        }
    }

    #[test]
    fn a_time_is_said_to_be_one() {
        for (column, scale) in [
            ("required int64 gcsj;", None),
            ("required int64 gcsj (INT_64);", None),
            ("required int64 gcsj (TIME_MICROS);", None),
            ("required int32 gcsj (DATE);", Some(Scale::Days)),
            ("required int96 gcsj;", Some(Scale::Instant)),
            ("required binary gcsj (UTF8);", Some(Scale::Text)),
            ("required int64 gcsj (TIMESTAMP_MILLIS);", Some(Scale::Time { per_second: 1_000, is_utc: true })),
        ] {
            assert_eq!(judged("GCSJ", column), scale, "{column}");
        }
    }
}
