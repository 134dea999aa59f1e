use std::time::{Duration, Instant};

use traffic::{
    CivilTime, Column, Delimiter, Layout, LineParser, NameTable, ParserSettings, TimeZoneName, Watermark,
    WatermarkState,
};

use super::{Ledger, Record};
use crate::batch::Batch;
use crate::source::kafka::position::{Committed, Mark, PartitionPosition};
use crate::source::message::Reading;
use crate::status::StopReason;

const NOW: Duration = Duration::ZERO;
const TTL: i64 = 600;

struct Scene {
    ledger: Ledger,
    parser: LineParser,
}

impl Scene {
    fn new(stored: Option<PartitionPosition>) -> Self {
        let settings = ParserSettings {
            layout: Layout::parse(&Column::ALL.map(Column::as_str).join(",")).unwrap(),
            delimiter: None,
            not_after: CivilTime(4_000_000_000),
            zone: TimeZoneName::default(),
            max_names: 1000,
        };
        let stored = stored.into_iter().map(|position| (0, position)).collect();
        let ledger = Ledger::new("t", "g", "b", 2 * TTL, 2 * TTL, stored);
        ledger.assign(0);
        Self { ledger, parser: LineParser::new(settings, &NameTable::default()) }
    }

    fn begin(&self, committed: Option<Committed>) -> Option<i64> {
        self.ledger.begin_at(0, committed, |_| Err(())).unwrap()
    }

    /// A record whose time is its offset in seconds.
    fn take(&mut self, offset: i64) -> bool {
        let line = line(offset);
        let record = Record { partition: 0, offset, timestamp: 7, value: Some(line.as_bytes()) };
        let reading = Reading { delimiter: Some(Delimiter::Tab), gb18030: false };
        self.ledger.push(&record, reading, &mut self.parser, Instant::now())
    }

    fn give(&self) -> Option<Batch> {
        self.ledger.next_batch(u64::MAX, NOW).map(Result::unwrap)
    }

    fn stored(&mut self, offsets: std::ops::Range<i64>) -> PartitionPosition {
        for offset in offsets {
            assert!(self.take(offset));
        }
        let batch = self.give().unwrap();
        self.ledger.committed(&batch);
        PartitionPosition::decode(&batch.position).unwrap()
    }
}

fn line(offset: i64) -> String {
    let (minute, second) = (offset / 60, offset % 60);
    format!("G{offset}\tD\tK\t1\t2024-01-01 00:{minute:02}:{second:02}\t02\t苏C12345\tM")
}

fn time(offset: i64) -> i64 {
    let text = format!("2024-01-01 00:{:02}:{:02}", offset / 60, offset % 60);
    CivilTime::parse(text.as_bytes(), &TimeZoneName::default()).unwrap().0
}

#[test]
fn a_partition_without_a_past_is_not_read_before_it_is_decided() {
    let mut scene = Scene::new(None);
    assert_eq!(scene.begin(None), None);
    assert!(scene.ledger.is_undecided());
    assert!(scene.take(3) && scene.give().is_none(), "nothing is taken yet");
    scene.ledger.start_at(0, 3);
    assert_eq!(scene.stored(3..5).next, 5);
}

#[test]
fn what_another_has_stored_is_read_back_in_parts_and_only_the_last_moves_the_position() {
    let mut scene = Scene::new(Some(PartitionPosition::at(2)));
    let from = Mark { offset: 10, before: Some(time(9)) };
    assert_eq!(scene.begin(Some(Committed { next: 20, state: Some((from, Some(time(19)))) })), Some(10));
    assert!(scene.ledger.hints().is_empty(), "an old position must not become the group's");
    (10..15).for_each(|offset| assert!(scene.take(offset)));
    let part = scene.give().unwrap();
    let takeover = part.takeover.clone().unwrap();
    let begins = WatermarkState { time: Some(time(9)), ..WatermarkState::default() };
    assert_eq!((takeover.begins, takeover.ends), (Some(begins), None));
    assert_eq!((part.passages.len(), part.position.len()), (5, 0));
    scene.ledger.committed(&part);
    // The rest, and what comes after it at once.
    (15..22).for_each(|offset| assert!(scene.take(offset)));
    let last = scene.give().unwrap();
    let takeover = last.takeover.clone().unwrap();
    assert_eq!((takeover.begins, takeover.ends), (None, Some(Some(time(19)))));
    assert_eq!(PartitionPosition::decode(&last.position).unwrap().next, 20);
    scene.ledger.committed(&last);
    let after = scene.give().unwrap();
    assert_eq!((after.passages.len(), &after.takeover), (2, &None));
    scene.ledger.committed(&after);
    let hints = scene.ledger.hints();
    assert_eq!(hints.len(), 1);
    assert_eq!((hints[0].1.next, hints[0].1.taken_over), (22, Some(time(19))));
    assert!(scene.give().is_none());
}

