//! Verification: whether lines are a chain. Lines come one by one, so a log may be longer than the memory. It does not know
//! files.

use super::action::Action;
use super::chain::{Hash, Head};
use super::details::Detail;
use super::entry::Entry;

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The line is no entry.
    #[error("this is no entry: {0}")]
    NoEntry(String),
    /// The line says what an entry may say, but in another form.
    #[error("this was not written by Platewatch: spaces, order or spelling of the fields differ")]
    Form,
    /// The details do not fit their hash.
    #[error("the details of entry {0} or the words of its purpose were changed")]
    Details(u64),
    /// Another field does not fit the hash.
    #[error("entry {0} was changed")]
    Changed(u64),
    /// The number does not follow the one before.
    #[error("entry {expected} is missing: here is entry {found}")]
    Missing {
        /// What should be here.
        expected: u64,
        /// What is here.
        found: u64,
    },
    /// It does not follow the entry before.
    #[error("entry {0} does not follow the one before it: one of the two was replaced")]
    Replaced(u64),
    /// The oldest entries are gone, and none says so.
    #[error("the entries before {0} are missing, and no entry says that they were removed")]
    NoStart(u64),
    /// A head that was noted elsewhere is another one.
    #[error("entry {} was replaced: its hash was noted as {}", .0.n, .0.hash)]
    NotNoted(Head),
    /// A head that was noted elsewhere is not there.
    #[error("the log ends before entry {}, which was noted elsewhere", .0.n)]
    Ends(Head),
    /// A head that was noted elsewhere is older than the log.
    #[error("entry {} is older than the log, which begins later: it cannot be compared", .0.n)]
    TooOld(Head),
}

/// What a sound log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// How many entries.
    pub entries: u64,
    /// Those of which the details were erased.
    pub erased: u64,
    /// The first entry; none in an empty log.
    pub first: Option<Entry>,
    /// The last one.
    pub last: Option<Entry>,
}

/// Verifies lines in their order.
#[derive(Debug, Default)]
pub struct Checker {
    checked: Option<Checked>,
    /// Where the log begins, as long as no entry says that what was before was removed.
    unexplained: Option<Head>,
    /// Heads that were noted elsewhere, and not met yet.
    noted: Vec<Head>,
}

impl Checker {
    /// Also demands that these heads, which were noted elsewhere, lie on the chain.
    #[must_use]
    pub fn expect(mut self, noted: impl IntoIterator<Item = Head>) -> Self {
        self.noted.extend(noted);
        self
    }

    /// Takes the next line, without its line feed.
    ///
    /// # Errors
    /// [`Flaw`].
    pub fn take(&mut self, line: &[u8]) -> Result<&Entry, Flaw> {
        let entry: Entry = serde_json::from_slice(line).map_err(|error| Flaw::NoEntry(error.to_string()))?;
        sound(&entry, line)?;
        match self.checked.as_ref().and_then(|checked| checked.last.as_ref()) {
            Some(last) => follows(&entry, last.head())?,
            None => {
                let before = Head { n: entry.n.saturating_sub(1), hash: entry.prev };
                self.unexplained = (before != Head::NONE).then_some(before);
            }
        }
        if self.unexplained.is_some() && removed(&entry) == self.unexplained {
            self.unexplained = None;
        }
        if let Some(other) = self.noted.iter().find(|noted| noted.n == entry.n && noted.hash != entry.hash) {
            return Err(Flaw::NotNoted(*other));
        }
        self.noted.retain(|noted| noted.n != entry.n);
        let checked = self.checked.get_or_insert_with(|| Checked {
            entries: 0,
            erased: 0,
            first: Some(entry.clone()),
            last: None,
        });
        checked.entries += 1;
        checked.erased += u64::from(entry.is_erased());
        Ok(checked.last.insert(entry))
    }

