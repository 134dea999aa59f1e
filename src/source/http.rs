//! Records that are sent to `POST /api/ingest`. Deliveries that wait become one batch, and each sender has a receipt once it is durable.
//!
//! | | |
//! |---|---|
//! | partition | one, 0: all senders share the watermark |
//! | position | how many deliveries were stored; there is nothing to resume |
//! | once | what was not answered is sent again, and GCXH tells what was stored already, within the state TTL |
//!
//! It does not know HTTP.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use storage::codec::{self, Kind};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use traffic::{CivilTime, Fate, LineParser, NameTable, ParserSettings, RejectReason};

use super::message::Reading;
use super::objects::Objects;
use super::{CommitListener, MAX_BATCH_BYTES, Source, SourceError, advice};
use crate::batch::{Batch, Outcome};
use crate::clock::civil_now;
use crate::deliveries::{Delivery, Form, MOST, MOST_REJECTS, Receipt, Room, Taking};

/// The name under which the position is stored.
pub const NAME: &str = "http";
const KIND: Kind = Kind { magic: b'h', version: 1 };
/// The longest time between two looks at the stop signal.
const LOOK: Duration = Duration::from_millis(20);
const DAY: i64 = 86_400;

/// How deliveries are read.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// How lines are read.
    pub parser: ParserSettings,
    /// Whether lines of which nothing else is said are GB18030.
    pub gb18030: bool,
    /// Lines after which no delivery joins a batch any more.
    pub batch_records: u64,
}

/// The source.
#[derive(Debug)]
pub struct Http {
    /// None once it is closed.
    taking: Option<Taking>,
    /// A delivery that had no place in the last batch.
    next: Option<Delivery>,
    parser: LineParser,
    objects: Objects,
    settings: HttpSettings,
    deliveries: u64,
    given: Option<Vec<u8>>,
    waiting: Arc<Mutex<VecDeque<Given>>>,
}

/// A batch that is not committed yet.
#[derive(Debug)]
struct Given {
    position: Vec<u8>,
    parts: Vec<Part>,
}

/// The part of a batch that is one delivery.
#[derive(Debug)]
struct Part {
    rows: Range<usize>,
    /// What is known already: what became of the rows is not.
    receipt: Receipt,
    sender: oneshot::Sender<Receipt>,
    _room: Room,
}

impl Http {
    /// A source of what `taking` gives, after the position that was committed last.
    ///
    /// # Errors
    /// [`SourceError::DamagedPosition`].
    pub fn open(
        taking: Taking,
        settings: HttpSettings,
        names: &NameTable,
        position: Option<&[u8]>,
    ) -> Result<Self, SourceError> {
        let deliveries = position.map(|bytes| codec::decode::<u64>(KIND, bytes)).transpose();
        let deliveries = deliveries.map_err(|error| SourceError::damaged("the HTTP intake", error))?.unwrap_or(0);
        Ok(Self {
            taking: Some(taking),
            next: None,
            parser: LineParser::new(settings.parser.clone(), names),
            objects: Objects::new(&settings.parser.layout),
            settings,
            deliveries,
            given: None,
            waiting: Arc::default(),
        })
    }

    /// Adds what a delivery holds to a batch.
    fn take(&mut self, delivery: Delivery, batch: &mut Batch) -> Part {
        let Delivery { body, form, origin, receipt, room } = delivery;
        batch.enter(origin);
        let passages = &mut batch.passages;
        let (rows, rejects, lines) = (passages.len(), passages.rejects.len(), passages.lines);
        let skipped = passages.headers + passages.blank;
        match form {
            // An empty line is a line, but an empty body has none.
            _ if body.is_empty() => {}
            Form::Objects => self.objects.take(&body, &mut self.parser, passages),
            Form::Lines { gb18030 } => {
                let gb18030 = gb18030.unwrap_or(self.settings.gb18030);
                let reading = Reading { delimiter: self.settings.parser.delimiter, gb18030 };
                reading.take(&body, &mut self.parser, passages);
            }
        }
        self.deliveries += 1;
        let rejects = passages.rejects.get(rejects..).unwrap_or_default();
        let known = Receipt {
            lines: passages.lines - lines,
            skipped: passages.headers + passages.blank - skipped,
            rejected: rejects.len() as u64,
            rejects: rejects.iter().take(MOST_REJECTS).map(|reject| (reject.line, reject.reason)).collect(),
            ..Receipt::default()
        };
        Part { rows: rows..passages.len(), receipt: known, sender: receipt, _room: room }
    }

    /// The next delivery; none if none waits, or it has no place in a batch that holds so many bytes.
    fn joining(&mut self, bytes: usize) -> Option<Delivery> {
        let delivery = self.taking.as_ref()?.waiting()?;
        if bytes + delivery.body.len() <= MAX_BATCH_BYTES {
            return Some(delivery);
        }
        self.next = Some(delivery);
        None
    }
}

impl Source for Http {
    fn name(&self) -> &str {
        NAME
    }

    fn describe(&self) -> String {
        "what is sent to /api/ingest".to_owned()
    }

