//! The structure of the code as docs/architecture.md draws it: no import cycle in any crate, and arrows that go one
//! way. It reads the sources; the compiler enforces what is between the crates.

mod magics;
mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use modules::{Crate, Module};

/// Folders of the crates' sources.
const CRATES: [&str; 5] = ["src", "access/src", "traffic/src", "shard/src", "storage/src"];

/// Modules of the program none of which may import from another.
const APART: [&str; 4] = ["source", "mirror", "predict", "serve"];

/// Layers of the store: each may only import from those before it.
const STORE: [&[&str]; 5] = [&["disk"], &["state"], &["read"], &["handle"], &["write", "mirror_feed", "verify"]];

type Imports = BTreeMap<Module, BTreeSet<Module>>;

fn imports(folder: &str) -> Imports {
    Crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).imports()
}

fn reached(imports: &Imports, from: &Module) -> BTreeSet<Module> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from.clone()];
    while let Some(module) = next.pop() {
        for other in imports.get(&module).into_iter().flatten() {
            if reached.insert(other.clone()) {
                next.push(other.clone());
            }
        }
    }
    reached
}

#[test]
fn no_modules_import_one_another_in_a_circle() {
    let mut circles = Vec::new();
    for folder in CRATES {
        let imports = imports(folder);
        assert!(imports.len() > 10, "{folder} was not read");
        for (module, others) in &imports {
            for other in others.iter().filter(|other| reached(&imports, other).contains(module)) {
                circles.push(format!("{folder}: {} imports {}", module.join("::"), other.join("::")));
            }
        }
    }
    assert!(circles.is_empty(), "modules that import one another in a circle:\n{}", circles.join("\n"));
}

#[test]
fn sources_mirrors_predictions_and_the_server_do_not_know_one_another() {
    let mut wrong = Vec::new();
    for (module, others) in imports("src") {
        let Some(top) = module.first().filter(|top| APART.contains(&top.as_str())) else { continue };
        for other in others {
            if other.first().is_some_and(|other| other != top && APART.contains(&other.as_str())) {
                wrong.push(format!("{} imports {}", module.join("::"), other.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_stores_layers_import_downwards() {
    let layer_of = |module: &[String]| match module {
        [store, part, ..] if store == "store" => STORE.iter().position(|layer| layer.contains(&part.as_str())),
        _ => None,
    };
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for (module, others) in imports("src") {
        let Some(layer) = layer_of(&module) else { continue };
        for other in others {
            let beside = layer_of(&other).is_some_and(|it| it > layer || (it == layer && module[1] != other[1]));
            looked_at += 1;
            if beside {
                wrong.push(format!("{} imports {}", module.join("::"), other.join("::")));
            }
        }
    }
    assert!(looked_at > 100 && wrong.is_empty(), "{looked_at} arrows\n{}", wrong.join("\n"));
}

/// The parts of the store's state do not know one another; only `committed` joins them.
#[test]
fn the_parts_of_the_state_stand_alone() {
    let imports = imports("src");
    let is_part = |module: &Module| module.len() == 3 && module[..2] == ["store", "state"] && module[2] != "committed";
    let parts: Vec<_> = imports.iter().filter(|(module, _)| is_part(module)).collect();
    assert!(parts.len() >= 8);
    for (module, others) in parts {
        let known: Vec<_> = others.iter().filter(|other| is_part(other)).collect();
        assert!(known.is_empty(), "{module:?} imports {known:?}");
    }
}

#[test]
fn the_pure_crates_depend_on_no_shell() {
    let manifest = |folder: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.toml");
        let text = std::fs::read_to_string(path).expect("a manifest");
        let (_, dependencies) = text.split_once("[dependencies]").expect("dependencies");
        dependencies.split("\n[").next().unwrap_or_default().to_owned()
    };
    for shell in ["tokio", "axum", "rdkafka", "mysql_async", "redis", "rocksdb", "sled"] {
        for pure in ["traffic", "shard"] {
            assert!(!manifest(pure).lines().any(|line| line.starts_with(shell)), "{pure} depends on {shell}");
        }
    }
    assert!(!manifest("storage").contains("traffic") && !manifest("storage").contains("shard"));
    assert!(!manifest("traffic").contains("shard"));
}

#[test]
fn the_architecture_names_every_module_of_the_store() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let text = std::fs::read_to_string(path).expect("the architecture");
    let (_, section) = text.split_once("## The store, module by module").expect("its section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut missing = Vec::new();
    let imports = imports("src");
    for module in imports.keys().filter(|module| module.len() > 1 && module[0] == "store") {
        let is_door = imports.keys().any(|other| other.len() > module.len() && other.starts_with(module));
        let name = &module[module.len() - 1];
        let path = module[1..].join("/");
        if !is_door && !section.contains(&format!("`{path}`")) && !section.contains(&format!("`{name}`")) {
            missing.push(path);
        }
    }
    assert!(missing.is_empty(), "docs/architecture.md does not name {missing:?}");
}
