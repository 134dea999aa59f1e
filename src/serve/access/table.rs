//! What each endpoint needs, what it shows to users who are limited to some districts or checkpoints, and what the audit log
//! says of it: one row each. A test holds it against the OpenAPI document.

use access::Permission::{self, Audit, Dashboard, Export, Ingest, Metrics, Plates, Rejects, Users, Work};
use access::trail::Action;
use axum::http::Method;

use Records::{Always, Hourly, Lists, No};

use crate::oidc::CALLBACK;

/// What an endpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum Needs {
    /// Nothing: it says nothing about anybody, and is what one needs to log in or to watch the process.
    Nothing,
    /// A login, with whatever roles.
    Login,
    /// A permission.
    Permission(Permission),
    /// An account of cameras and platforms (GA/T 1400), which its handler asks for: sessions and tokens are nothing there.
    Device,
}

/// What those get who are limited to some districts or checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum Limited {
    /// Nothing: what it shows cannot be divided by places. Every new endpoint begins with this.
    Refused,
    /// What lies in their scope. Its handler reads by [`crate::serve::sight::Sight`].
    Scoped,
    /// All of it: it is about no place.
    Placeless,
}

/// What the audit log says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum Records {
    /// Nothing, as long as it is not refused.
    No,
    /// An entry for each request.
    Always(Action),
    /// It lists what shows plates: an entry for each request that filters by plate, and else one an hour.
    Lists(Action),
    /// It takes records that name themselves: an entry an hour for each sender and address, and one for each refusal.
    Hourly(Action),
}

/// The row of an endpoint.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct Row {
    method: &'static str,
    path: &'static str,
    /// What it needs.
    pub(in crate::serve) needs: Needs,
    /// What those get who are limited to some places.
    pub(in crate::serve) limited: Limited,
    /// What the audit log says of it.
    pub(in crate::serve) records: Records,
}

impl Row {
    /// It shows what lies in the scope of who asks.
    const fn scoped(self) -> Self {
        Self { limited: Limited::Scoped, ..self }
    }

    /// It is about no place.
    const fn placeless(self) -> Self {
        Self { limited: Limited::Placeless, ..self }
    }
}

const fn row(method: &'static str, path: &'static str, needs: Needs, records: Records) -> Row {
    Row { method, path, needs, limited: Limited::Refused, records }
}

const fn of(method: &'static str, path: &'static str, permission: Permission, records: Records) -> Row {
    row(method, path, Needs::Permission(permission), records)
}

/// Every endpoint.
pub(super) const ROWS: &[Row] = &[
    row("GET", "/healthz", Needs::Nothing, No).placeless(),
    row("GET", "/readyz", Needs::Nothing, No).placeless(),
    of("GET", "/metrics", Metrics, No),
    row("GET", "/api/openapi.json", Needs::Nothing, No).placeless(),
    row("GET", "/api/session", Needs::Nothing, No).placeless(),
    row("POST", "/api/session", Needs::Nothing, Always(Action::Login)).placeless(),
    row("DELETE", "/api/session", Needs::Login, Always(Action::Logout)).placeless(),
    row("POST", "/api/session/password", Needs::Login, Always(Action::Password)).placeless(),
    row("GET", "/api/session/oidc", Needs::Nothing, No).placeless(),
    row("GET", CALLBACK, Needs::Nothing, Always(Action::Login)).placeless(),
    row("GET", "/api/sessions", Needs::Login, No).placeless(),
    row("DELETE", "/api/sessions/{id}", Needs::Login, Always(Action::SessionEnded)).placeless(),
    of("GET", "/api/audit", Audit, Always(Action::Audit)),
    of("POST", "/api/audit/verify", Audit, Always(Action::Verified)),
    of("GET", "/api/users", Users, No),
    of("POST", "/api/users", Users, Always(Action::UserAdd)),
    of("PATCH", "/api/users/{name}", Users, Always(Action::UserRoles)),
    of("GET", "/api/tokens", Users, No),
    of("POST", "/api/tokens", Users, Always(Action::TokenAdd)),
    of("DELETE", "/api/tokens/{id}", Users, Always(Action::TokenRevoke)),
    of("POST", "/api/query", Plates, Always(Action::Query)).scoped(),
    of("POST", "/api/query/export", Export, Always(Action::Export)).scoped(),
    of("GET", "/api/track", Plates, Always(Action::Track)).scoped(),
    of("GET", "/api/warnings/{id}", Plates, Always(Action::Warning)).scoped(),
    of("PATCH", "/api/warnings/{id}", Work, Always(Action::WorkWarning)).scoped(),
    of("GET", "/api/cases/{id}", Plates, Always(Action::Case)).scoped(),
    of("PATCH", "/api/cases/{id}", Work, Always(Action::WorkCase)).scoped(),
    of("GET", "/api/rejects", Rejects, Always(Action::Rejects)),
    of("GET", "/api/warnings", Dashboard, Lists(Action::ListWarnings)).scoped(),
    of("GET", "/api/warnings/realtime", Dashboard, Lists(Action::ListWarnings)).scoped(),
    of("GET", "/api/warnings/stream", Dashboard, Lists(Action::Stream)).scoped(),
    of("GET", "/api/cases", Dashboard, Lists(Action::ListCases)).scoped(),
    of("GET", "/api/cases/calibration", Dashboard, No).placeless(),
    of("POST", "/api/ingest", Ingest, Hourly(Action::Ingest)),
    of("POST", "/api/ingest/{events}", Ingest, Hourly(Action::Ingest)),
    row("POST", "/VIID/System/Register", Needs::Device, Always(Action::Login)).placeless(),
    row("POST", "/VIID/System/UnRegister", Needs::Device, Always(Action::Logout)).placeless(),
    row("POST", KEEPALIVE, Needs::Device, No).placeless(),
    row("GET", "/VIID/System/Time", Needs::Device, No).placeless(),
    row("POST", "/VIID/MotorVehicles", Needs::Device, Hourly(Action::Ingest)).placeless(),
    row("POST", "/VIID/SubscribeNotifications", Needs::Device, Hourly(Action::Ingest)).placeless(),
    of("GET", "/api/stats/kkmc_count", Dashboard, No).scoped(),
    of("GET", "/api/stats/hour_count", Dashboard, No).scoped(),
    of("GET", "/api/stats/map_data", Dashboard, No).scoped(),
    of("GET", "/api/stats/vehicle_type", Dashboard, No),
    of("GET", "/api/stats/vehicle_brand", Dashboard, No),
    of("GET", "/api/stats/recent", Dashboard, No).scoped(),
    of("GET", "/api/cameras", Dashboard, No).scoped(),
    of("GET", "/api/roads", Dashboard, No).scoped(),
    of("GET", "/api/roads/hours", Dashboard, No).scoped(),
    of("GET", "/api/predict/flow", Dashboard, No).scoped(),
    of("GET", "/api/predict/day", Dashboard, No).scoped(),
    of("GET", "/api/predict/model", Dashboard, No).scoped(),
    of("GET", "/api/overview", Dashboard, No).scoped(),
    of("GET", "/api/checkpoints", Dashboard, No).scoped(),
    of("GET", "/api/status", Dashboard, No).scoped(),
    of("GET", "/api/prove", Dashboard, No).placeless(),
];