#[test]
fn a_record_of_the_future_that_was_rejected_then_is_not_read_back() {
    let mut scene = Scene::new(None);
    let from = Mark { offset: 10, before: None };
    let day_before = time(11) - 86_400;
    scene.begin(Some(Committed { next: 13, state: Some((from, Some(day_before))) }));
    (10..13).for_each(|offset| assert!(scene.take(offset)));
    let batch = scene.give().unwrap();
    assert_eq!((batch.passages.len(), batch.passages.rejects.len()), (2, 0));
    assert_eq!(batch.takeover.unwrap().ends, Some(Some(day_before)));
}

#[test]
fn after_a_restart_what_was_taken_over_is_read_back_until_it_is_old() {
    let mut scene = Scene::new(None);
    let from = Mark { offset: 0, before: None };
    scene.begin(Some(Committed { next: 5, state: Some((from, Some(time(4)))) }));
    let stored = scene.stored(0..5);
    assert_eq!(stored.taken_over, Some(time(4)));
    let restarted = Scene::new(Some(stored.clone()));
    assert_eq!(
        restarted.begin(Some(Committed { next: 5, state: None })),
        Some(0),
        "what is not in the log is read back"
    );
    let state = WatermarkState { time: Some(time(5) + 2 * TTL), ..WatermarkState::default() };
    let old = PartitionPosition { watermark: Watermark::of(&state), ..stored };
    assert_eq!(Scene::new(Some(old)).begin(None), Some(5), "it does not matter any more");
}

#[test]
fn the_record_before_the_position_tells_whether_the_topic_was_made_anew() {
    let mut scene = Scene::new(None);
    scene.ledger.start_at(0, 0);
    let stored = scene.stored(0..5);
    let mut same = Scene::new(Some(stored.clone()));
    assert_eq!(same.begin(None), Some(4));
    assert!((4..7).all(|offset| same.take(offset)));
    assert_eq!(same.give().unwrap().passages.len(), 2);

    let mut other = Scene::new(Some(PartitionPosition { last: Some(1), ..stored }));
    assert_eq!(other.begin(None), Some(4));
    assert!(!other.take(4), "another record");
    assert!(other.take(5) && other.give().is_none(), "nothing is taken of it before it is set right");
    let (next, gap) = other.ledger.reconcile(0, 0, 9, 1).unwrap();
    assert_eq!((next, gap.is_some()), (0, true));
    assert!((0..2).all(|offset| other.take(offset)));
    let batch = other.give().unwrap();
    assert_eq!((batch.passages.len(), PartitionPosition::decode(&batch.position).unwrap().gaps), (2, 1));
}

#[test]
fn what_is_gone_of_the_records_to_read_back_is_passed_over() {
    let scene = Scene::new(None);
    let from = Mark { offset: 10, before: Some(time(9)) };
    scene.begin(Some(Committed { next: 20, state: Some((from, Some(time(19)))) }));
    assert_eq!(scene.ledger.reconcile(0, 15, 30, 1), Some((15, None)));
    assert_eq!(scene.ledger.status().partitions[0].to_read_back, 5);
    // All of it, and one record that no process has stored.
    let (next, gap) = scene.ledger.reconcile(0, 21, 30, 1).unwrap();
    assert_eq!((next, gap.map(|gap| (gap.first, gap.last))), (21, Some((20, 20))));
    let last = scene.give().unwrap();
    assert_eq!(last.takeover.unwrap().ends, Some(Some(time(19))));
    assert_eq!(PartitionPosition::decode(&scene.give().unwrap().position).unwrap().gaps, 1);
}

/// An open transaction begins at 15: a group offset beyond it does not mean that the partition was cut off.
#[test]
fn a_position_beyond_an_open_transaction_is_known_to_be_and_is_no_gap() {
    let scene = Scene::new(None);
    assert!(!scene.ledger.is_beyond(0, 0), "it is not decided where to go on");
    let from = Mark { offset: 20, before: Some(time(9)) };
    scene.begin(Some(Committed { next: 20, state: Some((from, Some(time(19)))) }));
    assert!(scene.ledger.is_beyond(0, 15) && !scene.ledger.is_beyond(0, 20));
    assert_eq!(scene.ledger.reconcile(0, 0, 22, 1), Some((20, None)));
    // With the end that a reader of committed records sees, it would be taken for cut off.
    assert!(scene.ledger.reconcile(0, 0, 15, 1).unwrap().1.is_some());
}

