//! Binding and stopping.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Server;
use super::client::{head, open};
use super::memory::{Fault, MemoryReader};
use crate::serve::{BindError, bind, serve};

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
    let serving = tokio::spawn(serve(listener, stuck, shutdown.clone(), Duration::from_millis(100)));
    let _request = open(address, "GET", "/", &[], b"").await;
    reached.notified().await;
    let started = Instant::now();
    shutdown.cancel();
    serving.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
}
