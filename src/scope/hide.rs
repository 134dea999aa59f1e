//! What is shown of alerts and cases of which only a part is in reach.
//!
//! An alert concerns a district if one of its sightings is there. Of the other sighting the place and the passage are hidden; the
//! times, the gap, the distance and the speed stay, because without them nobody could judge the alert. So it is with the
//! contradictions of a case; sightings of a case that belong to none of them are left out if they are outside.

use traffic::evidence::Reason;
use traffic::{Alert, AlertSighting};

use super::reach::Reach;
use crate::case_json::{CaseJson, PairJson, SightingJson};

/// The place of a sighting outside.
pub const OUTSIDE: &str = "辖区外";

/// What is shown of an alert; none if both sightings are outside.
pub(super) fn alert(reach: &Reach, mut alert: Alert) -> Option<Alert> {
    let are_inside = [&alert.earlier, &alert.later].map(|sighting| reach.has(&sighting.checkpoint));
    if are_inside == [true, true] {
        return Some(alert);
    }
    if are_inside == [false, false] {
        return None;
    }
    let hide = |sighting: &mut AlertSighting| {
        if !reach.has(&sighting.checkpoint) {
            OUTSIDE.clone_into(&mut sighting.checkpoint);
            OUTSIDE.clone_into(&mut sighting.passage);
        }
    };
    hide(&mut alert.earlier);
    hide(&mut alert.later);
    if let Some(evidence) = &mut alert.evidence {
        // Another car, perhaps seen outside only.
        evidence.reasons.retain(|reason| !matches!(reason, Reason::NeighbourDue(_)));
    }
    Some(alert)
}

/// Whether a case concerns what is in reach: one of its contradictions is there, at one end at least.
pub(super) fn concerns(reach: &Reach, case: &CaseJson) -> bool {
    case.pairs.iter().any(|pair| reach.has(&pair.earlier.kkmc) || reach.has(&pair.later.kkmc))
}

/// What is shown of a case; none if all of its contradictions are outside.
pub(super) fn case(reach: &Reach, mut case: CaseJson) -> Option<CaseJson> {
    if !concerns(reach, &case) {
        return None;
    }
    let is_inside = |sighting: &SightingJson| reach.has(&sighting.kkmc);
    case.pairs.retain_mut(|pair| pair_inside(reach, pair));
    case.strangers.retain(is_inside);
    for car in &mut case.cars {
        car.sightings.retain(is_inside);
        car.next.retain(|next| reach.has(&next.kkmc));
    }
    Some(case)
}

/// Hides the end of a contradiction that is outside; whether the other one is inside.
fn pair_inside(reach: &Reach, pair: &mut PairJson) -> bool {
    let PairJson { earlier, later, neighbour_due, .. } = pair;
    let mut is_inside = false;
    for sighting in [earlier, later] {
        if reach.has(&sighting.kkmc) {
            is_inside = true;
        } else {
            OUTSIDE.clone_into(&mut sighting.kkmc);
            sighting.gcxh = None;
            *neighbour_due = None;
        }
    }
    is_inside
}
