//! `platewatch forget HPHM`: removes everything of one plate from a data directory, and says what it cannot reach. It needs the
//! directory for itself.

use std::borrow::Cow;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use access::trail::{Action, Detail, Details, Draft, Entry, Purpose, PurposeCode, Via};
use anyhow::Context as _;
use clap::Args;
use percent_encoding::percent_decode_str;

use super::books::uid;
use super::data_dir::StoreArgs;
use super::failure::Usage;
use super::plate_key::configured_cipher;
use super::settings::keeping_settings;
use crate::clock::unix_millis;
use crate::config::{Config, Role};
use crate::gate::Trail;
use crate::kept_proof;
use crate::mentions::Mentions;
use crate::mysql::push_text;
use crate::mysql::table::{ALERTS, CASES, PASSAGES, PLATE};
use crate::plain;
use crate::store::{Forgotten, Store, StoreSettings};

/// Characters of the reason.
const MAX_REASON_CHARS: usize = 200;

/// Arguments of `forget`.
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// The plate, in any spelling; no pattern
    hphm: String,
    /// Why, in words, for the audit log; it must not name the plate
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The configuration that names the data directory
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory, instead of a configuration
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data_dir: Option<PathBuf>,
    /// The file of the plate key, where plates are stored as pseudonyms, instead of a configuration
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    plate_key: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only say what would be removed
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// Forgets a plate.
///
/// # Errors
/// A sentence for the user.
pub fn run(args: &ForgetArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let plate = Mentions::of(&args.hphm)
        .ok_or_else(|| Usage(format!("{:?} is no whole plate: a pattern or a part names many cars", args.hphm)))?;
    // Before anything is opened; below once more, where the plate has a pseudonym as well.
    reason(&args.reason, &plate)?;
    let config = config(args)?;
    let plates = configured_cipher(&config)?;
    let plate = match &plates {
        Some(cipher) => plate.with_pseudonym(|text| cipher.hide_plate(text)),
        None => plate,
    };
    let reason = reason(&args.reason, &plate)?;
    let settings = || StoreSettings { plates: plates.clone(), ..keeping_settings(&config, args.store) };
    let open = || Store::open(&config.data_dir, settings());
    let mut store = open()?;
    if plates.is_none() && store.has_pseudonyms() {
        return Err(Usage(
            "plates are stored as pseudonyms here: name the file of the plate key (--plate-key, or privacy.plate_key_file)"
                .to_owned(),
        )
        .into());
    }
    let trail = Trail::below(&config.data_dir, config.source.timezone.clone());
    let held = store.held_of(&plate)?;
    let shown = |text: &str| plates.as_ref().map_or_else(|| text.to_owned(), |cipher| cipher.reveal_in(text));
    let entries = trail.naming(|entry| is_about(entry, &plate, &held, shown))?;
    write_found(&plate, &config.data_dir, &held, entries, out)?;
    if args.dry_run {
        return Ok(writeln!(out, "nothing was removed")?);
    }
    if !args.yes {
        confirm(out)?;
    }
    // First what is to be done is on record. Then what finds entries again by ids, before these are gone.
    let reason = plates.as_ref().map_or_else(|| reason.clone(), |cipher| cipher.seal_text(&reason));
    trail.append(draft(reason, &held, entries), unix_millis())?;
    trail.sync()?;
    trail.erase(|entry| is_about(entry, &plate, &held, shown), unix_millis())?;
    store.forget(&plate, &held)?;
    kept_proof::drop_plates(&config.data_dir)
        .with_context(|| format!("cannot remove plates from {}", kept_proof::FILE))?;
    // That the directory opens is seen here; and opening it writes its list of files again, which holds keys.
    drop(open()?);
    write_beyond(&plate, &config, held.names, out)
}

fn config(args: &ForgetArgs) -> anyhow::Result<Config> {
    let mut config = match (&args.config, &args.data_dir) {
        (Some(file), _) => Config::load(file)?,
        (None, Some(folder)) => Config { data_dir: folder.clone(), ..Config::default() },
        (None, None) => {
            return Err(
                Usage("name the data directory (--data-dir), or the configuration (--config)".to_owned()).into()
            );
        }
    };
    if args.plate_key.is_some() {
        config.privacy.plate_key_file.clone_from(&args.plate_key);
    }
    if config.role == Role::Api {
        return Err(Usage("a process of the role api has no data directory".to_owned()).into());
    }
    if !config.data_dir.join(storage::DATABASE).is_dir() {
        return Err(Usage(format!("{} is no data directory", config.data_dir.display())).into());
    }
    Ok(config)
}

fn reason(text: &str, plate: &Mentions) -> anyhow::Result<String> {
    let text = text.trim();
    let wrong = if text.is_empty() {
        "--reason says in words why the plate is forgotten"
    } else if text.chars().count() > MAX_REASON_CHARS || text.chars().any(plain::is_hazard) {
        "--reason takes up to 200 visible characters"
    } else if plate.are_in(text) {
        "--reason stays in the audit log, so it must not name the plate"
    } else {
        return Ok(text.to_owned());
    };
    Err(Usage(wrong.to_owned()).into())
}