    /// What was verified.
    ///
    /// # Errors
    /// [`Flaw`], of the log as a whole.
    pub fn finish(self) -> Result<Checked, Flaw> {
        let checked = self.checked.unwrap_or(Checked { entries: 0, erased: 0, first: None, last: None });
        if let Some(before) = self.unexplained {
            return Err(Flaw::NoStart(before.n.saturating_add(1)));
        }
        let first = checked.first.as_ref().map_or(0, |first| first.n);
        match self.noted.first() {
            Some(noted) if noted.n < first => Err(Flaw::TooOld(*noted)),
            Some(noted) => Err(Flaw::Ends(*noted)),
            None => Ok(checked),
        }
    }
}

/// Whether an entry is as it was written.
fn sound(entry: &Entry, line: &[u8]) -> Result<(), Flaw> {
    if entry.line().as_bytes() != line {
        return Err(Flaw::Form);
    }
    let details_fit = match entry.hash_of_details() {
        Some(hash) => hash == entry.details_hash,
        // Erased: then nothing may stand there.
        None => entry.details.is_none() && entry.purpose.as_ref().is_none_or(|purpose| purpose.text.is_empty()),
    };
    if entry.hash_of_all() != entry.hash {
        return Err(Flaw::Changed(entry.n));
    }
    if details_fit { Ok(()) } else { Err(Flaw::Details(entry.n)) }
}

fn follows(entry: &Entry, last: Head) -> Result<(), Flaw> {
    let expected = last.n.saturating_add(1);
    if entry.n != expected {
        return Err(Flaw::Missing { expected, found: entry.n });
    }
    if entry.prev == last.hash { Ok(()) } else { Err(Flaw::Replaced(entry.n)) }
}

