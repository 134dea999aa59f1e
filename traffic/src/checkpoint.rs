//! Checkpoints 卡口 and the catalogue of them: names, labels and places, and how far two are apart.
//!
//! The catalogue describes; it does not decide what is accepted. A passage at a checkpoint that is not listed is a
//! passage like any other, only without label and distance.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::line::split_csv;

/// One checkpoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Short code, such as `S250_Pizhou_Sulu`.
    pub code: String,
    /// Full name, as the camera system writes it.
    pub name: String,
    /// Short label for people.
    pub label: String,
    /// District 行政区划.
    pub district: String,
    /// Road, such as `S250`.
    pub road: String,
    /// Longitude in degrees east, if known; always together with the latitude.
    pub lon: Option<f64>,
    /// Latitude in degrees north, if known.
    pub lat: Option<f64>,
}

impl Checkpoint {
    /// Longitude and latitude in degrees, if known. Systems write 0,0 for an unknown place.
    pub fn position(&self) -> Option<(f64, f64)> {
        self.lon.zip(self.lat).filter(|place| *place != (0.0, 0.0))
    }
}

/// Mean radius of the earth in km (IUGG, R₁).
const EARTH_RADIUS_KM: f64 = 6371.0088;

/// Great-circle distance in km between two places, each longitude and latitude in degrees.
///
/// Source: the haversine formula (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984).
pub fn great_circle_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (from_lat, to_lat) = (from.1.to_radians(), to.1.to_radians());
    let half_lat = ((to_lat - from_lat) / 2.0).sin();
    let half_lon = ((to.0 - from.0).to_radians() / 2.0).sin();
    let haversine = half_lat * half_lat + from_lat.cos() * to_lat.cos() * half_lon * half_lon;
    2.0 * EARTH_RADIUS_KM * haversine.sqrt().min(1.0).asin()
}

/// The checkpoints that are known, found by code or full name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue {
    checkpoints: Vec<Checkpoint>,
    /// Index in `checkpoints` by code and by full name.
    by_key: FxHashMap<Box<str>, usize>,
}

/// Why a catalogue is refused. Lines are counted from 1, the header included.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// There is no line at all.
    #[error("the checkpoint file is empty: its first line must be `{HEADER}`")]
    Empty,
    /// The header lacks columns.
    #[error("line 1: the header lacks {0}: it must name `{HEADER}`, in any order")]
    MissingColumns(String),
    /// A line does not describe a checkpoint.
    #[error("line {line}: {problem}")]
    Line {
        /// Number of the line.
        line: usize,
        /// What is wrong with it.
        problem: CheckpointProblem,
    },
    /// A checkpoint that did not come from a file.
    #[error("checkpoint {code:?}: {problem}")]
    Checkpoint {
        /// Its code.
        code: String,
        /// What is wrong with it.
        problem: CheckpointProblem,
    },
}