/// Whether an entry of the audit log names the plate, or what is only of it. `shown` is a text as it was before it was hidden.
fn is_about(entry: &Entry, plate: &Mentions, held: &Forgotten, shown: impl Fn(&str) -> String) -> bool {
    let names = |stored: &str| {
        let text = shown(stored);
        let text: Cow<'_, str> = percent_decode_str(&text).decode_utf8_lossy();
        let mut words = text.split(|character: char| !character.is_alphanumeric() && !"-_".contains(character));
        plate.are_in(stored)
            || plate.are_in(&text)
            || held.ids.contains(&*text)
            || words.any(|word| held.ids.contains(word))
    };
    let in_detail = |detail: &Detail| match detail {
        Detail::Text(text) => names(text),
        Detail::Texts(texts) => texts.iter().any(|text| names(text)),
        Detail::Flag(_) | Detail::Number(_) => false,
    };
    entry.details.as_ref().is_some_and(|details| details.iter().any(|(_, detail)| in_detail(detail)))
        || entry.purpose.as_ref().is_some_and(|purpose| names(&purpose.text))
}

/// What the audit log says of it: who, why and how much; nothing by which somebody who has a plate could tell whether it was it.
fn draft(reason: String, held: &Forgotten, entries: u64) -> Draft {
    let counts = held.counts().into_iter().filter(|(_, count)| *count > 0);
    let details = counts.fold(Details::default(), |details, (name, count)| details.with(name, count));
    Draft {
        rows: Some(held.passages),
        purpose: Some(Purpose { code: PurposeCode::Other, text: reason }),
        details: Some(details.with("entries", entries).with_any("uid", uid())),
        ..Draft::new(Action::Forget, Via::Command)
    }
}

fn write_found(
    plate: &Mentions,
    folder: &Path,
    held: &Forgotten,
    entries: u64,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    writeln!(out, "of {} there is in {}:", plate.text(), folder.display())?;
    let words = [
        "passages",
        "plate states",
        "sightings and suspicions of the evidence",
        "warnings; their numbers stay, without plate and GCXH",
        "cases",
        "changes of the work on these",
        "rejected lines; their numbers stay, without the line",
        "warnings, cases and notes of others that name it",
    ];
    for ((_, count), words) in held.counts().into_iter().zip(words) {
        writeln!(out, "  {count:>8}  {words}")?;
    }
    Ok(writeln!(out, "  {entries:>8}  entries of the audit log whose details name it")?)
}

fn confirm(out: &mut impl Write) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() {
        return Err(Usage("nothing was removed: say --yes where nobody can be asked".to_owned()).into());
    }
    write!(out, "Remove all of it? This cannot be undone. Type yes: ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        return Ok(());
    }
    Err(Usage("nothing was removed".to_owned()).into())
}

/// What stays elsewhere, and what to do about it.
fn write_beyond(plate: &Mentions, config: &Config, names: u64, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "It is forgotten here. What this command cannot reach:")?;
    if names > 0 {
        writeln!(
            out,
            "- {names} names of checkpoints, districts or models hold the plate. They stay until no row uses them and the \
             directory is made anew: a source has put plates into the wrong column"
        )?;
    }
    writeln!(out, "- MySQL, where it is mirrored. Run there, through MyCat or on every instance:")?;
    for table in [PASSAGES.name, ALERTS.name, CASES.name] {
        let mut statement = format!("DELETE FROM {table} WHERE {PLATE} = ");
        push_text(&mut statement, plate.text());
        writeln!(out, "    {statement};")?;
    }
    if let Some(folder) = &config.lake.dir {
        writeln!(
            out,
            "- the lake in {}, whose files never change. DuckDB lists those that hold the plate:\n    {};\n  Write each again without it, under its name, or \
             remove it. Files .*.replaced-* beside them, left by a restore, may hold it too: remove them",
            folder.display(),
            duckdb_question(folder, plate.text())
        )?;
    }
    let (key, cases_key) = (&config.redis.key, &config.redis.cases_key);
    writeln!(
        out,
        "- Redis, where it is mirrored. Run there: DEL {key} {cases_key}\n  The appliance fills both again, without the plate"
    )?;
    writeln!(
        out,
        "- the Kafka topic until its retention ends, captures, folders of replay (alerts.jsonl, rejects.jsonl), exports, and \
         copies and backups of all of these\n- what comes from now on: a new passage of the plate is recorded as any other"
    )?;
    Ok(())
}

/// Which files of a lake hold a plate, as DuckDB is asked: it knows no escapes but a quote that is doubled.
fn duckdb_question(lake: &Path, plate: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let files = quoted(&lake.join("*/*.parquet").to_string_lossy());
    format!("SELECT DISTINCT filename FROM read_parquet({files}, filename = true) WHERE HPHM = {}", quoted(plate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_plates_with_quotes_are_asked_for() {
        assert_eq!(
            duckdb_question(Path::new("/data/o'brien"), "M'1\\"),
            "SELECT DISTINCT filename FROM read_parquet('/data/o''brien/*/*.parquet', filename = true) WHERE HPHM = 'M''1\\'"
        );
    }
}
