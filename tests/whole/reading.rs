//! The reading half of the model: lines, fields, headers, times and plates, from the contract and plain instead of fast.

use std::time::{SystemTime, UNIX_EPOCH};

use unicode_normalization::UnicodeNormalization as _;

use super::model::{Answer, Rejected, Seen};

const COLUMNS: [&str; 8] = ["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH"];
const SHANGHAI: i64 = 8 * 3600;
const DAY: i64 = 86_400;
const LONGEST_LINE: usize = 65_536;
const LONGEST_FIELD: usize = 1024;
const KEPT_OF_A_REJECT: usize = 4096;
/// What surrounds a field and is not part of it.
const AROUND: [char; 7] = ['\0', ' ', '\t', '\r', '\n', '\u{3000}', '\u{a0}'];

/// A passage as the rule sees it.
pub(crate) struct Row {
    pub(crate) seen: Seen,
    pub(crate) plate: String,
    /// Whether the plate is one vehicle's: valid, and not a new energy plate that lacks its last character.
    pub(crate) is_whole: bool,
    /// Number of the line.
    pub(crate) line: u64,
    pub(crate) raw: Vec<u8>,
}

/// Reads a capture; the answer gets all that is not a passage.
pub(crate) fn read(capture: &[u8], answer: &mut Answer) -> Vec<Row> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 + SHANGHAI;
    let mut rows = Vec::new();
    let mut form = Form { separator: None, places: (0..8).collect(), width: 8 };
    for (index, raw) in lines(capture).into_iter().enumerate() {
        answer.lines += 1;
        let mut reject = |reason| {
            let raw = kept(raw).to_vec();
            answer.rejects.push(Rejected { line: index as u64 + 1, reason, raw });
        };
        if raw.len() > LONGEST_LINE {
            reject("line_too_long");
            continue;
        }
        let Ok(text) = std::str::from_utf8(raw) else {
            reject("invalid_encoding");
            continue;
        };
        let text = text.trim_start_matches(['\u{feff}', '\0']);
        if text.trim_matches(['\0', ' ', '\t']).is_empty() {
            answer.blank += 1;
            continue;
        }
        match form.fields(text) {
            None => reject("wrong_column_count"),
            Some(fields) if form.take_header(&fields) => answer.headers += 1,
            Some(fields) => match passage(&fields, &form, now) {
                Ok(row) => rows.push(Row { line: index as u64 + 1, raw: kept(raw).to_vec(), ..row }),
                Err(reason) => reject(reason),
            },
        }
    }
    rows
}

/// Lines end at LF or CR; up to eight CRs before a LF belong to it. Anything after the last ending is a line.
pub(crate) fn lines(capture: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = capture;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(rest.len());
        let (line, ending) = rest.split_at(end);
        let returns = ending.iter().take(9).take_while(|byte| **byte == b'\r').count();
        let length = match ending.get(returns) {
            Some(b'\n') if returns <= 8 => returns + 1,
            None if returns > 8 => 1,
            Some(_) => 1,
            None => returns,
        };
        rest = &ending[length..];
        let first = line.iter().position(|byte| *byte != 0).unwrap_or(line.len());
        let last = line.iter().rposition(|byte| *byte != 0).map_or(first, |last| last + 1);
        lines.push(&line[first..last]);
    }
    lines
}

/// How the lines of a capture are laid out.
struct Form {
    separator: Option<char>,
    /// The place of each of the eight columns.
    places: Vec<usize>,
    width: usize,
}

impl Form {
    /// The cleaned fields of a line, or none while no line had as many as there are columns.
    fn fields(&mut self, text: &str) -> Option<Vec<String>> {
        let candidates = self.separator.map_or_else(|| vec!['\t', ',', ';', '|'], |it| vec![it]);
        let split: Vec<(char, Vec<String>)> = candidates
            .into_iter()
            .map(|separator| (separator, cut(text, separator).iter().map(|field| clean(field)).collect()))
            .collect();
        if self.separator.is_none() {
            let full = |fields: &[String]| header(fields).is_some_and(|places| places.len() == 8);
            let fits = split.iter().find(|(_, fields)| fields.len() == self.width);
            let (separator, fields) = fits.or_else(|| split.iter().find(|(_, fields)| full(fields)))?;
            (self.separator, self.width) = (Some(*separator), fields.len());
            return Some(fields.clone());
        }
        split.into_iter().next().map(|(_, fields)| fields)
    }

