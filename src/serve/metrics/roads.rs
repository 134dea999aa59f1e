//! Metrics of the roads, of a bounded number of segments.

use super::text::Exposition;
use crate::roads::{Road, RoadLevel, Roads};

/// The most segments that have an index here: those with the most cars. All are counted by level.
const MAX_SEGMENTS: usize = 256;

pub(super) fn write(out: &mut Exposition, roads: &Roads) {
    let mut levels = out.gauge("platewatch_roads", "Segments by level; those without one are not counted.");
    for level in RoadLevel::ALL {
        let count = roads.all.iter().filter(|road| road.level() == Some(level)).count();
        levels.labelled(&[("level", level.as_str())], count as f64);
    }
    let mut known: Vec<&Road> = roads.all.iter().filter(|road| road.median.is_some()).collect();
    known.sort_by(|a, b| b.cars.cmp(&a.cars).then_with(|| (&a.from, &a.to).cmp(&(&b.from, &b.to))));
    known.truncate(MAX_SEGMENTS);
    let mut index = out.gauge(
        "platewatch_road_index",
        "Present travel time of a segment over that of a free road, of the segments with the most cars.",
    );
    for road in known {
        if let Some(value) = road.index() {
            index.labelled(&[("from", &road.from), ("to", &road.to)], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::roads::RoadsState;

    #[test]
    fn labels_are_bounded() {
        let road = |number: usize| {
            let names = [format!("K{number:04}").into(), "K".into()];
            Road::new(names, 600.0, &vec![(0, 900); 5 + number % 3], 0.0, Arc::default())
        };
        let roads = Roads { state: RoadsState::Ready, now: Some(0), all: (0..3000).map(road).collect() };
        let mut out = Exposition::default();
        write(&mut out, &roads);
        let text = out.finish();
        assert!(text.contains("platewatch_roads{level=\"light\"} 3000\n"), "{text}");
        let indexes: Vec<_> = text.lines().filter(|line| line.starts_with("platewatch_road_index{")).collect();
        assert_eq!(indexes.len(), 256);
        assert_eq!(indexes[0], "platewatch_road_index{from=\"K0002\",to=\"K\"} 1.5");
    }
}
