//! The checkpoints that a scope reaches. It knows names, not passages.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::Scope;
use traffic::{Catalogue, Checkpoint};

/// The checkpoints that a scope reaches, by one catalogue.
#[derive(Debug)]
pub(super) struct Reach {
    /// The texts by which they may have been recorded.
    kkmc: BTreeSet<String>,
    catalogue: Arc<Catalogue>,
}

impl Reach {
    /// Those of `scope`. A checkpoint that the catalogue does not know is reached by its own name only.
    pub(super) fn of(scope: &Scope, catalogue: &Catalogue) -> Self {
        let names = |checkpoint: &Checkpoint| {
            let Checkpoint { code, name, label, .. } = checkpoint;
            [code.clone(), name.clone(), label.clone()]
        };
        let is_inside = |checkpoint: &&Checkpoint| {
            let [code, name, label] = names(checkpoint);
            scope.has(Some(&checkpoint.district), &[&code, &name, &label])
        };
        let inside: Vec<Checkpoint> = catalogue.iter().filter(is_inside).cloned().collect();
        let known: BTreeSet<String> = catalogue.iter().flat_map(names).collect();
        let unlisted = scope.checkpoints().filter(|name| !known.contains(*name) && scope.has(None, &[name]));
        let mut kkmc: BTreeSet<String> = unlisted.map(str::to_owned).collect();
        kkmc.extend(inside.iter().flat_map(|checkpoint| [checkpoint.code.clone(), checkpoint.name.clone()]));
        // A part of a catalogue is one.
        let catalogue = Arc::new(Catalogue::new(inside).unwrap_or_default());
        Self { kkmc, catalogue }
    }

    /// Whether a recorded KKMC is one of them.
    pub(super) fn has(&self, kkmc: &str) -> bool {
        self.kkmc.contains(kkmc)
    }

    /// Those of these texts that are reached; all that are without any.
    pub(super) fn narrowed(&self, asked: Option<&[String]>) -> Vec<String> {
        match asked {
            Some(asked) => asked.iter().filter(|kkmc| self.has(kkmc)).cloned().collect(),
            None => self.kkmc.iter().cloned().collect(),
        }
    }

    /// The part of the catalogue that is reached.
    pub(super) fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }
}

#[cfg(test)]
mod tests {
    use access::Area;

    use super::*;

    fn reach(districts: &[&str], checkpoints: &[&str]) -> Reach {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        let area = Area::of(names(districts), names(checkpoints));
        Reach::of(&Scope::within([area.as_ref()]), &Catalogue::xuzhou())
    }

    #[test]
    fn a_district_is_its_checkpoints_of_the_catalogue_under_all_their_names() {
        let catalogue = Catalogue::xuzhou();
        let known = catalogue.find("S250_Pizhou_Sulu").unwrap();
        for reach in [
            reach(&["邳州市"], &[]),
            reach(&[], &[&known.code]),
            reach(&[], &[&known.name]),
            reach(&[], &[&known.label]),
        ] {
            assert!(reach.has(&known.code) && reach.has(&known.name) && reach.catalogue().find(&known.code).is_some());
            assert!(!reach.has("G3_Sulu") && reach.catalogue().find("G3_Sulu").is_none());
            assert!(!reach.has("邳州市") && !reach.has(""));
        }
    }

    #[test]
    fn a_checkpoint_that_the_catalogue_does_not_know_is_reached_by_its_name_only() {
        let reach = reach(&["某县"], &["unlisted-1"]);
        assert!(reach.has("unlisted-1") && !reach.has("unlisted-2") && reach.catalogue().is_empty());
        assert_eq!(reach.narrowed(None), ["unlisted-1"]);
        let asked = ["G3_Sulu".to_owned(), "unlisted-1".to_owned()];
        assert_eq!(reach.narrowed(Some(&asked)), ["unlisted-1"]);
        assert!(reach.narrowed(Some(&[])).is_empty());
    }
}
