//! Rows for tests: tidy, odd and absurd ones, and the names they use.

use proptest::prelude::*;
use shard::Rows;
use traffic::{CivilTime, Dimension, NameTable, PassageBatch, PassageId, PlateCode, Resolution};

/// The dimensions that a segment stores.
pub(crate) const DIMENSIONS: [Dimension; 5] =
    [Dimension::Checkpoint, Dimension::District, Dimension::Direction, Dimension::PlateType, Dimension::Model];

/// One row as texts.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) arrival: u64,
    pub(crate) partition: u32,
    pub(crate) time: i64,
    pub(crate) id: String,
    pub(crate) plate: String,
    /// In the order of [`DIMENSIONS`].
    pub(crate) names: [u32; 5],
}

/// Names that the dimensions' numbers stand for.
pub(crate) fn names() -> NameTable {
    let mut table = NameTable::default();
    for n in 0..700 {
        table.push(Dimension::Checkpoint, format!("徐州市邳州市S{n}宿邳线K1省际卡口").into());
    }
    for text in ["铜山县", "睢宁县", "新沂市", ""] {
        table.push(Dimension::District, text.into());
    }
    for text in ["1", "2", "-"] {
        table.push(Dimension::Direction, text.into());
    }
    for text in ["02", "01", "52", "51", "13", "-", "07"] {
        table.push(Dimension::PlateType, text.into());
    }
    let makers = ["大众牌-朗逸", "福田牌", "宇通牌", "-", "特斯拉"];
    for n in 0..400 {
        table.push(Dimension::Model, format!("{}{n}", makers[n % makers.len()]).into());
    }
    table
}

/// Rows made the way the road makes them: through a batch.
pub(crate) fn rows(of: &[Row]) -> Rows {
    let mut batch = PassageBatch::default();
    for (at, row) in of.iter().enumerate() {
        let (id, plate) = (PassageId::pack(&row.id), PlateCode::pack(&row.plate));
        if id.is_odd() {
            batch.odd_ids.push((at as u32, row.id.as_str().into()));
        }
        if plate.is_odd() {
            batch.odd_plates.push((at as u32, row.plate.as_str().into()));
        }
        batch.times.push(CivilTime(row.time));
        batch.resolutions.push(Resolution::Second);
        batch.ids.push(id);
        batch.plates.push(plate);
        batch.columns[Dimension::Checkpoint].push(row.names[0]);
        batch.columns[Dimension::District].push(row.names[1]);
        batch.columns[Dimension::Direction].push(row.names[2]);
        batch.columns[Dimension::PlateType].push(row.names[3]);
        batch.columns[Dimension::Model].push(row.names[4]);
    }
    let mut rows = Rows::default();
    for (at, row) in of.iter().enumerate() {
        rows.push_from(&batch, at, row.arrival, row.partition);
    }
    rows
}

/// One to `limit` rows. Numbers grow slowly in some cases and jump about in others.
pub(crate) fn any_rows(limit: usize) -> impl Strategy<Value = Vec<Row>> {
    let id = prop_oneof![
        8 => "320300[0-9]{12}",
        4 => "G3203001[0-9]{11}",
        1 => "[A-Za-z]{0,3}[0-9]{1,18}",
        1 => "[A-Z车0-9-]{0,30}",
    ];
    let plate = prop_oneof![
        8 => "苏C[0-4]{5}",
        3 => "[苏鲁豫][A-D][DF][0-3]{5}",
        2 => "[苏C0-3*?-]{1,8}",
        1 => "[苏CD0-3车牌]{1,12}",
        1 => Just("-".to_owned()),
    ];
    let row = (any::<u64>(), any::<u32>(), any::<i64>(), id, plate, [0u32..700, 0..4, 0..3, 0..7, 0..400]);
    (proptest::collection::vec(row, 1..limit), 0u32..64, 0u32..32, 0u32..64, 0u32..4).prop_map(
        |(rows, arrival_bits, partition_bits, time_bits, few)| {
            let (mut arrival, mut time) = (1u64, 1_704_067_200i64);
            rows.into_iter()
                .map(|(step, partition, jump, id, plate, names)| {
                    arrival = arrival.saturating_add(1 + (step >> arrival_bits));
                    time = time.wrapping_add(jump >> time_bits);
                    let names = names.map(|name| if few == 0 { name } else { name % (few * 3) });
                    Row { arrival, partition: partition >> partition_bits, time, id, plate, names }
                })
                .map(|mut row| {
                    // Whatever the width, stay within what the name table knows.
                    for (name, limit) in row.names.iter_mut().zip([700, 4, 3, 7, 400]) {
                        *name %= limit;
                    }
                    row
                })
                .collect()
        },
    )
}

/// Many rows of which each is like one of `of`.
pub(crate) fn repeated(of: &[Row], count: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = of.iter().cycle().take(count).cloned().collect();
    rows.iter_mut().enumerate().for_each(|(at, row)| row.arrival = at as u64 * 3);
    rows
}
