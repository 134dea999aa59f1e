//! The whole data, and a view of it for each scope that asks. What a scope reaches is found once for each catalogue.

use std::collections::HashMap;
use std::sync::Arc;

use access::Scope;
use parking_lot::Mutex;
use traffic::Catalogue;

use super::reach::Reach;
use super::reader::ScopedReader;
use crate::reader::Reader;

/// Scopes that are remembered.
const MOST: usize = 1000;

/// What a scope reaches, and the catalogue by which it was found.
type Found = (Arc<Catalogue>, Arc<Reach>);

/// The whole data. Who asks gets a view of it.
pub struct Scoping {
    whole: Arc<dyn Reader>,
    known: Mutex<HashMap<Scope, Found>>,
}

impl Scoping {
    /// Views of `whole`.
    pub fn new(whole: Arc<dyn Reader>) -> Self {
        Self { whole, known: Mutex::default() }
    }

    /// All of it. IMPORTANT: only for what no user sees, or what is about no place.
    pub fn whole(&self) -> &Arc<dyn Reader> {
        &self.whole
    }

    /// What somebody sees who is limited to `scope`.
    pub fn within(&self, scope: &Scope) -> Arc<dyn Reader> {
        if !scope.is_limited() {
            return self.whole.clone();
        }
        Arc::new(ScopedReader::new(self.whole.clone(), self.reach(scope)))
    }

    fn reach(&self, scope: &Scope) -> Arc<Reach> {
        let catalogue = self.whole.catalogue();
        let mut known = self.known.lock();
        if let Some((_, reach)) = known.get(scope).filter(|(of, _)| Arc::ptr_eq(of, &catalogue)) {
            return reach.clone();
        }
        if known.len() >= MOST {
            known.clear();
        }
        let reach = Arc::new(Reach::of(scope, &catalogue));
        known.insert(scope.clone(), (catalogue, reach.clone()));
        reach
    }
}
