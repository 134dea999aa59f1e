//! The naive parser: the contract's section 1 read aloud, one line at a time, with strings for everything.

use jiff::civil::DateTime;
use traffic::{PlateClass, RejectReason};

use crate::{Outcome, Passage};

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
const NAMES: [&str; 8] = ["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH"];

pub(crate) struct NaiveParser {
    pub(crate) columns: Vec<String>,
    /// The shard key, if it is an extra column.
    pub(crate) route: Option<String>,
    pub(crate) delimiter: Option<char>,
    pub(crate) not_after: String,
}

enum Verdict {
    Blank,
    Header,
    Passage(Box<Passage>),
}

impl NaiveParser {
    pub(crate) fn new(not_after: &str) -> Self {
        let columns = NAMES.map(str::to_owned).to_vec();
        Self { columns, route: None, delimiter: None, not_after: not_after.to_owned() }
    }

    pub(crate) fn parse_source(&mut self, source: &[u8]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut lines: Vec<_> = source.split(|byte| *byte == b'\n').collect();
        // What follows the last line ending is a line only if it is something.
        lines.pop_if(|last| last.is_empty());
        for raw in lines {
            outcome.lines += 1;
            let mut raw = raw;
            while let [before @ .., b'\r'] = raw {
                raw = before;
            }
            match self.judge(raw) {
                Ok(Verdict::Blank) => outcome.blank += 1,
                Ok(Verdict::Header) => outcome.headers += 1,
                Ok(Verdict::Passage(passage)) => outcome.passages.push(*passage),
                Err(reason) => outcome.rejects.push((outcome.lines, reason, kept(raw).to_vec())),
            }
        }
        outcome
    }

    fn judge(&mut self, raw: &[u8]) -> Result<Verdict, RejectReason> {
        if raw.len() > 65_536 {
            return Err(RejectReason::LineTooLong);
        }
        let text = str::from_utf8(raw).map_err(|_| RejectReason::InvalidEncoding)?;
        let text = text.trim_start_matches('\u{feff}');
        if strip(text).is_empty() {
            return Ok(Verdict::Blank);
        }
        let delimiter = *self.delimiter.get_or_insert(if text.contains('\t') { '\t' } else { ',' });
        let fields: Vec<String> = if delimiter == '\t' {
            text.split('\t').map(strip).collect()
        } else {
            read_csv(text).iter().map(|field| strip(field)).collect()
        };
        if NAMES.iter().filter(|name| fields.iter().any(|field| field.to_uppercase().contains(*name))).count() >= 4 {
            return Ok(Verdict::Header);
        }
        if fields.len() != self.columns.len() {
            return Err(RejectReason::WrongColumnCount);
        }
        let field = |name: &str| {
            let place = self.columns.iter().position(|column| column == name);
            fields[place.expect("a column of the layout")].clone()
        };
        let unroutable =
            |key: &str| key.chars().any(|c| matches!(c, '\'' | '"' | '`' | '\x7f') || ('\0'..='\x1f').contains(&c));
        let (gcxh, kkmc) = (field("GCXH"), field("KKMC"));
        let route = self.route.as_deref().map(field);
        if gcxh.is_empty() {
            return Err(RejectReason::EmptyGcxh);
        }
        if kkmc.is_empty() {
            return Err(RejectReason::EmptyKkmc);
        }
        if unroutable(&kkmc) || route.as_deref().is_some_and(unroutable) {
            return Err(RejectReason::KkmcUnroutable);
        }
        let time = read_time(&field("GCSJ")).ok_or(RejectReason::InvalidGcsj)?.to_string().replace('T', " ");
        // Texts of this form sort as the times do.
        if time.as_str() < "2000-01-01 00:00:00" {
            return Err(RejectReason::GcsjTooOld);
        }
        if time > self.not_after {
            return Err(RejectReason::GcsjInFuture);
        }
        let mut plate_type = field("HPZL");
        if plate_type.len() == 1 && plate_type.as_bytes()[0].is_ascii_digit() {
            plate_type.insert(0, '0');
        }
        let plate = normalise(&field("HPHM"));
        let class = classify(&plate);
        let (district, direction, model) = (field("XZQHMC"), field("FXLX"), field("CLPPXH"));
        let passage = Passage { time, gcxh, district, kkmc, direction, plate_type, plate, class, model, route };
        Ok(Verdict::Passage(Box::new(passage)))
    }
}

fn strip(text: &str) -> String {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\x1c' | '\x1d' | '\x1e' | '\x1f')).to_owned()
}

/// A state machine over characters, after Python's `csv` module.
fn read_csv(line: &str) -> Vec<String> {
    enum State {
        Begin,
        Plain,
        Quoted,
        QuoteInQuoted,
    }
    let mut fields = vec![String::new()];
    let mut state = State::Begin;
    for character in line.chars() {
        let field = fields.last_mut().expect("there is always a field");
        state = match (state, character) {
            (State::Begin, '"') => State::Quoted,
            (State::Quoted, '"') => State::QuoteInQuoted,
            (State::QuoteInQuoted, '"') => {
                field.push('"');
                State::Quoted
            }
            (State::Quoted, other) => {
                field.push(other);
                State::Quoted
            }
            (_, ',') => {
                fields.push(String::new());
                State::Begin
            }
            (_, other) => {
                field.push(other);
                State::Plain
            }
        };
    }
    fields
}

