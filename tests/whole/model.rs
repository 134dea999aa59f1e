//! What a replay must answer, by a model that is plain instead of fast: it reads the whole capture, keeps every
//! sighting for ever and looks at all of them. Written from the contract; it shares no code with the program.

use std::collections::{BTreeMap, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};

const COLUMNS: [&str; 8] = ["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH"];
const CHECKPOINTS: &str = include_str!("../../data/kkmc_dimension.csv");
const WINDOW: i64 = 300;
const TTL: i64 = 600;
const MAX_SPEED: f64 = 160.0;
const SHANGHAI: i64 = 8 * 3600;
const DAY: i64 = 86_400;
const LONGEST_LINE: usize = 65_536;
const KEPT_OF_A_REJECT: usize = 4096;

/// What is asked of the model.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Question {
    pub(crate) any_plate: bool,
    pub(crate) by_time: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) lines: u64,
    pub(crate) headers: u64,
    pub(crate) blank: u64,
    pub(crate) duplicates: u64,
    pub(crate) accepted: u64,
    pub(crate) late: u64,
    pub(crate) ahead: u64,
    pub(crate) rejects: Vec<Rejected>,
    pub(crate) by_kkmc: BTreeMap<String, u64>,
    pub(crate) times: Option<(i64, i64)>,
    /// In the order in which they are raised.
    pub(crate) alerts: Vec<Alarm>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) line: u64,
    pub(crate) reason: &'static str,
    pub(crate) raw: Vec<u8>,
}

#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) plate: String,
    pub(crate) earlier: Seen,
    pub(crate) later: Seen,
    pub(crate) distance_km: Option<f64>,
    pub(crate) severity: &'static str,
    pub(crate) cause: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) time: i64,
    /// Seconds that the time is exact to.
    pub(crate) resolution: i64,
    pub(crate) hpzl: String,
    pub(crate) kkmc: String,
    pub(crate) gcxh: String,
}

/// Answers for one capture.
pub(crate) fn answer(capture: &[u8], question: Question) -> Answer {
    let mut answer = Answer::default();
    let mut rows = read(capture, &mut answer);
    if question.by_time {
        rows.sort_by_key(|row| row.seen.time);
    }
    judge(rows, question, &mut answer);
    answer
}

struct Row {
    seen: Seen,
    plate: String,
    line: u64,
    raw: Vec<u8>,
}

fn read(capture: &[u8], answer: &mut Answer) -> Vec<Row> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 + SHANGHAI;
    let mut rows = Vec::new();
    let mut separator = None;
    let mut lines: Vec<&[u8]> = capture.split(|byte| *byte == b'\n').collect();
    // What stands behind the last line ending is a line only if it is something.
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    for (index, line) in lines.into_iter().enumerate() {
        answer.lines += 1;
        let mut raw = line;
        while let Some(shorter) = raw.strip_suffix(b"\r") {
            raw = shorter;
        }
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
        let text = text.trim_start_matches('\u{feff}');
        if trim(text).is_empty() {
            answer.blank += 1;
            continue;
        }
        let separator = *separator.get_or_insert(if text.contains('\t') { '\t' } else { ',' });
        let fields: Vec<String> = match separator {
            '\t' => text.split('\t').map(|field| trim(field).to_owned()).collect(),
            _ => quoted_fields(text).iter().map(|field| trim(field).to_owned()).collect(),
        };
        let names = COLUMNS.iter().filter(|name| fields.iter().any(|field| field.to_uppercase().contains(*name)));
        if names.count() >= 4 {
            answer.headers += 1;
            continue;
        }
        match passage(&fields, now) {
            Ok(row) => rows.push(Row { line: index as u64 + 1, raw: raw.to_vec(), ..row }),
            Err(reason) => reject(reason),
        }
    }
    rows
}

fn passage(fields: &[String], now: i64) -> Result<Row, &'static str> {
    let [gcxh, _, kkmc, _, gcsj, hpzl, hphm, _] = fields else { return Err("wrong_column_count") };
    if gcxh.is_empty() {
        return Err("empty_gcxh");
    }
    if kkmc.is_empty() {
        return Err("empty_kkmc");
    }
    if kkmc.chars().any(|c| matches!(c, '\'' | '"' | '`' | '\x7f') || c < ' ') {
        return Err("kkmc_unroutable");
    }
    let time = civil_seconds(gcsj).ok_or("invalid_gcsj")?;
    if time < civil_seconds("2000-01-01").unwrap() {
        return Err("gcsj_too_old");
    }
    if time > now + DAY {
        return Err("gcsj_in_future");
    }
    let seen = Seen { time, resolution: 1, hpzl: hpzl.clone(), kkmc: kkmc.clone(), gcxh: gcxh.clone() };
    Ok(Row { seen, plate: normal_plate(hphm), line: 0, raw: Vec::new() })
}

