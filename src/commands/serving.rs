//! What `serve` runs in every role: the HTTP interface until the stop signal, and prediction in the background. It does not
//! know where the data comes from.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use access::SessionLimits;
use access::trail::Head;
use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::failure::Usage;
use super::signals::note_hangups;
use crate::clock::{civil_now, unix_millis, unix_now};
use crate::config::{Config, Role};
use crate::gate::{AccountFiles, Gate, GateSettings, Trail};
use crate::oidc::{OidcSettings, SignOn};
use crate::predict::Service;
use crate::pseudonyms::{PlateCipher, RevealingReader};
use crate::reader::Reader;
use crate::serve::{self, ConnectionSettings, RateSettings, ServeSettings, Tls, TlsFiles};

/// How long open requests and the last commit may take after a stop signal.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

/// Runs prediction on a thread of its own until `stop`.
pub(super) fn predict_beside(
    service: Arc<Service>,
    reader: Arc<dyn Reader>,
    stop: &CancellationToken,
    waiting: &tokio::runtime::Handle,
) -> anyhow::Result<std::thread::JoinHandle<()>> {
    let (stop, waiting) = (stop.clone(), waiting.clone());
    std::thread::Builder::new()
        .name("predict".to_owned())
        .spawn(move || service.run(&*reader, &stop, &waiting))
        .context("cannot start the thread of prediction")
}

/// Where the HTTP interface listens, and with which certificate.
pub(super) struct Listening {
    main: TcpListener,
    /// For health and metrics alone.
    operation: Option<TcpListener>,
    tls: Option<Arc<Tls>>,
}

impl Listening {
    /// Listens as configured; nothing is answered yet.
    ///
    /// # Errors
    /// [`Usage`] for a certificate that cannot be used, and a sentence for an address that cannot be listened on.
    pub(super) async fn start(config: &Config) -> anyhow::Result<Self> {
        let tls = tls(config)?.map(Arc::new);
        let main = serve::bind(config.api.listen).await?;
        let operation = match config.api.metrics_listen {
            Some(address) => Some(serve::bind(address).await?),
            None => None,
        };
        Ok(Self { main, operation, tls })
    }

    /// Where the interface listens.
    pub(super) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.main.local_addr().context("cannot tell the port")
    }
}

/// The certificate of HTTPS, if one is configured.
///
/// # Errors
/// [`Usage`] if it cannot be used.
pub(super) fn tls(config: &Config) -> anyhow::Result<Option<Tls>> {
    let (Some(certificate), Some(key)) = (&config.api.tls_certificate, &config.api.tls_key) else { return Ok(None) };
    let files = TlsFiles::new(certificate.clone(), key.clone());
    Tls::load(files).map(Some).map_err(|error| Usage(error.to_string()).into())
}

/// Connections for health and metrics alone.
const MAX_OPERATION_CONNECTIONS: usize = 64;

/// Serves until `stop`.
pub(super) async fn serve_until(
    listening: Listening,
    reader: Arc<dyn Reader>,
    settings: ServeSettings,
    connections: ConnectionSettings,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let Listening { main, operation, tls } = listening;
    let routers = serve::routers(reader, ServeSettings { tls: tls.clone(), ..settings }, stop.clone())?;
    if tls.is_none() {
        tokio::spawn(note_hangups());
    }
    let connections = ConnectionSettings { tls, ..connections };
    let all = serve::serve(main, routers.all, connections, stop.clone(), SHUTDOWN_DEADLINE);
    let Some(operation) = operation else { return all.await };
    if let Ok(at) = operation.local_addr() {
        tracing::info!(%at, "health and metrics are also answered here, without a login");
    }
    let connections = ConnectionSettings { max: MAX_OPERATION_CONNECTIONS, ..ConnectionSettings::default() };
    let aside = serve::serve(operation, routers.operation, connections, stop, SHUTDOWN_DEADLINE);
    tokio::try_join!(all, aside).map(|_| ())
}

