//! Writing Prometheus' text format 0.0.4: HELP and TYPE once per metric, label values escaped. It knows no metric.
//!
//! Format: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::Write as _;

/// A text being written.
#[derive(Default)]
pub(super) struct Exposition {
    text: String,
}

/// One metric whose samples are being written.
pub(super) struct Metric<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Exposition {
    /// Begins a counter; `help` is one line without backslashes.
    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> Metric<'_> {
        self.begin(name, "counter", help)
    }

    /// Begins a gauge.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> Metric<'_> {
        self.begin(name, "gauge", help)
    }

    /// Begins a histogram; its samples are written with [`Metric::part`].
    pub(super) fn histogram(&mut self, name: &'static str, help: &str) -> Metric<'_> {
        self.begin(name, "histogram", help)
    }

    fn begin(&mut self, name: &'static str, kind: &str, help: &str) -> Metric<'_> {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Metric { text: &mut self.text, name }
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

impl Metric<'_> {
    /// The only sample.
    pub(super) fn value(&mut self, value: f64) {
        self.part("", &[], value);
    }

    /// A sample with labels.
    pub(super) fn labelled(&mut self, labels: &[(&str, &str)], value: f64) {
        self.part("", labels, value);
    }

    /// A sample whose name has a suffix (`_bucket`, `_sum`, `_count`).
    pub(super) fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (position, (label, text)) in labels.iter().enumerate() {
            let opening = if position == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{opening}{label}=\"{}\"", escaped(text));
        }
        let closing = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{closing} {value}");
    }
}

/// A label value with backslash, quote and line feed escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn writes_help_type_and_escaped_labels() {
        let mut out = Exposition::default();
        out.counter("a_total", "Some a.").value(3.0);
        out.gauge("b", "Some b.").labelled(&[("path", "C:\\x"), ("text", "say \"hi\"\nagain")], 0.5);
        out.histogram("c", "Some c.").part("_bucket", &[("le", "+Inf")], 1e16);
        expect![[r#"
            # HELP a_total Some a.
            # TYPE a_total counter
            a_total 3
            # HELP b Some b.
            # TYPE b gauge
            b{path="C:\\x",text="say \"hi\"\nagain"} 0.5
            # HELP c Some c.
            # TYPE c histogram
            c_bucket{le="+Inf"} 10000000000000000
        "#]]
        .assert_eq(&out.finish());
    }
}
