//! Sentences of other parts of the program as a code with values, so that the page can show them in its own language. The
//! sentence itself is kept, for people and for programs that know no codes.
//!
//! Those parts write English, for the log, and often pass on messages of other programs (MySQL, librdkafka, the operating
//! system). So the sentence is recognised here, at the edge, by the table of [`sentences`]; any other sentence has the code
//! `other` and is shown as it is.

mod sentences;

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use sentences::{CAUSES, SENTENCES};
pub(super) use sentences::{NoticeCause, NoticeCode};

/// Values that are whole numbers: a sentence with other text in that place does not match.
const NUMBERS: [&str; 11] =
    ["count", "line", "number", "offset", "found", "read", "missing", "all", "first", "last", "shard"];

/// How the sentence about a further server begins.
const SERVERS: [&str; 3] = ["; MyCat at ", "; MySQL at ", "; Redis at "];

/// A sentence of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Notice {
    /// Which sentence it is.
    code: NoticeCode,
    /// The values in it; `error` is the message of the program that failed.
    #[schema(example = json!({"path": "/var/lib/platewatch"}))]
    values: BTreeMap<&'static str, String>,
    /// What `values.error` means, where that is known.
    cause: Option<NoticeCause>,
    /// `values.error`, where it is itself a known sentence.
    #[schema(no_recursion)]
    inner: Option<Box<Notice>>,
    /// The sentence.
    #[schema(
        example = "no space left on the disk of /var/lib/platewatch: free some space and start again, nothing committed is lost"
    )]
    text: String,
}

impl Notice {
    /// The sentence with its code.
    pub(super) fn of(text: &str) -> Self {
        let known = SENTENCES.iter().find_map(|(code, sentence)| Some((*code, values(sentence, text)?)));
        let (code, values) = known.unwrap_or((NoticeCode::Other, BTreeMap::from([("error", text.to_owned())])));
        let error = values.get("error").filter(|error| **error != text);
        let inner = error.map(|error| Self::of(error)).filter(Self::is_known);
        let cause = values.get("error").and_then(|error| cause_in(error));
        Self { code, cause, inner: inner.map(Box::new), values, text: text.to_owned() }
    }

    /// The sentences about several servers, one by one.
    pub(super) fn of_each(text: &str) -> Vec<Self> {
        let mut each = Vec::new();
        let mut rest = text;
        // Each begins with the name of its server.
        while let Some(at) = SERVERS.iter().filter_map(|server| rest.find(server)).min() {
            let (one, others) = rest.split_at(at);
            each.push(Self::of(one));
            rest = others.trim_start_matches("; ");
        }
        each.push(Self::of(rest));
        each
    }

    /// A loss, part by part, and how it was noticed: `rejected lines 5 to 9, alerts 1 to 2 (CURRENT is missing)`.
    pub(super) fn of_loss(text: &str) -> Loss {
        let (missing, cause) = split_off_last_parentheses(text).unwrap_or((text, ""));
        let mut parts = Vec::new();
        for part in split_outside_parentheses(missing) {
            let notice = Self::of(part);
            // The sentence about passages contains the rows of each shard.
            let rows = notice.values.get("rows").map(|rows| rows.split(", ").map(Self::of).collect::<Vec<_>>());
            parts.push(notice);
            parts.extend(rows.into_iter().flatten());
        }
        Loss { parts, cause: (!cause.is_empty()).then(|| Self::of(cause)) }
    }

    /// Whether it is a sentence of the table.
    pub(super) fn is_known(&self) -> bool {
        self.code != NoticeCode::Other
    }

    /// The sentence with its code, if there is one.
    pub(super) fn of_some(text: &Option<String>) -> Option<Self> {
        text.as_deref().map(Self::of)
    }
}

/// A loss of what was committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Loss {
    /// What is missing, one notice for each kind; those about rows of a shard follow the passages.
    parts: Vec<Notice>,
    /// How it was noticed.
    cause: Option<Notice>,
}

/// The text before the parentheses at its end, and within them; none if it does not end with parentheses.
fn split_off_last_parentheses(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_suffix(')')?;
    let mut depth = 1;
    let open = inner.char_indices().rev().find_map(|(at, character)| {
        depth += match character {
            ')' => 1,
            '(' => -1,
            _ => 0,
        };
        (depth == 0).then_some(at)
    })?;
    Some((inner.get(..open)?.trim_end(), inner.get(open + 1..)?))
}

/// The parts of `text` between commas outside parentheses.
fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|character| {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        character == ',' && depth == 0
    })
    .map(str::trim)
    .collect()
}

fn cause_in(text: &str) -> Option<NoticeCause> {
    let (cause, _) = CAUSES.iter().find(|(_, words)| words.iter().any(|words| text.contains(words)))?;
    Some(*cause)
}

