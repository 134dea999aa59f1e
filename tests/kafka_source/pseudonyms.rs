//! With a plate key, what is read back of a partition that another process had becomes pseudonyms as what is new does.

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};

use super::STATIC_MEMBER;
use super::group::{clone_lines, produce};
use crate::harness::{Appliance, Ended, platewatch};
use crate::kafka::Broker;

#[test]
fn what_is_read_back_becomes_pseudonyms_too() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("plates.key");
    let made: Ended = platewatch().args(["plate-key", "new"]).arg(&key).output().unwrap().into();
    made.done();
    let name = "foreign-pseudonyms";
    broker.create_topic(name, 1);
    let ([first, second], [third, fourth]) = (clone_lines(1), clone_lines(2));
    produce(broker, name, std::slice::from_ref(&first));
    // Another program has consumed it, and committed a bare offset.
    let other: BaseConsumer = broker.client_config().set("group.id", name).create().unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(name, 0, Offset::Offset(1)).unwrap();
    other.commit(&offsets, CommitMode::Sync).unwrap();
    drop(other);

    let mut appliance = Appliance::consuming(dir.path(), broker.bootstrap(), name, STATIC_MEMBER);
    appliance.environment("PLATEWATCH__PRIVACY__PLATE_KEY_FILE", key.to_str().unwrap());
    appliance.start();
    produce(broker, name, &[first.clone(), second]);
    appliance.wait_for_lines(2);
    let counts = |appliance: &Appliance| {
        let pipeline = appliance.status()["pipeline"].clone();
        ["accepted", "duplicates", "alerts"].map(|name| pipeline[name].as_u64().unwrap())
    };
    // The warning is of the record that was read back and the new one.
    assert_eq!(counts(&appliance), [1, 1, 1], "{}", appliance.log());
    let shown = appliance.get("/api/warnings").unwrap()["records"][0]["hphm"].clone();
    assert_eq!(shown, "苏C12345");
    appliance.kill();
    produce(broker, name, &[first, third, fourth]);
    appliance.start();
    appliance.wait_for_lines(5);
    assert_eq!(counts(&appliance)[..2], [3, 2], "{}", appliance.log());
    assert_eq!(appliance.log().matches("reading back").count(), 2, "{}", appliance.log());
    appliance.stop();
    assert!(holds(&appliance.data(), "苏C12345".as_bytes()).is_none());
    assert!(!appliance.log().contains("苏C12345"));
}

/// A file below a folder that holds these bytes.
fn holds(folder: &std::path::Path, text: &[u8]) -> Option<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find_map(|path| {
        if path.is_dir() {
            return holds(&path, text);
        }
        memchr::memmem::find(&std::fs::read(&path).unwrap(), text).map(|_| path)
    })
}
