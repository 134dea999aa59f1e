//! What the finished hours of the counters say about a served model: how the last of them deviate from their forecasts, and
//! how wide its intervals are by now. The same counts give the same answer, so nothing of it is stored.
//!
//! An hour that is not finished, or in which passages may still come, is never among them. A checkpoint takes part from its first passage on; after that an
//! hour in which only others recorded is a zero. Hours that the model learnt from change no width. It knows no clock.

use traffic::Catalogue;

use super::model::LoadedModel;
use super::nowcast::{LastHours, Latest, WEIGHTS, deviation};
use crate::reader::HourCounts;

/// If less than this share of the city's forecast is at checkpoints that record, its interval learns nothing.
const MOST_OF_THE_CITY: f64 = 0.9;

/// One series while hours are read.
#[derive(Debug, Clone, Default)]
struct Series {
    latest: Latest,
    has_recorded: bool,
    counted: f64,
    /// Forecast and count of the last hours, by place in [`WEIGHTS`].
    recent: [Option<(f64, f64)>; WEIGHTS.len()],
}

impl Series {
    /// Notes an hour that is `back` hours before the last finished one.
    fn note(&mut self, back: i64, forecast: f64, counted: f64) {
        if let Some(place) = usize::try_from(back).ok().and_then(|back| self.recent.get_mut(back)) {
            *place = Some((forecast, counted));
        }
    }

    fn finish(self) -> Latest {
        Latest { deviation: deviation(self.recent.into_iter()), ..self.latest }
    }
}

