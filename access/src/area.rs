//! Where one may look: some districts and some checkpoints. It knows their names as texts, not which checkpoint lies in which
//! district.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Districts and checkpoints to which a user or a token is limited: a place in any of them counts. One without any holds no place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// XZQHMC of the catalogue.
    pub districts: BTreeSet<String>,
    /// KKMC: codes, full names or labels of the catalogue, or texts as they are recorded.
    pub checkpoints: BTreeSet<String>,
}

impl Area {
    /// The most districts, and the most checkpoints, of one area.
    pub const MOST: usize = 32;
    /// Characters that a name has at most.
    pub const MAX_NAME_CHARS: usize = 100;

    /// The area of these; none, so everywhere, if there are none.
    pub fn of(districts: Vec<String>, checkpoints: Vec<String>) -> Option<Self> {
        Self::changed(None, Some(districts), Some(checkpoints))
    }

    /// An area with other districts or other checkpoints, where they are given; none, so everywhere, if none are left.
    pub fn changed(
        old: Option<Self>,
        districts: Option<Vec<String>>,
        checkpoints: Option<Vec<String>>,
    ) -> Option<Self> {
        if districts.is_none() && checkpoints.is_none() {
            return old;
        }
        let mut area = old.unwrap_or_default();
        let names = |given: Vec<String>| {
            let trimmed = given.into_iter().map(|name| name.trim().to_owned());
            trimmed.filter(|name| !name.is_empty()).collect()
        };
        if let Some(given) = districts {
            area.districts = names(given);
        }
        if let Some(given) = checkpoints {
            area.checkpoints = names(given);
        }
        Some(area).filter(|area| !area.districts.is_empty() || !area.checkpoints.is_empty())
    }

    /// Whether it is small enough to be compared at each request, and its names are.
    pub fn is_moderate(&self) -> bool {
        let fits = |names: &BTreeSet<String>| {
            names.len() <= Self::MOST && names.iter().all(|name| name.chars().count() <= Self::MAX_NAME_CHARS)
        };
        fits(&self.districts) && fits(&self.checkpoints)
    }

    /// Whether a checkpoint with one of these names, in this district if that is known, is in it.
    fn has(&self, district: Option<&str>, names: &[&str]) -> bool {
        district.is_some_and(|district| self.districts.contains(district))
            || names.iter().any(|name| self.checkpoints.contains(*name))
    }

    /// In one line.
    fn words(&self) -> String {
        let names: Vec<&str> = self.districts.iter().chain(&self.checkpoints).map(String::as_str).collect();
        if names.is_empty() { "nowhere".to_owned() } else { names.join(", ") }
    }
}

/// Where a request may look: within all of its areas, or everywhere without one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scope(Vec<Area>);

impl Scope {
    /// Everywhere.
    pub fn everywhere() -> Self {
        Self::default()
    }

    /// Within all of these that there are.
    pub fn within<'a>(areas: impl IntoIterator<Item = Option<&'a Area>>) -> Self {
        let mut all: Vec<Area> = areas.into_iter().flatten().cloned().collect();
        all.sort();
        all.dedup();
        Self(all)
    }

    /// Whether anything is out of it.
    pub fn is_limited(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether a checkpoint with one of these names, in this district if that is known, is in it.
    pub fn has(&self, district: Option<&str>, names: &[&str]) -> bool {
        self.0.iter().all(|area| area.has(district, names))
    }

    /// The areas: a place is in all of them.
    pub fn areas(&self) -> impl Iterator<Item = &Area> {
        self.0.iter()
    }

    /// The checkpoints that it names.
    pub fn checkpoints(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|area| &area.checkpoints).map(String::as_str)
    }

    /// In one line, for people; none where it is everywhere.
    pub fn words(&self) -> Option<String> {
        self.is_limited().then(|| self.0.iter().map(Area::words).collect::<Vec<_>>().join("; and of these "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_place_is_in_a_scope_if_it_is_in_all_its_areas() {
        let district = Area::of(names(&["邳州市", "铜山县"]), Vec::new());
        let both = Area::of(names(&["铜山县"]), names(&["G3_Sulu"]));
        let [of_user, of_token] = [district.as_ref(), both.as_ref()];
        let user = Scope::within([of_user, None]);
        assert!(user.is_limited() && user.has(Some("邳州市"), &["a"]) && user.has(Some("铜山县"), &["b"]));
        assert!(!user.has(Some("睢宁县"), &["G3_Sulu"]) && !user.has(None, &["邳州市"]));
        let token = Scope::within([of_user, of_token]);
        assert!(token.has(Some("铜山县"), &["b"]) && !token.has(Some("邳州市"), &["a"]), "never wider than its owner");
        assert!(!token.has(Some("睢宁县"), &["G3_Sulu"]) && token.has(Some("邳州市"), &["x", "G3_Sulu"]));
        assert_eq!(token, Scope::within([of_token, of_user, of_user]));
        let all = Scope::within([None, None]);
        assert!(!all.is_limited() && all.has(None, &[]) && all.words().is_none() && all == Scope::everywhere());
        assert_eq!(user.words().unwrap(), "邳州市, 铜山县");
    }

    #[test]
    fn an_area_that_a_file_leaves_empty_holds_no_place() {
        let area: Area = serde_json::from_str(r#"{"districts":[],"checkpoints":[]}"#).unwrap();
        let scope = Scope::within([Some(&area)]);
        assert!(scope.is_limited() && !scope.has(Some("邳州市"), &["a"]) && scope.words().unwrap() == "nowhere");
        assert!(serde_json::from_str::<Area>(r#"{"districts":[]}"#).is_err());
    }

    #[test]
    fn parts_of_an_area_are_changed_one_by_one() {
        let area = Area::of(names(&[" 邳州市 ", "", "邳州市"]), names(&["G3_Sulu"])).unwrap();
        assert_eq!(area.districts.iter().collect::<Vec<_>>(), ["邳州市"]);
        let same = Area::changed(Some(area.clone()), None, None);
        assert_eq!(same.as_ref(), Some(&area));
        let narrower = Area::changed(same, None, Some(Vec::new())).unwrap();
        assert!(narrower.checkpoints.is_empty() && narrower.districts == area.districts);
        assert_eq!(Area::changed(Some(narrower), Some(Vec::new()), None), None);
        assert_eq!(Area::changed(None, None, None), None);
        assert!(area.is_moderate());
        let long = Area::of(vec!["邳".repeat(101)], Vec::new()).unwrap();
        let many = Area::of((0..33).map(|n| n.to_string()).collect(), Vec::new()).unwrap();
        assert!(!long.is_moderate() && !many.is_moderate());
    }
}
