//! kill -9 at random moments: of replays, and of an appliance that serves while it reads. Whatever was committed by then, the end is
//! the same. `FAULTS_KILLS` says how many there are (200 take about three minutes), `FAULTS_SEED` repeats them.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::workload::{Workload, finish, seed, serving};
use crate::harness::{Random, Running, rest_of, tell};

const KILLS: usize = 20;

fn kills() -> usize {
    std::env::var("FAULTS_KILLS").map_or(KILLS, |text| text.parse().expect("FAULTS_KILLS is a number"))
}

/// A moment of a run that takes so long: half of them early, so that a start is also killed while it recovers.
fn moment(random: &mut Random, takes: Duration) -> Duration {
    let span = if random.one_in(2) { takes / 4 } else { takes };
    span.mul_f64(random.below(1000) as f64 / 1000.0)
}

#[test]
fn replays_killed_at_random_moments_end_the_same() {
    let mut random = seed("replays killed at random moments");
    let workloads = [Workload::new(None), Workload::new(Some("2h"))];
    let expected = workloads.each_ref().map(|workload| {
        let began = Instant::now();
        let whole = workload.whole("whole");
        (whole, began.elapsed())
    });
    let (mut killed, mut replays) = (0, 0);
    while killed < kills() * 2 / 3 {
        let (workload, (whole, takes)) = (&workloads[replays % 2], &expected[replays % 2]);
        let name = replays.to_string();
        // A directory is killed a few times in a row.
        for _ in 0..1 + random.below(4) {
            let mut command = workload.replay(&name).command;
            let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            // A random moment, not a wait for something.
            std::thread::sleep(moment(&mut random, *takes));
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "after {killed} kills: {}", rest_of(&mut child));
                break;
            }
            child.kill().unwrap();
            killed += usize::from(child.wait().unwrap().code().is_none());
        }
        workload.ends_as(&name, whole, &format!("replay {replays}, after {killed} kills"));
        replays += 1;
    }
    tell(&format!("{killed} kills over {replays} replays"));
}

#[test]
fn a_served_directory_killed_at_random_moments_ends_the_same() {
    let mut random = seed("serving, killed at random moments");
    let workload = Workload::new(None);
    let settings = workload.settings();
    let finished = |name: &str| finish(serving(&workload.data(name), &settings), &workload.data(name));
    let began = Instant::now();
    let expected = finished("whole");
    let takes = began.elapsed();
    let (mut killed, mut rounds) = (0, 0);
    while killed < kills() / 3 {
        let name = rounds.to_string();
        for _ in 0..1 + random.below(4) {
            let mut running = Running::start(serving(&workload.data(&name), &settings));
            std::thread::sleep(moment(&mut random, takes));
            assert!(running.child.try_wait().unwrap().is_none(), "it ended by itself: {}", running.seen());
            running.signal("KILL");
            running.end();
            killed += 1;
        }
        finished(&name).equals(&expected, &format!("round {rounds}, after {killed} kills"));
        let _ = std::fs::remove_dir_all(workload.data(&name));
        rounds += 1;
    }
    tell(&format!("{killed} kills over {rounds} directories"));
}
