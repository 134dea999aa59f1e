use std::path::Path;

use super::*;
use crate::mirror::health::Subject;
use crate::store::{Store, StoreSettings};

fn sink(file_rows: u64, max_delay: u64) -> LakeSink {
    let config =
        LakeConfig { file_rows, max_delay: Duration::from_secs(max_delay), ..crate::config::Config::default().lake };
    let shards = ShardCount::default();
    LakeSink::new(shards.id(0).unwrap(), shards, LakeFolder::new(Path::new("/nowhere"), 7), &config)
}

#[test]
fn a_range_is_cut_when_enough_rows_wait_or_the_first_has_waited_long_enough() {
    let (mut sink, none, now) = (sink(100, 60), BTreeMap::new(), Instant::now());
    let minute = Duration::from_secs(60);
    assert_eq!(sink.due(5, 5, &none, now), Due::Nothing);
    assert_eq!(sink.due(5, 104, &none, now), Due::At(now + minute));
    assert_eq!(sink.due(5, 104, &none, now + minute / 2), Due::At(now + minute));
    assert_eq!(sink.due(5, 305, &none, now), Due::Now(5..105, End::Free));
    assert_eq!(sink.due(5, 104, &none, now + minute), Due::Now(5..104, End::Free));
}

#[test]
fn a_range_that_was_cut_is_cut_so_again() {
    let (mut sink, now) = (sink(100, 60), Instant::now());
    let cut = BTreeMap::from([(5, 50), (70, 90)]);
    assert_eq!(sink.due(5, 400, &cut, now), Due::Now(5..50, End::Cut));
    assert_eq!(sink.due(5, 49, &cut, now), Due::Lacking(50));
    // What lies between two of them does not reach into the next.
    let rest = BTreeMap::from([(70, 90)]);
    assert_eq!(sink.due(50, 400, &rest, now + Duration::from_secs(1)), Due::At(now + Duration::from_secs(61)));
    assert_eq!(sink.due(50, 400, &rest, now + Duration::from_secs(61)), Due::Now(50..70, End::Free));
    // One that lies before is no longer in the way.
    let passed = BTreeMap::from([(5, 50)]);
    assert_eq!(sink.due(60, 160, &passed, now), Due::Now(60..160, End::Free));
}

#[test]
fn names_tell_shards_and_editions_apart() {
    let shard = ShardCount::default().id(1).unwrap();
    assert_eq!([1, 2].map(|edition| LakeSink::edition_name(edition, shard)), ["lake/1", "lake/1/2"]);
}

#[tokio::test]
async fn a_disk_that_goes_before_the_first_file_is_not_taken_for_a_new_lake() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("data"), StoreSettings::default()).unwrap();
    let (shards, root) = (store.shared().shards(), folder.path().join("lake"));
    let shard = shards.id(0).unwrap();
    let config = crate::config::Config::default().lake;
    let name = LakeSink::name(&config, shard);
    let follower = Follower::open(&name, Subject::Files(shard), "lake", &store.shared()).unwrap();
    let sink = LakeSink::new(shard, shards, LakeFolder::new(&root, 7), &config);
    assert_eq!(sink.go_on(&follower).await.unwrap(), BTreeMap::new());
    std::fs::remove_dir_all(&root).unwrap();
    let failure = sink.go_on(&follower).await.unwrap_err();
    assert!(failure.error.contains("Mount its disk"), "{failure:?}");
    assert!(!root.exists(), "the disk below it is written");
}