fn judge(rows: Vec<Row>, question: Question, answer: &mut Answer) {
    let places = places();
    let mut accepted_ids: HashMap<String, i64> = HashMap::new();
    let mut sightings: HashMap<String, Vec<Seen>> = HashMap::new();
    let mut clock = Clock::default();
    let mut conflicts = Vec::new();
    for Row { seen, plate, line, raw } in rows {
        let guarded = accepted_ids.get(&seen.gcxh).filter(|time| clock.watermark.is_none_or(|now| **time >= now - TTL));
        if let Some(time) = guarded {
            if *time == seen.time {
                answer.duplicates += 1;
            } else {
                conflicts.push(Rejected { line, reason: "gcxh_conflict", raw });
            }
            continue;
        }
        accepted_ids.insert(seen.gcxh.clone(), seen.time);
        clock.see(seen.time, &seen.kkmc);
        answer.accepted += 1;
        *answer.by_kkmc.entry(seen.kkmc.clone()).or_default() += 1;
        let (first, last) = answer.times.unwrap_or((seen.time, seen.time));
        answer.times = Some((first.min(seen.time), last.max(seen.time)));
        if clock.watermark.is_some_and(|now| seen.time < now - (TTL - WINDOW)) {
            answer.late += 1;
            continue;
        }
        answer.ahead += u64::from(clock.watermark.is_some_and(|now| seen.time > now + (TTL - WINDOW)));
        if !question.any_plate && !is_valid_plate(&plate) {
            continue;
        }
        let others = sightings.entry(plate.clone()).or_default();
        let live = others.iter().filter(|other| clock.watermark.is_none_or(|now| other.time >= now - TTL));
        // Of equal times the last to arrive is the nearest before, so `max_by_key`, which takes the last, is right;
        // of equal times behind, the first to arrive stands next, and `min_by_key` takes the first.
        let before = live.clone().filter(|other| other.time <= seen.time).max_by_key(|other| other.time).cloned();
        let after = live.filter(|other| other.time > seen.time).min_by_key(|other| other.time).cloned();
        for (other, is_earlier) in [(before, true), (after, false)] {
            let Some(other) = other else { continue };
            if other.kkmc == seen.kkmc || (other.time - seen.time).abs() >= WINDOW {
                continue;
            }
            let (earlier, later) = if is_earlier { (other, seen.clone()) } else { (seen.clone(), other) };
            answer.alerts.push(alarm(&plate, earlier, later, &places));
        }
        others.push(seen);
    }
    answer.rejects.extend(conflicts);
    if !question.by_time {
        answer.rejects.sort_by_key(|reject| reject.line);
    }
}

/// The newest time that three checkpoints have reached.
#[derive(Default)]
struct Clock {
    watermark: Option<i64>,
    /// Newest time and ordinal of the last record, of every checkpoint above the watermark.
    above: BTreeMap<String, (i64, usize)>,
    accepted: usize,
    moved: usize,
}

impl Clock {
    fn see(&mut self, time: i64, kkmc: &str) {
        self.accepted += 1;
        if self.watermark.is_none_or(|now| time > now) {
            let newest = self.above.get(kkmc).map_or(time, |(newest, _)| time.max(*newest));
            self.above.insert(kkmc.to_owned(), (newest, self.accepted));
        }
        let (accepted, waited) = (self.accepted, self.accepted - self.moved >= 4096);
        self.above.retain(|_, (_, last)| accepted - *last < 4096);
        if self.above.len() >= 3 || (waited && !self.above.is_empty()) {
            let lowest = self.above.values().map(|(newest, _)| *newest).min();
            self.watermark = self.watermark.max(lowest);
            self.moved = self.accepted;
            let watermark = self.watermark;
            self.above.retain(|_, (newest, _)| Some(*newest) > watermark);
        }
    }
}

type Places = HashMap<String, (f64, f64)>;

