//! A report as a table for people. It computes nothing.

use std::fmt::{self, Display, Formatter};

use super::report::{Band, CaseCount, Quantiles, Report, RuleCount};
use super::tracks::MIN_SIGHTINGS;

/// A number with commas between thousands.
struct Grouped(u64);

impl Display for Grouped {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() * 4 / 3);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        out.pad(&text)
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.heading(out)?;
        writeln!(
            out,
            "\n{:28} {:>20} {:>14} {:>18}\n{:28} {:>8} {:>11} {:>14} {:>18}",
            "found", "merged plates", "alerts for", "other plates", "", "number", "share", "each", "number, per 1,000"
        )?;
        self.cases.iter().try_for_each(|case| found_cases(out, case))?;
        self.rules.iter().try_for_each(|rule| found_by_rule(out, rule))?;
        writeln!(
            out,
            "Other plates are an upper bound of false findings: real clones of this traffic are among them."
        )?;
        writeln!(
            out,
            "\n{:28} {:>20} {:>24} {:>24}\n{:28} {:>11} {:>8} {:>15} {:>8} {:>15} {:>8}",
            "until a merged plate is found",
            "contradictions",
            "minutes, contradiction",
            "minutes, both cars",
            "",
            "median",
            "90 %",
            "median",
            "90 %",
            "median",
            "90 %"
        )?;
        self.cases.iter().try_for_each(|case| times(out, case))?;
        writeln!(
            out,
            "Minutes count from the plate's first contradiction, and from when both cars had been seen.\n\n\
             {:28} {:>10} {:>10} {:>8} {:>8}",
            "probability of suspects", "predicted", "observed", "merged", "others"
        )?;
        self.reliability.iter().try_for_each(|band| reliability(out, band))?;
        writeln!(
            out,
            "Observed is the share of merged plates. {} of 1,000 plates are merged; the evidence expects 3 cloned.",
            three(1000.0 * self.merged.plates as f64 / (self.others.plates + self.merged.plates).max(1) as f64)
        )
    }
}

impl Report {
    fn heading(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let merged = self.merged;
        let times = self.first_time.as_deref().zip(self.last_time.as_deref());
        let (first, last) = times.unwrap_or(("-", "-"));
        writeln!(
            out,
            "{} pairs of real tracks {}merged, seed {}",
            Grouped(merged.plates),
            if self.any_brand { "" } else { "of one brand " },
            self.seed
        )?;
        writeln!(
            out,
            "{} passages of {} plates from {first} to {last}{}",
            Grouped(self.passages),
            Grouped(self.plates),
            if self.estimated { " (plates are estimated from a sample)" } else { "" }
        )?;
        writeln!(
            out,
            "{} tracks: one plate type, {MIN_SIGHTINGS} sightings or more at two checkpoints or more, no contradiction",
            Grouped(self.tracks)
        )?;
        writeln!(
            out,
            "{} merged plates contradict themselves, {} of them twice or more; of {} other plates {} do",
            Grouped(merged.contradicted),
            Grouped(merged.contradicted_twice),
            Grouped(self.others.plates),
            Grouped(self.others.contradicted)
        )
    }
}

fn found_cases(out: &mut Formatter<'_>, case: &CaseCount) -> fmt::Result {
    writeln!(
        out,
        "{:28} {:>8} {:>11} {:>14} {:>8} {:>9}",
        format!("case, P >= {}", case.probability),
        Grouped(case.found),
        percent(case.share),
        "1",
        Grouped(case.others.plates),
        three(case.others.per_thousand)
    )?;
    writeln!(out, "{:28} {:>8} {:>11}", "  of those contradicting twice", "", percent(case.share_of_contradicted_twice))
}

fn found_by_rule(out: &mut Formatter<'_>, rule: &RuleCount) -> fmt::Result {
    let name = match &*rule.rule {
        "window" => "flat rule `window`",
        _ => "great-circle speed",
    };
    writeln!(
        out,
        "{:28} {:>8} {:>11} {:>14} {:>8} {:>9}",
        name,
        Grouped(rule.found),
        percent(rule.share),
        three(rule.alerts_per_plate),
        Grouped(rule.others.plates),
        three(rule.others.per_thousand)
    )
}

fn times(out: &mut Formatter<'_>, case: &CaseCount) -> fmt::Result {
    write!(out, "{:28}", format!("case, P >= {}", case.probability))?;
    let columns = [case.contradictions, case.minutes_from_contradiction, case.minutes_from_second_car];
    for (Quantiles { median, p90 }, width) in columns.into_iter().zip([12, 16, 16]) {
        write!(out, "{:>width$} {:>8}", number(median, 1), number(p90, 1))?;
    }
    writeln!(out)
}

fn reliability(out: &mut Formatter<'_>, band: &Band) -> fmt::Result {
    writeln!(
        out,
        "{:28} {:>10} {:>10} {:>8} {:>8}",
        format!("{:.1} to {:.1}", band.from, band.to),
        number(band.predicted, 3),
        number(band.observed, 3),
        Grouped(band.merged),
        Grouped(band.others)
    )
}

fn number(number: Option<f64>, decimals: usize) -> String {
    number.map_or("-".to_owned(), |number| format!("{number:.decimals$}"))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// To three decimals at most.
fn three(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
