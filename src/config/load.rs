//! From TOML text and environment variables to settings, with the origin of every value.
//!
//! Knows sections and keys only through [`Section`], so a new setting needs no change here. All problems are collected,
//! so that a user can correct a file at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::contradictions::contradictions;
use super::declare::{Given, Section};
use super::error::{ConfigError, Origin, Problem};
use super::sections::Config;
use crate::suggest::nearest;

/// Prefix of the environment variables that override settings.
pub const VARIABLE_PREFIX: &str = "PLATEWATCH__";

impl Config {
    /// Reads the file at `path` and the environment of this process.
    ///
    /// # Errors
    /// The file cannot be read, or a value in it or in the environment is invalid.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |message: String| ConfigError {
            file: None,
            problems: vec![Problem { origin: Origin::Default, setting: String::new(), message }],
        };
        let bytes = std::fs::read(path)
            .map_err(|error| unreadable(format!("cannot read the configuration file {}: {error}", path.display())))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            unreadable(format!("the configuration file {} is not UTF-8 text; save it as UTF-8", path.display()))
        })?;
        let environment = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
        Self::from_toml(&text, environment).map_err(|error| ConfigError { file: Some(path.to_owned()), ..error })
    }

    /// Reads a TOML text and the variables of an environment, which may include unrelated ones.
    ///
    /// # Errors
    /// A value is invalid; every problem is named.
    pub fn from_toml(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut loader = Loader::new(&mut config);
        loader.read_toml(text.strip_prefix('\u{feff}').unwrap_or(text));
        loader.read_environment(environment);
        let (origins, mut problems) = loader.finish();
        // Settings are compared with one another only if each of them is valid.
        if problems.is_empty() {
            problems = contradictions(&config, |setting| origins.get(setting).cloned().unwrap_or(Origin::Default));
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { file: None, problems }) }
    }
}

/// Sets the given values in `root`.
pub(super) struct Loader<'a> {
    root: &'a mut dyn Section,
    origins: BTreeMap<String, Origin>,
    problems: Vec<Problem>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(root: &'a mut dyn Section) -> Self {
        Self { root, origins: BTreeMap::new(), problems: Vec::new() }
    }

    /// The origin of each setting, and the problems in the order of the lines.
    pub(super) fn finish(mut self) -> (BTreeMap<String, Origin>, Vec<Problem>) {
        self.problems.sort_by(|left, right| left.origin.cmp(&right.origin));
        (self.origins, self.problems)
    }

    /// Sets the values of a TOML text.
    pub(super) fn read_toml(&mut self, text: &str) {
        let lines = Lines::new(text);
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let line = error.span().map_or(1, |span| lines.number(&span));
                let message = format!("this is not TOML: {}", error.message().replace('\n', "; "));
                return self.problem(Origin::Line(line), "", message);
            }
        };
        for (name, value) in table.get_ref() {
            let (name, at) = (name.get_ref().as_ref(), lines.number(&name.span()));
            if self.root.section_mut(name).is_none() {
                match value.get_ref() {
                    DeValue::Table(_) => self.unknown_section(name, Origin::Line(at)),
                    value => self.set("", name, Given::Toml(value), Origin::Line(at)),
                }
            } else if let DeValue::Table(section) = value.get_ref() {
                for (key, value) in section {
                    let at = lines.number(&key.span());
                    self.set(name, key.get_ref().as_ref(), Given::Toml(value.get_ref()), Origin::Line(at));
                }
            } else {
                let message = format!("this is a section; write [{name}] on a line of its own and its settings below");
                self.problem(Origin::Line(at), name, message);
            }
        }
    }

    /// Sets the values of the environment: `PLATEWATCH__SECTION__KEY`, or `PLATEWATCH__KEY` outside sections.
    pub(super) fn read_environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (variable, text) in variables {
            let Some(path) = variable.strip_prefix(VARIABLE_PREFIX).map(str::to_lowercase) else { continue };
            let (section, key) = path.split_once("__").unwrap_or(("", &path));
            self.set(section, key, Given::Text(&text), Origin::Variable(variable));
        }
    }

    fn set(&mut self, section: &str, key: &str, given: Given<'_>, origin: Origin) {
        let path = join(section, key);
        let target: Option<&mut dyn Section> =
            if section.is_empty() { Some(&mut *self.root) } else { self.root.section_mut(section) };
        match target.and_then(|target| target.set(key, given)) {
            Some(Ok(())) => {
                self.origins.insert(path, origin);
            }
            Some(Err(message)) => self.problem(origin, &path, message),
            None => {
                let message = self.unknown(section, key, &origin);
                self.problem(origin, &path, message);
            }
        }
    }

    fn unknown_section(&mut self, name: &str, origin: Origin) {
        let known = self.root.sections().into_iter().map(|(section, _)| section);
        let message = match nearest(name, known.clone()) {
            Some(section) => format!("there is no such section; did you mean [{section}]?"),
            None => {
                let list: Vec<String> = known.map(|section| format!("[{section}]")).collect();
                format!("there is no such section; the sections are {}", list.join(", "))
            }
        };
        self.problem(origin, name, message);
    }

    fn unknown(&self, section: &str, key: &str, origin: &Origin) -> String {
        let known = known_paths(self.root);
        let spelled = |path: &str| match origin {
            Origin::Variable(_) => variable_name(path),
            _ => path.to_owned(),
        };
        // The same key in another section is more likely than a similar one in this section.
        let elsewhere = known.iter().find(|path| path.rsplit('.').next() == Some(key));
        let hint = elsewhere.map(String::as_str).or_else(|| {
            let beside = known.iter().map(String::as_str).filter(|path| path.starts_with(&join(section, "")));
            nearest(&join(section, key), beside)
                .or_else(|| nearest(&join(section, key), known.iter().map(String::as_str)))
        });
        match hint {
            Some(path) => format!("there is no such setting; did you mean {}?", spelled(path)),
            None => "there is no such setting; `platewatch print-config` lists them all".to_owned(),
        }
    }

    fn problem(&mut self, origin: Origin, setting: &str, message: String) {
        self.problems.push(Problem { origin, setting: setting.to_owned(), message });
    }
}

/// The environment variable that overrides the setting at `path`.
pub(super) fn variable_name(path: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

fn join(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

fn known_paths(root: &dyn Section) -> Vec<String> {
    let own = root.settings().into_iter().map(|setting| setting.key.to_owned());
    let below = root
        .sections()
        .into_iter()
        .flat_map(|(name, section)| section.settings().into_iter().map(move |setting| join(name, setting.key)));
    own.chain(below).collect()
}

/// Byte offsets to line numbers.
struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    fn new(text: &str) -> Self {
        Self { ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    fn number(&self, span: &Range<usize>) -> usize {
        self.ends.partition_point(|end| *end < span.start) + 1
    }
}
