//! The pipeline as one function: batches come from the source's thread over a bounded channel, are routed and
//! committed, and nothing flows back.
//!
//! There is one writer, this one. The source is at most [`QUEUE_BATCHES`] ahead; when the writer is slow, the source
//! waits. It does not know what the source reads or who reads the store.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use shard::{Ring, ShardCount, ShardId};
use tokio_util::sync::CancellationToken;
use traffic::{Dimension, NameTable, PassageBatch, ShardKey};

use crate::batch::Batch;
use crate::pseudonyms::Intake;
use crate::source::{Source, SourceError};
use crate::store::{Store, StoreError};

/// Batches that may wait between source and writer.
pub const QUEUE_BATCHES: usize = 2;

/// The pipeline has failed.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The source cannot continue.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store cannot continue.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Assigns passages to shards by the shard key, as MyCat does.
#[derive(Debug)]
pub struct Router {
    ring: Ring,
    dimension: Dimension,
    /// Shard by name number.
    known: Vec<ShardId>,
    shards: ShardCount,
}

impl Router {
    /// Routes by `key` to `shards` shards with MyCat's defaults.
    ///
    /// # Errors
    /// [`shard::RingError`] never, since every [`ShardCount`] is valid.
    pub fn new(key: &ShardKey, shards: ShardCount) -> Result<Self, shard::RingError> {
        let ring = Ring::mycat_default(shards.get())?;
        Ok(Self { ring, dimension: key.dimension(), known: Vec::new(), shards })
    }

    /// Pushes the shard of every row.
    ///
    /// # Errors
    /// [`StoreError::Contradiction`] if a row has a name that `names` does not hold.
    pub fn route(
        &mut self,
        passages: &PassageBatch,
        names: &NameTable,
        shards: &mut Vec<ShardId>,
    ) -> Result<(), StoreError> {
        let all = names.all(self.dimension);
        for name in all.get(self.known.len()..).unwrap_or_default() {
            let number = self.ring.shard_of(name);
            let Some(shard) = self.shards.id(number) else {
                return Err(StoreError::Contradiction(format!("{name:?} is for shard {number} of {:?}", self.shards)));
            };
            self.known.push(shard);
        }
        let known = &self.known;
        for id in passages.names(self.dimension) {
            let Some(shard) = known.get(*id as usize) else {
                return Err(StoreError::Contradiction(format!("name {id} of the shard key has no shard")));
            };
            shards.push(*shard);
        }
        Ok(())
    }
}

/// Commits the batches of one source that may be committed, in their order.
#[derive(Debug)]
pub struct Writer<P> {
    source: String,
    permit: P,
    /// Names are numbered through all batches, also those that may not be committed.
    names: Vec<(Dimension, Arc<str>)>,
}

impl<P: Fn(&Batch) -> bool> Writer<P> {
    /// Commits batches of `source` that `permit` allows.
    pub fn new(source: String, permit: P) -> Self {
        Self { source, permit, names: Vec::new() }
    }

    /// Commits a batch, and returns it; none if it may not be committed any more.
    ///
    /// # Errors
    /// [`StoreError`]; the store then accepts no more.
    pub fn write(
        &mut self,
        store: &mut Store,
        router: &mut Router,
        mut batch: Batch,
    ) -> Result<Option<Batch>, StoreError> {
        self.names.append(&mut batch.passages.new_names);
        if !(self.permit)(&batch) {
            return Ok(None);
        }
        batch.passages.new_names = std::mem::take(&mut self.names);
        store.commit(&self.source, &batch, |passages, names, shards| router.route(passages, names, shards))?;
        Ok(Some(batch))
    }
}

