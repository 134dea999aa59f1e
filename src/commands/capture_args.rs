//! The options of every command that reads captures: order, encoding, columns and checkpoints. It opens no file.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use traffic::{Delimiter, Layout, ParserSettings};

use super::settings::parser_settings;
use crate::config::Config;

/// How captures are read.
#[derive(Debug, Args)]
pub struct CaptureArgs {
    /// As the lines stand in the files, or sorted by GCSJ over all files
    #[arg(long, value_enum, default_value_t = OrderArg::Arrival)]
    order: OrderArg,
    /// Character encoding: utf-8, or gb18030 (which includes GBK and GB2312)
    #[arg(long, value_enum, default_value_t = EncodingArg::Utf8, ignore_case = true)]
    encoding: EncodingArg,
    /// What separates the columns: tab, comma, semicolon or pipe; each file decides unless given
    #[arg(long, value_parser = parse_delimiter)]
    delimiter: Option<Delimiter>,
    /// The columns of a line in their order, separated by commas; unknown names are extra columns. Without it a header
    /// that names all eight sets their order
    #[arg(long, value_name = "A,B,…")]
    columns: Option<String>,
    /// Checkpoints with their coordinates (columns code, kkmc, label, xzqhmc, road, lon, lat)
    #[arg(long, value_name = "CSV")]
    checkpoints: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OrderArg {
    Arrival,
    Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum EncodingArg {
    #[value(name = "utf-8", alias = "utf8")]
    Utf8,
    #[value(name = "gb18030", aliases = ["gbk", "gb2312"])]
    Gb18030,
}

pub(super) fn parse_delimiter(text: &str) -> Result<Delimiter, String> {
    Delimiter::parse(text).ok_or_else(|| "write tab, comma, semicolon or pipe".to_owned())
}

impl CaptureArgs {
    /// Whether all files are sorted together by GCSJ first.
    pub(super) fn by_time(&self) -> bool {
        self.order == OrderArg::Time
    }

    /// Whether lines are GB18030 instead of UTF-8.
    pub(super) fn is_gb18030(&self) -> bool {
        self.encoding == EncodingArg::Gb18030
    }

    /// Whether anything is said of how files are read.
    pub(super) fn says_how(&self) -> bool {
        self.by_time() || self.is_gb18030() || self.delimiter.is_some() || self.columns.is_some()
    }

    /// The table of checkpoints that was named.
    pub(super) fn checkpoints(&self) -> Option<&Path> {
        self.checkpoints.as_deref()
    }

    /// The columns of a line, as stated here or configured.
    ///
    /// # Errors
    /// If the columns do not make a layout.
    pub(super) fn layout(&self, config: &Config) -> anyhow::Result<Layout> {
        Ok(match &self.columns {
            Some(columns) => Layout::parse(columns)?.stated(),
            None => config.source.layout()?,
        })
    }

    /// How lines of this layout are parsed.
    pub(super) fn parser_settings(&self, config: &Config, layout: Layout) -> ParserSettings {
        ParserSettings { delimiter: self.delimiter, ..parser_settings(config, layout) }
    }
}
