//! The limits of one client: by address or credential, never for this machine or for probes.

use std::net::IpAddr;

use access::Permission;

use super::Server;
use super::access::{Closed, noticed};
use super::client::{Reply, request};
use super::memory::MemoryReader;
use crate::serve::{ConnectionSettings, RateSettings};

const LIMITS: RateSettings = RateSettings { per_second: 1, burst: 5, concurrent: 0 };

/// A server that takes this machine for a reverse proxy, so that requests have the address that is said.
async fn limited(rates: RateSettings) -> Server {
    let proxies = vec![IpAddr::from([127, 0, 0, 1])];
    let connections = ConnectionSettings { proxies, ..ConnectionSettings::default() };
    Server::start_limited(MemoryReader::sample(), connections, move |settings| settings.rates = rates).await
}

async fn from(server: &Server, address: &str, path: &str) -> Reply {
    request(server.address, "GET", path, &[("x-forwarded-for", address)], b"").await
}

/// How many of so many requests are answered.
async fn answered(server: &Server, address: &str, path: &str, requests: usize) -> usize {
    let mut count = 0;
    for _ in 0..requests {
        count += usize::from(from(server, address, path).await.status == 200);
    }
    count
}

#[tokio::test]
async fn a_client_that_asks_too_much_waits_and_others_do_not() {
    let server = limited(LIMITS).await;
    let count = answered(&server, "192.0.2.7", "/api/session", 20).await;
    assert!((5..10).contains(&count), "{count}");
    let reply = from(&server, "192.0.2.7", "/api/session").await;
    assert!(reply.error(429).contains("too many requests"));
    assert_eq!(reply.json()["reason"], "too_many_requests");
    assert!(reply.header("content-security-policy").is_some(), "a refusal is protected like any answer");
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    // The files of the page count as well.
    assert_eq!(from(&server, "192.0.2.7", "/favicon.svg").await.status, 429);
    assert_eq!(from(&server, "192.0.2.8", "/api/session").await.status, 200, "another address");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(answered(&server, "192.0.2.7", path, 20).await, 20, "{path}");
    }
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    assert_eq!(from(&server, "192.0.2.7", "/api/session").await.status, 200, "after the time that was said");
}

#[tokio::test]
async fn this_machine_is_not_limited_unless_it_passes_on() {
    let server = Server::start_with(MemoryReader::sample(), |settings| settings.rates = LIMITS).await;
    for _ in 0..40 {
        assert_eq!(server.get("/api/session").await.status, 200);
    }
}

#[tokio::test]
async fn a_credential_has_its_own_limit_and_a_guess_has_not() {
    let closed = Closed::start().await;
    let tokens = [0, 1].map(|_| closed.token("operator", &[Permission::Dashboard], None));
    let server = closed.behind_a_proxy_with(LIMITS).await;
    noticed().await;
    let ask = async |bearer: &str| {
        let bearer = format!("Bearer {bearer}");
        let headers = [("authorization", bearer.as_str()), ("x-forwarded-for", "192.0.2.7")];
        request(server.address, "GET", "/api/overview", &headers, b"").await.status
    };
    let mut first = Vec::new();
    for _ in 0..12 {
        first.push(ask(&tokens[0]).await);
    }
    assert!(first.starts_with(&[200; 5]) && first.contains(&429), "{first:?}");
    assert_eq!(ask(&tokens[1]).await, 200, "another program behind the same address");
    let mut guesses = Vec::new();
    for number in 0..12 {
        guesses.push(ask(&format!("pw_{number}")).await);
    }
    assert!(guesses.starts_with(&[401; 5]) && guesses.contains(&429), "guesses share the address: {guesses:?}");
}

#[tokio::test]
async fn requests_at_the_same_time_are_limited_until_they_are_answered() {
    let server = limited(RateSettings { per_second: 0, burst: 1, concurrent: 2 }).await;
    let many = (0..40).map(|_| from(&server, "192.0.2.7", "/api/query/nothing"));
    let together: Vec<u16> = futures_util::future::join_all(many).await.into_iter().map(|reply| reply.status).collect();
    assert!(together.iter().all(|status| [404, 429].contains(status)), "{together:?}");
    assert_eq!(from(&server, "192.0.2.7", "/api/session").await.status, 200, "nothing is left over");
    // An event stream is no request in progress once it has begun.
    let mut streams = Vec::new();
    for _ in 0..3 {
        let headers = [("x-forwarded-for", "192.0.2.7")];
        let mut stream = super::client::open(server.address, "GET", "/api/warnings/stream", &headers, b"").await;
        assert_eq!(super::client::head(&mut stream).await.0, 200);
        streams.push(stream);
    }
    assert_eq!(from(&server, "192.0.2.7", "/api/session").await.status, 200);
}
