//! Fuzzing of what prediction reads: a model, its metadata, a table of counts and one of holidays. A model that is accepted
//! predicts numbers.

use storage::codec;

use super::calendar::{Calendar, date_text, parse_date};
use super::folder::Metadata;
use super::layout::{FLOW_MODEL, OLD_FLOW_MODEL};
use super::model::{FlowModel, LoadedModel};
use super::table::read_table;
use super::{Kind, is_weekend};
use crate::fuzz::frame::{check, framed};
use crate::fuzz::outcome::{kind, outcome, size};

/// Input: the layout, then the payload of `model.bin`.
pub(crate) fn model(data: &[u8]) -> u64 {
    let Some((&which, payload)) = data.split_first() else { return 0 };
    let frame =
        if which == 100 { framed(OLD_FLOW_MODEL, 1, payload) } else { framed(FLOW_MODEL, 1 + which % 2, payload) };
    let model = match FlowModel::decode(&frame) {
        Ok(model) => model,
        Err(error) => return outcome(kind(error)),
    };
    if which % 2 == 1 && which != 100 {
        let decode = |bytes: &[u8]| codec::decode::<FlowModel>(FLOW_MODEL, bytes);
        let _ = check(FLOW_MODEL, 0, true, payload, decode, |model| codec::encode(FLOW_MODEL, model));
    }
    let written = model.encode().unwrap_or_default();
    assert_eq!(FlowModel::decode(&written).as_ref(), Ok(&model), "it is another one read back");
    let sites = model.sites.len();
    for pinned in Kind::ALL {
        let loaded = LoadedModel::new(model.clone(), Some(pinned));
        for hour in [i64::MIN, -1, 0, 473_352, 474_023, 480_000, i64::MAX] {
            let of_sites = (0..sites.min(3)).map(|site| loaded.checkpoint(site, hour));
            for forecast in of_sites.chain([loaded.unknown_checkpoint(hour), loaded.city(hour)]) {
                let text = format!("{forecast:?}");
                assert!(!text.contains("NaN") && !text.contains("inf"), "{pinned:?} predicts {text} for hour {hour}");
            }
        }
    }
    outcome((which % 2, size(sites), model.is_dated, model.kind.as_str()))
}

/// Input: `metadata.json`. What is accepted is written as what is read as the same.
pub(crate) fn metadata(data: &[u8]) -> u64 {
    let read: Metadata = match serde_json::from_slice(data) {
        Ok(read) => read,
        Err(error) => return outcome(kind(error)),
    };
    let written = serde_json::to_vec(&read).unwrap_or_default();
    let again = serde_json::from_slice::<Metadata>(&written).map_err(|error| error.to_string());
    assert_eq!(again.as_ref(), Ok(&read));
    outcome((read.evaluation.is_some(), read.kind.as_str(), read.first.is_some()))
}

/// Input: a table of counts, which is read as one of holidays as well.
pub(crate) fn table(data: &[u8]) -> u64 {
    let counts = read_table(data, |_| {});
    let text = String::from_utf8_lossy(data);
    let calendar = Calendar::parse_csv(&text);
    if let Ok(calendar) = &calendar {
        for day in [-1, 0, 20_000] {
            let _ = (calendar.class_of(day), is_weekend(day));
        }
    }
    if let Some(day) = parse_date(text.trim()) {
        assert_eq!(parse_date(&date_text(day)), Some(day));
    }
    let holidays = calendar.as_ref().map(Calendar::len).map_err(kind);
    let counts = counts.map(|table| {
        let bad = table.bad.total;
        let (grid, _) = table.rows.finish(&calendar.unwrap_or_default());
        (size(grid.sites().len()), size(grid.days()), grid.is_dated(), size(bad as usize), size(grid.observed()))
    });
    outcome((holidays, counts.map_err(kind)))
}

#[cfg(test)]
pub(crate) mod seeds {
    use super::super::folder;
    use super::*;

    pub(crate) fn models() -> Vec<Vec<u8>> {
        let mut model = folder::tests::model();
        model.calendar = Calendar::parse_csv("date,kind\n2024-02-10,holiday\n").unwrap();
        let payload = |model: &FlowModel| [&[1][..], &model.encode().unwrap()[6..]].concat();
        let dated = payload(&model);
        model.is_dated = false;
        model.kind = Kind::Blend;
        vec![dated, payload(&model)]
    }

    pub(crate) fn metadata() -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        folder::tests::saved(folder.path(), 1_704_165_300);
        vec![std::fs::read(folder.path().join(folder::METADATA)).unwrap()]
    }

    pub(crate) fn tables() -> Vec<Vec<u8>> {
        let texts = [
            "KKMC,hour,is_weekend,traffic_count\nS250,0,0,12\nS250,23,1,3.5\n\"G3,x\",24,0,1\n",
            "KKMC,date,hour,is_weekend,traffic_count\r\nS250,2024-01-01,0,false,12\r\nS250,2024-01-06,1,true,9\r\n",
            "date,kind\n2024-10-01,holiday\n2024-10-12,workday\n",
            "2024-02-29",
        ];
        texts.map(|text| text.as_bytes().to_vec()).into()
    }
}