/// The parameter that filters by plate: who may not see plates may not ask by it.
pub(super) const BY_PLATE: &str = "hphm";

/// The row of an endpoint; none if it has none.
pub(in crate::serve) fn row_of(method: &Method, path: &str) -> Option<Row> {
    // HEAD is GET without the body.
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    ROWS.iter().find(|row| row.method == method && row.path == path).copied()
}

/// A sign of life of a device.
const KEEPALIVE: &str = "/VIID/System/Keepalive";
/// Endpoints that take their filters, or who is alive, as a body.
const QUERIES: [&str; 3] = ["/api/query", "/api/query/export", KEEPALIVE];

/// Whether a request may change something.
pub(in crate::serve) fn changes(method: &Method, path: &str) -> bool {
    match *method {
        // The only navigation that changes something: somebody is logged in.
        Method::GET | Method::HEAD if path == CALLBACK => true,
        Method::GET | Method::HEAD | Method::OPTIONS => false,
        Method::POST => row_of(method, path).is_some() && !QUERIES.contains(&path),
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
            ROWS.iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
        documented.sort();
        rows.sort();
        assert_eq!(rows, documented, "serve/access/table.rs and the endpoints differ");
        assert_eq!(row_of(&Method::HEAD, "/api/status").unwrap().needs, Needs::Permission(Dashboard));
        assert!(row_of(&Method::GET, "/api/nothing").is_none());
    }

    #[test]
    fn what_needs_plates_leaves_an_entry() {
        for row in ROWS {
            let needs_plates = matches!(row.needs, Needs::Permission(Plates | Work | Export | Rejects | Audit));
            let is_recorded = matches!(row.records, Always(_) | Hourly(_));
            assert!(!needs_plates || is_recorded, "{} {} leaves no entry", row.method, row.path);
            // And so does everything that changes something.
            let method = row.method.parse().unwrap();
            assert!(!changes(&method, row.path) || is_recorded, "{} {} leaves no entry", row.method, row.path);
        }
        assert!(QUERIES.iter().all(|path| row_of(&Method::POST, path).is_some()));
        let changing = ROWS.iter().filter(|row| changes(&row.method.parse().unwrap(), row.path));
        assert!(changing.clone().all(|row| row.method != "GET" || row.path == CALLBACK));
        assert!(changing.count() >= 10, "the secret against forged requests is asked for");
    }

    #[test]
    fn what_shows_a_plate_needs_more_than_the_dashboard() {
        for path in
            ["/api/query", "/api/query/export", "/api/track", "/api/warnings/{id}", "/api/cases/{id}", "/api/rejects"]
        {
            for row in ROWS.iter().filter(|row| row.path == path) {
                assert!(!matches!(row.needs, Needs::Nothing | Needs::Login | Needs::Permission(Dashboard)), "{path}");
            }
        }
    }
}