/// What those of these hours say that are finished at the hour `now`; nothing if there are none. They are in the order of
/// time.
pub(super) fn last_hours(
    model: &LoadedModel,
    hours: &[HourCounts],
    now: i64,
    catalogue: &Catalogue,
) -> Option<LastHours> {
    let finished = || hours.iter().filter(|hour| hour.is_whole && hour.hour < now);
    let last = finished().next_back()?.hour;
    let learnt_to = model.model().last_hour;
    let bounds = model.bounds();
    let (widths, city_width) = model.learnt_widths();
    let series = |width| Series { latest: Latest { width, deviation: 0.0 }, ..Series::default() };
    let mut sites: Vec<Series> = widths.map(series).collect();
    let mut city = series(city_width);
    for HourCounts { hour, checkpoints, .. } in finished() {
        sites.iter_mut().for_each(|site| site.counted = 0.0);
        for (name, count) in checkpoints {
            // As in training: a full name counts for its code.
            let place = model.site(name).or_else(|| model.site(&catalogue.find(name)?.code));
            if let Some(site) = place.and_then(|place| sites.get_mut(place)) {
                site.counted += *count as f64;
                site.has_recorded = true;
            }
        }
        let is_new = *hour > learnt_to;
        let (mut expected, mut counted) = (0.0, 0.0);
        for (place, site) in sites.iter_mut().enumerate().filter(|(_, site)| site.has_recorded) {
            let flow = model.checkpoint(place, *hour).flow;
            if is_new {
                let missed = !bounds.checkpoint.holds(flow, site.latest.width.times(), site.counted);
                site.latest.width.learn(missed, bounds.checkpoint.nominal());
            }
            site.note(last - hour, flow, site.counted);
            expected += flow;
            counted += site.counted;
        }
        let flow = model.city(*hour).flow;
        if is_new && expected >= flow * MOST_OF_THE_CITY {
            let missed = !bounds.city.holds(flow, city.latest.width.times(), counted);
            city.latest.width.learn(missed, bounds.city.nominal());
        }
        city.note(last - hour, expected, counted);
    }
    Some(LastHours { last, sites: sites.into_iter().map(Series::finish).collect(), city: city.finish() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::folder::tests::model;
    use crate::predict::nowcast::{Nowcast, Step};

    /// Its one checkpoint has 100 passages in every hour, and a correction for the next two.
    fn loaded() -> LoadedModel {
        let mut model = model();
        model.rates.fill(80.0);
        let step = |own| Step { own, city: 0.0, width: 0.5 };
        model.nowcast = Nowcast { checkpoint: vec![step(0.8), step(0.4)], city: vec![step(0.5)] };
        LoadedModel::new(model, None)
    }

    fn hour(hour: i64, counts: &[(&str, u64)]) -> HourCounts {
        let checkpoints = counts.iter().map(|(name, count)| ((*name).into(), *count)).collect();
        HourCounts { hour, is_whole: true, checkpoints }
    }

    const PLACE: &str = "S250_Pizhou_Sulu";

    #[test]
    fn the_next_hours_are_corrected_and_later_ones_are_not() {
        let model = loaded();
        let end = model.model().last_hour + 10;
        let hours = [hour(end - 2, &[(PLACE, 140)]), hour(end - 1, &[(PLACE, 140)]), hour(end, &[(PLACE, 140)])];
        let last = last_hours(&model, &hours, i64::MAX, &Catalogue::xuzhou()).unwrap();
        let deviation = 1.96 * 40.0 / (196.0 + 20.0);
        for (ahead, own) in [(1, 0.8), (2, 0.4)] {
            let plain = model.checkpoint(0, end + ahead);
            let corrected = model.checkpoint_after(0, end + ahead, Some(&last));
            let correction = corrected.correction.unwrap();
            assert!((correction.factor - (1.0 + own * deviation)).abs() < 1e-9, "{correction:?}");
            assert!((corrected.flow - 100.0 * correction.factor).abs() < 1e-9);
            assert_eq!((correction.uncorrected, correction.last_hour), (plain.flow, end));
            assert!(corrected.upper - corrected.lower < plain.upper - plain.lower, "{corrected:?} {plain:?}");
        }
        for ahead in [-1, 0, 3] {
            let forecast = model.checkpoint_after(0, end + ahead, Some(&last));
            assert_eq!((forecast.flow, forecast.correction), (100.0, None), "{ahead}");
        }
        assert_eq!(model.city_after(end + 1, Some(&last)).correction.unwrap().hours_ahead, 1);
        assert_eq!(model.city_after(end + 2, Some(&last)).correction, None);
        let pinned = LoadedModel::new(model.model().clone(), Some(crate::predict::Kind::RecentWeeks));
        assert_eq!(pinned.checkpoint_after(0, end + 1, Some(&last)).correction, None, "learnt for another model");
    }

    #[test]
    fn a_full_name_is_its_code_and_silence_a_zero_once_it_has_recorded() {
        let model = loaded();
        let end = model.model().last_hour + 10;
        let full = Catalogue::xuzhou().find(PLACE).unwrap().name.clone();
        let named = [hour(end, &[(PLACE, 60), (&full, 80)])];
        let last = last_hours(&model, &named, i64::MAX, &Catalogue::xuzhou()).unwrap();
        assert!((last.sites[0].deviation - 40.0 / 120.0).abs() < 1e-9);
        let silent = [hour(end - 1, &[(PLACE, 100)]), hour(end, &[("elsewhere", 5)])];
        assert!(last_hours(&model, &silent, i64::MAX, &Catalogue::xuzhou()).unwrap().sites[0].deviation < -0.5);
        let never = [hour(end, &[("elsewhere", 5)])];
        let last = last_hours(&model, &never, i64::MAX, &Catalogue::xuzhou()).unwrap();
        assert_eq!((last.sites[0], last.city.deviation), (Latest::default(), 0.0));
        assert!(last_hours(&model, &[], i64::MAX, &Catalogue::xuzhou()).is_none());
    }

    #[test]
    fn an_hour_that_is_not_finished_says_nothing() {
        let model = loaded();
        let end = model.model().last_hour + 10;
        let mut hours = [hour(end, &[(PLACE, 100)]), hour(end + 1, &[(PLACE, 3)])];
        let catalogue = Catalogue::xuzhou();
        let last = |hours: &[HourCounts], now| last_hours(&model, hours, now, &catalogue).map(|last| last.last);
        assert_eq!(last(&hours, end + 2), Some(end + 1));
        assert_eq!(last(&hours, end + 1), Some(end), "it is that hour now");
        hours[1].is_whole = false;
        assert_eq!(last(&hours, end + 2), Some(end), "the newest passage lies in it");
        assert_eq!(last(&hours, end), None);
    }

    #[test]
    fn only_hours_after_the_training_change_widths() {
        let model = loaded();
        let first = model.model().last_hour - 20;
        let missing = |range: std::ops::Range<i64>| range.map(|at| hour(at, &[(PLACE, 290)])).collect::<Vec<_>>();
        let catalogue = Catalogue::xuzhou();
        let before = last_hours(&model, &missing(first..first + 21), i64::MAX, &catalogue).unwrap();
        assert_eq!((before.sites[0].width.0, before.city.width.0), (0.0, 0.0));
        let after = last_hours(&model, &missing(first..first + 31), i64::MAX, &catalogue).unwrap();
        assert!(after.sites[0].width.0 > 0.2 && after.city.width.0 > 0.2, "{after:?}");
        let later = model.model().last_hour + 100;
        let [plain, wide] = [None, Some(&after)].map(|last| model.checkpoint_after(0, later, last));
        assert!(wide.upper > plain.upper && wide.lower < plain.lower, "{plain:?} {wide:?}");
    }
}
