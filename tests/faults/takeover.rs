//! Killed at the failpoints of a takeover: a partition that another appliance had is read back, and the process dies in the
//! middle of it. The next start takes it over again, and ends with what a takeover without a kill leaves.

use std::path::Path;
use std::time::Duration;

use super::dump::{Dump, Extent};
use super::points::{Rows, points_of};
use super::workload::SIGABRT;
use crate::harness::Appliance;
use crate::kafka::Broker;
use crate::kafka_source::traffic::Traffic;

const TOPIC: &str = "faults-takeover";
/// A member that was killed has its partition again at once.
const RETURNS: &str = "\"group.instance.id\" = \"one\"\n";
const COUNT: usize = 20_000;

/// An appliance of a group, in small batches: a takeover has several parts.
fn member(folder: &Path, broker: &Broker, group: &str, properties: &str) -> Appliance {
    let appliance = Appliance::new(folder);
    let settings = format!(
        "data_dir = {data:?}\n[source]\nkind = \"kafka\"\nbatch_records = 500\n[store]\nretention = \"forever\"\nalerts_retention = \"forever\"\n\
         memory = \"64MiB\"\n[kafka]\nbrokers = \"{bootstrap}\"\ntopic = \"{TOPIC}\"\ngroup = \"{group}\"\n\
         [kafka.properties]\n\"session.timeout.ms\" = 6000\n{properties}",
        data = appliance.data(),
        bootstrap = broker.bootstrap(),
    );
    appliance.configure(&settings, "");
    appliance
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the feature failpoints")]
fn killed_in_a_takeover_it_begins_again() {
    let broker = Broker::shared();
    let dir = tempfile::tempdir().unwrap();
    // One partition: the order in which several are read is not determined.
    broker.create_topic(TOPIC, 1);
    let traffic = Traffic::simulate(dir.path(), COUNT, 1, 31);
    traffic.produce(broker.bootstrap(), TOPIC, 0..COUNT / 2, Duration::ZERO);
    let mut rows = vec![None];
    rows.extend(points_of(Rows::Takeover).flat_map(|point| [1, 2].map(|time| Some((point, time)))));
    // In each group an appliance takes the first half, and goes.
    for row in 0..rows.len() {
        let mut first = member(&dir.path().join(format!("first-{row}")), broker, &format!("takeover-{row}"), "");
        first.start();
        first.wait_for_lines(COUNT as u64 / 2);
        first.stop();
    }
    traffic.produce(broker.bootstrap(), TOPIC, COUNT / 2..COUNT, Duration::ZERO);
    // Another takes the second half, with a directory of its own.
    let dumps: Vec<Dump> = rows
        .iter()
        .enumerate()
        .map(|(row, killed)| {
            let mut second =
                member(&dir.path().join(format!("second-{row}")), broker, &format!("takeover-{row}"), RETURNS);
            if let Some((point, time)) = killed {
                second.environment("PLATEWATCH_FAILPOINTS", &format!("{point}=abort@{time}"));
                second.spawn();
                second.dies(SIGABRT);
                second.environment("PLATEWATCH_FAILPOINTS", "");
            }
            second.start();
            second.wait_for_lines(COUNT as u64 / 2);
            second.stop();
            Dump::of(&second.data(), Extent::WhateverTheBatches)
        })
        .collect();
    assert!(dumps[0].count("row") > COUNT / 3 && dumps[0].count("alerts") > 10);
    for (dump, row) in dumps.iter().zip(&rows) {
        dump.equals(&dumps[0], &format!("{row:?}"));
    }
}
