//! Captures as dirty as real exports, made of clean simulated lines: the same seed makes the same bytes.
//!
//! It knows what goes wrong in practice; the model says what should result.

use crate::harness::Random;

/// How the capture is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// TAB, comma, semicolon or `|`.
    pub(crate) separator: char,
    /// Number of pieces end to end, each in the order of time: 1, or 97 as in one real file.
    pub(crate) pieces: usize,
    /// One line in this many is spoilt in some way.
    pub(crate) spoilt: usize,
}

/// The header that a real export repeats, as CSV.
const HEADER: [&str; 8] = [
    "'G'||GCXH",
    "XZQHMC",
    "KKMC",
    "FXLX",
    "TO_CHAR(GCSJ,'YYYY-MM-DDHH24:M",
    "HPZL",
    "SUBSTR(HPHM,0,4)||'***'",
    "CLPPXH",
];

const LONGEST_LINE: usize = 65_536;

/// Makes a capture of simulated lines.
pub(crate) fn dirty(lines: &[u8], seed: u64, style: Style) -> Vec<u8> {
    let order = [0, 1, 2, 3, 4, 5, 6, 7];
    let mut maker = Maker { random: Random(seed), style, out: Vec::new(), sent: Vec::new(), order };
    let mut pieces = vec![Vec::new(); style.pieces];
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let piece = maker.random.below(style.pieces);
        pieces[piece].push(line);
    }
    // Blank lines, a title and a mark at the very beginning decide no separator, the rest does.
    maker.out.extend_from_slice("\u{feff}\r\n  \t \0\n徐州市卡口过车记录\n\u{3000}\n\u{feff}".as_bytes());
    for piece in pieces {
        maker.header();
        for line in piece {
            maker.line(std::str::from_utf8(line).unwrap());
        }
    }
    // The last line of a capture may have no end.
    maker.out.pop();
    maker.out
}

struct Maker {
    random: Random,
    style: Style,
    out: Vec<u8>,
    /// Lines sent so far, to be sent again.
    sent: Vec<Vec<u8>>,
    /// Which column is at which place, by the last header.
    order: [usize; 8],
}

impl Maker {
    fn header(&mut self) {
        let small: Vec<_> = "gcxh,XZQHMC,kkmc,FXLX,gcsj,HPZL,hphm,CLPPXH".split(',').map(str::to_owned).collect();
        let usual = [0, 1, 2, 3, 4, 5, 6, 7];
        let names: Vec<String> = match self.random.below(4) {
            0 => HEADER.map(str::to_owned).to_vec(),
            1 => small,
            // It names too few columns to state their order.
            2 => HEADER.iter().take(5).map(|name| format!(" {name} ")).collect(),
            _ => {
                self.order.swap(1, 2);
                let (one, other) = (self.random.below(8), self.random.below(8));
                self.order.swap(one, other);
                let line = self.order.map(|column| small[column].clone()).join(&self.style.separator.to_string());
                self.put(line.as_bytes());
                // What was sent in another order would now mean something else.
                return self.sent.clear();
            }
        };
        if names.len() == 8 && self.order != usual {
            self.order = usual;
            self.sent.clear();
        }
        let line = self.join(&names);
        self.put(line.as_bytes());
    }

    fn line(&mut self, clean: &str) {
        let mut fields: Vec<String> = clean.split('\t').map(str::to_owned).collect();
        if self.random.one_in(6) {
            self.respell(&mut fields);
        }
        if self.random.one_in(self.style.spoilt) {
            self.spoil(&mut fields);
        }
        if fields.len() == 8 {
            fields = self.order.map(|column| fields[column].clone()).to_vec();
        }
        let mut line = self.join(&fields).into_bytes();
        if self.random.one_in(self.style.spoilt) {
            self.damage(&mut line);
        }
        self.put(&line);
        if self.random.one_in(1000) {
            let blank = self.random.pick(&["", " ", "\t\t", "\u{feff}", "\0\0\0", "\r\r", "\u{3000}\u{a0}"]);
            self.put(blank.as_bytes());
        }
        if self.random.one_in(2000) {
            self.header();
        }
        self.repeat(line);
    }

