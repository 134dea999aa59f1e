//! `platewatch serve` with `role = "api"`: HTTP over MySQL and Redis, without pipeline, store or data directory.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::failure::Usage;
use super::models::service_settings;
use super::plate_key::configured_cipher;
use super::serving::{
    Listening, Recording, connections, gate, predict_beside, revealing, serve_settings, serve_until, sign_on,
};
use super::signals::{Signals, stop_at_signal};
use crate::config::Config;
use crate::predict::{MemoryRegistry, Service};
use crate::remote::{Remote, RemoteError};
use crate::serve::ServeSettings;

/// Serves until a signal stops it. It waits for neither MySQL nor Redis: while one is away, its answers are 503.
///
/// # Errors
/// A sentence for the user; see [`super::failure::exit_code`].
pub(super) fn run_api(config: &Config, ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let stop = CancellationToken::new();
    runtime.spawn(stop_at_signal(Signals::listen(runtime.handle())?, stop.clone()));
    let cipher = configured_cipher(config)?;
    let (gate, sign_on) = (gate(config)?, sign_on(config)?);
    let listening = runtime.block_on(Listening::start(config))?;
    let reader = Remote::start(config, runtime.handle(), stop.clone()).map_err(|error| match error {
        RemoteError::NoMysql | RemoteError::NoRedis | RemoteError::Redis(_) => Usage(error.to_string()),
    })?;
    // Counts come from MySQL; without a data directory their history lasts as long as the process.
    let forecaster = Service::new(service_settings(config, None, Arc::new(MemoryRegistry::default())));
    let predicting = predict_beside(forecaster.clone(), reader.clone(), &stop, runtime.handle())?;
    let recording = Recording::begin(config, &gate, &stop, runtime.handle())?;
    ready(listening.address()?);
    let reader = revealing(reader, cipher.clone());
    let base = serve_settings(config, gate, recording.trail.clone());
    let settings = ServeSettings { forecaster, sign_on, plates: cipher, ..base };
    let served = runtime.block_on(serve_until(listening, reader, settings, connections(config), stop.clone()));
    stop.cancel();
    predicting.join().map_err(|_| anyhow::anyhow!("prediction ended unexpectedly: please report it"))?;
    // No request waits for a statement that is still under way.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    recording.end()?;
    served.context("the HTTP interface failed")
}