/// The connections of the HTTP interface, as configured and as the limit of open files allows.
pub(super) fn connections(config: &Config) -> ConnectionSettings {
    let api = &config.api;
    ConnectionSettings {
        max: serve::open_files(api.max_connections),
        max_per_address: api.max_connections_per_address,
        header_timeout: api.header_timeout,
        idle_timeout: api.idle_timeout,
        proxies: api.proxies.clone(),
        tls: None,
    }
}

/// The gate of the HTTP interface: users and sessions of the data directory.
///
/// # Errors
/// [`Usage`] if everybody who reaches the port would come in, and the configuration does not say that this is meant.
pub(super) fn gate(config: &Config) -> anyhow::Result<Arc<Gate>> {
    let api = &config.api;
    // A proxy passes on what comes from elsewhere; and where single sign-on is set up, one logs in, also before anybody has.
    let is_local = api.listen.ip().is_loopback() && api.proxies.is_empty() && !config.oidc.is_on();
    let limits = SessionLimits { idle: api.session_idle, absolute: api.session_max };
    let settings = GateSettings { open: api.open, is_local, limits };
    let files = AccountFiles::below(&config.data_dir);
    if !is_local && !api.open && !config.oidc.is_on() && files.accounts()?.are_empty() {
        return Err(Usage(format!(
            "{listen} can be reached from elsewhere, and nobody has a login yet. Make the first user with\n  \
             platewatch user add NAME --role admin --role supervisor --data-dir {data_dir}\n\
             or listen on 127.0.0.1, or let everybody in who reaches the port with api.open = true",
            listen = api.listen,
            data_dir = config.data_dir.display(),
        ))
        .into());
    }
    let gate = Gate::new(settings, files, unix_now())?;
    if gate.is_exposed() {
        tracing::warn!(listen = %api.listen, "api.open: everybody who reaches this port sees and changes everything");
    }
    Ok(Arc::new(gate))
}

/// The data as those see it who may see plates: with a key, the plates behind the pseudonyms.
pub(super) fn revealing(reader: Arc<dyn Reader>, cipher: Option<Arc<PlateCipher>>) -> Arc<dyn Reader> {
    match cipher {
        Some(cipher) => Arc::new(RevealingReader::new(reader, cipher)),
        None => reader,
    }
}

/// Single sign-on, if it is configured. The provider is not asked yet.
///
/// # Errors
/// [`Usage`] for certificates that cannot be used.
pub(super) fn sign_on(config: &Config) -> anyhow::Result<Option<Arc<SignOn>>> {
    let oidc = &config.oidc;
    if !oidc.is_on() {
        return Ok(None);
    }
    let settings = OidcSettings {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: (!oidc.client_secret.is_empty()).then(|| oidc.client_secret.expose().to_owned()),
        redirect_url: oidc.redirect_url.clone(),
        scopes: oidc.scopes.clone(),
        role_claim: oidc.role_claim.clone(),
        roles: oidc.claim_roles(),
        ca_certificate: oidc.ca_certificate.clone(),
        timeout: oidc.timeout,
    };
    SignOn::new(settings).map(|sign_on| Some(Arc::new(sign_on))).map_err(|error| Usage(error.to_string()).into())
}

/// How often what was recorded is brought to the disk, how often when tokens were used, and how often the oldest is looked at.
const SYNC_EVERY: Duration = Duration::from_secs(1);
const KEEP_USES_EVERY: Duration = Duration::from_secs(60);
const RETAIN_EVERY: Duration = Duration::from_secs(3_600);

/// The audit log while it is written, and the thread that brings it to the disk, and when tokens were used, and removes what is too old.
pub(super) struct Recording {
    /// The log.
    pub(super) trail: Arc<Trail>,
    thread: std::thread::JoinHandle<()>,
}

