//! The records of a run and what a plain replay makes of them. They go forward in time with some that are late, ids that
//! come again, lines that are no passages, and offsets that hold no record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use storage::simulated::Disk;
use traffic::{Alert, CivilTime, Delimiter, Interner, Layout, LineParser, ParserSettings, TimeZoneName};

use super::plan::Plan;
use super::random::Random;
use crate::batch::Batch;
use crate::pipeline::Router;
use crate::reader::{Order, QueryFilter, Snapshot as _};
use crate::store::{Store, StoreSettings, View};

const CHECKPOINTS: [&str; 5] = ["S250_Pizhou_Sulu", "G3_Sulu", "G104_Tongshan_Sulu", "S505_Xinyi_West", "某路口"];
const MODELS: [&str; 3] = ["大众牌-朗逸-2015", "福田牌", "宇通牌-客车"];

/// The logs of a topic, and what they lead to.
pub(super) struct Traffic {
    pub(super) logs: BTreeMap<i32, Vec<Option<String>>>,
    /// By partition: how many passages are accepted of the offsets before each.
    accepted: BTreeMap<i32, Vec<u64>>,
    /// GCXH of every accepted passage, with its partition and offset.
    pub(super) ids: BTreeMap<String, (i32, i64)>,
    /// What a plain replay finds.
    pub(super) alerts: BTreeSet<String>,
}

/// An alert without what depends on the order in which partitions were read.
pub(super) fn alert_text(alert: &Alert) -> String {
    let Alert { id, plate, earlier, later, gap_seconds, distance_km, speed_kmh, severity, rule, .. } = alert;
    format!("{id} {plate} {earlier:?} {later:?} {gap_seconds} {distance_km:?} {speed_kmh:?} {severity:?} {rule:?}")
}

/// All alerts of a view.
pub(super) fn alerts_of(view: &View) -> BTreeSet<String> {
    view.alerts_after(0, usize::MAX).expect("alerts").iter().map(alert_text).collect()
}

/// GCXH of all rows of a view.
pub(super) fn ids_of(view: &View) -> Vec<String> {
    let page = view.query(&QueryFilter::default(), Order::Newest, 1, usize::MAX).expect("rows");
    page.records.into_iter().map(|row| row.gcxh).collect()
}

pub(super) fn parser_settings() -> ParserSettings {
    ParserSettings {
        layout: Layout::default(),
        delimiter: Some(Delimiter::Tab),
        not_after: CivilTime(i64::MAX),
        zone: TimeZoneName::default(),
        max_names: Interner::DEFAULT_MAX_NAMES,
    }
}

impl Traffic {
    pub(super) fn new(random: &Random, plan: &Plan) -> Self {
        let mut logs: BTreeMap<i32, Vec<Option<String>>> = (0..plan.partitions).map(|id| (id, Vec::new())).collect();
        let mut accepted: BTreeMap<i32, Vec<u64>> = (0..plan.partitions).map(|id| (id, vec![0])).collect();
        let mut ids = BTreeMap::new();
        let mut time = CivilTime::from_civil(2024, 1, 2, 5, 40, 0).expect("a real time").0;
        let step = random.between(1, 9);
        for number in 0..plan.records {
            time += random.below(step * 2) as i64;
            // A plate is the key of its records.
            let plate = random.below(8 * plan.partitions as u64);
            let partition = (plate % plan.partitions as u64) as i32;
            let log = logs.get_mut(&partition).expect("a partition");
            let offset = log.len() as i64;
            let mut new = 0;
            log.push(match random.below(40) {
                // A marker of a transaction, or what compaction has removed.
                0 | 1 => None,
                2 => Some("no passage".to_owned()),
                // Sent again by its producer.
                3 | 4 if log.iter().rev().take(4).flatten().next().is_some() => {
                    log.iter().rev().take(4).flatten().next().cloned()
                }
                chosen => {
                    let late = if chosen < 9 { random.below(90) as i64 } else { random.below(4) as i64 };
                    let gcxh = format!("G{}{number:06}", 320_300 + partition);
                    let line = format!(
                        "{gcxh}\t铜山县\t{}\t1\t{}\t02\t苏C{:05}\t{}",
                        random.one(&CHECKPOINTS),
                        CivilTime(time - late),
                        12_300 + plate,
                        random.one(&MODELS),
                    );
                    ids.insert(gcxh, (partition, offset));
                    new = 1;
                    Some(line)
                }
            });
            let counts = accepted.get_mut(&partition).expect("a partition");
            counts.push(counts.last().expect("a count") + new);
        }
        let mut traffic = Self { logs, accepted, ids, alerts: BTreeSet::new() };
        traffic.replay();
        traffic
    }

    /// How many passages are accepted of the offsets `from..to`.
    pub(super) fn accepted(&self, partition: i32, from: i64, to: i64) -> u64 {
        let counts = &self.accepted[&partition];
        counts[to as usize] - counts[from as usize]
    }

    /// Reads everything once, a partition after the other, without anything that goes wrong.
    fn replay(&mut self) {
        let disk = Disk::default();
        let path = Path::new("/simulated/replay");
        let _mount = disk.mount(path);
        let mut store = Store::open(path, store_settings(true)).expect("a new store");
        let mut parser = LineParser::new(parser_settings(), store.names());
        let mut router = Router::new(Layout::default().shard_key(), store.shards()).expect("a router");
        for (partition, log) in &self.logs {
            let mut batch = Batch { partition: partition.unsigned_abs(), ..Batch::default() };
            for value in log.iter().flatten() {
                parser.parse_line(value.as_bytes(), &mut batch.passages);
            }
            let route = |passages: &_, names: &_, shards: &mut _| router.route(passages, names, shards);
            store.commit("replay", &batch, route).expect("a commit");
        }
        let view = store.shared().view();
        let mut rows = ids_of(&view);
        rows.sort();
        assert!(rows.iter().eq(self.ids.keys()), "the replay accepts what the model does");
        self.alerts = alerts_of(&view);
    }
}

/// Settings of every store of a run.
pub(super) fn store_settings(sync: bool) -> StoreSettings {
    StoreSettings {
        memory: 8 << 20,
        sync,
        alert_index: 1 << 20,
        detector: traffic::DetectorSettings { speed_window: 600, ..traffic::DetectorSettings::default() },
        ..StoreSettings::default()
    }
}
