//! `deploy/` and `sql/mycat/`: every configuration is accepted, every unit, XML and YAML file can be read, and what they
//! say agrees with the rest.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{done, platewatch, repository};
use crate::servers::run;

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|found| found == extension) {
                found.push(entry);
            }
        }
    }
    found.sort();
    found
}

fn python(script: &str, file: &Path) -> String {
    let output = run(Command::new("python3").args(["-c", script]).arg(file), "python3 and python3-yaml");
    assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_example_configuration_is_accepted() {
    let files = files("deploy", "toml");
    assert_eq!(files.len(), 6, "{files:?}");
    for file in &files {
        let told = done([Path::new("check-config"), file.as_path()]);
        assert!(told.contains(": ok ("), "{told}");
    }
    let roles = |name: &str| done(["check-config", repository(name).to_str().unwrap()]);
    assert!(roles("deploy/two-servers/pipeline-algo.toml").contains("role ingest"));
    assert!(roles("deploy/two-servers/db-app.toml").contains("role api"));
    // With the passwords as the units pass them.
    let output = platewatch()
        .arg("check-config")
        .arg(repository("deploy/two-servers/db-app.toml"))
        .env("PLATEWATCH__MYCAT__PASSWORD", "s3cret")
        .env("PLATEWATCH__REDIS__PASSWORD", "s3cret")
        .output()
        .unwrap();
    assert!(output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("s3cret"), "{output:?}");
}

#[test]
fn mycats_configuration_is_what_the_ring_expects() {
    let script = "\
import json, sys, xml.etree.ElementTree as tree
def plain(node):
    return {'tag': node.tag.split('}')[-1], 'at': node.attrib, 'text': (node.text or '').strip(), 'in': [plain(x) for x in node]}
print(json.dumps(plain(tree.parse(sys.argv[1]).getroot())))";
    let read =
        |name: &str| -> Value { serde_json::from_str(&python(script, &repository("sql/mycat").join(name))).unwrap() };
    let schema = read("schema.xml");
    let order: Vec<&str> = schema["in"].as_array().unwrap().iter().map(|node| node["tag"].as_str().unwrap()).collect();
    assert_eq!(order, ["schema", "dataNode", "dataNode", "dataHost", "dataHost"]);
    let first = &schema["in"][0];
    assert_eq!(
        (first["at"]["name"].as_str(), first["at"]["checkSQLschema"].as_str(), first["at"]["sqlMaxLimit"].as_str()),
        (Some("MYETCDB"), Some("false"), Some("-1"))
    );
    let (data, info) = (&first["in"][0]["at"], &first["in"][1]["at"]);
    assert_eq!((data["name"].as_str(), data["dataNode"].as_str()), (Some("traffic_data"), Some("dn1,dn2")));
    assert_eq!((info["name"].as_str(), info["type"].as_str()), (Some("kkmc_info"), Some("global")));
    for (node, host) in [(1, "dh1"), (2, "dh2")] {
        let at = &schema["in"][node]["at"];
        assert_eq!((at["dataHost"].as_str(), at["database"].as_str()), (Some(host), Some("traffic_db")));
        let host = &schema["in"][node + 2];
        for (name, value) in
            [("balance", "0"), ("writeType", "0"), ("switchType", "-1"), ("dbType", "mysql"), ("dbDriver", "native")]
        {
            assert_eq!(host["at"][name].as_str(), Some(value));
        }
        assert_eq!(host["in"][0]["text"].as_str(), Some("select user()"));
    }
    let rule = read("rule.xml");
    assert_eq!(rule["in"][0]["at"]["name"], data["rule"]);
    assert_eq!(rule["in"][0]["in"][0]["in"][0]["text"].as_str(), Some("kkmc"));
    let function = &rule["in"][1];
    assert_eq!(function["at"]["class"].as_str(), Some("io.mycat.route.function.PartitionByMurmurHash"));
    let properties: Vec<(&str, &str)> = function["in"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["at"]["name"].as_str().unwrap(), node["text"].as_str().unwrap()))
        .collect();
    assert_eq!(properties, [("seed", "0"), ("count", "2"), ("virtualBucketTimes", "160")]);
    let server = read("server.xml").to_string();
    for part in ["\"text\":\"8066\"", "\"text\":\"utf8mb4\"", "useGlobleTableCheck", "useOffHeapForMerge", "MYETCDB"] {
        assert!(server.contains(part), "{part}: {server}");
    }
}

#[test]
fn the_compose_file_names_what_is_there() {
    let file = repository("deploy/compose/compose.yaml");
    let script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8'))))";
    let compose: Value = serde_json::from_str(&python(script, &file)).unwrap();
    let services = compose["services"].as_object().unwrap();
    for name in ["kafka", "mysql-1", "mysql-2", "mycat", "redis", "ingest", "api"] {
        assert!(services.contains_key(name), "{name}");
    }
    let example = std::fs::read_to_string(repository("deploy/compose/.env.example")).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    for variable in text.split("${").skip(1).map(|rest| rest.split([':', '}']).next().unwrap()) {
        assert!(example.contains(&format!("\n{variable}=\n")), "{variable} is not in .env.example");
    }
    for (name, service) in services {
        if let Some(build) = service["build"].as_object() {
            let context = repository("deploy/compose").join(build["context"].as_str().unwrap());
            assert!(context.join(build["dockerfile"].as_str().unwrap()).is_file(), "{name}");
        }
        for volume in service["volumes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let source = volume.split(':').next().unwrap();
            let known = if source.starts_with('.') {
                repository("deploy/compose").join(source).is_file()
            } else {
                compose["volumes"].as_object().unwrap().contains_key(source)
            };
            assert!(known, "{name}: {volume}");
        }
        for needed in service["depends_on"].as_object().into_iter().flatten() {
            assert!(services.contains_key(needed.0), "{name} needs {}", needed.0);
        }
    }
}

#[test]
fn the_units_are_sound() {
    let units: Vec<PathBuf> =
        ["service", "timer"].iter().flat_map(|extension| files("deploy/systemd", extension)).collect();
    assert_eq!(units.len(), 3);
    // Where the program is on this machine, so that only the units themselves can have errors.
    let folder = tempfile::tempdir().unwrap();
    let copies = units.iter().map(|unit| {
        let text = std::fs::read_to_string(unit).unwrap();
        assert!(!text.contains("password="), "{}", unit.display());
        let copy = folder.path().join(unit.file_name().unwrap());
        std::fs::write(&copy, text.replace("/usr/local/bin/platewatch", env!("CARGO_BIN_EXE_platewatch"))).unwrap();
        copy
    });
    let copies: Vec<PathBuf> = copies.collect();
    let output = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&copies), "systemd");
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    let about_ours: Vec<&str> = said.lines().filter(|line| line.contains("platewatch")).collect();
    assert!(output.status.success() && about_ours.is_empty(), "{said}");
}
