//! The naive parser: the contract's section 1 read aloud, one line at a time, with strings for everything.

use jiff::civil::DateTime;
use traffic::{PlateClass, RejectReason};
use unicode_normalization::UnicodeNormalization as _;

use super::texts::{Outcome, Passage};

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
const NAMES: [&str; 8] = ["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH"];

pub(crate) struct NaiveParser {
    pub(crate) columns: Vec<String>,
    /// The shard key, if it is an extra column.
    pub(crate) route: Option<String>,
    /// The separators that are tried, in this order.
    pub(crate) candidates: Vec<char>,
    /// The separator, once a line has decided it.
    delimiter: Option<char>,
    pub(crate) not_after: String,
    /// What a field of the line is called, as a header said.
    header: Option<Vec<String>>,
    /// A header contradicted the columns.
    refused: bool,
}

enum Verdict {
    Blank,
    Header,
    Passage(Box<Passage>),
}

impl NaiveParser {
    pub(crate) fn new(not_after: &str) -> Self {
        let columns = NAMES.map(str::to_owned).to_vec();
        let (candidates, not_after) = (vec!['\t', ',', ';', '|'], not_after.to_owned());
        Self { columns, route: None, candidates, delimiter: None, not_after, header: None, refused: false }
    }

    pub(crate) fn parse_source(&mut self, source: &[u8]) -> Outcome {
        let mut outcome = Outcome::default();
        for raw in lines_of(source) {
            outcome.lines += 1;
            match self.judge(raw) {
                Ok(Verdict::Blank) => outcome.blank += 1,
                Ok(Verdict::Header) => outcome.headers += 1,
                Ok(Verdict::Passage(mut passage)) => {
                    passage.line = (outcome.lines, String::from_utf8_lossy(raw).trim_matches('\0').into());
                    outcome.passages.push(*passage);
                }
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
        let text = text.trim_start_matches(['\u{feff}', '\0']);
        if text.chars().all(|c| " \t\0".contains(c)) {
            return Ok(Verdict::Blank);
        }
        if self.refused {
            return Err(RejectReason::WrongColumnCount);
        }
        let width = self.header.as_ref().map_or(self.columns.len(), Vec::len);
        let fields_by = |separator: char| -> Vec<String> {
            let fields = match separator {
                '\t' => text.split('\t').map(str::to_owned).collect(),
                _ => read_csv(text, separator),
            };
            fields.iter().map(|field| clean(field)).collect()
        };
        if self.delimiter.is_none() {
            self.delimiter = self.candidates.iter().copied().find(|separator| fields_by(*separator).len() == width);
        }
        if self.delimiter.is_none() && self.is_default() {
            // No line had as many fields as there are columns: a header that names them all may say how many there are.
            let full = |separator: &char| matches!(read_header(&fields_by(*separator)), Some(Some(_)));
            self.delimiter = self.candidates.iter().copied().find(full);
            if let Some(separator) = self.delimiter {
                self.header = read_header(&fields_by(separator)).flatten();
                return Ok(Verdict::Header);
            }
        }
        let Some(separator) = self.delimiter else { return Err(RejectReason::WrongColumnCount) };
        let fields = fields_by(separator);
        if let Some(header) = read_header(&fields) {
            if let Some(mut header) = header {
                if !self.is_default() {
                    let is_there = |name: &&str| {
                        let place = self.columns.iter().position(|column| column == name).expect("a column");
                        fields[place].to_uppercase().contains(*name)
                    };
                    self.refused = fields.len() == width && !NAMES.iter().all(is_there);
                    return Ok(Verdict::Header);
                }
                let outside = header.iter().skip(width).any(|name| !name.is_empty());
                header.resize(width, String::new());
                if !outside {
                    self.header = Some(header);
                }
            }
            return Ok(Verdict::Header);
        }
        if fields.len() != width {
            return Err(RejectReason::WrongColumnCount);
        }
        if fields.iter().any(|field| field.len() > 1024) {
            return Err(RejectReason::FieldTooLong);
        }
        self.read(&fields).map(|passage| Verdict::Passage(Box::new(passage)))
    }

    fn is_default(&self) -> bool {
        self.columns == NAMES
    }

    fn read(&self, fields: &[String]) -> Result<Passage, RejectReason> {
        let field = |name: &str| {
            let names = self.header.as_ref().unwrap_or(&self.columns);
            let place = names.iter().position(|column| column == name);
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
        let (time, resolution) = read_time(&field("GCSJ")).ok_or(RejectReason::InvalidGcsj)?;
        let time = time.to_string().replace('T', " ");
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
        if plate.len() > 1024 {
            return Err(RejectReason::FieldTooLong);
        }
        let mut class = classify(&plate);
        let energy = plate_type == "51" || plate_type == "52";
        if energy && plate.chars().count() == 7 && !matches!(class, PlateClass::Masked) {
            class = PlateClass::Irregular;
        }
        let (district, direction, model) = (field("XZQHMC"), field("FXLX"), field("CLPPXH"));
        Ok(Passage {
            time,
            resolution,
            gcxh,
            district,
            kkmc,
            direction,
            plate_type,
            plate,
            class,
            model,
            route,
            line: Default::default(),
        })
    }
}

/// Lines without their endings: LF, CR, or up to eight CRs and a LF. What follows the last ending is a line if it is something.
fn lines_of(source: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < source.len() {
        let returns = source[at..].iter().take_while(|byte| **byte == b'\r').count();
        let ending = match source.get(at + returns) {
            Some(b'\n') if returns <= 8 => returns + 1,
            _ if returns > 8 => 1,
            Some(_) if returns > 0 => 1,
            Some(_) => {
                at += 1;
                continue;
            }
            None => break,
        };
        lines.push(&source[start..at]);
        at += ending;
        start = at;
    }
    if start < source.len() {
        lines.push(&source[start..]);
    }
    let around = |byte: &u8| !matches!(byte, b'\r' | b'\n' | b'\0');
    for line in &mut lines {
        let first = line.iter().position(around).unwrap_or(line.len());
        let last = line.iter().rposition(around).map_or(first, |last| last + 1);
        *line = &line[first..last];
    }
    lines
}

/// What the fields name if they are a header: `Some(None)` if not all eight columns.
fn read_header(fields: &[String]) -> Option<Option<Vec<String>>> {
    let upper: Vec<String> = fields.iter().map(|field| field.to_uppercase()).collect();
    let mut names = vec![String::new(); fields.len()];
    for (place, field) in upper.iter().enumerate() {
        let name = NAMES.iter().find(|name| field.contains(**name) && !names.iter().any(|known| known == **name));
        names[place] = name.map_or_else(String::new, |name| (*name).to_owned());
    }
    let named = names.iter().filter(|name| !name.is_empty()).count();
    if named < 4 {
        return None;
    }
    if named < NAMES.len() || fields.len() > 32 {
        return Some(None);
    }
    for (place, field) in upper.iter().enumerate() {
        // The field that is the name itself has it, the first of them.
        if NAMES.contains(&field.as_str()) && upper[..place].iter().all(|before| before != field) {
            names.iter_mut().filter(|name| *name == field).for_each(String::clear);
            names[place] = field.clone();
        }
    }
    Some(Some(names))
}

fn clean(field: &str) -> String {
    let around = "\0 \t\r\n\u{3000}\u{a0}";
    let mut text = field.trim_matches(|c| around.contains(c)).to_owned();
    if text.len() > 2 && text.starts_with("=\"") && text.ends_with('"') {
        text = text[2..text.len() - 1].trim_matches(|c| around.contains(c)).to_owned();
    }
    if let Some(rest) = text.strip_prefix('\'')
        && rest.chars().next().is_some_and(|first| "=+-@".contains(first))
    {
        text = rest.to_owned();
    }
    if text == "\\N" { String::new() } else { text }
}

/// A state machine over characters, after Python's `csv` module.
fn read_csv(line: &str, separator: char) -> Vec<String> {
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
            (_, other) if other == separator => {
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

/// The time, and of how many seconds its text leaves open which.
fn read_time(text: &str) -> Option<(DateTime, i64)> {
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
    let mut resolution = 86_400;
    if let Some(clock) = clock {
        resolution = 60;
        let parts: Vec<_> = clock.split(':').collect();
        let [first, rest @ ..] = &parts[..] else { return None };
        hour = number(first, &[1, 2])?;
        minute = number(rest.first()?, &[1, 2])?;
        if let Some(third) = rest.get(1) {
            let (whole, fraction) = third.split_once('.').unwrap_or((third, "0"));
            second = number(whole, &[1, 2])?;
            resolution = 1;
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
    let time = offset.map_or(civil, |minutes| civil.saturating_add(jiff::Span::new().minutes(8 * 60 - minutes)));
    Some((time, resolution))
}

/// The rules over and over, until they change nothing.
fn normalise(text: &str) -> String {
    let mut plate = normalise_once(text);
    if plate == text {
        return plate;
    }
    for _ in 0..3 {
        let next = normalise_once(&clean(&plate));
        if next == plate {
            break;
        }
        plate = next;
    }
    plate
}

fn normalise_once(text: &str) -> String {
    let mut plate = String::new();
    for character in text.nfkc().collect::<String>().to_uppercase().chars() {
        let control = ('\x1c'..='\x1f').contains(&character);
        if character.is_whitespace()
            || control
            || "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}·•・⋅‧∙●.".contains(character)
        {
            continue;
        }
        let alike = "АA ВB ЕE КK МM НH ОO РP СC ТT ХX УY ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX \
                     蘇苏 魯鲁 滬沪 粵粤 贛赣 雲云 貴贵 陝陕 遼辽 寧宁 瓊琼 晉晋";
        let known = alike.split(' ').find_map(|pair| pair.strip_prefix(character));
        plate.push(known.and_then(|to| to.chars().next()).unwrap_or(character));
    }
    let valid = |plate: &str| !matches!(classify(plate), PlateClass::Masked | PlateClass::Irregular);
    let colours = ["渐变绿", "黄绿", "蓝", "黄", "绿", "白", "黑"];
    let forms =
        |colour: &str| [format!("{colour}色牌"), format!("{colour}牌"), format!("{colour}色"), colour.to_owned()];
    // The longest form that fits is the one.
    let before = colours.iter().flat_map(|colour| forms(colour)).find_map(|form| {
        let rest = plate.strip_prefix(form.as_str())?;
        let begins = rest.chars().next().is_some_and(|c| PROVINCES.contains(c) || "使W民".contains(c));
        begins.then(|| rest.to_owned())
    });
    plate = before.filter(|rest| valid(rest)).unwrap_or(plate);
    let ends = |form: String| {
        let with = |open: &str| [format!("{open}{form})"), format!("{open}{form}）"), format!("{open}{form}")];
        ["_", "(", "（", "-", ""].iter().flat_map(|open| with(open)).collect::<Vec<_>>()
    };
    let colour_behind = colours.iter().flat_map(|colour| forms(colour)).flat_map(ends);
    let number_behind = ('0'..='9').map(|digit| format!("_{digit}"));
    let after =
        colour_behind.chain(number_behind).find_map(|form| plate.strip_suffix(form.as_str()).map(str::to_owned));
    plate = after.filter(|rest| valid(rest)).unwrap_or(plate);
    let characters: Vec<char> = plate.chars().collect();
    if let [province, letter, rest @ ..] = &characters[..]
        && PROVINCES.contains(*province)
        && letter.is_ascii_uppercase()
    {
        // One character has to be left.
        let hyphens = rest.iter().take_while(|c| "-_—–".contains(**c)).count().min(rest.len().saturating_sub(1));
        plate = [&[*province, *letter][..], &rest[hyphens..]].concat().into_iter().collect();
    }
    if plate.is_empty() { "-".to_owned() } else { plate }
}

/// A pattern is a letter for each place: P a province, L a city's letter, S a serial letter or digit, D a digit,
/// E a new energy letter, U any letter; any other character stands for itself, and so do those in brackets, of which one must fit.
fn classify(plate: &str) -> PlateClass {
    let letters = plate.chars().skip(2).filter(char::is_ascii_alphabetic).count();
    if fits(plate, "PLSSSSS") && letters <= 2 && !plate.ends_with("00000") {
        PlateClass::Ordinary
    } else if fits(plate, "PLESDDDD") || fits(plate, "PLDDDDDE") {
        PlateClass::NewEnergy
    } else if SPECIAL.iter().any(|pattern| fits(plate, pattern)) {
        PlateClass::Special
    } else if plate.contains('*') {
        PlateClass::Masked
    } else {
        PlateClass::Irregular
    }
}

const SPECIAL: [&str; 13] = [
    "PLSSSS[学警挂领试超]",
    "粤ZSSSS[港澳]",
    "使DDDDDD",
    "DDDDDD使",
    "P[XS]DDDD应急",
    "PDDDDD应急",
    "WJDDDDU",
    "WJDDDDD",
    "WJPDDDDU",
    "WJPDDDDD",
    "LLDDDDD",
    "民航UDDDD",
    "民航DDDDD",
];

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
            'U' => character.is_ascii_uppercase(),
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
