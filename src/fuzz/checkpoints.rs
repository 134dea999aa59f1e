//! Tables of checkpoints: what is accepted is found by code and by name, and written as a table it is the same.

use traffic::{Catalogue, Checkpoint};

use super::outcome::{kind, outcome, size};

pub(super) fn run(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data);
    let catalogue = match Catalogue::parse_csv(&text) {
        Ok(catalogue) => catalogue,
        Err(error) => return outcome(kind(error)),
    };
    let mut table = "code,kkmc,label,xzqhmc,road,lon,lat\n".to_owned();
    for checkpoint in catalogue.iter() {
        let Checkpoint { code, name, label, district, road, lon, lat } = checkpoint;
        assert!(
            catalogue.find(code) == Some(checkpoint) && catalogue.find(name) == Some(checkpoint),
            "{code:?} is not found"
        );
        assert!(!code.is_empty() && !name.is_empty() && lon.is_some() == lat.is_some());
        assert!(
            lon.is_none_or(|lon| (-180.0..=180.0).contains(&lon))
                && lat.is_none_or(|lat| (-90.0..=90.0).contains(&lat))
        );
        let degrees = |degrees: &Option<f64>| degrees.map(|degrees| degrees.to_string()).unwrap_or_default();
        let fields = [code, name, label, district, road, &degrees(lon), &degrees(lat)];
        let quoted: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        table.push_str(&quoted.join(","));
        table.push('\n');
    }
    let again = Catalogue::parse_csv(&table);
    let again = again.as_ref().map(|again| again.iter().collect::<Vec<_>>()).map_err(ToString::to_string);
    assert_eq!(again, Ok(catalogue.iter().collect()), "{table}");
    outcome((size(catalogue.len()), catalogue.without_position().count().min(3)))
}
