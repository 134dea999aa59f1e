use super::*;
use crate::store::{Store, StoreSettings};

/// A store without rows, and its handle.
fn store() -> (tempfile::TempDir, Store, Arc<StoreHandle>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), StoreSettings::default()).unwrap();
    let handle = store.shared().clone();
    (folder, store, handle)
}

const NEWEST: Subject = Subject::Alerts { newest: 1_000 };

fn taken(next: u64) -> Taken {
    Taken { next, time: Some(7), count: 1, ..Taken::default() }
}

#[tokio::test]
async fn two_sinks_of_one_kind_hold_for_themselves() {
    let (_folder, _store, handle) = store();
    let mut first = Follower::open("redis", NEWEST, "a:1", &handle).unwrap();
    let mut second = Follower::open("redis/2", NEWEST, "b:1", &handle).unwrap();
    assert_eq!(handle.first_held_alert(50), 1);
    first.acknowledge(taken(40)).await.unwrap();
    assert_eq!(handle.first_held_alert(50), 1, "the second sink has acknowledged nothing");
    second.acknowledge(taken(20)).await.unwrap();
    assert_eq!(handle.first_held_alert(50), 20);
    second.acknowledge(taken(50)).await.unwrap();
    assert_eq!(handle.first_held_alert(50), 40);
    assert_eq!((first.cursor().next, second.cursor().next), (40, 50));
    let stored = |name| handle.mirror_cursor(name).unwrap().unwrap().next;
    assert_eq!((stored("redis"), stored("redis/2")), (40, 50));
}

#[tokio::test]
async fn two_sinks_of_one_name_are_refused() {
    let (_folder, _store, handle) = store();
    let mut first =
        Follower::open("mysql/0", Subject::Shard(shard::ShardCount::default().id(0).unwrap()), "a:1", &handle).unwrap();
    let refused =
        Follower::open("mysql/0", Subject::Shard(shard::ShardCount::default().id(0).unwrap()), "b:1", &handle)
            .unwrap_err();
    assert!(refused.to_string().contains("mysql/0"), "{refused}");
    first.acknowledge(taken(3)).await.unwrap();
    first.refill(1).await.unwrap();
    let cursor = handle.mirror_cursor("mysql/0").unwrap().unwrap();
    assert_eq!((cursor.next, cursor.refilled, cursor.time), (1, 1, Some(7)));
}

#[tokio::test]
async fn a_sink_that_fails_is_run_again_from_its_cursor() {
    /// Takes one alert per run, then fails; stops everything after three.
    struct Faint(CancellationToken, Vec<u64>);

    impl Sink for Faint {
        async fn run(&mut self, follower: &mut Follower) -> Failure {
            let next = follower.cursor().next;
            self.1.push(next);
            follower.acknowledge(taken(next + 1)).await.unwrap();
            if self.1.len() == 3 {
                assert_eq!(self.1, [1, 2, 3]);
                self.0.cancel();
            }
            Failure::away("gone")
        }
    }

    let (_folder, _store, handle) = store();
    let follower = Follower::open("faint", NEWEST, "a:1", &handle).unwrap();
    let health = follower.health().clone();
    let stop = CancellationToken::new();
    follow(Faint(stop.clone(), Vec::new()), follower, Duration::from_secs(1), stop).await;
    assert_eq!(health.acknowledged(), 3);
    assert_eq!(health.status(&handle).failures, 3);
}