/// What can be wrong with one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointProblem {
    /// More or fewer fields than the header has.
    #[error("{found} fields, but the header has {expected}; quote a field that holds a comma")]
    FieldCount {
        /// Fields of the line.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// The code or the full name is empty.
    #[error("{0} is empty; every checkpoint needs a code and a full name")]
    Empty(&'static str),
    /// The key is another checkpoint's code or full name.
    #[error("{0:?} is already the code or the full name of another checkpoint")]
    Duplicate(String),
    /// A coordinate is not a number within its range.
    #[error("{column} is {value:?}, but must be empty or degrees from -{limit} to {limit}")]
    Coordinate {
        /// `lon` or `lat`.
        column: &'static str,
        /// The text, or the number as text.
        value: String,
        /// The limit in degrees.
        limit: u16,
    },
    /// One coordinate is given and the other is not.
    #[error("lon and lat must both be given or both be empty")]
    HalfPosition,
}

const HEADER: &str = "code,kkmc,label,xzqhmc,road,lon,lat";
const COLUMNS: [&str; 7] = ["code", "kkmc", "label", "xzqhmc", "road", "lon", "lat"];
const MAX_LON: u16 = 180;
const MAX_LAT: u16 = 90;

impl Catalogue {
    /// A catalogue of these checkpoints, in this order.
    ///
    /// # Errors
    /// [`CatalogueError::Checkpoint`] for an empty or repeated code or full name and for coordinates out of range.
    pub fn new(checkpoints: Vec<Checkpoint>) -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        for checkpoint in checkpoints {
            let code = checkpoint.code.clone();
            catalogue.add(checkpoint).map_err(|problem| CatalogueError::Checkpoint { code, problem })?;
        }
        Ok(catalogue)
    }

    /// Reads the CSV `code,kkmc,label,xzqhmc,road,lon,lat` (columns in any order, others ignored, blank lines skipped,
    /// coordinates may be empty).
    ///
    /// # Errors
    /// The first problem, with the number of its line.
    pub fn parse_csv(text: &str) -> Result<Self, CatalogueError> {
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let (_, header) = lines.next().filter(|_| !text.trim().is_empty()).ok_or(CatalogueError::Empty)?;
        let header: Vec<_> = split_csv(header).into_iter().map(|name| name.trim().to_lowercase()).collect();
        let positions = COLUMNS.map(|column| header.iter().position(|name| name == column));
        let missing: Vec<_> = COLUMNS
            .iter()
            .zip(positions)
            .filter(|(_, position)| position.is_none())
            .map(|(column, _)| *column)
            .collect();
        if !missing.is_empty() {
            return Err(CatalogueError::MissingColumns(missing.join(", ")));
        }
        let mut catalogue = Self::default();
        for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
            read_line(text, header.len(), positions)
                .and_then(|checkpoint| catalogue.add(checkpoint))
                .map_err(|problem| CatalogueError::Line { line, problem })?;
        }
        Ok(catalogue)
    }

    /// The 19 checkpoints of the Xuzhou roads that come with the program.
    pub fn xuzhou() -> Self {
        Self::parse_csv(include_str!("../../data/kkmc_dimension.csv")).unwrap_or_default()
    }

    fn add(&mut self, checkpoint: Checkpoint) -> Result<(), CheckpointProblem> {
        check_position(&checkpoint)?;
        for (column, key) in [("code", &checkpoint.code), ("kkmc", &checkpoint.name)] {
            if key.is_empty() {
                return Err(CheckpointProblem::Empty(column));
            }
            if self.by_key.contains_key(key.as_str()) {
                return Err(CheckpointProblem::Duplicate(key.clone()));
            }
        }
        let index = self.checkpoints.len();
        self.by_key.insert(checkpoint.code.as_str().into(), index);
        self.by_key.insert(checkpoint.name.as_str().into(), index);
        self.checkpoints.push(checkpoint);
        Ok(())
    }

    /// The checkpoint with this code or full name.
    pub fn find(&self, kkmc: &str) -> Option<&Checkpoint> {
        self.by_key.get(kkmc).and_then(|index| self.checkpoints.get(*index))
    }

    /// All checkpoints, in the order given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Checkpoint> {
        self.checkpoints.iter()
    }

    /// The checkpoints without coordinates, or with 0,0, in the order given.
    pub fn without_position(&self) -> impl Iterator<Item = &Checkpoint> {
        self.iter().filter(|checkpoint| checkpoint.position().is_none())
    }

    /// How many checkpoints there are.
    pub fn len(&self) -> usize {
        self.checkpoints.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.checkpoints.is_empty()
    }

    /// The label of a checkpoint by code or full name; the text itself if it is not listed or has no label.
    pub fn label_of<'a>(&'a self, kkmc: &'a str) -> &'a str {
        self.find(kkmc).map(|checkpoint| checkpoint.label.as_str()).filter(|label| !label.is_empty()).unwrap_or(kkmc)
    }

    /// Longitude and latitude in degrees of a checkpoint by code or full name, if known.
    pub fn position(&self, kkmc: &str) -> Option<(f64, f64)> {
        self.find(kkmc).and_then(Checkpoint::position)
    }
}

fn read_line(text: &str, expected: usize, positions: [Option<usize>; 7]) -> Result<Checkpoint, CheckpointProblem> {
    let fields = split_csv(text);
    if fields.len() != expected {
        return Err(CheckpointProblem::FieldCount { found: fields.len(), expected });
    }
    let [code, name, label, district, road, lon, lat] =
        positions.map(|position| position.and_then(|at| fields.get(at)).map_or("", |field| field.trim()));
    let place = (read_degrees("lon", lon, MAX_LON)?, read_degrees("lat", lat, MAX_LAT)?);
    let (lon, lat) = if place == (Some(0.0), Some(0.0)) { (None, None) } else { place };
    Ok(Checkpoint {
        code: code.to_owned(),
        name: name.to_owned(),
        label: label.to_owned(),
        district: district.to_owned(),
        road: road.to_owned(),
        lon,
        lat,
    })
}

fn read_degrees(column: &'static str, text: &str, limit: u16) -> Result<Option<f64>, CheckpointProblem> {
    if text.is_empty() {
        return Ok(None);
    }
    let refused = || CheckpointProblem::Coordinate { column, value: text.to_owned(), limit };
    text.parse().map(Some).map_err(|_| refused())
}

