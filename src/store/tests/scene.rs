//! A data directory, a parser that feeds it, and restarts with and without an orderly end.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use proptest::test_runner::Config as ProptestConfig;
use shard::{PerShard, ShardCount, ShardId};
use tempfile::TempDir;
use traffic::{Alert, CivilTime, DetectorSettings, Interner, Layout, LineParser, ParserSettings, TimeZoneName};

use super::model::{Line, Row};
use crate::batch::Batch;
use crate::mentions::Mentions;
use crate::pipeline::Router;
use crate::reader::{Order, PassageRow, QueryFilter, Snapshot as _};
use crate::store::state::Sizes;
use crate::store::write::Saving;
use crate::store::{Forgotten, Store, StoreSettings, Totals, View};

/// Sizes at which a few hundred rows take every branch of the log.
pub(super) const SMALL: Sizes =
    Sizes { seal_rows: 96, seal_at_once_rows: 64, max_segment_rows: 160, seal_hour_rows: 24, seal_text_bytes: 2000 };

/// Plates are saved only after many rows, so that a restart has something to replay.
pub(super) const SELDOM: Saving = Saving { at_once_changes: 0, rows: 300, interval: Duration::from_secs(3600) };

/// Plates are saved with every commit.
pub(super) const ALWAYS: Saving = Saving { at_once_changes: usize::MAX, rows: 1, interval: Duration::from_secs(3600) };

pub(super) struct Scene {
    pub(super) folder: TempDir,
    pub(super) settings: StoreSettings,
    sizes: Sizes,
    saving: Saving,
    store: Option<Store>,
    parser: LineParser,
    router: Router,
}

/// Shard number `number` of two.
pub(super) fn shard(number: usize) -> ShardId {
    ShardCount::default().id(number).unwrap()
}

impl Scene {
    pub(super) fn new(settings: StoreSettings, sizes: Sizes, saving: Saving) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::default();
        let router = Router::new(layout.shard_key(), ShardCount::default()).unwrap();
        let parser = LineParser::new(parser_settings(), &traffic::NameTable::default());
        let mut scene = Self { folder, settings, sizes, saving, store: None, parser, router };
        scene.open();
        scene
    }

    fn open(&mut self) {
        let mut store = Store::open(self.folder.path(), self.settings.clone()).unwrap();
        for log in store.state.logs.values_mut() {
            log.sizes = self.sizes;
        }
        store.saving = self.saving;
        self.parser = LineParser::new(parser_settings(), store.names());
        self.router = Router::new(Layout::default().shard_key(), store.shards()).unwrap();
        self.store = Some(store);
    }

    pub(super) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub(super) fn store_mut(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    pub(super) fn view(&self) -> Arc<View> {
        self.store().shared().view()
    }

    pub(super) fn commit(&mut self, partition: u32, lines: &[Line]) {
        self.commit_changed(partition, lines, |_| {});
    }

    /// Commits lines after `change` has changed what the parser made of them.
    pub(super) fn commit_changed(&mut self, partition: u32, lines: &[Line], change: impl FnOnce(&mut Batch)) {
        let text: String = lines.iter().map(|line| line.text() + "\n").collect();
        let mut batch = Batch { partition, position: position_after(&text), ..Batch::default() };
        batch.enter(Arc::from("capture"));
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let consumed = self.parser.parse_lines(rest, u64::MAX, &mut batch.passages);
            assert!(consumed > 0);
            rest = &rest[consumed..];
        }
        change(&mut batch);
        let router = &mut self.router;
        let store = self.store.as_mut().unwrap();
        store.commit("test", &batch, |passages, names, shards| router.route(passages, names, shards)).unwrap();
        assert_eq!(store.position("test").unwrap().unwrap(), batch.position);
    }

    /// Commits lines in the order given; `cut` says how many at a time.
    pub(super) fn commit_all(&mut self, lines: &[(u32, Line)], mut cut: impl FnMut() -> usize) {
        for run in lines.chunk_by(|one, next| one.0 == next.0) {
            let mut rest = run;
            while let Some((partition, _)) = rest.first() {
                let (now, later) = rest.split_at(cut().clamp(1, rest.len()));
                let now: Vec<Line> = now.iter().map(|(_, line)| line.clone()).collect();
                self.commit(*partition, &now);
                rest = later;
            }
        }
    }

    /// Ends without saving anything, as a killed process does, and opens again.
    pub(super) fn crash(&mut self) {
        self.store = None;
        self.open();
    }

    /// Ends in order and opens again.
    pub(super) fn restart(&mut self) {
        self.store.take().unwrap().close().unwrap();
        self.open();
    }

    /// Forgets a plate, and opens again; returns what was held of it.
    pub(super) fn forget(&mut self, plate: &str) -> Forgotten {
        let (mut store, plate) = (self.store.take().unwrap(), Mentions::of(plate).unwrap());
        let held = store.held_of(&plate).unwrap();
        store.forget(&plate, &held).unwrap();
        self.open();
        held
    }

    /// Totals without what depends on how rows were cut.
    pub(super) fn totals(&self) -> Totals {
        Totals { sealed: PerShard::default(), ..self.store().totals().clone() }
    }

    pub(super) fn alerts(&self) -> Vec<Alert> {
        self.view().alerts_after(0, usize::MAX).unwrap()
    }

    /// Rejects without what depends on how lines were cut: the time near them and, across a restart, their line.
    pub(super) fn rejects(&self) -> Vec<(u64, traffic::RejectReason, String)> {
        let rejects = self.view().rejects_after(0, usize::MAX).unwrap();
        let plain = rejects.into_iter().map(|(seq, reject)| {
            assert_eq!(reject.origin, "capture");
            (seq, reject.reason, String::from_utf8(reject.raw).unwrap())
        });
        plain.collect()
    }

    /// All rows, newest first.
    pub(super) fn rows(&self) -> Vec<PassageRow> {
        self.view().query(&QueryFilter::default(), Order::Newest, 1, usize::MAX).unwrap().records
    }
}

/// This many cases, unless the environment sets another number.
pub(super) fn cases(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..asked }
}

pub(super) fn settings() -> StoreSettings {
    StoreSettings {
        memory: 32 << 20,
        sync: false,
        detector: DetectorSettings { speed_window: 600, ..DetectorSettings::default() },
        ..StoreSettings::default()
    }
}

fn parser_settings() -> ParserSettings {
    ParserSettings {
        layout: Layout::default(),
        delimiter: Some(traffic::Delimiter::Tab),
        not_after: CivilTime(i64::MAX),
        zone: TimeZoneName::default(),
        max_names: Interner::DEFAULT_MAX_NAMES,
    }
}

/// Whether a row as it is answered is the row as it was committed.
pub(super) fn same(answered: &PassageRow, row: &Row) -> bool {
    let texts = [
        (&*answered.gcxh, &row.gcxh),
        (&*answered.xzqhmc, &row.xzqhmc),
        (&*answered.kkmc, &row.kkmc),
        (&*answered.fxlx, &row.fxlx),
        (&*answered.hpzl, &row.hpzl),
        (&*answered.hphm, &row.hphm),
        (&*answered.clppxh, &row.clppxh),
    ];
    answered.gcsj == row.gcsj && texts.iter().all(|(answered, committed)| answered == committed)
}

/// A position of the source: another one after each text, and no part of it.
fn position_after(text: &str) -> Vec<u8> {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().to_be_bytes().to_vec()
}
