//! Binding and stopping.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use traffic::{CivilTime, Rule, Severity, TimeZoneName};

use super::Server;
use super::client::{head, open};
use super::memory::{Fault, MemoryReader, alert};
use crate::serve::listen::bind::BindError;
use crate::serve::{ConnectionSettings, ServeSettings, bind, routers, serve};

#[tokio::test]
async fn a_port_in_use_is_one_clear_sentence() {
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let error = bind(address).await.unwrap_err();
    assert!(matches!(error, BindError::InUse(_)));
    assert_eq!(
        error.to_string(),
        format!("port {} on 127.0.0.1 is in use: stop the other program or choose another with --port", address.port())
    );
    let elsewhere = bind(([192, 0, 2, 1], 5000).into()).await.unwrap_err();
    assert!(elsewhere.to_string().contains("no address of this machine"), "{elsewhere}");
}

#[tokio::test]
async fn an_open_request_is_answered_before_the_server_stops() {
    let server = Server::start_with(MemoryReader::sample(), |_| {}).await;
    let (fault, hang) = Fault::hang();
    server.reader.set_fault(fault);
    let mut request = open(server.address, "POST", "/api/query", &[], b"{}").await;
    hang.reached().await;
    server.shutdown.cancel();
    drop(hang);
    assert_eq!(head(&mut request).await.0, 200);
    server.serving.await.unwrap().unwrap();
    assert_eq!(TcpStream::connect(server.address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

/// More than the buffers of a connection hold: who does not read it leaves the writer waiting.
const TOO_MUCH: usize = 64 << 20;
/// A test that waits for this has failed.
const NEVER: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_client_that_does_not_read_does_not_hold_up_the_end() {
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let large = axum::Router::new().route("/", axum::routing::get(|| async { vec![7u8; TOO_MUCH] }));
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, large, ConnectionSettings::default(), shutdown.clone(), NEVER));
    let mut unread = open(address, "GET", "/", &[], b"").await;
    assert_eq!(head(&mut unread).await.0, 200);
    shutdown.cancel();
    timeout(SOON, serving).await.expect("it ends, and the client still holds on").unwrap().unwrap();
}

#[tokio::test]
async fn an_event_stream_that_nobody_reads_does_not_either() {
    let reader = Arc::new(MemoryReader::empty());
    let settings = ServeSettings::new(Arc::new(|| CivilTime(0)), TimeZoneName::default());
    let shutdown = CancellationToken::new();
    let router = routers(reader.clone(), settings, shutdown.clone()).unwrap().all;
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve(listener, router, ConnectionSettings::default(), shutdown.clone(), NEVER));
    let mut unread = open(address, "GET", "/api/warnings/stream?lastEventId=0", &[], b"").await;
    assert_eq!(head(&mut unread).await.0, 200);
    let raised = |seq| alert(seq, "苏C12345", "a", "b", "2024-01-02 12:00:00", Severity::High, Rule::Window);
    let alerts: Vec<_> = (1..=100_000).map(raised).collect();
    assert!(alerts.len() * crate::alert_json::to_text(&alerts[0]).unwrap().len() > 16 << 20);
    reader.commit(Vec::new(), alerts);
    // Until the stream stands still; if it does not yet, it ends in order, which is right too.
    tokio::time::sleep(Duration::from_millis(200)).await;
    shutdown.cancel();
    timeout(SOON, serving).await.expect("it ends, and the client still holds on").unwrap().unwrap();
}

#[tokio::test]
async fn the_deadline_bounds_the_shutdown() {
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let reached = Arc::new(Notify::new());
    let tell = reached.clone();
    let stuck = async move || {
        tell.notify_one();
        std::future::pending::<()>().await;
    };
    let stuck = axum::Router::new().route("/", axum::routing::get(stuck));
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve(
        listener,
        stuck,
        ConnectionSettings::default(),
        shutdown.clone(),
        Duration::from_millis(100),
    ));
    let _request = open(address, "GET", "/", &[], b"").await;
    reached.notified().await;
    let started = Instant::now();
    shutdown.cancel();
    serving.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
}
