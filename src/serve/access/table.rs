//! What each endpoint needs: one row each. A test holds it against the OpenAPI document.

use access::Permission::{self, Dashboard, Export, Metrics, Plates, Rejects, Users, Work};
use axum::http::Method;

/// What an endpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum Needs {
    /// Nothing: it says nothing about anybody, and is what one needs to log in or to watch the process.
    Nothing,
    /// A login, with whatever roles.
    Login,
    /// A permission.
    Permission(Permission),
}

/// A row: method, path, and what it needs.
type Row = (&'static str, &'static str, Needs);

const fn of(method: &'static str, path: &'static str, permission: Permission) -> Row {
    (method, path, Needs::Permission(permission))
}

/// Every endpoint.
pub(super) const ROWS: &[Row] = &[
    ("GET", "/healthz", Needs::Nothing),
    ("GET", "/readyz", Needs::Nothing),
    of("GET", "/metrics", Metrics),
    ("GET", "/api/openapi.json", Needs::Nothing),
    ("GET", "/api/session", Needs::Nothing),
    ("POST", "/api/session", Needs::Nothing),
    ("DELETE", "/api/session", Needs::Login),
    ("POST", "/api/session/password", Needs::Login),
    ("GET", "/api/sessions", Needs::Login),
    ("DELETE", "/api/sessions/{id}", Needs::Login),
    of("GET", "/api/users", Users),
    of("POST", "/api/users", Users),
    of("PATCH", "/api/users/{name}", Users),
    of("GET", "/api/tokens", Users),
    of("POST", "/api/tokens", Users),
    of("DELETE", "/api/tokens/{id}", Users),
    of("POST", "/api/query", Plates),
    of("POST", "/api/query/export", Export),
    of("GET", "/api/track", Plates),
    of("GET", "/api/warnings/{id}", Plates),
    of("PATCH", "/api/warnings/{id}", Work),
    of("GET", "/api/cases/{id}", Plates),
    of("PATCH", "/api/cases/{id}", Work),
    of("GET", "/api/rejects", Rejects),
    of("GET", "/api/warnings", Dashboard),
    of("GET", "/api/warnings/realtime", Dashboard),
    of("GET", "/api/warnings/stream", Dashboard),
    of("GET", "/api/cases", Dashboard),
    of("GET", "/api/cases/calibration", Dashboard),
    of("GET", "/api/stats/kkmc_count", Dashboard),
    of("GET", "/api/stats/hour_count", Dashboard),
    of("GET", "/api/stats/map_data", Dashboard),
    of("GET", "/api/stats/vehicle_type", Dashboard),
    of("GET", "/api/stats/vehicle_brand", Dashboard),
    of("GET", "/api/stats/recent", Dashboard),
    of("GET", "/api/cameras", Dashboard),
    of("GET", "/api/roads", Dashboard),
    of("GET", "/api/roads/hours", Dashboard),
    of("GET", "/api/predict/flow", Dashboard),
    of("GET", "/api/predict/day", Dashboard),
    of("GET", "/api/predict/model", Dashboard),
    of("GET", "/api/overview", Dashboard),
    of("GET", "/api/checkpoints", Dashboard),
    of("GET", "/api/status", Dashboard),
    of("GET", "/api/prove", Dashboard),
];

/// The parameter that filters by plate: who may not see plates may not ask by it.
pub(super) const BY_PLATE: &str = "hphm";

/// What an endpoint needs; none if it has no row.
pub(in crate::serve) fn needs(method: &Method, path: &str) -> Option<Needs> {
    // HEAD is GET without the body.
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    ROWS.iter().find(|(known, at, _)| *known == method && *at == path).map(|(_, _, needs)| *needs)
}

/// Endpoints that take their filters as a body.
const QUERIES: [&str; 2] = ["/api/query", "/api/query/export"];

/// Whether a request may change something.
pub(in crate::serve) fn changes(method: &Method, path: &str) -> bool {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => false,
        Method::POST => needs(method, path).is_some() && !QUERIES.contains(&path),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::endpoints;

    #[test]
    fn every_endpoint_has_one_row_and_every_row_an_endpoint() {
        let document = endpoints::document().unwrap();
        let mut documented: Vec<(String, String)> = document.all().collect();
        let mut rows: Vec<(String, String)> =
            ROWS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
        documented.sort();
        rows.sort();
        assert_eq!(rows, documented, "serve/access/table.rs and the endpoints differ");
        assert_eq!(needs(&Method::HEAD, "/api/status"), needs(&Method::GET, "/api/status"));
        assert_eq!(needs(&Method::GET, "/api/nothing"), None);
        assert!(QUERIES.iter().all(|path| needs(&Method::POST, path).is_some()));
        let changing = ROWS.iter().filter(|(method, path, _)| changes(&method.parse().unwrap(), path));
        assert!(changing.clone().all(|(method, ..)| *method != "GET"));
        assert!(changing.count() >= 10, "the secret against forged requests is asked for");
    }

    #[test]
    fn what_shows_a_plate_needs_more_than_the_dashboard() {
        for path in
            ["/api/query", "/api/query/export", "/api/track", "/api/warnings/{id}", "/api/cases/{id}", "/api/rejects"]
        {
            let rows = ROWS.iter().filter(|(_, at, _)| *at == path);
            for (_, _, needs) in rows {
                assert!(!matches!(needs, Needs::Nothing | Needs::Login | Needs::Permission(Dashboard)), "{path}");
            }
        }
    }
}