    /// The same passage, spelled as another system would.
    fn respell(&mut self, fields: &mut [String]) {
        let plate = &fields[6];
        match self.random.below(18) {
            0 => fields[6] = plate.chars().map(full_width).collect(),
            1 => fields[6] = plate.to_lowercase(),
            2 => fields[6] = insert(plate, 2, "·"),
            3 => fields[6] = insert(plate, 1 + self.random.below(4), " "),
            4 => fields[6] = insert(plate, 2, "\u{3000}"),
            5 => {
                let at = self.random.below(fields.len());
                fields[at] = format!("{}{}{}", self.blank(), fields[at], self.blank());
            }
            6 => fields[4] = fields[4].replace('-', "/").replace("/0", "/").replace(" 0", " "),
            7 => fields[4] = format!("{}+08:00", fields[4].replace(' ', "T")),
            8 => fields[4] = format!("{}.{}", fields[4], self.random.below(1_000_000)),
            9 => fields[4] = eight_hours_back(&fields[4]),
            10 => fields[6] = plate.chars().map(look_alike).collect(),
            11 => fields[6] = self.coloured(plate),
            12 => fields[6] = insert(plate, 2, self.random.pick(&["-", "—", "_", "--"])),
            13 => {
                fields[6] = insert(
                    plate,
                    1 + self.random.below(5),
                    self.random.pick(&["\u{200b}", "\u{feff}", "•", ".", "\u{ad}"]),
                )
            }
            14 => {
                let at = self.random.below(fields.len());
                fields[at] = format!("=\"{}\"", fields[at]);
            }
            15 if fields[4].ends_with(":00") => fields[4].truncate(16),
            16 => fields[1] = "\\N".to_owned(),
            _ => fields[5] = fields[5].trim_start_matches('0').to_owned(),
        }
    }

