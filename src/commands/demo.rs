//! `platewatch demo`: everything in one process on embedded storage, with 24 hours of simulated history and then live
//! simulated traffic, on real roads: some cameras are wrong, roads fill up, and cloned plates drive all day. It needs
//! nothing else.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::data_dir::{DataDir, StoreArgs};
use super::serve::run_appliance;
use crate::config::{ApiConfig, Config, PredictConfig, SimulatedRoads, SourceConfig, SourceKind};

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Port of the web page and the API on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 5000)]
    port: u16,
    /// Mean passages per second
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    /// Where to keep the data; a temporary folder that is removed at the end unless given
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Seed of the traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Checkpoints of the network: up to 19 are the known ones, more are generated
    #[arg(long, default_value_t = 19)]
    sites: usize,
    #[command(flatten)]
    store: StoreArgs,
}

const DAY: i64 = 86_400;

/// Runs the demo until it is stopped.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let folder = DataDir::new(args.data_dir.as_deref(), &std::env::temp_dir())?;
    let defaults = Config::default();
    let config = Config {
        data_dir: folder.path().to_owned(),
        predict: PredictConfig { model_dir: folder.path().join("traffic_flow_model"), ..defaults.predict },
        api: ApiConfig { listen: SocketAddr::from(([127, 0, 0, 1], args.port)), ..defaults.api },
        source: SourceConfig {
            kind: SourceKind::Simulator,
            rate: args.rate,
            seed: args.seed,
            sites: args.sites,
            roads: SimulatedRoads::Real,
            ..defaults.source
        },
        ..defaults
    };
    let kept = args.data_dir.is_some();
    let data = folder.path().display().to_string();
    run_appliance(&config, DAY, args.store, |address| {
        eprintln!("Platewatch demo: open http://{address} in a browser; Ctrl-C stops it.");
        eprintln!("Data in {data}{}.", if kept { "" } else { ", removed at the end" });
        eprintln!("24 hours of traffic are being made up; live traffic follows at about {} a second.", args.rate);
    })
}