fn read_time(text: &str) -> Option<DateTime> {
    let number = |text: &str, lengths: &[usize]| {
        let digits = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (day, mut clock) = match text.split_once([' ', 'T']) {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let day: Vec<_> = day.split(['-', '/']).collect();
    let [year, month, day] = day[..] else { return None };
    let (year, month, day) = (number(year, &[4])?, number(month, &[1, 2])?, number(day, &[1, 2])?);
    let mut offset = None;
    if let Some(text) = clock {
        if let Some(text) = text.strip_suffix('Z') {
            (clock, offset) = (Some(text), Some(0));
        } else if let Some(place) = text.rfind(['+', '-']) {
            let (before, zone) = text.split_at(place);
            let digits = match zone[1..].split_once(':') {
                Some((hours, minutes)) => [hours, minutes],
                None => [zone.get(1..3)?, zone.get(3..)?],
            };
            let minutes = number(digits[0], &[2])? * 60 + number(digits[1], &[2])?;
            (clock, offset) = (Some(before), Some(if zone.starts_with('-') { -minutes } else { minutes }));
        }
    }
    let (mut hour, mut minute, mut second) = (0, 0, 0);
    if let Some(clock) = clock {
        let parts: Vec<_> = clock.split(':').collect();
        let [first, rest @ ..] = &parts[..] else { return None };
        hour = number(first, &[1, 2])?;
        minute = number(rest.first()?, &[1, 2])?;
        if let Some(third) = rest.get(1) {
            let (whole, fraction) = third.split_once('.').unwrap_or((third, "0"));
            second = number(whole, &[1, 2])?;
            if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
        }
        if rest.len() > 2 {
            return None;
        }
    }
    if year == 0 {
        return None;
    }
    let narrow = |value: i64| value as i8;
    let read = DateTime::new(year as i16, narrow(month), narrow(day), narrow(hour), narrow(minute), narrow(second), 0);
    let civil = read.ok()?;
    // What the offset pushes past the last day of jiff's calendar stays there: it is in the future all the same.
    Some(offset.map_or(civil, |minutes| civil.saturating_add(jiff::Span::new().minutes(8 * 60 - minutes))))
}

fn normalise(text: &str) -> String {
    let mut plate = String::new();
    for character in text.chars() {
        let half = match u32::from(character) {
            code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).expect("ASCII"),
            _ => character,
        };
        plate.extend(half.to_uppercase());
    }
    plate.retain(|character| !"· \u{3000}".contains(character));
    if plate.is_empty() { "-".to_owned() } else { plate }
}

/// A pattern is a letter for each place: P a province, L a city's letter, S a serial letter or digit, D a digit,
/// E a new energy letter; any other character stands for itself, and so do those in brackets, of which one must fit.
fn classify(plate: &str) -> PlateClass {
    let letters = plate.chars().skip(2).filter(char::is_ascii_alphabetic).count();
    if fits(plate, "PLSSSSS") && letters <= 2 {
        PlateClass::Ordinary
    } else if fits(plate, "PLESDDDD") || fits(plate, "PLDDDDDE") {
        PlateClass::NewEnergy
    } else if ["PLSSSS[学警挂领]", "粤ZSSSS[港澳]", "使DDDDDD", "DDDDDD使", "P[XS]DDDD应急", "PDDDDD应急"]
        .iter()
        .any(|pattern| fits(plate, pattern))
    {
        PlateClass::Special
    } else if plate.contains('*') {
        PlateClass::Masked
    } else {
        PlateClass::Irregular
    }
}

fn fits(plate: &str, pattern: &str) -> bool {
    let mut characters = plate.chars();
    let mut pattern = pattern.chars();
    while let Some(place) = pattern.next() {
        let Some(character) = characters.next() else { return false };
        let serial = |c: char| "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789".contains(c);
        let fit = match place {
            'P' => PROVINCES.contains(character),
            'L' => character.is_ascii_uppercase() && character != 'I',
            'S' => serial(character),
            'D' => character.is_ascii_digit(),
            'E' => "ABCDEFGHJK".contains(character),
            '[' => pattern.by_ref().take_while(|c| *c != ']').collect::<String>().contains(character),
            itself => itself == character,
        };
        if !fit {
            return false;
        }
    }
    characters.next().is_none()
}

/// What is kept of a rejected line: its first 4096 bytes, less the character that would be cut.
fn kept(raw: &[u8]) -> &[u8] {
    let mut kept = &raw[..raw.len().min(4096)];
    let cut = raw.get(4096).copied().unwrap_or_default();
    if cut & 0b1100_0000 == 0b1000_0000 {
        let mut left = 3;
        while let [before @ .., last] = kept
            && left > 0
        {
            kept = before;
            left -= 1;
            if last & 0b1100_0000 != 0b1000_0000 {
                break;
            }
        }
    }
    kept
}