    fn blank(&mut self) -> &'static str {
        self.random.pick(&["", " ", "  ", "\u{3000}", "\u{a0}", "\0", "\0\0 "])
    }

    /// The plate with its colour beside it.
    fn coloured(&mut self, plate: &str) -> String {
        let colour = self.random.pick(&["蓝", "黄", "绿", "白", "黑", "渐变绿", "黄绿", "黄色", "蓝牌", "白色牌"]);
        match self.random.below(6) {
            0 => format!("{colour}{plate}"),
            1 => format!("{plate}{colour}"),
            2 => format!("{plate}_{colour}"),
            3 => format!("{plate}({colour})"),
            4 => format!("{plate}（{colour}）"),
            _ => format!("{plate}_{}", self.random.below(10)),
        }
    }

    /// Makes one field odd or wrong.
    fn spoil(&mut self, fields: &mut Vec<String>) {
        let date = fields[4].get(..10).unwrap_or("2024-01-01").to_owned();
        match self.random.below(15) {
            0 => fields[0] = self.odd_gcxh(),
            1 => fields[0] = self.random.pick(&["", " ", "\u{3000}"]).to_owned(),
            2 => fields[2] = self.random.pick(&["", "  "]).to_owned(),
            3 => fields[2] = self.random.pick(&["S250'", "`S250`", "S\u{1}250", "S25\u{7f}0", "a\"b"]).to_owned(),
            4 => fields[2] = self.random.pick(&["不在册的卡口", "K731", "S250_Pizhou_Sulu2", "gcxh"]).to_owned(),
            5 | 6 => fields[4] = self.wrong_time(&date),
            7 => fields[4] = date,
            8 | 9 => fields[6] = self.odd_plate(),
            10 => fields[6] = String::new(),
            11 => fields.truncate(1 + self.random.below(7)),
            12 => fields.push(self.random.pick(&["", "extra", "苏"]).to_owned()),
            13 => {
                let text = ["'-CX-5", "'=1+1", "=1+1", "'@", "''=x", "'引号牌", "\\N", "=\"a\"", "=\"", "-"];
                fields[7] = self.random.pick(&text).to_owned();
            }
            _ => {
                fields[7] =
                    self.random.pick(&["a,b", "a;b|c", "say \"no\"", "", "'", "\"", "大众牌, 朗逸", "HPHM"]).to_owned()
            }
        }
    }

    fn odd_gcxh(&mut self) -> String {
        let number = self.random.next();
        match self.random.below(5) {
            0 => format!("{number:08x}-1a2b-4c3d-8e4f-{:012x}", number >> 16),
            1 => format!("过车{}", number % 500),
            2 => format!("{}", number % 100),
            3 => "9".repeat(40),
            _ => format!("g{:018}", number % 1_000_000),
        }
    }

    fn wrong_time(&mut self, date: &str) -> String {
        let wrong = [
            "2024-02-30 10:00:00",
            "2023-02-29 10:00:00",
            "1999-12-31 23:59:59",
            "0000-00-00 00:00:00",
            "2099-01-01 00:00:00",
            "9999-12-31 23:59:59",
            "-",
            "",
            "昨天",
            "20240101000000",
            "45292.000278",
            "2024-01-01 00",
            "2024-13-01 00:00:00",
        ];
        match self.random.below(4) {
            0 => format!("{date} 24:00:00"),
            1 => format!("{date} 10:60:00"),
            _ => self.random.pick(&wrong).to_owned(),
        }
    }

    fn odd_plate(&mut self) -> String {
        let known = [
            "-",
            "-***",
            "C857***",
            "苏宁CZ***",
            "苏CDM***",
            "无牌",
            "车牌",
            "粤Z1234港",
            "粤ZAB12澳",
            "使123456",
            "123456使",
            "苏X1234应急",
            "苏12345应急",
            "苏C1234学",
            "苏C1234警",
            "苏CABC12",
            "苏CAB123",
            "苏CI2345",
            "苏IO2345",
            "苏CO1234",
            "苏CD12345",
            "苏C12345D",
            "苏CL12345",
            "苏C1234567890",
            "WJ1234",
            "WJ12345",
            "WJ苏1234X",
            "VA12345",
            "民航A1234",
            "苏C1234超",
            "苏C1234试",
            "苏C00000",
            "蘇C12345",
            "粵Z1234港",
            "苏С12345",
            "绿色",
            "蓝苏CABC12",
            "苏C12345_12",
            "黑黑A12345",
            "'-***",
            "\\N",
            "苏C１２３４５",
            "ｓｕC12345",
            "*",
            "苏C1234ß",
        ];
        self.random.pick(&known).to_owned()
    }

    /// Damages the bytes of a whole line.
    fn damage(&mut self, line: &mut Vec<u8>) {
        match self.random.below(8) {
            0 => {
                let at = self.random.below(line.len() + 1);
                line.insert(at, self.random.pick(&[0xff, 0xc0, 0x80, 0xed]));
            }
            1 => line.truncate(self.random.below(line.len() + 1)),
            2 => {
                let other = if self.style.separator == ',' { b'\t' } else { b',' };
                let own = self.style.separator as u8;
                line.iter_mut().filter(|byte| **byte == own).for_each(|byte| *byte = other);
            }
            3 => {
                line.splice(0..0, "\u{feff}".bytes());
            }
            4 => {
                let at = self.random.below(line.len() + 1);
                line.insert(at, b'"');
            }
            5 if self.random.one_in(8) => {
                let longest = if self.random.one_in(10) { 1_500_000 } else { 100_000 };
                let over = self.random.pick(&[0, 1, 2, 3, 4, longest]);
                line.resize(LONGEST_LINE + over, b'x');
            }
            6 => {
                let nuls = self.random.pick(&[1, 2, 4096, 70_000]);
                line.splice(0..0, std::iter::repeat_n(0, nuls));
            }
            _ => line.extend_from_slice(b"\t,"),
        }
    }

    /// Sends a line again, sooner or later.
    fn repeat(&mut self, line: Vec<u8>) {
        if self.random.one_in(100) {
            let back = self.random.below(30).min(self.sent.len());
            let again = self.sent.get(self.sent.len() - back).unwrap_or(&line).clone();
            self.put(&again);
        }
        if self.random.one_in(500) && !self.sent.is_empty() {
            let again = self.sent[self.random.below(self.sent.len())].clone();
            self.put(&again);
        }
        if line.len() < 1000 {
            self.sent.push(line);
        }
    }

    fn put(&mut self, line: &[u8]) {
        self.out.extend_from_slice(line);
        self.out.extend_from_slice(if self.random.one_in(3) { b"\r\n" } else { b"\n" });
    }

    fn join(&mut self, fields: &[String]) -> String {
        if self.style.separator == '\t' {
            return fields.join("\t");
        }
        let quoted = fields.iter().map(|field| {
            let must = field.starts_with('"') || field.contains(self.style.separator);
            if must || self.random.one_in(5) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.clone() }
        });
        quoted.collect::<Vec<_>>().join(&self.style.separator.to_string())
    }
}

fn full_width(c: char) -> char {
    if c.is_ascii_graphic() { char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c) } else { c }
}

/// A letter that looks the same in another script.
fn look_alike(c: char) -> char {
    let pairs = "AА BВ CС EΕ HН KК MΜ OО PΡ TТ XХ YУ 苏蘇 鲁魯";
    pairs.split(' ').find_map(|pair| pair.strip_prefix(c)).and_then(|other| other.chars().next()).unwrap_or(c)
}

fn insert(text: &str, at: usize, what: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = at.min(chars.len());
    chars.splice(at..at, what.chars());
    chars.into_iter().collect()
}

/// The same instant in UTC, where it is on the same day there.
fn eight_hours_back(text: &str) -> String {
    let hour: u32 = text.get(11..13).and_then(|hour| hour.parse().ok()).unwrap_or(0);
    match (text.get(..10), text.get(13..)) {
        (Some(date), Some(rest)) if hour >= 8 => format!("{date}T{:02}{rest}Z", hour - 8),
        _ => text.to_owned(),
    }
}