    fn take_header(&mut self, fields: &[String]) -> bool {
        let Some(places) = header(fields) else { return false };
        if places.len() == 8 && places.iter().all(|place| *place < self.width) {
            self.places = places;
        }
        true
    }
}

/// The places of the columns that a header names, in their order; none if it is not a header.
fn header(fields: &[String]) -> Option<Vec<usize>> {
    let mut places = [None; 8];
    for (index, field) in fields.iter().enumerate() {
        let field = field.to_uppercase();
        if let Some(column) = (0..8).find(|column| field.contains(COLUMNS[*column]) && places[*column].is_none()) {
            places[column] = Some(index);
        }
    }
    let found: Vec<usize> = places.into_iter().flatten().collect();
    if found.len() < 8 {
        return (found.len() >= 4).then_some(found);
    }
    let exact = |column: usize| fields.iter().position(|field| field.to_uppercase() == COLUMNS[column]);
    Some((0..8).map(|column| exact(column).unwrap_or(found[column])).collect())
}

fn passage(fields: &[String], form: &Form, now: i64) -> Result<Row, &'static str> {
    if fields.len() != form.width {
        return Err("wrong_column_count");
    }
    if fields.iter().any(|field| field.len() > LONGEST_FIELD) {
        return Err("field_too_long");
    }
    let [gcxh, _, kkmc, _, gcsj, hpzl, hphm, _] = form.places[..] else { return Err("wrong_column_count") };
    let (gcxh, kkmc, hpzl) = (&fields[gcxh], &fields[kkmc], &fields[hpzl]);
    if gcxh.is_empty() {
        return Err("empty_gcxh");
    }
    if kkmc.is_empty() {
        return Err("empty_kkmc");
    }
    if kkmc.chars().any(|c| matches!(c, '\'' | '"' | '`' | '\x7f') || c < ' ') {
        return Err("kkmc_unroutable");
    }
    let (time, resolution) = stated_time(&fields[gcsj]).ok_or("invalid_gcsj")?;
    if time < civil_seconds("2000-01-01").unwrap() {
        return Err("gcsj_too_old");
    }
    if time > now + DAY {
        return Err("gcsj_in_future");
    }
    let plate = normal_plate(&fields[hphm]);
    let lacks_one = matches!(hpzl.as_str(), "51" | "52") && plate.chars().count() == 7;
    let is_whole = is_valid_plate(&plate) && !lacks_one;
    let seen = Seen { time, resolution, hpzl: hpzl.clone(), kkmc: kkmc.clone(), gcxh: gcxh.clone() };
    Ok(Row { seen, plate, is_whole, line: 0, raw: Vec::new() })
}

/// A field without what others wrapped around it.
fn clean(field: &str) -> String {
    let mut text = field.trim_matches(AROUND);
    if text.len() > 2 && text.starts_with("=\"") && text.ends_with('"') {
        text = text[2..text.len() - 1].trim_matches(AROUND);
    }
    let mut characters = text.chars();
    if characters.next() == Some('\'') && characters.next().is_some_and(|second| "=+-@".contains(second)) {
        text = &text[1..];
    }
    if text == "\\N" { String::new() } else { text.to_owned() }
}

fn cut(text: &str, separator: char) -> Vec<String> {
    if separator == '\t' { text.split('\t').map(str::to_owned).collect() } else { quoted_fields(text, separator) }
}

/// Fields some of which are quoted; quotes count where a field begins, a doubled quote within is a quote.
fn quoted_fields(text: &str, separator: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut at_start = true;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let field = fields.last_mut().unwrap();
        let begins = std::mem::replace(&mut at_start, false);
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => field.push(rest.next().unwrap()),
            '"' if quoted => quoted = false,
            '"' if begins => quoted = true,
            _ if c == separator && !quoted => {
                fields.push(String::new());
                at_start = true;
            }
            _ => field.push(c),
        }
    }
    fields
}

/// Civil seconds since 1970; a time with an offset is converted to Shanghai's.
pub(crate) fn civil_seconds(text: &str) -> Option<i64> {
    stated_time(text).map(|(seconds, _)| seconds)
}

