//! What a front end of the original API meets in the real program: its times, the counts of a day, and districts.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Appliance, PATIENCE, agent, folder, url};

const STATISTICS: [&str; 5] = ["kkmc_count", "hour_count", "map_data", "vehicle_type", "vehicle_brand"];

fn started(folder: &Path, api: &str) -> Appliance {
    let mut appliance = Appliance::new(folder);
    let data = folder.join("data");
    let settings = "[source]\nkind = \"http\"\n[store]\nretention = \"forever\"\n[predict]\ntrain = \"off\"\n";
    appliance.configure(&format!("data_dir = {data:?}\n{settings}"), api);
    appliance.start();
    appliance
}

fn send(appliance: &Appliance, lines: &[String]) {
    let request = agent(PATIENCE).post(url(&appliance.address(), "/api/ingest"));
    let answer = request.header("content-type", "text/plain").send(lines.join("\n").as_bytes()).unwrap();
    let receipt: Value = answer.into_body().read_json().unwrap();
    assert_eq!(receipt["data"]["accepted"], json!(lines.len()), "{receipt}");
}

/// One passage in the hour of its number, at a checkpoint of a district or of a unit of the motorway police.
fn line(id: &str, day: &str, hour: usize) -> String {
    let (district, kkmc) = match hour % 3 {
        0 => ("邳州市", "S250_Pizhou_Sulu"),
        1 => ("高速五大队", "G3_Sulu"),
        _ => ("高速五大队", "S250_Pizhou_Sulu"),
    };
    format!("G{id}{hour:02}\t{district}\t{kkmc}\t1\t{day} {hour:02}:24:08\t02\t苏C{hour:05}\t大众牌-朗逸")
}

fn today(appliance: &Appliance) -> String {
    appliance.status()["now"].as_str().unwrap().get(..10).unwrap().to_owned()
}

fn sum(data: &Value) -> u64 {
    let numbers = data.get("data").unwrap_or(data).as_array().unwrap();
    numbers.iter().map(|one| one.as_u64().or_else(|| one["value"].as_u64()).unwrap()).sum()
}

#[test]
fn a_day_is_counted_by_the_civil_clock_and_units_fold_into_districts() {
    let folder = folder();
    let mut appliance = started(folder.path(), "");
    // At midnight the day may change between two questions: then it is another day's turn.
    let day = loop {
        let day = today(&appliance);
        send(&appliance, &[line(&format!("N{}", day.replace('-', "")), &day, 0)]);
        if today(&appliance) == day {
            break day;
        }
    };
    let old: Vec<String> = (0..24).map(|hour| line("O", "2025-01-07", hour)).collect();
    let older: Vec<String> = (0..10).map(|hour| line("P", "2025-01-06", hour)).collect();
    send(&appliance, &[older, old].concat());
    for round in 0..2 {
        for statistic in STATISTICS {
            let of = |query: &str| appliance.ask(&format!("/api/stats/{statistic}?{query}")).data().clone();
            assert_eq!(sum(&of("day=2025-01-07")), 24, "{statistic}");
            assert_eq!(sum(&of("day=2025-01-06")), 10, "{statistic}");
            assert_eq!(sum(&of("day=2025-01-05")), 0, "{statistic}");
            assert_eq!(of("day=2025-01-07"), of("start=2025-01-07&end=2025-01-07"), "{statistic}");
            let of_today = of("day=today");
            assert!(today(&appliance) != day || of_today == of(&format!("day={day}")), "{statistic}");
            assert!(today(&appliance) != day || sum(&of_today) == 1, "{statistic}: {of_today}");
        }
        let of = |query: &str| appliance.ask(&format!("/api/stats/map_data?{query}")).data().clone();
        let plain = json!([{"name": "高速五大队", "value": 16}, {"name": "邳州市", "value": 8}]);
        assert_eq!(of("day=2025-01-07"), plain);
        let folded = json!([{"name": "邳州市", "value": 16}, {"name": "铜山县", "value": 8}]);
        assert_eq!(of("day=2025-01-07&fold=true"), folded);
        // An end within an hour; and everything there is.
        assert_eq!(
            of("start=2025-01-07&end=2025-01-07 10:24:07&fold=true"),
            json!([{"name": "邳州市", "value": 7}, {"name": "铜山县", "value": 3}])
        );
        assert_eq!(sum(&of("fold=true")), sum(&of("")));
        if round == 0 {
            appliance.stop();
            appliance.start();
        }
    }
}

#[test]
fn times_are_http_dates_for_who_does_not_ask_otherwise() {
    let folder = folder();
    let appliance = started(folder.path(), "time_format = \"http\"\n");
    send(&appliance, &[line("O", "2025-01-07", 20)]);
    let time = |body: Value| appliance.post("/api/query", &body).data()["records"][0]["GCSJ"].clone();
    assert_eq!(time(json!({})), "Tue, 07 Jan 2025 20:24:08 GMT");
    assert_eq!(time(json!({"timeFormat": "plain"})), "2025-01-07 20:24:08");
    assert!(appliance.export(&json!({})).contains("2025-01-07 20:24:08"));
    let status = appliance.status();
    assert_eq!(status["newest_gcsj"], "2025-01-07 20:24:08");
}
