//! Lines as dirty as the real ones, and dirtier.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// One line's bytes, without a line ending of its own.
pub(crate) fn line(separator: char) -> impl Strategy<Value = Vec<u8>> {
    let fields = prop_oneof![
        12 => fields(),
        1 => Just(HEADER.map(str::to_owned).to_vec()),
        1 => vec(select(&HEADER[..]).prop_map(str::to_owned), 1..10),
        1 => vec(select(&HEADER[..]).prop_map(str::to_lowercase), 3..9),
        1 => Just(HEADER.map(str::to_owned).to_vec()).prop_shuffle(),
    ];
    let quoted = prop_oneof![3 => Just(0), 1 => Just(1), 1 => Just(2)];
    (fields, quoted, mutation()).prop_map(move |(fields, quoted, mutation)| {
        let quote = |field: &String| match quoted {
            0 if !field.contains([separator, '"']) => field.clone(),
            0 | 1 => format!("\"{}\"", field.replace('"', "\"\"")),
            _ => field.clone(),
        };
        let fields: Vec<_> = if separator != '\t' { fields.iter().map(quote).collect() } else { fields };
        mutation.apply(fields.join(&separator.to_string()).into_bytes())
    })
}

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

fn fields() -> impl Strategy<Value = Vec<String>> {
    [
        mostly("G?320300[0-9]{9,12}", &["", "-", " G1 ", "550e8400-e29b-41d4-a716-446655440000", "gcxhKKMCfxlx", "过车1", "\u{feff}G1", "=\"G320300109027253771\"", "'=G1", "\\N", "\0G1\0", "\u{3000}", "ABCD1"]),
        mostly("(铜山县|睢宁县|高速五大队)", &["", "xzqhmc", "\u{3000}铜山县", "\"县\"", "a,b", "@县", "'@县", "=\" 县 \"", "\\N"]),
        mostly("(S250_Pizhou_Sulu|G3_Sulu|徐州市邳州市S250宿邳线K1江苏徐州-S250-苏鲁界省际卡口|徐州市邳州市S251枣睢线K5江苏徐州-S251-苏鲁界省际卡口)", &["", " ", "a'b", "a\"b", "`", "a\u{2}b", "\u{7f}", " K1 ", "\u{a0}K2\u{3000}", "\u{1c}K3", "KKMC_1", "KKMC_2"]),
        mostly("[12]", &["", " 1", "３", "fxlx", "Fxlx2"]),
        mostly(TIME, &["", "-", "2023/12/9 0:00:09", "2023/12/15", "2024-2-29 1:2", "2023-02-29 00:00:00", "1999-12-31 23:59:59", "2000-01-01 00:00:00", "2000-01-01 00:00:00+09:00", "2024-12-31 12:00:00", "2024-12-31 12:00:01", "2024-12-31 20:00:00+16:00", "0000-01-01 00:00:00", "2024-01-01 00:00:60", "2024-1-1T00:00:00.0", "2024-01-01 00:00:2Z", " 2024-01-01 00:00:00", "２０２４-01-01 00:00:00", "9999-12-31 23:59:59-01:00"]),
        mostly("(02|01|52|51|2|1|-)", &["", " 2 ", "９", "hpzl", "0 "]),
        mostly("[苏鲁沪粤][A-HJ-Z][A-F0-9]{5,6}", PLATES),
        mostly("(大众牌-朗逸-20[0-9]{2}|福田牌|-)", &["", "别克-君威", "a,b", "MG牌 \"6\"", "\"", "KKMC牌", "gcſj", "clppx\u{1e96}", " x "]),
    ]
    .prop_map(|fields| fields.to_vec())
}

const TIME: &str = "2024[-/](0?[1-9]|1[0-3])[-/]([0-2][0-9]|3[01]|[1-9])([ T]([01][0-9]|2[0-4]|[0-9]):[0-6][0-9](:[0-6]?[0-9](\\.[0-9]{0,4})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?";

