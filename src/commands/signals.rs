//! The signals that stop a command: the first one in order, the second at once. It does not know what is stopped.

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

/// The signals that stop a run. While this exists they do not end the process by themselves.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen(runtime: &tokio::runtime::Handle) -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let _inside = runtime.enter();
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Says at SIGHUP that there is nothing to be read again. Without this it would end the process.
pub(super) async fn note_hangups() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        tracing::info!(
            "SIGHUP: no certificate to read again; settings are read at the start, and users are noticed by themselves"
        );
    }
}

/// The first signal cancels `stop`, the second ends the process at once.
pub(super) async fn stop_at_signal(mut signals: Signals, stop: CancellationToken) {
    signals.next().await;
    tracing::info!("stopping: a second signal ends at once");
    stop.cancel();
    signals.next().await;
    // Nothing committed is lost: the next start recovers.
    std::process::exit(130);
}

/// For a command without a runtime: on a thread of its own, the first signal cancels `stop`, the second ends the process at
/// once.
pub(super) fn cancel_at_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot listen for signals")?;
    let signals = Signals::listen(runtime.handle())?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(stop_at_signal(signals, stop)))
        .context("cannot listen for signals")?;
    Ok(())
}