fn check_position(checkpoint: &Checkpoint) -> Result<(), CheckpointProblem> {
    for (column, degrees, limit) in [("lon", checkpoint.lon, MAX_LON), ("lat", checkpoint.lat, MAX_LAT)] {
        // A NaN is in no range.
        if let Some(value) = degrees.filter(|value| !(-f64::from(limit)..=f64::from(limit)).contains(value)) {
            return Err(CheckpointProblem::Coordinate { column, value: value.to_string(), limit });
        }
    }
    if checkpoint.lon.is_some() != checkpoint.lat.is_some() {
        return Err(CheckpointProblem::HalfPosition);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xuzhou_is_whole() {
        let catalogue = Catalogue::xuzhou();
        assert_eq!((catalogue.len(), catalogue.iter().len()), (19, 19));
        let name = "徐州市邳州市S250宿邳线K1江苏徐州-S250-苏鲁界省际卡口";
        assert_eq!(catalogue.find("S250_Pizhou_Sulu"), catalogue.find(name));
        assert_eq!(catalogue.label_of(name), "S250-邳州-苏鲁界");
        assert_eq!(catalogue.position("S250_Pizhou_Sulu"), Some((118.06454, 34.641634)));
        assert!(catalogue.iter().all(|checkpoint| checkpoint.position().is_some()));
    }

    #[test]
    fn unlisted_checkpoint_is_its_own_label() {
        let catalogue = Catalogue::xuzhou();
        assert_eq!(catalogue.label_of("K9"), "K9");
        assert_eq!(catalogue.position("K9"), None);
        let unlabelled = Checkpoint { code: "a".into(), name: "b".into(), ..Checkpoint::default() };
        assert_eq!(Catalogue::new(vec![unlabelled]).unwrap().label_of("a"), "a");
    }

    #[test]
    fn columns_in_any_order_quotes_and_unknown_places() {
        let text = "\u{feff}LAT,lon,note,road,xzqhmc,label,kkmc,code\r\n\r\n,,x,G3,\"沛县, 北\",,全名,c1\r\n34.5,117.25,,,,标,名,c2\r\n";
        let catalogue = Catalogue::parse_csv(text).unwrap();
        assert_eq!(catalogue.find("全名").unwrap().district, "沛县, 北");
        assert_eq!(catalogue.position("c1"), None);
        assert_eq!(catalogue.position("名"), Some((117.25, 34.5)));
    }

    #[test]
    fn null_island_is_no_place() {
        let catalogue =
            Catalogue::parse_csv(&format!("{HEADER}\na,b,,,,0,0\nc,d,,,,-0.0,0.0\ne,f,,,,0,34.5\n")).unwrap();
        assert_eq!((catalogue.position("a"), catalogue.position("c")), (None, None));
        assert_eq!(catalogue.find("a").and_then(|known| known.lon), None);
        assert_eq!(catalogue.position("e"), Some((0.0, 34.5)));
        let stored = Checkpoint { lon: Some(0.0), lat: Some(0.0), ..Checkpoint::default() };
        assert_eq!(stored.position(), None);
    }

    fn check_refused(rows: &str, expected: &str) {
        let error = Catalogue::parse_csv(&format!("{HEADER}\n{rows}")).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn refusals_name_the_line() {
        check_refused("a,b,,,,1,1\nc,d,,,,181,1\n", "line 3: lon is \"181\"");
        check_refused("a,b,,,,1,-90.5\n", "line 2: lat is \"-90.5\"");
        check_refused("a,b,,,,NaN,1\n", "line 2: lon is \"NaN\"");
        check_refused("a,b,,,,east,1\n", "line 2: lon is \"east\"");
        check_refused("a,b,,,,,1\n", "line 2: lon and lat must both");
        check_refused("a,b,,,,1\n", "line 2: 6 fields, but the header has 7");
        check_refused("a,b,,,,1,1\na,c,,,,1,1\n", "line 3: \"a\" is already");
        check_refused("a,b,,,,1,1\nb,c,,,,1,1\n", "line 3: \"b\" is already");
        check_refused("\n,b,,,,1,1\n", "line 3: code is empty");
        check_refused("a,,,,,1,1\n", "line 2: kkmc is empty");
        assert_eq!(Catalogue::parse_csv("\n"), Err(CatalogueError::Empty));
        let error = Catalogue::parse_csv("code,kkmc,label\n").unwrap_err().to_string();
        assert!(error.contains("lacks xzqhmc, road, lon, lat"), "{error}");
        let far =
            Checkpoint { code: "x".into(), name: "y".into(), lon: Some(1.0), lat: Some(91.0), ..Default::default() };
        assert!(Catalogue::new(vec![far]).unwrap_err().to_string().starts_with("checkpoint \"x\": lat is \"91\""));
    }

    #[test]
    fn distances() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-3 * b.max(1e-6), "{a} {b}");
        assert_eq!(great_circle_km((117.2, 34.2), (117.2, 34.2)), 0.0);
        // A degree of a meridian is πR/180.
        close(great_circle_km((117.0, 34.0), (117.0, 35.0)), 111.195);
        // Half the equator, where the haversine is 1.
        close(great_circle_km((0.0, 0.0), (180.0, 0.0)), 20_015.1);
        // Beijing to Shanghai, about 1067 km.
        close(great_circle_km((116.4074, 39.9042), (121.4737, 31.2304)), 1_067.3);
    }
}
