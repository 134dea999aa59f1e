//! The modules of a crate and which of them import which, read from the source text: `use` declarations and paths that
//! begin with `crate`, `super`, `self` or a child. A name re-exported by a `pub use` counts as imported from the module
//! that defines it. Tests, and code compiled only for them, are left out. It does not know macros.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module by its path within the crate; the root is empty.
pub(crate) type Module = Vec<String>;

/// The modules of one crate.
pub(crate) struct Crate {
    sources: BTreeMap<Module, String>,
    /// Names that a module re-exports, and the path of each.
    passed_on: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

impl Crate {
    /// Reads the crate whose sources are in `folder`.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut sources = BTreeMap::new();
        read_folder(folder, &mut Vec::new(), &mut sources);
        let mut known = Self { sources, passed_on: BTreeMap::new() };
        for (module, text) in &known.sources {
            let mut names = BTreeMap::new();
            for (is_public, tree) in uses(text).0 {
                for (path, name) in expand(&tree) {
                    if is_public && let Some(path) = known.absolute(module, &path) {
                        names.insert(name, path);
                    }
                }
            }
            known.passed_on.insert(module.clone(), names);
        }
        known
    }

    /// For each module those that it imports from.
    pub(crate) fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let of_module = |(module, text): (&Module, &String)| {
            let (uses, rest) = uses(text);
            let used = uses.iter().filter(|(is_public, _)| !is_public);
            let mut paths: Vec<String> = used.flat_map(|(_, tree)| expand(tree)).map(|(path, _)| path).collect();
            paths.extend(paths_in(&rest));
            let found = paths.iter().filter_map(|path| self.absolute(module, path)).map(|path| self.resolve(path, 0));
            (module.clone(), found.filter(|other| other != module).collect())
        };
        self.sources.iter().map(of_module).collect()
    }

    /// A path from the crate's root; none if it leads out of the crate, or is only a name.
    fn absolute(&self, module: &Module, path: &str) -> Option<Vec<String>> {
        let mut parts: Vec<String> = path.split("::").map(|part| part.trim().to_owned()).collect();
        let mut base = module.clone();
        match parts.first()?.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                while parts.get(1).is_some_and(|part| part == "super") {
                    base.pop();
                    parts.remove(0);
                }
                base.pop();
            }
            first => {
                let child = [&base[..], &[first.to_owned()]].concat();
                return self.sources.contains_key(&child).then(|| [base, parts].concat());
            }
        }
        base.extend(parts.drain(1..));
        Some(base)
    }

    /// The module that defines what a path names.
    fn resolve(&self, path: Vec<String>, depth: usize) -> Module {
        let length = (0..=path.len()).rev().find(|length| self.sources.contains_key(&path[..*length]));
        let (module, rest) = path.split_at(length.unwrap_or(0));
        let passed_on = rest.first().and_then(|name| self.passed_on.get(module)?.get(name));
        match passed_on {
            Some(target) if depth < 8 => self.resolve([target, &rest[1..]].concat(), depth + 1),
            _ => module.to_vec(),
        }
    }
}

fn read_folder(folder: &Path, module: &mut Module, sources: &mut BTreeMap<Module, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if name == "tests" {
            continue;
        }
        if path.is_dir() {
            module.push(name);
            read_folder(&path, module, sources);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "main" {
            let mut of_file = module.clone();
            if name != "mod" && name != "lib" {
                of_file.push(name);
            }
            sources.insert(of_file, code_of(&std::fs::read_to_string(&path).expect("UTF-8")));
        }
    }
}

/// The text without comments, and without what only tests see.
fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or(line));
    let mut code = String::new();
    let mut is_for_tests = false;
    for line in lines {
        if line.trim() == "#[cfg(test)]" {
            is_for_tests = true;
        } else if is_for_tests {
            // The item that follows ends on its line, or is a module in braces at the end of a file.
            if line.trim_end().ends_with('{') && line.contains("mod ") {
                break;
            }
            is_for_tests = line.trim_start().starts_with("#[") || !line.contains([';', '}']);
        } else {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// The `use` declarations, each with whether it is public, and the rest of the text.
fn uses(code: &str) -> (Vec<(bool, String)>, String) {
    let (mut found, mut rest) = (Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        let is_public = trimmed.starts_with("pub");
        let after = match trimmed.split_once("use ") {
            Some((before, after)) if before.is_empty() || (is_public && !before.contains(['{', ';', '='])) => after,
            _ => {
                rest.push_str(line);
                rest.push('\n');
                continue;
            }
        };
        let mut tree = after.to_owned();
        while !tree.contains(';') {
            let Some(more) = lines.next() else { break };
            tree.push_str(more.trim());
        }
        found.push((is_public, tree.split(';').next().unwrap_or_default().to_owned()));
    }
    (found, rest)
}

/// The paths of a `use` tree, each with the name that it imports.
fn expand(tree: &str) -> Vec<(String, String)> {
    let tree = tree.trim();
    let Some((before, inside)) = tree.strip_suffix('}').and_then(|tree| tree.split_once('{')) else {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, tree.rsplit("::").next().unwrap_or(tree)));
        return vec![(path.trim().to_owned(), name.trim().to_owned())];
    };
    let (mut depth, mut start, mut all) = (0, 0, Vec::new());
    for (at, character) in inside.char_indices().chain([(inside.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = inside[start..at].trim();
                start = at + 1;
                if !part.is_empty() {
                    all.extend(expand(&format!("{before}{part}")));
                }
            }
            _ => {}
        }
    }
    all
}

/// Paths in code.
fn paths_in(code: &str) -> Vec<String> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let words = code.split(|character| !is_part(character));
    words
        .map(|word| word.trim_end_matches(':'))
        .filter(|word| word.contains("::") && !word.starts_with(':'))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_expanded() {
        let pair = |path: &str, name: &str| (path.to_owned(), name.to_owned());
        assert_eq!(
            expand("crate::a::{b, c::{self, D as E}, f}"),
            [
                pair("crate::a::b", "b"),
                pair("crate::a::c::self", "self"),
                pair("crate::a::c::D", "E"),
                pair("crate::a::f", "f")
            ]
        );
    }

    /// A cycle through a name re-exported by the parent, and one through a path in code.
    #[test]
    fn names_lead_to_where_they_are_defined() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::A;\n");
        write(
            "a.rs",
            "use crate::{\n    c::C,\n};\npub struct A; // super::b::B\n#[cfg(test)]\nmod tests {\n    use super::b::B;\n}\n",
        );
        write("b.rs", "pub fn b() { super::A::new() }\n#[cfg(test)]\nuse super::c;\n");
        write("c.rs", "use super::b;\n");
        let module = |name: &str| vec![name.to_owned()];
        let imports = Crate::read(folder.path()).imports();
        let of = |name: &str| imports[&module(name)].iter().cloned().collect::<Vec<_>>();
        assert_eq!((of("a"), of("b"), of("c")), (vec![module("c")], vec![module("a")], vec![module("b")]));
    }
}