    fn next(&mut self, stop: &CancellationToken) -> Result<Option<Batch>, SourceError> {
        let mut next = loop {
            if stop.is_cancelled() {
                return Ok(None);
            }
            let Some(taking) = &self.taking else { return Ok(None) };
            if let Some(delivery) = self.next.take().or_else(|| taking.next(LOOK)) {
                break Some(delivery);
            }
        };
        let mut batch = Batch::default();
        self.parser.set_not_after(CivilTime(civil_now(&self.settings.parser.zone).0 + DAY));
        let (mut parts, mut bytes) = (Vec::new(), 0);
        while let Some(delivery) = next {
            bytes += delivery.body.len();
            parts.push(self.take(delivery, &mut batch));
            let is_full = batch.passages.lines >= self.settings.batch_records || parts.len() >= MOST;
            next = if is_full { None } else { self.joining(bytes) };
        }
        if let Some(advice) = self.parser.take_column_advice(false) {
            tracing::warn!("{}", advice::sentence("what is sent to /api/ingest", &advice));
        }
        batch.position = codec::encode(KIND, &self.deliveries).map_err(SourceError::failed)?;
        batch.before = self.given.replace(batch.position.clone());
        batch.place = format!("delivery {}", self.deliveries);
        self.waiting.lock().push_back(Given { position: batch.position.clone(), parts });
        Ok(Some(batch))
    }

    fn commit_listener(&self) -> CommitListener {
        let waiting = self.waiting.clone();
        Box::new(move |batch, outcome| {
            let given = {
                let mut waiting = waiting.lock();
                // Batches are committed in their order; one before it that is still there never was.
                std::iter::from_fn(|| waiting.pop_front()).find(|given| given.position == batch.position)
            };
            if let Some(given) = given {
                answer(given.parts, batch, outcome);
            }
        })
    }

    fn close(&mut self) {
        (self.taking, self.next) = (None, None);
        self.waiting.lock().clear();
    }
}

