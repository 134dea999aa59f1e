//! The audit log: a line that passes is an entry in its one form, and what does not pass does not join the chain.

use access::trail::{Checker, Head};

use super::outcome::{kind, outcome};

/// Input: lines of a log; the first may be heads that were noted elsewhere, after `#`.
pub(super) fn run(data: &[u8]) -> u64 {
    let mut lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let mut checker = Checker::default();
    if let Some(notes) = lines.first().and_then(|line| line.strip_prefix(b"#")) {
        let notes = String::from_utf8_lossy(notes);
        let heads: Vec<Head> = notes.split(' ').filter_map(Head::parse).collect();
        assert!(heads.iter().all(|head| Head::parse(&head.to_string()) == Some(*head)));
        checker = checker.expect(heads);
        lines.remove(0);
    }
    let (mut flaws, mut last) = (Vec::new(), None);
    for line in lines.into_iter().filter(|line| !line.is_empty()) {
        match checker.take(line) {
            Ok(entry) => {
                assert_eq!(entry.line().as_bytes(), line, "an entry in another form");
                assert!(last.is_none_or(|last: Head| last.n.saturating_add(1) == entry.n && last.hash == entry.prev));
                last = Some(entry.head());
                let mut erased = entry.clone();
                erased.erase();
                let mut alone = Checker::default();
                assert!(alone.take(erased.line().as_bytes()).is_ok(), "it does not pass once its details are erased");
            }
            Err(flaw) => flaws.push(kind(flaw)),
        }
    }
    let whole = checker.finish();
    let whole = match &whole {
        Ok(checked) => {
            assert_eq!(checked.last.as_ref().map(access::trail::Entry::head), last);
            format!("{} {}", checked.entries.min(9), checked.erased.min(9))
        }
        Err(flaw) => kind(flaw),
    };
    flaws.truncate(2);
    outcome((flaws, whole))
}

#[cfg(test)]
pub(super) fn seeds() -> Vec<Vec<u8>> {
    use access::trail::{Action, Details, Draft, Entry, Purpose, PurposeCode, Via};

    let (mut head, mut log) = (Head::NONE, String::new());
    for (number, action) in [Action::Login, Action::Query, Action::Track, Action::Retention].into_iter().enumerate() {
        let through = Details::default().with("through", 1).with("hash", head.hash.to_string());
        let draft = Draft {
            user: Some("wang".to_owned()),
            status: Some(200),
            purpose: Some(Purpose { code: PurposeCode::Case, text: "案件 7".to_owned() }),
            details: Some(if number == 3 {
                through
            } else {
                Details::default().with("hphm", "苏C12345").with("page", 1)
            }),
            ..Draft::new(action, Via::Session)
        };
        let entry = Entry::new(draft, 1_795_000_000_000 + number as i64, [number as u8; 16], head);
        head = entry.head();
        log.push_str(&entry.line());
        log.push('\n');
    }
    let noted = format!("#{head}\n{log}");
    let (_, rest) = log.split_once('\n').unwrap();
    vec![log.clone().into_bytes(), noted.into_bytes(), rest.as_bytes().to_vec()]
}
