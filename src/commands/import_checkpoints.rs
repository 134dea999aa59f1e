//! `platewatch import-checkpoints CSV`: replaces the checkpoints that a data directory knows and, where MySQL is
//! configured, those of its table `kkmc_info`, which MyCat keeps whole on every instance.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use traffic::{Catalogue, Checkpoint};

use super::data_dir::StoreArgs;
use super::failure::Usage;
use super::settings::keeping_settings;
use crate::config::{Config, Role};
use crate::mysql::table::CHECKPOINTS;
use crate::mysql::{MysqlPool, push_text};
use crate::store::Store;

/// Checkpoints that a notice names.
const CODES_SHOWN: usize = 10;
/// Checkpoints in one statement.
const ROWS_OF_STATEMENT: usize = 200;

/// Arguments of `import-checkpoints`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The checkpoints: columns code, kkmc, label, xzqhmc, road, lon, lat
    csv: PathBuf,
    /// The configuration that names the data directory and MySQL
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory, instead of a configuration
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
}

/// Imports the checkpoints.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &ImportArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let catalogue = read_catalogue(&args.csv)?;
    let mut config = match &args.config {
        Some(file) => Config::load(file)?,
        None => Config::default(),
    };
    if let Some(folder) = &args.data_dir {
        config.data_dir.clone_from(folder);
    }
    let count = catalogue.len();
    if let Some(notice) = without_position(&catalogue) {
        writeln!(out, "{notice}")?;
    }
    // Local first: it is the one that can be in use. A process of the role `api` has no data directory.
    if config.role != Role::Api {
        let mut store = Store::open(&config.data_dir, keeping_settings(&config, args.store))?;
        store.set_catalogue(catalogue.clone(), &args.csv.display().to_string())?;
        store.close()?;
        writeln!(out, "{count} checkpoints imported into {}", config.data_dir.display())?;
    }
    for pool in MysqlPool::of(&config.mycat) {
        fill_table(&pool, &catalogue)?;
        writeln!(out, "{count} checkpoints imported into kkmc_info at {}", pool.address())?;
    }
    Ok(())
}

/// Makes `kkmc_info` hold these checkpoints and no others. It may be repeated; a reader may meanwhile see both old and
/// new ones.
fn fill_table(pool: &MysqlPool, catalogue: &Catalogue) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let fit = pool.check_fitness().await;
        fit.with_context(|| format!("kkmc_info at {} was not changed", pool.address()))?;
        for statement in table_statements(catalogue) {
            pool.execute(&statement).await.with_context(|| {
                format!(
                    "kkmc_info at {} was not filled, or in part: see that it is as sql/schema.sql makes it, and import again",
                    pool.address()
                )
            })?;
        }
        anyhow::Ok(())
    })
}

/// In order: existing rows are deleted, then the new ones inserted. An empty catalogue leaves an empty table.
fn table_statements(catalogue: &Catalogue) -> Vec<String> {
    let mut statements = vec![format!("DELETE FROM {}", CHECKPOINTS.name)];
    let rows: Vec<String> = catalogue
        .iter()
        .enumerate()
        .map(|(place, checkpoint)| {
            let Checkpoint { code, name, label, district, road, lon, lat } = checkpoint;
            let mut row = "(".to_owned();
            for text in [code, name, label, district, road] {
                push_text(&mut row, text);
                row.push(',');
            }
            let degrees = |value: &Option<f64>| value.map_or("NULL".to_owned(), |value| value.to_string());
            row.push_str(&format!("{},{},{})", degrees(lon), degrees(lat), place + 1));
            row
        })
        .collect();
    for some in rows.chunks(ROWS_OF_STATEMENT) {
        statements.push(CHECKPOINTS.insert() + &some.join(","));
    }
    statements
}

/// Names the checkpoints without known coordinates, including 0,0: distances to them are not known.
fn without_position(catalogue: &Catalogue) -> Option<String> {
    let codes: Vec<_> = catalogue.without_position().map(|checkpoint| checkpoint.code.as_str()).collect();
    let (shown, more) = codes.split_at_checked(CODES_SHOWN).unwrap_or((&codes, &[]));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    (!codes.is_empty()).then(|| {
        format!(
            "{} without coordinates (empty, or 0,0): {}{more}; alerts there have no distance and no speed",
            codes.len(),
            shown.join(", "),
        )
    })
}

/// Reads a file of checkpoints.
pub(super) fn read_catalogue(csv: &Path) -> anyhow::Result<Catalogue> {
    let text = std::fs::read_to_string(csv)
        .map_err(|error| Usage(format!("cannot read the checkpoints {}: {error}", csv.display())))?;
    Catalogue::parse_csv(text.trim_start_matches('\u{feff}'))
        .map_err(|error| Usage(error.to_string()))
        .with_context(|| format!("the checkpoints in {}", csv.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_statements_of_the_table() {
        let csv = "code,kkmc,label,xzqhmc,road,lon,lat\nA,a's,A a,邳州市,S250,118.06454,34.641634\nB,b,,,,,\n";
        let statements = table_statements(&Catalogue::parse_csv(csv).unwrap());
        assert_eq!(
            statements,
            [
                "DELETE FROM kkmc_info",
                "INSERT INTO kkmc_info (code,kkmc,label,xzqhmc,road,lon,lat,sort_no) VALUES \
                 ('A','a''s','A a','邳州市','S250',118.06454,34.641634,1),('B','b','','','',NULL,NULL,2)"
            ]
        );
        assert_eq!(table_statements(&Catalogue::default()), ["DELETE FROM kkmc_info"]);
    }
}