fn alarm(plate: &str, earlier: Seen, later: Seen, places: &Places) -> Alarm {
    let gap = later.time - earlier.time;
    let ends = places.get(&earlier.kkmc).zip(places.get(&later.kkmc));
    let distance_km = ends.map(|(from, to)| kilometres(*from, *to));
    let (one, other) = (known_type(&earlier.hpzl), known_type(&later.hpzl));
    let twins = matches!((&one, &other), (Some(one), Some(other)) if one != other)
        && ![one, other].iter().all(|hpzl| matches!(hpzl.as_deref(), Some("51" | "52")));
    let hours = |seconds: i64| seconds as f64 / 3600.0;
    let severity = match distance_km {
        _ if twins => "low",
        None => "medium",
        Some(km) if km - 0.3 > MAX_SPEED * hours(gap + earlier.resolution + later.resolution) => "high",
        Some(km) if km > MAX_SPEED * hours(gap) => "medium",
        Some(_) => "low",
    };
    let cause = twins.then_some("plate_types");
    Alarm { plate: plate.to_owned(), earlier, later, distance_km, severity, cause }
}

/// Two digits; one is padded.
fn known_type(hpzl: &str) -> Option<String> {
    let is_code = (1..=2).contains(&hpzl.len()) && hpzl.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| format!("{hpzl:0>2}"))
}

fn places() -> Places {
    let mut places = Places::new();
    for line in CHECKPOINTS.lines().skip(1) {
        let fields: Vec<&str> = line.trim_end().split(',').collect();
        let place = (fields[5].parse().unwrap(), fields[6].parse().unwrap());
        places.insert(fields[0].to_owned(), place);
        places.insert(fields[1].to_owned(), place);
    }
    places
}

/// Great-circle distance by the angle between the two directions from the centre of the earth.
fn kilometres(from: (f64, f64), to: (f64, f64)) -> f64 {
    let direction = |(lon, lat): (f64, f64)| {
        let (lon, lat) = (lon.to_radians(), lat.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    };
    let [ax, ay, az] = direction(from);
    let [bx, by, bz] = direction(to);
    let cross = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
    let sine = cross.iter().map(|part| part * part).sum::<f64>().sqrt();
    sine.atan2(ax * bx + ay * by + az * bz) * 6371.0088
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\x1c'..='\x1f'))
}

/// Comma-separated fields; quotes count where a field begins, a doubled quote within is a quote.
fn quoted_fields(text: &str) -> Vec<String> {
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
            ',' if !quoted => {
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
    let (date, time) = match text.find([' ', 'T']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split(['-', '/']).collect();
    let [year, month, day] = parts[..] else { return None };
    let (year, month, day) = (digits(year, 4, 4)?, digits(month, 1, 2)?, digits(day, 1, 2)?);
    let mut seconds = days_since_1970(year, month, day)? * DAY;
    let Some(time) = time else { return Some(seconds) };
    let (clock, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => (&time[..at], Some(&time[at..])),
        None => (time, None),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
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
    Some(seconds)
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

fn normal_plate(text: &str) -> String {
    let half = |c: char| match u32::from(c) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap(),
        _ => c,
    };
    let upper = text.chars().map(half).collect::<String>().to_uppercase();
    let plate: String = upper.chars().filter(|c| !matches!(c, '·' | ' ' | '\u{3000}')).collect();
    if plate.is_empty() { "-".to_owned() } else { plate }
}

/// Whether the plate is ordinary, new energy or special.
fn is_valid_plate(plate: &str) -> bool {
    let province = |c: &char| "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼".contains(*c);
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
        [p, c, middle @ .., '学' | '警' | '挂' | '领'] => {
            province(p) && city(c) && middle.len() == 4 && middle.iter().all(serial)
        }
        [p, c, rest @ ..] if province(p) && city(c) => match rest.len() {
            5 => rest.iter().all(serial) && letters(rest) <= 2,
            6 => {
                (energy(&rest[0]) && serial(&rest[1]) && rest[2..].iter().all(digit))
                    || (rest[..5].iter().all(digit) && energy(&rest[5]))
            }
            _ => false,
        },
        _ => false,
    }
}

/// What is kept of a rejected line: 4096 bytes, and no part of a character that does not fit wholly.
fn kept(raw: &[u8]) -> &[u8] {
    let inside = |at: usize| raw.get(at).is_some_and(|byte| byte >> 6 == 2);
    let end = raw.len().min(KEPT_OF_A_REJECT);
    let whole = (0..4).map(|back| end.saturating_sub(back)).find(|at| !inside(*at));
    &raw[..whole.unwrap_or(end - 3)]
}