/// Drives batches from the source into the store until the source ends or `stop` is cancelled. `after_commit` is called
/// after every commit.
///
/// # Errors
/// [`PipelineError`]; everything committed before is kept.
pub fn run(
    store: &mut Store,
    source: &mut dyn Source,
    router: &mut Router,
    stop: &CancellationToken,
    mut after_commit: impl FnMut(&Store, &Batch),
) -> Result<(), PipelineError> {
    let mut hiding = store.intake_key()?.map(Intake::new);
    let name = source.name().to_owned();
    let (sender, receiver) = sync_channel::<Batch>(QUEUE_BATCHES);
    // Ends the source when the writer fails, without cancelling `stop`.
    let halt = stop.child_token();
    let mut writer = Writer::new(name, source.commit_permit());
    let shared = store.shared();
    let queue = shared.clone();
    thread::scope(|scope| {
        let source_halt = halt.clone();
        let reading = scope.spawn(move || -> Result<(), SourceError> {
            while let Some(mut batch) = source.next(&source_halt)? {
                if let Some(intake) = &mut hiding {
                    intake.hide(&mut batch.passages);
                }
                queue.queue_changed(true);
                if sender.send(batch).is_err() {
                    break;
                }
            }
            Ok(())
        });
        let mut written = Ok(());
        for batch in receiver {
            shared.queue_changed(false);
            match writer.write(store, router, batch) {
                Ok(Some(batch)) => after_commit(store, &batch),
                Ok(None) => {}
                Err(error) => {
                    written = Err(error);
                    halt.cancel();
                    break;
                }
            }
        }
        let read = reading.join().unwrap_or_else(|_| {
            Err(SourceError::Failed("the source's thread ended unexpectedly: restart, and please report it".to_owned()))
        });
        written?;
        Ok(read?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::CommitPermit;
    use crate::store::StoreSettings;
    use traffic::{CivilTime, Layout, LineParser, ParserSettings, TimeZoneName};

    /// Gives a batch for each line, and may not commit those that contain `refused`.
    struct Lines {
        lines: std::vec::IntoIter<String>,
        parser: LineParser,
        refused: &'static str,
    }

    impl Source for Lines {
        fn name(&self) -> &str {
            "lines"
        }

        fn describe(&self) -> String {
            String::new()
        }

        fn next(&mut self, _: &CancellationToken) -> Result<Option<Batch>, SourceError> {
            let Some(line) = self.lines.next() else { return Ok(None) };
            let mut batch = Batch { place: line.clone(), ..Batch::default() };
            self.parser.parse_line(line.as_bytes(), &mut batch.passages);
            Ok(Some(batch))
        }

        fn commit_permit(&self) -> CommitPermit {
            let refused = self.refused;
            Box::new(move |batch| !batch.place.contains(refused))
        }
    }

    #[test]
    fn names_of_a_batch_that_may_not_be_committed_keep_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), StoreSettings::default()).unwrap();
        let layout = Layout::default();
        let mut router = Router::new(layout.shard_key(), store.shards()).unwrap();
        let settings = ParserSettings {
            layout,
            delimiter: None,
            not_after: CivilTime(i64::MAX),
            zone: TimeZoneName::default(),
            max_names: 100,
        };
        let sites = ["first", "refused", "third", "refused", "first"];
        let lines = sites.iter().enumerate().map(|(number, site)| {
            format!("G{number}\t{site}区\t{site}\t1\t2024-01-01 00:00:0{number}\t02\t苏C1234{number}\t{site}牌")
        });
        let lines = lines.collect::<Vec<_>>().into_iter();
        let mut source = Lines { lines, parser: LineParser::new(settings, store.names()), refused: "refused" };
        let mut committed = 0;
        run(&mut store, &mut source, &mut router, &CancellationToken::new(), |_, _| committed += 1).unwrap();
        assert_eq!(committed, 3);
        let counts = store.checkpoint_counts();
        let counts: Vec<_> = counts.iter().map(|(name, count)| (&**name, *count)).collect();
        assert_eq!(counts, [("first", 2), ("third", 1)]);
    }

    /// Gives batches as they are.
    struct Batches(std::vec::IntoIter<Batch>);

    impl Source for Batches {
        fn name(&self) -> &str {
            "batches"
        }

        fn describe(&self) -> String {
            String::new()
        }

        fn next(&mut self, _: &CancellationToken) -> Result<Option<Batch>, SourceError> {
            Ok(self.0.next())
        }
    }

    #[test]
    fn a_batch_that_does_not_follow_the_stored_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let batch = |before: Option<&str>, position: &str| Batch {
            before: before.map(|before| before.as_bytes().to_vec()),
            position: position.as_bytes().to_vec(),
            place: position.to_owned(),
            ..Batch::default()
        };
        let run_all = |batches: Vec<Batch>| {
            let mut store = Store::open(folder.path(), StoreSettings::default()).unwrap();
            let mut router = Router::new(Layout::default().shard_key(), store.shards()).unwrap();
            let mut source = Batches(batches.into_iter());
            let ended = run(&mut store, &mut source, &mut router, &CancellationToken::new(), |_, _| {});
            let position = store.position("batches").unwrap().map(|position| String::from_utf8(position).unwrap());
            (ended.map_err(|error| error.to_string()), position)
        };
        let (ended, position) = run_all(vec![batch(None, "1"), batch(Some("1"), "2"), batch(Some("2"), "3")]);
        assert_eq!((ended, position.as_deref()), (Ok(()), Some("3")));
        for wrong in [batch(Some("2"), "3"), batch(Some("4"), "5"), batch(Some(""), "4")] {
            let place = wrong.place.clone();
            let (ended, position) = run_all(vec![wrong]);
            let error = ended.unwrap_err();
            assert!(error.contains(&format!("does not begin where the one before it ended: {place}")), "{error}");
            assert_eq!(position.as_deref(), Some("3"), "nothing was committed");
        }
    }
}