#[test]
fn who_lets_a_partition_go_tells_the_group_once_more_what_it_may_have_refused() {
    let mut scene = Scene::new(None);
    scene.ledger.start_at(0, 0);
    let stored = scene.stored(0..5);
    assert_eq!(scene.ledger.hints(), [(0, stored.clone())]);
    assert!(scene.ledger.hints().is_empty(), "once is enough while nothing is refused");
    assert!(scene.take(5));
    scene.ledger.drop_hand(0);
    assert!(scene.ledger.wait_until_stored(0));
    assert_eq!(scene.ledger.last(&[0, 1]), [(0, stored)]);
    scene.ledger.revoked(0);
    assert!(scene.ledger.last(&[0]).is_empty(), "it is another's");
}

#[test]
fn who_lets_a_partition_go_before_it_was_decided_where_to_go_on_tells_nothing() {
    let mut scene = Scene::new(None);
    scene.ledger.start_at(0, 0);
    scene.stored(0..5);
    scene.ledger.revoked(0);
    // Another has gone further since.
    scene.ledger.assign(0);
    scene.ledger.drop_hand(0);
    assert!(scene.ledger.last(&[0]).is_empty() && scene.ledger.hints().is_empty());
}

#[test]
fn a_batch_that_waited_needs_the_groups_word() {
    let mut scene = Scene::new(None);
    scene.ledger.start_at(0, 0);
    scene.stored(0..2);
    assert!((2..4).all(|offset| scene.take(offset)));
    let (first, patience) = (scene.give().unwrap(), Duration::from_secs(3600));
    assert!(scene.take(4));
    let second = scene.give().unwrap();
    assert!(scene.ledger.permit(&first, patience, |_, _| panic!("it is young")));
    assert!(scene.ledger.permit(&first, NOW, |_, stored| stored.next == 2));
    // The group has given the partition to another: neither it nor what follows may be stored.
    assert!(!scene.ledger.permit(&first, NOW, |_, _| false));
    assert!(!scene.ledger.permit(&second, patience, |_, _| true), "the batch behind it would leave a hole");
    assert!(scene.ledger.is_undecided() && scene.ledger.wait_until_stored(0));
    // If the group still counts this process in, it must know how far it came.
    let told = |told: Vec<(i32, PartitionPosition)>| told.iter().map(|(_, stored)| stored.next).collect::<Vec<_>>();
    assert_eq!((told(scene.ledger.hints()), told(scene.ledger.last(&[0]))), (vec![2], vec![2]));
    assert_eq!(scene.begin(None), Some(1), "it is read again behind what is stored");
}

/// It would begin again and again otherwise, wherever commits are slow.
#[test]
fn what_has_just_begun_or_is_taken_over_can_ask_the_group_too() {
    let mut scene = Scene::new(None);
    scene.ledger.start_at(0, 7);
    assert!(scene.take(7));
    let batch = scene.give().unwrap();
    assert!(scene.ledger.permit(&batch, NOW, |_, asked| asked == &PartitionPosition::at(7)));
    assert!(!scene.ledger.permit(&batch, NOW, |_, _| false));

    let mut scene = Scene::new(Some(PartitionPosition::at(2)));
    let committed = Committed::new(20, "platewatch/2 10 9 19");
    assert_eq!(scene.begin(Some(committed)), Some(10));
    (10..15).for_each(|offset| assert!(scene.take(offset)));
    let part = scene.give().unwrap();
    let as_the_group_has_it =
        |asked: &PartitionPosition| (asked.next, asked.metadata()) == (20, "platewatch/2 10 9 19".to_owned());
    assert!(scene.ledger.permit(&part, NOW, |_, asked| as_the_group_has_it(asked)));
    // In the next assignment it is not known before it is asked for.
    scene.ledger.revoked(0);
    scene.ledger.assign(0);
    assert!(!scene.ledger.permit(&part, NOW, |_, _| true));
}

#[test]
fn a_second_sleep_is_doubted_anew() {
    let lease = Duration::from_secs(5);
    let now = Instant::now();
    let mut scene = Scene::new(None);
    scene.ledger.start_at(0, 0);
    scene.stored(0..2);
    assert!(scene.take(2));
    let turns = |times: u32| scene.ledger.turn_begins(now + lease * times, lease);
    turns(1);
    turns(3);
    let batch = scene.ledger.next_batch(u64::MAX, NOW).unwrap().unwrap();
    // It sleeps again while the group answers.
    assert!(scene.ledger.permit(&batch, NOW, |_, _| {
        turns(6);
        true
    }));
    assert!(scene.take(3));
    let (after, mut asked) = (scene.give().unwrap(), false);
    assert!(scene.ledger.permit(&after, Duration::ZERO, |_, _| std::mem::replace(&mut asked, true) || asked));
    assert!(asked && after.lease.is_some_and(|lease| lease.since < now + Duration::from_secs(16)));
}