/// The same, and how many seconds the text leaves undetermined.
fn stated_time(text: &str) -> Option<(i64, i64)> {
    let (date, time) = match text.find([' ', 'T']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split(['-', '/']).collect();
    let [year, month, day] = parts[..] else { return None };
    let (year, month, day) = (digits(year, 4, 4)?, digits(month, 1, 2)?, digits(day, 1, 2)?);
    let mut seconds = days_since_1970(year, month, day)? * DAY;
    let Some(time) = time else { return Some((seconds, DAY)) };
    let (clock, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => (&time[..at], Some(&time[at..])),
        None => (time, None),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second, resolution) = match parts[..] {
        [hour, minute] => (hour, minute, "0", 60),
        [hour, minute, second] => (hour, minute, second, 1),
        _ => return None,
    };
    let second = match second.split_once('.') {
        Some((whole, fraction)) => {
            digits(fraction, 1, usize::MAX)?;
            whole
        }
        None => second,
    };
    let (hour, minute, second) = (digits(hour, 1, 2)?, digits(minute, 1, 2)?, digits(second, 1, 2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    seconds += hour * 3600 + minute * 60 + second;
    match offset {
        None => {}
        Some("Z") => seconds += SHANGHAI,
        Some(offset) => {
            let ahead = if offset.starts_with('+') { 1 } else { -1 };
            let plain = offset[1..].replacen(':', "", 1);
            let sane = offset.len() == 5 || (offset.len() == 6 && offset.as_bytes()[3] == b':');
            let number = digits(&plain, 4, 4).filter(|_| sane)?;
            seconds += SHANGHAI - ahead * (number / 100 * 3600 + number % 100 * 60);
        }
    }
    Some((seconds, resolution))
}

fn digits(text: &str, least: usize, most: usize) -> Option<i64> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.bytes().fold(0i64, |value, digit| value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'))))
}

fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let months = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let in_month = *months.get(usize::try_from(month - 1).ok()?)?;
    if year < 1 || day < 1 || day > in_month {
        return None;
    }
    let years: i64 = if year >= 1970 {
        (1970..year).map(|year| 365 + i64::from(leap(year))).sum()
    } else {
        -(year..1970).map(|year| 365 + i64::from(leap(year))).sum::<i64>()
    };
    Some(years + months[..month as usize - 1].iter().sum::<i64>() + day - 1)
}

/// `YYYY-MM-DD HH:MM:SS`.
pub(crate) fn civil_text(seconds: i64) -> String {
    let (mut day, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let mut year = 1970;
    while days_since_1970(year + 1, 1, 1).unwrap() <= day {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| days_since_1970(year, *month, 1).unwrap() <= day).unwrap();
    day -= days_since_1970(year, month, 1).unwrap();
    format!("{year:04}-{month:02}-{:02} {:02}:{:02}:{:02}", day + 1, of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Applies the rules until they change nothing more.
fn normal_plate(text: &str) -> String {
    let mut plate = plate_by_rules(text);
    if plate != text {
        for _ in 0..3 {
            plate = plate_by_rules(&clean(&plate));
        }
    }
    plate
}

fn plate_by_rules(text: &str) -> String {
    let upper = text.nfkc().collect::<String>().to_uppercase();
    let hidden = |c: char| "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}·•・⋅‧∙●.".contains(c);
    let blank = |c: char| c.is_whitespace() || matches!(c, '\x1c'..='\x1f');
    let plate: String = upper.chars().filter(|c| !hidden(*c) && !blank(*c)).map(usual).collect();
    let plate = without_colour_before(&plate).filter(|rest| is_valid_plate(rest)).unwrap_or(plate);
    let plate = without_colour_behind(&plate).filter(|rest| is_valid_plate(rest)).unwrap_or(plate);
    let characters: Vec<char> = plate.chars().collect();
    match characters.as_slice() {
        [] => "-".to_owned(),
        [p, letter, rest @ ..] if is_province(*p) && letter.is_ascii_uppercase() => {
            let hyphens = rest.iter().take_while(|c| "-_—–".contains(**c)).count();
            // If nothing but hyphens follows, one of them is what follows.
            let from = if hyphens == rest.len() { hyphens.saturating_sub(1) } else { hyphens };
            [*p, *letter].iter().chain(&rest[from..]).collect()
        }
        _ => plate,
    }
}

/// The Latin letter that looks the same, the simplified character.
fn usual(c: char) -> char {
    match c {
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'Е' | 'Ε' => 'E',
        'Ζ' => 'Z',
        'Н' | 'Η' => 'H',
        'Ι' => 'I',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'С' => 'C',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'У' | 'Υ' => 'Y',
        '蘇' => '苏',
        '魯' => '鲁',
        '滬' => '沪',
        '粵' => '粤',
        '贛' => '赣',
        '雲' => '云',
        '貴' => '贵',
        '陝' => '陕',
        '遼' => '辽',
        '寧' => '宁',
        '瓊' => '琼',
        '晉' => '晋',
        _ => c,
    }
}

const COLOURS: [&str; 7] = ["渐变绿", "黄绿", "蓝", "黄", "绿", "白", "黑"];

fn without_colour_before(plate: &str) -> Option<String> {
    let mut rest = COLOURS.iter().find_map(|colour| plate.strip_prefix(colour))?;
    for optional in ['色', '牌'] {
        rest = rest.strip_prefix(optional).unwrap_or(rest);
    }
    let begins = rest.chars().next().is_some_and(|c| is_province(c) || "使W民".contains(c));
    begins.then(|| rest.to_owned())
}

fn without_colour_behind(plate: &str) -> Option<String> {
    let last = plate.chars().next_back()?;
    if last.is_ascii_digit() {
        return plate[..plate.len() - 1].strip_suffix('_').map(str::to_owned);
    }
    let mut rest = plate.strip_suffix([')', '）']).unwrap_or(plate);
    for optional in ['牌', '色'] {
        rest = rest.strip_suffix(optional).unwrap_or(rest);
    }
    let rest = COLOURS.iter().find_map(|colour| rest.strip_suffix(colour))?;
    Some(rest.strip_suffix(['_', '(', '（', '-']).unwrap_or(rest).to_owned())
}

fn is_province(c: char) -> bool {
    "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼".contains(c)
}

/// Whether the plate is ordinary, new energy or special.
fn is_valid_plate(plate: &str) -> bool {
    let province = |c: &char| is_province(*c);
    let city = |c: &char| c.is_ascii_uppercase() && *c != 'I';
    let serial = |c: &char| c.is_ascii_digit() || (city(c) && *c != 'O');
    let digit = |c: &char| c.is_ascii_digit();
    let energy = |c: &char| "ABCDEFGHJK".contains(*c);
    let letters = |part: &[char]| part.iter().filter(|c| c.is_ascii_uppercase()).count();
    match plate.chars().collect::<Vec<_>>().as_slice() {
        ['粤', 'Z', middle @ .., '港' | '澳'] => middle.len() == 4 && middle.iter().all(serial),
        ['使', number @ ..] | [number @ .., '使'] => number.len() == 6 && number.iter().all(digit),
        [p, number @ .., '应', '急'] => {
            province(p)
                && number.len() == 5
                && number[1..].iter().all(digit)
                && (digit(&number[0]) || matches!(number[0], 'X' | 'S'))
        }
        ['W', 'J', rest @ .., last] if rest.len() == 4 || rest.len() == 5 => {
            let digits = if rest.len() == 5 { &rest[1..] } else { rest };
            (rest.len() == 4 || province(&rest[0]))
                && digits.iter().all(digit)
                && (digit(last) || last.is_ascii_uppercase())
        }
        ['民', '航', first, digits @ ..] => {
            (digit(first) || first.is_ascii_uppercase()) && digits.len() == 4 && digits.iter().all(digit)
        }
        [first, second, digits @ ..] if city(first) && city(second) => digits.len() == 5 && digits.iter().all(digit),
        [p, c, middle @ .., '学' | '警' | '挂' | '领' | '试' | '超'] => {
            province(p) && city(c) && middle.len() == 4 && middle.iter().all(serial)
        }
        [p, c, rest @ ..] if province(p) && city(c) => match rest.len() {
            5 => rest.iter().all(serial) && letters(rest) <= 2 && rest.iter().any(|c| *c != '0'),
            6 => {
                (energy(&rest[0]) && serial(&rest[1]) && rest[2..].iter().all(digit))
                    || (rest[..5].iter().all(digit) && energy(&rest[5]))
            }
            _ => false,
        },
        _ => false,
    }
}

/// What is kept of a rejected line: 4096 bytes, and no part of a character that does not fit whole.
fn kept(raw: &[u8]) -> &[u8] {
    let inside = |at: usize| raw.get(at).is_some_and(|byte| byte >> 6 == 2);
    let end = raw.len().min(KEPT_OF_A_REJECT);
    let whole = (0..4).map(|back| end.saturating_sub(back)).find(|at| !inside(*at));
    &raw[..whole.unwrap_or(end - 3)]
}
