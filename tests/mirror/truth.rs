//! What the targets must hold, read from the data directory of a stopped appliance; and what they do hold.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use platewatch::internals::{RefusedRow, Snapshot as _, Store, StoreSettings};
use shard::Ring;

use crate::servers::mariadb::MariaDb;
use crate::servers::redis::Redis;

/// Rows without their order: how many, and the sum of their hashes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) rows: u64,
    sum: u64,
}

impl Digest {
    pub(crate) fn add(&mut self, line: &str) {
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        self.rows += 1;
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
}

/// What a data directory holds.
pub(crate) struct Truth {
    /// The rows of each shard.
    pub(crate) shards: Vec<Digest>,
    /// Alerts as JSON, newest first.
    pub(crate) alerts: Vec<String>,
    /// Rows that targets refused.
    pub(crate) refused: Vec<RefusedRow>,
}

impl Truth {
    /// Reads the data directory; no other process may have it open.
    pub(crate) fn read(data: &Path) -> Self {
        let store = Store::open(data, StoreSettings::default()).unwrap();
        let shared = store.shared();
        let mut shards = vec![Digest::default(); shared.shards().get()];
        for (shard, digest) in shared.shards().ids().zip(&mut shards) {
            let mut next = 0;
            while let Some(block) = shared.log_block(shard, next).unwrap() {
                for number in block.first_row()..block.end_row() {
                    let row = block.row(number).unwrap();
                    let gcsj = row.gcsj.to_string();
                    let columns =
                        [&row.gcxh, &*row.xzqhmc, &row.kkmc, &row.fxlx, &gcsj, &row.hpzl, &row.hphm, &row.clppxh];
                    digest.add(&columns.join("\t"));
                }
                next = block.end_row();
            }
        }
        let alerts = shared.view().newest_alerts(usize::MAX).unwrap();
        let alerts = alerts.iter().map(|alert| platewatch::internals::alert_text(alert).unwrap()).collect();
        Self { shards, alerts, refused: shared.refused_rows(usize::MAX).unwrap() }
    }

    /// Every row is in the instance of its shard, once, as it was recorded, and nothing else is there.
    #[track_caller]
    pub(crate) fn check_instances<const N: usize>(&self, instances: [&MariaDb; N]) {
        assert_eq!(self.shards.len(), N);
        for (shard, (instance, expected)) in instances.into_iter().zip(&self.shards).enumerate() {
            assert_eq!(digest(instance), *expected, "shard {shard}");
            check_placement(instance, shard, N);
        }
    }

    /// The list is exactly the newest alerts, once each, newest first.
    #[track_caller]
    pub(crate) fn check_list(&self, redis: &Redis, max_length: usize) {
        let expected = &self.alerts[..self.alerts.len().min(max_length)];
        let list = redis.list("traffic:warnings");
        assert!(list == expected, "{} elements instead of {}", list.len(), expected.len());
    }
}

/// All rows of an instance.
pub(crate) fn digest(instance: &MariaDb) -> Digest {
    let mut digest = Digest::default();
    let rows = instance.sql("SELECT id,xzqhmc,kkmc,fxlx,gcsj,hpzl,hphm,clppxh FROM traffic_db.traffic_data");
    rows.lines().for_each(|line| digest.add(line));
    digest
}

/// Every checkpoint of an instance is one that MyCat places there.
#[track_caller]
pub(crate) fn check_placement(instance: &MariaDb, shard: usize, shards: usize) {
    let ring = Ring::mycat_default(shards).unwrap();
    let names = instance.sql("SELECT DISTINCT kkmc FROM traffic_db.traffic_data");
    let names: BTreeSet<&str> = names.lines().collect();
    assert!(!names.is_empty());
    for name in names {
        assert_eq!(ring.shard_of(name), shard, "{name}");
    }
}
