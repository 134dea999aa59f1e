//! Every endpoint through a real socket, over an in-memory twin of the storage.

mod access;
mod accounts;
mod assets;
mod audit;
mod calibration;
mod cameras;
mod client;
mod connections;
mod docs;
mod envelope;
mod export;
mod fuzz;
mod headers;
mod https;
mod ingest;
mod limits;
pub(super) mod memory;
mod openapi;
mod operation;
mod predict;
mod prove;
mod query;
mod rejects;
mod roads;
mod scope;
mod shutdown;
mod sign_on;
mod stats;
mod stream;
mod track;
mod warnings;
mod work;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use traffic::{CivilTime, TimeZoneName};

use super::{ConnectionSettings, ServeSettings};
use crate::gate::Trail;
use client::{Reply, request};
use memory::MemoryReader;

/// The server's clock in all tests.
const NOW: &str = "2024-01-02 12:00:00";

/// A running server and its data.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) reader: Arc<MemoryReader>,
    pub(crate) shutdown: CancellationToken,
    /// Of the audit log.
    _folder: tempfile::TempDir,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// A server over `reader` with settings changed by `change`.
    pub(crate) async fn start_with(reader: MemoryReader, change: impl FnOnce(&mut ServeSettings)) -> Self {
        Self::start_limited(reader, ConnectionSettings::default(), change).await
    }

    /// The same with limits of connections.
    pub(crate) async fn start_limited(
        reader: MemoryReader,
        connections: ConnectionSettings,
        change: impl FnOnce(&mut ServeSettings),
    ) -> Self {
        let reader = Arc::new(reader);
        let now = time(NOW);
        let mut settings = ServeSettings::new(Arc::new(move || now), TimeZoneName::default());
        let folder = tempfile::tempdir().unwrap();
        settings.trail = Some(Arc::new(Trail::below(folder.path(), TimeZoneName::default())));
        change(&mut settings);
        let shutdown = CancellationToken::new();
        let listener = super::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = super::routers(reader.clone(), settings, shutdown.clone()).unwrap().all;
        let serving =
            tokio::spawn(super::serve(listener, router, connections, shutdown.clone(), Duration::from_secs(5)));
        Self { address, reader, shutdown, _folder: folder, serving }
    }

    /// A server over the sample data.
    async fn start() -> Self {
        Self::start_with(MemoryReader::sample(), |_| {}).await
    }

    async fn get(&self, path: &str) -> Reply {
        request(self.address, "GET", path, &[], b"").await
    }

    async fn post(&self, path: &str, body: &str) -> Reply {
        request(self.address, "POST", path, &[("content-type", "application/json")], body.as_bytes()).await
    }
}

pub(super) fn time(text: &str) -> CivilTime {
    CivilTime::parse(text.as_bytes(), &TimeZoneName::default()).unwrap()
}
