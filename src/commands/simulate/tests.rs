//! The command: what it writes, and what it refuses.

use clap::Parser;
use traffic::Catalogue;

use super::*;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    simulate: SimulateArgs,
}

fn parse(line: &str) -> Result<SimulateArgs, clap::Error> {
    Cli::try_parse_from(std::iter::once("simulate").chain(line.split_whitespace())).map(|cli| cli.simulate)
}

fn run_in(dir: &Path, options: &str, out: &str) -> Vec<u8> {
    let mut args = parse(options).unwrap();
    args.out = dir.join(out);
    run(&args).unwrap();
    std::fs::read(&args.out).unwrap()
}

#[test]
fn writes_lines_truth_and_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let (truth, csv) = (dir.path().join("truth.jsonl"), dir.path().join("sites.csv"));
    let mut args = parse("--count 50000 --clone-every 500 --sites 60").unwrap();
    args.out = dir.path().join("lines.tsv");
    args.truth = Some(truth.clone());
    args.checkpoints_out = Some(csv.clone());
    run(&args).unwrap();

    let lines = std::fs::read_to_string(&args.out).unwrap();
    assert_eq!((lines.lines().count(), lines.ends_with('\n')), (50_000, true));
    let catalogue = Catalogue::parse_csv(&std::fs::read_to_string(csv).unwrap()).unwrap();
    assert_eq!(catalogue.len(), 60);
    assert!(lines.lines().all(|line| line.split('\t').nth(2).is_some_and(|kkmc| catalogue.position(kkmc).is_some())));
    let truth = std::fs::read_to_string(truth).unwrap();
    assert!(truth.lines().count() > 20, "{truth}");
    for pair in truth.lines() {
        let pair: serde_json::Value = serde_json::from_str(pair).unwrap();
        assert!(lines.contains(pair["curr_gcxh"].as_str().unwrap()));
    }
}

fn table(path: &Path) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_path(path).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

#[test]
fn the_truth_folder_is_about_the_lines_that_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth");
    let mut args = parse("--count 60000 --rate 10 --roads real --clone-every 200").unwrap();
    (args.out, args.truth_dir) = (truth.join("capture.log"), Some(truth.clone()));
    run(&args).unwrap();

    let lines = std::fs::read_to_string(&args.out).unwrap();
    let by_id: std::collections::HashMap<_, _> =
        lines.lines().map(|line| line.split('\t').collect::<Vec<_>>()).map(|fields| (fields[0], fields)).collect();
    let passages = std::fs::read_to_string(truth.join("truth.tsv")).unwrap();
    let (mut close, mut kinds) = (0, std::collections::BTreeSet::new());
    for row in passages.lines() {
        let [gcxh, vehicle, plate, unix, kind] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let shown = CivilTime::parse(by_id[gcxh][4].as_bytes(), &TimeZoneName::default()).unwrap();
        let seconds: f64 = unix.parse().unwrap();
        let error = TimeZoneName::default().civil(seconds as i64).unwrap().0 - shown.0;
        close += usize::from(error.abs() <= 3 && by_id[gcxh][6] == plate);
        assert!(vehicle.parse::<u32>().is_ok());
        kinds.insert(kind.to_owned());
    }
    let rows = passages.lines().count();
    assert_eq!(rows, by_id.len(), "a row for each line that is no repetition");
    assert!(close * 2 > rows, "{close} of {rows}: most clocks and readings are right");
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["-", "clone", "twin"]);

    let checkpoints = std::fs::read_to_string(truth.join("checkpoints.csv")).unwrap();
    let catalogue = Catalogue::parse_csv(&checkpoints).unwrap();
    let cameras = table(&truth.join("cameras.tsv"));
    assert_eq!(cameras.len(), catalogue.len());
    assert!(cameras.iter().all(|it| catalogue.position(&it["kkmc"]).is_some()));
    assert_eq!(cameras.iter().filter(|it| it["fault"] != "-").count(), 11);
    assert!(table(&truth.join("roads.tsv")).iter().all(|it| it["free_flow_seconds"].parse::<f64>().unwrap() > 30.0));
    assert!(table(&truth.join("plates.tsv")).iter().any(|it| it["kind"] == "clone"));
    assert!(table(&truth.join("incidents.tsv")).len() > 3);
}

#[test]
fn the_same_options_write_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let first = run_in(dir.path(), "--count 2000 --seed 3", "a");
    assert_eq!(first, run_in(dir.path(), "--count 2000 --seed 3", "b"));
    assert_ne!(first, run_in(dir.path(), "--count 2000 --seed 4", "c"));
    assert!(String::from_utf8(first).unwrap().contains("\t2024-01-01 00:00:0"));
    let later = run_in(dir.path(), "--count 10 --clean --start 2024/5/6", "d");
    assert!(String::from_utf8(later).unwrap().contains("\t2024-05-06 00:00:0"));
}

#[test]
fn usage_is_checked() {
    let refused = |line: &str, expected: &str| {
        let error = parse(line).unwrap_err().to_string();
        assert!(error.contains(expected), "{line}: {error}");
    };
    refused("", "--count <N>|--rate <R>");
    refused("--rate 0", "above 0 and at most 20000");
    refused("--rate 1e9", "above 0 and at most 20000");
    refused("--count 1 --sites 1", "2..=10000");
    refused("--count 1 --clone-every 5", "at least 100");
    refused("--count 1 --roads bumpy", "ideal, real");
    refused("--count 1 --start 1999-12-31", "from 2000 on");
    refused("--count 1 --start 2024-02-30", "from 2000 on");
    assert!(parse("--count 1 --rate 2").is_ok());
}

#[test]
fn errors_say_which_file_and_what_to_do() {
    let mut args = parse("--count 1 --out /nowhere/at/all").unwrap();
    let error = format!("{:#}", run(&args).unwrap_err());
    assert!(error.starts_with("cannot create /nowhere/at/all: check that its folder exists"), "{error}");
    args.truth = Some(args.out.clone());
    let error = run(&args).unwrap_err();
    assert!(error.is::<clap::Error>() && error.to_string().contains("--truth and --out both name"), "{error}");
}

#[test]
fn a_truth_folder_is_of_real_roads_and_keeps_its_names() {
    let refused = |options: &str, out: &str, expected: &str| {
        let mut args = parse(options).unwrap();
        args.out = PathBuf::from(out);
        let error = run(&args).unwrap_err();
        assert!(error.is::<clap::Error>() && error.to_string().contains(expected), "{error}");
    };
    refused("--count 1 --truth-dir /nowhere/at", "-", "--truth-dir needs --roads real");
    refused("--count 1 --roads real --truth-dir /nowhere/at", "/nowhere/at/truth.tsv", "give it another name");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let error = format!("{:#}", run(&parse("--count 10 --out /dev/full").unwrap()).unwrap_err());
    assert!(error.starts_with("cannot write to /dev/full: "), "{error}");
}

#[test]
fn a_reader_that_is_gone_is_no_error() {
    struct Gone;
    impl Sink for Gone {}
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut output = Output {
        lines: Vec::new(),
        gathered: 0,
        writer: Box::new(Gone),
        name: "standard output".to_owned(),
        truth: None,
        truth_folder: None,
        progress: ProgressBar::hidden(),
    };
    let mut simulator = Simulator::new(SimulatorSettings { rate: 1000.0, ..Default::default() }).unwrap();
    let error = write_in_real_time(&mut simulator, &mut output).unwrap_err();
    assert!(is_broken_pipe(&error), "{error:#}");
}