/// The newest of the entries that an entry says were removed.
fn removed(entry: &Entry) -> Option<Head> {
    if entry.action != Action::Retention.as_str() {
        return None;
    }
    let details = entry.details.as_ref()?;
    match (details.get("through")?, details.get("hash")?) {
        (Detail::Number(n), Detail::Text(hash)) => Some(Head { n: *n, hash: Hash::parse(hash)? }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Details, Draft, Purpose, PurposeCode, Via};
    use super::*;
    use proptest::prelude::*;

    fn checked(lines: &[String]) -> Result<Checked, Flaw> {
        let mut checker = Checker::default();
        for line in lines {
            checker.take(line.as_bytes())?;
        }
        checker.finish()
    }

    fn draft(number: u64, text: &str) -> Draft {
        let action = Action::ALL.iter().copied().cycle().nth(number as usize).unwrap();
        let purpose = Purpose { code: PurposeCode::ALL[number as usize % 8], text: text.to_owned() };
        Draft {
            user: number.is_multiple_of(2).then(|| "wang".to_owned()),
            status: Some(200),
            rows: number.is_multiple_of(3).then_some(number),
            purpose: number.is_multiple_of(5).then_some(purpose),
            details: (!number.is_multiple_of(4)).then(|| Details::default().with("hphm", text).with("page", number)),
            ..Draft::new(action, Via::Token)
        }
    }

    fn chain(drafts: impl IntoIterator<Item = Draft>) -> Vec<Entry> {
        let mut head = Head::NONE;
        let entry = |(at, draft)| {
            let entry = Entry::new(draft, at as i64, [at as u8; 16], head);
            head = entry.head();
            entry
        };
        drafts.into_iter().enumerate().map(entry).collect()
    }

    fn lines(entries: &[Entry]) -> Vec<String> {
        entries.iter().map(Entry::line).collect()
    }

    fn any_chain() -> impl Strategy<Value = Vec<Entry>> {
        prop::collection::vec((0..40u64, "[苏C0-9\"\\\\ é\u{1}]{0,9}"), 2..12)
            .prop_map(|all| chain(all.iter().map(|(number, text)| draft(*number, text))))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn a_chain_is_sound_and_any_changed_byte_is_found(entries in any_chain(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let whole = lines(&entries);
            prop_assert_eq!(checked(&whole).unwrap().entries, entries.len() as u64);
            let text = whole.join("\n").into_bytes();
            let mut changed = text.clone();
            let place = at.index(text.len());
            changed[place] = to;
            if changed != text {
                let mut checker = Checker::default();
                let all = changed.split(|byte| *byte == b'\n').try_for_each(|line| checker.take(line).map(drop));
                prop_assert!(all.and_then(|()| checker.finish().map(drop)).is_err());
            }
        }

        #[test]
        fn lines_removed_swapped_repeated_or_inserted_are_found(entries in any_chain(), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
            let whole = lines(&entries);
            let (one, other) = (one.index(whole.len()), other.index(whole.len()));
            let mut removed = whole.clone();
            removed.remove(one);
            // The last one is missed only by who noted the head.
            let noted = Checker::default().expect(entries.last().map(Entry::head));
            let all = removed.iter().try_fold(noted, |mut checker, line| checker.take(line.as_bytes()).map(drop).map(|()| checker));
            prop_assert!(all.and_then(Checker::finish).is_err());
            prop_assert!(one + 1 == whole.len() || checked(&removed).is_err());
            let mut repeated = whole.clone();
            repeated.insert(other, whole[one].clone());
            prop_assert!(checked(&repeated).is_err());
            let mut swapped = whole.clone();
            swapped.swap(one, other);
            prop_assert!(one == other || checked(&swapped).is_err());
            let forged = Entry::new(draft(1, "x"), 0, [9; 16], if one == 0 { Head::NONE } else { entries[one - 1].head() });
            let mut inserted = whole.clone();
            inserted.insert(one, forged.line());
            prop_assert!(checked(&inserted).is_err());
            let mut replaced = whole.clone();
            replaced[one] = forged.line();
            prop_assert!(one + 1 == whole.len() || checked(&replaced).is_err());
        }

        #[test]
        fn erasing_details_keeps_the_chain(mut entries in any_chain(), which in any::<prop::sample::Index>()) {
            let heads: Vec<Head> = entries.iter().map(Entry::head).collect();
            let which = which.index(entries.len());
            entries[which].erase();
            let mut checker = Checker::default().expect(heads);
            for line in lines(&entries) {
                checker.take(line.as_bytes()).unwrap();
            }
            prop_assert_eq!(checker.finish().unwrap().erased, u64::from(entries[which].is_erased()));
        }
    }

    #[test]
    fn only_what_says_so_may_be_gone_from_the_start() {
        let mut entries = chain((1..6).map(|number| draft(number, "x")));
        let gone = entries[1].head();
        assert_eq!(checked(&lines(&entries[2..])), Err(Flaw::NoStart(3)));
        let says = Details::default().with("through", gone.n).with("hash", gone.hash.to_string());
        let draft = Draft { details: Some(says), ..Draft::new(Action::Retention, Via::Process) };
        entries.push(Entry::new(draft, 9, [9; 16], entries[4].head()));
        let sound = checked(&lines(&entries[2..])).unwrap();
        assert_eq!((sound.entries, sound.first.unwrap().n, sound.last.unwrap().n), (4, 3, 6));
        assert_eq!(checked(&lines(&entries[1..])), Err(Flaw::NoStart(2)), "it says another start");
        assert_eq!(checked(&lines(&entries)).unwrap().entries, 6, "it is written before anything is removed");
    }

    #[test]
    fn heads_that_were_noted_elsewhere_must_be_there() {
        let entries = chain((1..6).map(|number| draft(number, "x")));
        let check = |noted: Head, from: usize| {
            let mut checker = Checker::default().expect([noted]);
            lines(&entries[from..]).iter().try_for_each(|line| checker.take(line.as_bytes()).map(drop))?;
            checker.finish().map(drop)
        };
        assert_eq!(check(entries[3].head(), 0), Ok(()));
        let other = Head { hash: entries[0].hash, ..entries[3].head() };
        assert_eq!(check(other, 0), Err(Flaw::NotNoted(other)));
        let later = Head { n: 6, ..other };
        assert_eq!(check(later, 0), Err(Flaw::Ends(later)));
        assert_eq!(checked(&[]).unwrap().entries, 0);
    }
}