#[test]
fn what_was_read_before_a_long_sleep_needs_the_groups_word() {
    let lease = Duration::from_secs(5);
    let now = Instant::now();
    let slept = |scene: &mut Scene| {
        scene.ledger.start_at(0, 0);
        scene.stored(0..2);
        scene.ledger.turn_begins(now.checked_sub(lease * 2).unwrap(), lease);
        assert!(scene.take(2));
        // It wakes, and what it had read is due.
        scene.ledger.turn_begins(now, lease);
        scene.give().unwrap()
    };
    let mut scene = Scene::new(None);
    let batch = slept(&mut scene);
    assert!(!scene.ledger.permit(&batch, lease, |_, _| false), "it is another's");
    // What is read after that is not in doubt.
    assert_eq!(scene.begin(None), Some(1));
    assert!(scene.take(1) && scene.take(2));
    assert!(scene.ledger.permit(&scene.give().unwrap(), lease, |_, _| panic!("it was read after the sleep")));

    let mut scene = Scene::new(None);
    let batch = slept(&mut scene);
    assert!(scene.ledger.permit(&batch, lease, |_, stored| stored.next == 2));
    assert!(scene.take(3));
    assert!(scene.ledger.permit(&scene.give().unwrap(), lease, |_, _| panic!("the group has answered")));
}

#[test]
fn the_end_of_a_partition_moves_the_position_over_what_holds_no_record() {
    let mut scene = Scene::new(None);
    scene.ledger.start_at(0, 0);
    assert_eq!(scene.stored(0..5).next, 5);
    // The marker of a transaction is at 5, and nothing follows it.
    scene.ledger.reached_end(0, 6, Instant::now());
    let batch = scene.give().unwrap();
    let position = PartitionPosition::decode(&batch.position).unwrap();
    assert_eq!((position.next, position.gaps, position.last, batch.passages.len()), (6, 0, None, 0));
    scene.ledger.committed(&batch);
    scene.ledger.set_end(0, 6, 6);
    assert_eq!(scene.ledger.status().partitions[0].lag, Some(0));
    // Retention has passed the marker: nothing is missing.
    assert_eq!(scene.ledger.reconcile(0, 6, 6, 0), Some((6, None)));
    // An end that is known already moves nothing.
    scene.ledger.reached_end(0, 6, Instant::now());
    assert!(scene.give().is_none());
    assert!(scene.take(6));
    assert_eq!(scene.give().unwrap().passages.len(), 1);
}

#[test]
fn reading_back_ends_at_a_marker_too() {
    let mut scene = Scene::new(Some(PartitionPosition::at(2)));
    let from = Mark { offset: 10, before: Some(time(9)) };
    assert_eq!(scene.begin(Some(Committed { next: 14, state: Some((from, Some(time(12)))) })), Some(10));
    (10..13).for_each(|offset| assert!(scene.take(offset)));
    scene.ledger.reached_end(0, 14, Instant::now());
    let batch = scene.give().unwrap();
    assert_eq!(batch.takeover.as_ref().unwrap().ends, Some(Some(time(12))));
    assert_eq!(PartitionPosition::decode(&batch.position).unwrap().next, 14);
    scene.ledger.committed(&batch);
    // What lies between the group's offset and the end is skipped as well.
    scene.ledger.reached_end(0, 16, Instant::now());
    assert_eq!(PartitionPosition::decode(&scene.give().unwrap().position).unwrap().next, 16);
}

#[test]
fn an_end_before_it_is_decided_where_a_partition_goes_on_says_nothing() {
    let scene = Scene::new(Some(PartitionPosition::at(2)));
    scene.ledger.reached_end(0, 9, Instant::now());
    scene.ledger.reached_end(7, 9, Instant::now());
    assert!(scene.give().is_none());
    assert_eq!(scene.begin(None), Some(2));
}

#[test]
fn a_partition_that_cannot_be_read_is_named_until_records_come() {
    use rdkafka::error::RDKafkaErrorCode;
    let mut scene = Scene::new(None);
    scene.ledger.start_at(0, 0);
    scene.ledger.assign(1);
    scene.ledger.start_at(1, 0);
    scene.ledger.set_end(0, 3, 3);
    scene.ledger.set_end(1, 0, 0);
    let words = "Decompression (codec 0x5) of message at 0 of 9 bytes failed".to_owned();
    assert!(scene.ledger.set_error(words.clone()));
    let before = Instant::now().checked_sub(super::QUIET).unwrap();
    scene.ledger.fetch_failed(RDKafkaErrorCode::NotImplemented, before);
    let stopped = scene.ledger.status().stopped.unwrap();
    assert_eq!((stopped.reason, &stopped.partitions[..]), (StopReason::Codec, &[0][..]));
    assert!(stopped.text.contains("codec 0x5") && stopped.text.contains("zstd"), "{}", stopped.text);
    assert!(!scene.ledger.set_error(words), "the same is not news again");
    assert!(scene.take(0));
    assert_eq!(scene.ledger.status().stopped, None);
}
