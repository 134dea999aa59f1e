//! A small road whose truth is known. It knows no program.

use super::Random;

pub(crate) const SITES: usize = 8;
/// Seconds between neighbouring checkpoints for the usual car.
pub(crate) const LEG: usize = 540;
const HOURS: usize = 8;
/// This checkpoint's clock is so many seconds fast.
const FAST: (usize, i64) = (3, 300);
pub(crate) const CLONED: [&str; 3] = ["苏C00001", "苏C00002", "苏C00003"];
const TWINS: &str = "苏C00009";

/// A car on the road: plate, plate type, brand.
type Car<'a> = (&'a str, &'a str, &'a str);

/// Drives a car to and fro with stops, and adds its lines with the second of their arrival.
fn drive(lines: &mut Vec<(i64, String)>, random: &mut Random, car: Car<'_>, first: usize) {
    let (plate, hpzl, brand) = car;
    let (mut now, mut site, mut up) = (random.below(900), first, first < SITES / 2);
    while now < HOURS * 3600 {
        let error = if site == FAST.0 { FAST.1 } else { 0 };
        // One reading in sixty has another last character.
        let misread = format!("{}{}", &plate[..plate.len() - 1], random.below(10));
        let read = if random.one_in(60) { &misread } else { plate };
        let time = traffic_time(now as i64 + error);
        let id = format!("G32030{:013}", lines.len());
        let line = format!("{id}\t铜山县\tK{site:02}_Road\t{}\t{time}\t{hpzl}\t{read}\t{brand}牌\n", 1 + u8::from(up));
        lines.push((now as i64 + 2 + random.below(4) as i64, line));
        if (site == 0 && !up) || (site == SITES - 1 && up) {
            up = !up;
            now += 400 + random.below(2400);
            continue;
        }
        site = if up { site + 1 } else { site - 1 };
        now += LEG * (90 + random.below(40)) / 100;
    }
}

/// So many seconds after midnight, on the first of January 2024.
fn traffic_time(seconds: i64) -> String {
    format!("2024-01-01 {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Eight hours on a road of eight checkpoints: 220 cars, [`CLONED`] plates that two cars wear, twins by plate type, misreads
/// and one clock that is fast.
pub(crate) fn road(seed: u64) -> String {
    let (mut lines, mut random) = (Vec::new(), Random(seed));
    for car in 0..220 {
        let first = random.below(SITES);
        let plate = format!("苏C{:05}", 100 + car * 37);
        drive(&mut lines, &mut random, (&plate, "02", random_brand(car)), first);
    }
    for plate in CLONED {
        drive(&mut lines, &mut random, (plate, "02", "大众"), 0);
        drive(&mut lines, &mut random, (plate, "02", "福田"), SITES - 1);
    }
    drive(&mut lines, &mut random, (TWINS, "02", "大众"), 0);
    drive(&mut lines, &mut random, (TWINS, "01", "解放"), SITES - 1);
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

fn random_brand(car: usize) -> &'static str {
    ["本田", "丰田", "别克", "日产", "现代"][car % 5]
}