/// Sends each part its receipt.
fn answer(parts: Vec<Part>, batch: &Batch, outcome: Outcome<'_>) {
    let mut fates = outcome.rows();
    for Part { rows, mut receipt, sender, _room } in parts {
        for (row, fate) in rows.zip(fates.by_ref()) {
            let refused = match fate {
                Some(Fate::Accepted | Fate::Late | Fate::Ahead) => {
                    receipt.accepted += 1;
                    continue;
                }
                Some(Fate::Duplicate) => {
                    receipt.duplicates += 1;
                    continue;
                }
                Some(Fate::Conflict) => RejectReason::GcxhConflict,
                None => RejectReason::LineTooLong,
            };
            receipt.rejected += 1;
            receipt.rejects.push((batch.passages.raw.number(row), refused));
        }
        receipt.rejects.sort_unstable_by_key(|(line, _)| *line);
        receipt.rejects.truncate(MOST_REJECTS);
        // Who sent it may be gone; it is stored all the same.
        let _ = sender.send(receipt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliveries::Deliveries;
    use crate::pipeline::{self, Router};
    use crate::store::{Store, StoreSettings};
    use tokio::sync::oneshot::Receiver;
    use traffic::{Layout, RejectReason, TimeZoneName};

    const LINES: Form = Form::Lines { gb18030: None };

    fn settings() -> HttpSettings {
        let parser = ParserSettings {
            layout: Layout::default(),
            delimiter: None,
            not_after: CivilTime(i64::MAX),
            zone: TimeZoneName::default(),
            max_names: 100,
        };
        HttpSettings { parser, gb18030: false, batch_records: 1_000 }
    }

    fn line(number: u32) -> String {
        format!("G{number}\t铜山县\tK1\t1\t2024-01-01 00:00:{number:02}\t02\t苏C1234{number}\t大众牌\n")
    }

    fn deliver(deliveries: &Deliveries, body: impl Into<Vec<u8>>, form: Form, who: &str) -> Receiver<Receipt> {
        let (body, mut room) = (body.into(), deliveries.room());
        room.grow(body.len()).unwrap();
        deliveries.deliver(body.into(), form, who.into(), room).unwrap()
    }

    /// Runs the pipeline until so many batches are stored.
    fn run(store: &mut Store, source: &mut Http, batches: usize) {
        let mut router = Router::new(Layout::default().shard_key(), store.shards()).unwrap();
        let (committed, stop, mut left) = (source.commit_listener(), CancellationToken::new(), batches);
        pipeline::run(store, source, &mut router, &stop, |store, batch| {
            committed(batch, store.outcome());
            left -= 1;
            if left == 0 {
                stop.cancel();
            }
        })
        .unwrap();
    }

    #[test]
    fn each_sender_has_a_receipt_of_its_own_records() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), StoreSettings::default()).unwrap();
        let deliveries = Deliveries::default();
        let mut source = Http::open(deliveries.taking().unwrap(), settings(), store.names(), None).unwrap();
        let conflict = line(3).replace("00:00:03", "09:00:00");
        let (gbk, ..) = encoding_rs::GB18030.encode("G7\t铜山县\tK1\t1\t2024-01-01 00:00:07\t02\t苏C12347\t大众牌");
        let object = r#"{"GCXH":"G6","KKMC":"K1","GCSJ":"2024-01-01 00:00:06","HPHM":"苏C12346"}"#;
        // All of it waits, so it is one batch.
        let first = deliver(&deliveries, format!("{}\n{}nonsense\n", line(1), line(2)), LINES, "wang");
        let second = deliver(&deliveries, format!("{}{}", line(2), line(3)), LINES, "li");
        let third = deliver(&deliveries, format!("\n7\n{conflict}{}x", line(4)), LINES, "li");
        let nothing = deliver(&deliveries, "", LINES, "li");
        let gone = deliver(&deliveries, line(5), LINES, "zhao");
        drop(gone);
        let objects = deliver(&deliveries, format!("{object}\n[]\n{object}\n"), Form::Objects, "camera");
        let encoded = deliver(&deliveries, &*gbk, Form::Lines { gb18030: Some(true) }, "camera");
        run(&mut store, &mut source, 1);
        let receipt = |lines, skipped, accepted, duplicates, rejects: &[(u64, RejectReason)]| Receipt {
            lines,
            skipped,
            accepted,
            duplicates,
            rejected: rejects.len() as u64,
            rejects: rejects.to_vec(),
        };
        use RejectReason::{GcxhConflict, InvalidJson, WrongColumnCount};
        assert_eq!(first.blocking_recv().unwrap(), receipt(4, 1, 2, 0, &[(4, WrongColumnCount)]));
        assert_eq!(second.blocking_recv().unwrap(), receipt(2, 0, 1, 1, &[]));
        let refused = [(2, WrongColumnCount), (3, GcxhConflict), (5, WrongColumnCount)];
        assert_eq!(third.blocking_recv().unwrap(), receipt(5, 1, 1, 0, &refused));
        assert_eq!(nothing.blocking_recv().unwrap(), Receipt::default());
        assert_eq!(objects.blocking_recv().unwrap(), receipt(3, 0, 1, 1, &[(2, InvalidJson)]));
        assert_eq!(encoded.blocking_recv().unwrap(), receipt(1, 0, 1, 0, &[]));
        assert_eq!((store.totals().accepted, store.totals().duplicates), (7, 2), "who is gone has delivered");

        // The next process counts on, and GCXH tells what was stored.
        source.close();
        drop(store);
        let mut store = Store::open(folder.path(), StoreSettings::default()).unwrap();
        let position = store.position(NAME).unwrap();
        let deliveries = Deliveries::default();
        let mut source =
            Http::open(deliveries.taking().unwrap(), settings(), store.names(), position.as_deref()).unwrap();
        assert_eq!(source.deliveries, 7);
        let again = deliver(&deliveries, format!("{}{}", line(1), line(2)), LINES, "wang");
        run(&mut store, &mut source, 1);
        assert_eq!(again.blocking_recv().unwrap(), receipt(2, 0, 0, 2, &[]));
        assert!(Http::open(Deliveries::default().taking().unwrap(), settings(), store.names(), Some(b"x")).is_err());
    }

    #[test]
    fn a_batch_is_bounded_and_what_has_no_place_comes_next() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), StoreSettings::default()).unwrap();
        let deliveries = Deliveries::default();
        let settings = HttpSettings { batch_records: 3, ..settings() };
        let mut source = Http::open(deliveries.taking().unwrap(), settings, store.names(), None).unwrap();
        let large = [line(9).into_bytes(), vec![b'x'; MAX_BATCH_BYTES - 100]].concat();
        let sizes = [format!("{}{}", line(1), line(2)), line(3), line(4)].map(String::into_bytes);
        let waiting: Vec<_> =
            sizes.into_iter().chain([large]).map(|body| deliver(&deliveries, body, LINES, "a")).collect();
        let stop = CancellationToken::new();
        let mut lines = Vec::new();
        for _ in 0..3 {
            lines.push(source.next(&stop).unwrap().unwrap().passages.lines);
        }
        assert_eq!(lines, [3, 1, 2], "two deliveries reach the number, and the large one stands alone");
        assert_eq!(source.waiting.lock().len(), 3);
        source.close();
        assert!(waiting.into_iter().all(|waiting| waiting.blocking_recv().is_err()), "nothing was stored");
        run(&mut store, &mut source, 1);
        assert_eq!(store.totals().lines, 0);
    }

    #[test]
    fn who_waits_when_it_ends_is_told() {
        let deliveries = Deliveries::default();
        let mut source = Http::open(deliveries.taking().unwrap(), settings(), &NameTable::default(), None).unwrap();
        let given = deliver(&deliveries, line(1), LINES, "wang");
        assert!(source.next(&CancellationToken::new()).unwrap().is_some());
        let queued = deliver(&deliveries, line(2), LINES, "wang");
        source.close();
        assert!(given.blocking_recv().is_err() && queued.blocking_recv().is_err());
        let room = deliveries.room();
        let refused = deliveries.deliver(axum::body::Bytes::new(), LINES, "wang".into(), room);
        assert_eq!(refused.unwrap_err(), crate::deliveries::Refused::Ended);
    }
}
