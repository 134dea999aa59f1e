//! What a search is for: a code, and some words. It does not know when one must be given.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// Characters of the words.
const MAX_CHARS: usize = 200;

/// What a search is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurposeCode {
    /// 核查预警: looking into a warning.
    Warning,
    /// 案件侦办: investigating a case.
    Case,
    /// 事故处理: an accident.
    Accident,
    /// 申诉核实: somebody objects to a fine.
    Complaint,
    /// 巡逻布控: a patrol looks out for a car.
    Patrol,
    /// 设备维护: looking after the cameras.
    Maintenance,
    /// 测试演练: a test or an exercise.
    Test,
    /// 其他: what the words say.
    Other,
}

impl PurposeCode {
    /// All codes.
    pub const ALL: [Self; 8] = [
        Self::Warning,
        Self::Case,
        Self::Accident,
        Self::Complaint,
        Self::Patrol,
        Self::Maintenance,
        Self::Test,
        Self::Other,
    ];

    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Case => "case",
            Self::Accident => "accident",
            Self::Complaint => "complaint",
            Self::Patrol => "patrol",
            Self::Maintenance => "maintenance",
            Self::Test => "test",
            Self::Other => "other",
        }
    }
}

/// A purpose as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// The code.
    pub code: PurposeCode,
    /// The words; may be empty.
    pub text: String,
}

/// Why a text is no purpose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongPurpose {
    /// There is no such code.
    #[error("X-Purpose begins with one of {}", PurposeCode::ALL.map(PurposeCode::as_str).join(", "))]
    Code,
    /// The words are not percent-encoded UTF-8.
    #[error("the words of X-Purpose are percent-encoded UTF-8, such as case;%E6%A1%88")]
    Encoding,
    /// There are too many.
    #[error("X-Purpose takes up to {MAX_CHARS} characters of words")]
    Long,
    /// A character that is not seen.
    #[error("the words of X-Purpose have a character that cannot be seen: leave it out")]
    Unseen,
    /// The code alone says nothing.
    #[error("the purpose other needs words: other;…")]
    NeedsWords,
}

impl Purpose {
    /// The purpose in a header such as `case` or `case;%E6%A1%88`. `is_hazard` finds characters that do more than show themselves.
    ///
    /// # Errors
    /// [`WrongPurpose`].
    pub fn parse(header: &str, is_hazard: impl Fn(char) -> bool) -> Result<Self, WrongPurpose> {
        let (code, words) = header.split_once(';').unwrap_or((header, ""));
        let known = PurposeCode::ALL.into_iter().find(|known| known.as_str() == code.trim());
        let code = known.ok_or(WrongPurpose::Code)?;
        if !words.is_ascii() {
            return Err(WrongPurpose::Encoding);
        }
        let text = percent_decode_str(words).decode_utf8().map_err(|_| WrongPurpose::Encoding)?;
        let text = text.trim();
        if text.chars().nth(MAX_CHARS).is_some() {
            return Err(WrongPurpose::Long);
        }
        if text.chars().any(|character| character.is_control() || is_hazard(character)) {
            return Err(WrongPurpose::Unseen);
        }
        if code == PurposeCode::Other && text.is_empty() {
            return Err(WrongPurpose::NeedsWords);
        }
        Ok(Self { code, text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Result<(PurposeCode, String), WrongPurpose> {
        Purpose::parse(header, |character| character == '\u{202e}').map(|purpose| (purpose.code, purpose.text))
    }

    #[test]
    fn a_purpose_is_a_code_and_perhaps_words() {
        assert_eq!(parse("case"), Ok((PurposeCode::Case, String::new())));
        assert_eq!(parse("case;"), Ok((PurposeCode::Case, String::new())));
        assert_eq!(parse("other;%E6%A1%88%20A%3B1"), Ok((PurposeCode::Other, "案 A;1".to_owned())));
        assert_eq!(parse(&format!("test;{}", "%E6%A1%88".repeat(200))).unwrap().1.chars().count(), 200);
        for code in PurposeCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        for (wrong, why) in [
            ("", WrongPurpose::Code),
            ("Case", WrongPurpose::Code),
            ("fun;x", WrongPurpose::Code),
            ("case;%ff", WrongPurpose::Encoding),
            ("case;案", WrongPurpose::Encoding),
            ("case;a%0Ab", WrongPurpose::Unseen),
            ("case;a%E2%80%AEb", WrongPurpose::Unseen),
            ("other", WrongPurpose::NeedsWords),
            ("other;%20", WrongPurpose::NeedsWords),
            (&format!("test;{}", "x".repeat(201)), WrongPurpose::Long),
        ] {
            assert_eq!(parse(wrong), Err(why), "{wrong:?}");
        }
    }
}