const PLATES: &[&str] = &[
    "",
    "-",
    "·",
    "苏CDM***",
    "-***",
    "C857***",
    "苏宁CZ***",
    "苏c12345",
    "苏·C12345",
    "苏 C123 45",
    "苏Ｃ１２３４５",
    "沪A1234学",
    "粤Z12AB港",
    "粤Z1234澳",
    "使123456",
    "123456使",
    "苏X1234应急",
    "苏12345应急",
    "苏C1234挂",
    "苏C123456789",
    "苏C1234\u{1}",
    "苏\u{1}C12345",
    "\u{3000}苏C12345",
    "苏C1234\u{a0}5",
    "苏C1234ß",
    "苏GCXH1学",
    "kkmcGCXH",
    "KKMCGCXH",
    "苏C1234Ａ",
    "苏С12345",
    "蘇Ｃ12345",
    "粵Z1234港",
    "苏C-12345",
    "苏C—12345",
    "苏C-",
    "苏C\u{200b}1•2‧345",
    "苏C.12345",
    "蓝苏C12345",
    "渐变绿苏CD12345",
    "苏C12345_黄",
    "苏C12345(蓝)",
    "苏C-12345_1",
    "白苏C1234警",
    "绿色",
    "苏C00000",
    "苏C1234试",
    "苏C1234超",
    "WJ12345",
    "WJ苏1234X",
    "VA12345",
    "民航A1234",
    "黑黑A12345",
    "'-***",
    "\\N",
    "=\"苏C12345\"",
    "\u{fdfa}",
    "㈱C1",
    "苏C12345*",
    "乙C12345",
    "无牌",
];

/// Mostly of the pattern, sometimes one of the others.
fn mostly(pattern: &'static str, others: &'static [&'static str]) -> BoxedStrategy<String> {
    prop_oneof![9 => pattern, 1 => select(others).prop_map(str::to_owned)].boxed()
}

/// What happens to a line on its way.
#[derive(Debug, Clone)]
enum Mutation {
    None,
    /// Cut off, as a fraction of 65 536 of its length.
    Cut(u16),
    /// Bytes put in at a place.
    Insert(u16, Vec<u8>),
    /// Bytes written over those at a place.
    Overwrite(u16, Vec<u8>),
    Before(&'static str),
    After(&'static str),
    Instead(Vec<u8>),
    /// NULs around it.
    Nul(usize),
    /// Filled up to a length.
    Fill(usize, u8),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let bits = ["\"", "\"\"", ",", "\t", "\",", "\u{3000}", "\u{a0}", "ſ", "·", " ", "\r", "\0", "\u{feff}", "é"];
    let text = select(bits.to_vec()).prop_map(|text| text.as_bytes().to_vec());
    let bytes = prop_oneof![text, vec(any::<u8>(), 1..4)];
    prop_oneof![
        12 => Just(Mutation::None),
        1 => any::<u16>().prop_map(Mutation::Cut),
        2 => (any::<u16>(), bytes.clone()).prop_map(|(place, bytes)| Mutation::Insert(place, bytes)),
        2 => (any::<u16>(), bytes).prop_map(|(place, bytes)| Mutation::Overwrite(place, bytes)),
        1 => select(vec!["\u{feff}", "\u{feff}\u{feff}", " ", "\t", "\u{3000}"]).prop_map(Mutation::Before),
        2 => select(vec!["\r", "\r\r", " ", "\t", ",", "\tx", ",x", "\u{feff}"]).prop_map(Mutation::After),
        1 => select(vec!["", " ", "\t \t", "\r", "\u{feff}", "\u{3000}", "\u{1c}", " \u{feff}"])
            .prop_map(|text| Mutation::Instead(text.into())),
        1 => vec(any::<u8>(), 0..60).prop_map(Mutation::Instead),
        1 => select(vec![1, 20, 70_000]).prop_map(Mutation::Nul),
        1 => (select(vec![1_000, 1_024, 1_025, 1_200]), select(vec![b'x', b' '])).prop_map(|(len, byte)| Mutation::Fill(len, byte)),
        1 => (select(vec![65_535, 65_536, 65_537]), select(vec![b'x', 0xff, b' '])).prop_map(|(len, byte)| Mutation::Fill(len, byte)),
    ]
}

impl Mutation {
    fn apply(self, mut line: Vec<u8>) -> Vec<u8> {
        let place = |fraction: u16, len: usize| usize::from(fraction) * len / 65_536;
        match self {
            Self::None => {}
            Self::Cut(at) => line.truncate(place(at, line.len())),
            Self::Insert(at, bytes) => {
                let at = place(at, line.len());
                line.splice(at..at, bytes);
            }
            Self::Overwrite(at, bytes) => {
                let at = place(at, line.len());
                let end = line.len().min(at + bytes.len());
                line.splice(at..end, bytes);
            }
            Self::Before(text) => {
                line.splice(0..0, text.bytes());
            }
            Self::After(text) => line.extend(text.bytes()),
            Self::Instead(bytes) => line = bytes,
            Self::Nul(count) => line = [vec![0; count], line, vec![0; count / 2]].concat(),
            Self::Fill(len, byte) => line.resize(len, byte),
        }
        line
    }
}