/// The values of `text` if it reads like `sentence`.
fn values(sentence: &'static str, text: &str) -> Option<BTreeMap<&'static str, String>> {
    let (beginning, mut pattern) = sentence.split_once('{').unwrap_or((sentence, ""));
    let mut rest = text.strip_prefix(beginning)?;
    let mut values = BTreeMap::new();
    // A value extends to the words that follow it; the last one to the end.
    while let Some((name, behind)) = pattern.split_once('}') {
        let (words, next) = behind.split_once('{').unwrap_or((behind, ""));
        let value = if next.is_empty() { rest.strip_suffix(words)? } else { rest.split_once(words)?.0 };
        if value.is_empty() || (NUMBERS.contains(&name) && !value.bytes().all(|byte| byte.is_ascii_digit())) {
            return None;
        }
        values.insert(name, value.to_owned());
        rest = rest.get(value.len() + words.len()..)?;
        pattern = next;
    }
    rest.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: NoticeCode, values: &[(&'static str, &str)], cause: Option<NoticeCause>) {
        let values = values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        assert_eq!(Notice::of(text), Notice { code, values, cause, inner: None, text: text.to_owned() });
    }

    #[test]
    fn a_sentence_has_its_code_and_values() {
        let full = "no space left on the disk of /data: free some space and start again, nothing committed is lost";
        check(full, NoticeCode::DiskFull, &[("path", "/data")], None);
        check("cannot read a: b: no such file: check the name", NoticeCode::FileMissing, &[("path", "a: b")], None);
        check(
            "MyCat at mysql://db:8066/MYETCDB does not answer: Connection refused (os error 111)",
            NoticeCode::ServerAway,
            &[
                ("name", "MyCat"),
                ("address", "mysql://db:8066/MYETCDB"),
                ("error", "Connection refused (os error 111)"),
            ],
            Some(NoticeCause::Refused),
        );
        check(
            "Data too long for column 'clppxh' at row 1 (MySQL error 1406, SQLSTATE 22001)",
            NoticeCode::MysqlError,
            &[("error", "Data too long for column 'clppxh' at row 1"), ("number", "1406"), ("state", "22001")],
            Some(NoticeCause::TooLong),
        );
    }

    #[test]
    fn several_servers_complain_each_for_itself() {
        let text = "MyCat at db:8066 answers, but Access denied (MySQL error 1045, SQLSTATE 28000); it refuses the account: \
                    check mycat.user, mycat.password and its rights (sql/users.sql); Redis at r:6379 does not answer: timed out";
        let [mycat, redis] = Notice::of_each(text).try_into().unwrap();
        assert_eq!((mycat.code, redis.code), (NoticeCode::ServerBlocked, NoticeCode::ServerAway));
        let account = mycat.inner.unwrap();
        assert_eq!(account.code, NoticeCode::MysqlAccountOf);
        assert_eq!(account.inner.unwrap().code, NoticeCode::MysqlError);
        assert_eq!((redis.cause, redis.inner), (Some(NoticeCause::TimedOut), None));
        assert_eq!(Notice::of_each("the disk is full; free some").len(), 1);
    }

    fn codes(notices: &[Notice]) -> Vec<NoticeCode> {
        notices.iter().map(|notice| notice.code).collect()
    }

    #[test]
    fn a_loss_is_said_part_by_part() {
        use NoticeCode::{LostAlerts, LostPassages, LostRejects, LostRows, LostWork, Other};
        let passages = "900 of 60000 passages (rows 36000 to 36602 of shard 0, rows 23100 to 23396 of shard 1; newest passage \
                        time known 2024-01-01 09:11:48, held none)";
        let cause = "the write-ahead log 000004.log is damaged at byte 360448: checksum mismatch (2 of 3)";
        let text = format!(
            "{passages}, alerts 1 to 271, rejected lines 5 to 126, 2 of 3 changes of the work on alerts ({cause})"
        );
        let loss = Notice::of_loss(&text);
        assert_eq!(codes(&loss.parts), [LostPassages, LostRows, LostRows, LostAlerts, LostRejects, LostWork]);
        assert_eq!(loss.parts[0].values["held"], "none");
        assert_eq!((loss.parts[2].values["first"].as_str(), loss.parts[2].values["shard"].as_str()), ("23100", "1"));
        let cause_notice = loss.cause.unwrap();
        assert_eq!((cause_notice.code, cause_notice.cause), (Other, Some(NoticeCause::Checksum)));
        assert_eq!(cause_notice.text, cause);

        let middle = Notice::of_loss("7 passages in the middle of the log (it holds less than was committed)");
        assert_eq!(codes(&middle.parts), [NoticeCode::LostFromMiddle]);
        assert_eq!(middle.cause.unwrap().code, NoticeCode::LostUnexplained);
        let uncounted = Notice::of_loss("nothing that is counted (CURRENT is missing)");
        assert_eq!(codes(&uncounted.parts), [NoticeCode::LostUncounted]);
        for odd in ["", "passages", "alerts 1 to x)", "a moon (x"] {
            assert_eq!(codes(&Notice::of_loss(odd).parts), [Other], "{odd}");
        }
    }

    #[test]
    fn damage_names_the_directory_and_what_is_damaged() {
        let text = "the log in data directory /var/lib/platewatch is damaged (a segment of the log: checksum mismatch): \
                    restore the directory from a backup or replay into a new one";
        let damage = Notice::of(text);
        assert_eq!(damage.code, NoticeCode::DirectoryDamaged);
        assert_eq!(
            (damage.values["what"].as_str(), damage.values["path"].as_str()),
            ("the log", "/var/lib/platewatch")
        );
        assert_eq!(damage.inner.unwrap().code, NoticeCode::SegmentDamaged);
    }

    #[test]
    fn what_is_not_known_is_shown_as_it_is() {
        check("the moon is full", NoticeCode::Other, &[("error", "the moon is full")], None);
        check("", NoticeCode::Other, &[("error", "")], None);
        let refused = "redis: Connection refused";
        check(refused, NoticeCode::Other, &[("error", refused)], Some(NoticeCause::Refused));
    }

    #[test]
    fn every_sentence_is_recognised_as_itself() {
        for (code, sentence) in SENTENCES {
            let named =
                NUMBERS.iter().fold((*sentence).to_owned(), |text, name| text.replace(&format!("{{{name}}}"), "7"));
            let text = named.replace('{', "‹").replace('}', "›");
            assert_eq!(Notice::of(&text).code, *code, "an earlier sentence hides it: {sentence}");
        }
    }
}
