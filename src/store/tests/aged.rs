//! What is older than the retention is found nowhere: not in rows, indexes and values, nor in the bytes of the files.

use storage::Family;
use traffic::CivilTime;
use traffic::evidence::EvidenceSettings;

use super::model::{Line, Row, lines};
use super::scene::{SELDOM, SMALL, Scene, settings};
use super::traces::{in_files, in_values};
use crate::reader::{Order, QueryFilter, Snapshot as _, TimeRange};
use crate::store::{Keep, StoreSettings};
use crate::work::{WorkChange, WorkStatus};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Longer than the evidence keeps a plate with a case.
const LATER: i64 = 32 * DAY;
const PLATE: &str = "苏C12345";

/// The same traffic days later, without the plate and without lines that are rejected.
fn without_it(traffic: Vec<(u32, Line)>, later: i64) -> Vec<(u32, Line)> {
    let of_others = traffic.into_iter().filter_map(|(partition, line)| match line {
        Line::Passage(row) if row.hphm != PLATE => {
            let (gcxh, gcsj) = (format!("N{later}{}", row.gcxh), CivilTime(row.gcsj.0 + later));
            Some((partition, Line::Passage(Row { gcxh, gcsj, ..row })))
        }
        _ => None,
    });
    of_others.collect()
}

#[test]
fn a_plate_older_than_the_retention_is_found_nowhere() {
    let keep = Keep::written(Some(2 * HOUR));
    let settings = StoreSettings {
        retention: keep,
        alerts_retention: keep,
        rejects_retention: keep,
        evidence: Some(EvidenceSettings { open_from: 0.01, ..EvidenceSettings::default() }),
        ..settings()
    };
    let mut scene = Scene::new(settings, SMALL, SELDOM);
    scene.commit_all(&lines(9, 1500, 7, 2), || 60);
    let alert = scene.alerts().into_iter().find(|alert| alert.plate == PLATE).unwrap();
    let change = WorkChange {
        status: Some(WorkStatus::Investigating),
        note: format!("即{PLATE}"),
        reason: None,
        by: "王".to_owned(),
        at: CivilTime(7),
        version: None,
    };
    scene.store().shared().change_work(alert.id, &change).unwrap();
    scene.restart();
    let families = |scene: &Scene| {
        let found = in_values(&scene.store().shared.reading.database, PLATE);
        let mut families: Vec<String> = found.iter().map(|place| place.split(' ').next().unwrap().to_owned()).collect();
        families.dedup();
        families
    };
    let before = families(&scene);
    for family in ["plates", "alerts", "evidence", "rejects", "meta"] {
        assert!(before.iter().any(|found| found == family), "the search finds {before:?}");
    }
    assert!(!in_files(scene.folder.path(), PLATE).is_empty());

    // Its traffic ends, that of others goes on for long enough.
    for days in [LATER, LATER + DAY] {
        scene.commit_all(&without_it(lines(10, 1500, 7, 2), days), || 60);
    }
    scene.restart();
    let view = scene.view();
    let filter = QueryFilter { hphm: Some(PLATE.to_owned()), ..QueryFilter::default() };
    // Longer plates that begin with it are others.
    let found = view.query(&filter, Order::Newest, 1, 1000).unwrap();
    assert!(found.records.iter().all(|row| row.hphm != PLATE));
    assert_eq!(view.track(PLATE, TimeRange::default(), None, 10).unwrap().total, 0);
    assert!(scene.alerts().iter().all(|alert| alert.plate != PLATE));
    let code = traffic::PlateCode::pack(PLATE);
    for log in scene.store().state.logs.values() {
        for entry in log.iter() {
            assert!(entry.zone.max_time.0 > alert.later.passed_at.0 + 20 * DAY, "a segment is left");
        }
    }
    assert!(scene.store().state.cases.of_plate(code).is_none());
    drop(view);

    let database = scene.store().shared.reading.database.clone();
    database.flush().unwrap();
    for family in Family::all(database.shards()) {
        database.rewrite(family);
    }
    assert_eq!(families(&scene), Vec::<String>::new());
    drop(database);
    // The list of files is written again, and no longer names keys that files had.
    scene.crash();
    assert_eq!(in_files(scene.folder.path(), PLATE), Vec::<String>::new());
}