impl Recording {
    /// Begins to record until `stop`. A log that cannot be written does not keep the process from starting: it shows no plates.
    pub(super) fn begin(
        config: &Config,
        gate: &Arc<Gate>,
        stop: &CancellationToken,
        waiting: &tokio::runtime::Handle,
    ) -> anyhow::Result<Self> {
        let trail = Arc::new(Trail::below(&config.data_dir, config.source.timezone.clone()));
        match trail.begin(unix_millis()) {
            Ok(Head::NONE) => {}
            Ok(head) => tracing::info!(%head, "the audit log at the start"),
            Err(error) => tracing::error!(%error, "the audit log cannot be written: no plates are shown until it can"),
        }
        let keep = config.audit.keep.duration();
        let (written, gate, stop, waiting) = (trail.clone(), gate.clone(), stop.clone(), waiting.clone());
        let rest = move || waiting.block_on(async { tokio::time::timeout(SYNC_EVERY, stop.cancelled()).await.is_ok() });
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || keep_up(&written, &gate, keep, rest))
            .context("cannot start the thread of the audit log")?;
        Ok(Self { trail, thread })
    }

    /// Ends when nothing is recorded any more.
    pub(super) fn end(self) -> anyhow::Result<()> {
        self.thread.join().map_err(|_| anyhow::anyhow!("the audit log ended unexpectedly: please report it"))?;
        match self.trail.sync().and_then(|()| self.trail.begin(unix_millis())) {
            Ok(Head::NONE) => {}
            Ok(head) => tracing::info!(%head, "the audit log at the end"),
            Err(error) => tracing::error!(%error, "the last second of the audit log may not be on the disk"),
        }
        Ok(())
    }
}

/// Brings the log to the disk, and removes what is older than `keep`, until `rest` says that it is over.
fn keep_up(trail: &Trail, gate: &Gate, keep: Option<Duration>, rest: impl Fn() -> bool) {
    let mut looked_at: Option<std::time::Instant> = None;
    let mut kept_at = std::time::Instant::now();
    let mut is_failing = false;
    loop {
        let failed = trail.sync().err();
        if let Some(error) = failed.as_ref().filter(|_| !is_failing) {
            tracing::error!(%error, "the audit log is not on the disk: no plates are shown until a restart");
        }
        is_failing = failed.is_some();
        if let Some(keep) = keep.filter(|_| looked_at.is_none_or(|at| at.elapsed() >= RETAIN_EVERY)) {
            looked_at = Some(std::time::Instant::now());
            match trail.retain(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX), unix_millis()) {
                Ok(0) => {}
                Ok(days) => tracing::info!(days, "removed what the audit log kept longer than audit.keep"),
                Err(error) => tracing::error!(%error, "the oldest days of the audit log cannot be removed"),
            }
        }
        let is_over = rest();
        if is_over || kept_at.elapsed() >= KEEP_USES_EVERY {
            kept_at = std::time::Instant::now();
            if let Err(error) = gate.keep_uses() {
                tracing::warn!(%error, "when tokens were last used is not stored");
            }
        }
        if is_over {
            return;
        }
    }
}

/// The HTTP interface, as configured.
pub(super) fn serve_settings(config: &Config, gate: Arc<Gate>, trail: Arc<Trail>) -> ServeSettings {
    let zone = config.source.timezone.clone();
    let clock_zone = zone.clone();
    ServeSettings {
        gate,
        trail: Some(trail),
        purpose: config.audit.purpose,
        time_format: config.api.time_format,
        cors_origins: config.api.cors_origins.clone(),
        allowed_origins: config.api.allowed_origins.clone(),
        hosts: config.api.hosts.clone(),
        max_concurrent_queries: config.api.max_concurrent_queries,
        query_timeout: config.api.query_timeout,
        sse_max_clients: config.api.sse_max_clients,
        sse_max_clients_per_address: config.api.sse_max_clients_per_address,
        body_limit: config.api.max_body.bytes(),
        ingest_limit: config.api.ingest_max_body.bytes(),
        status_only: config.role == Role::Ingest,
        export_max_rows: config.api.export_max_rows as u64,
        max_concurrent_exports: config.api.max_concurrent_exports,
        export_timeout: config.api.export_timeout,
        rates: RateSettings {
            per_second: config.api.client_rate,
            burst: config.api.client_burst,
            concurrent: config.api.client_concurrent,
        },
        https_only: config.api.https_only,
        detector: config.detect.detector_settings(),
        ..ServeSettings::new(Arc::new(move || civil_now(&clock_zone)), zone)
    }
}
