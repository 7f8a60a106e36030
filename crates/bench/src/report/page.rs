//! The parts of the report page that are figures: tables between marks in the page, and plots beside it.
use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    Bar, Comparison, SdkReport, Spread, bars,
    plot::{Chart, Group},
};
use crate::error::Error;

const NONE: &str = "n/a";

/// What of a run of the load generator is on the page.
#[derive(Debug, Deserialize)]
struct Kept {
    figures: Vec<KeptFigures>,
    comparisons: Vec<Comparison>,
    bars: Vec<Bar>,
}

#[derive(Debug, Deserialize)]
struct KeptFigures {
    workload: String,
    server: String,
    unit: String,
    rate_per_s: f64,
    latency: Option<KeptLatency>,
    server_cpu_ms: Option<f64>,
    other_cpu_percent: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct KeptLatency {
    p50_ms: f64,
    p99_ms: f64,
}

/// A part of the page: the text between its marks, and its plot.
struct Part {
    name: &'static str,
    lines: Vec<String>,
    chart: Chart,
}

/// The files to make the page of; parts without a file stay as they are.
#[derive(Debug, Default)]
pub struct Sources {
    /// The load generator on a server and the ceiling.
    pub load: Option<PathBuf>,
    /// A program with an SDK.
    pub sdk: Option<PathBuf>,
    /// The load generator on two servers.
    pub against: Option<PathBuf>,
}

/// Puts the figures of `sources` into the page, and the plots into a folder of the page's name beside it.
///
/// # Errors
/// When a file cannot be read or written, or the page has no place for a part.
pub fn refresh(page: &Path, sources: &Sources) -> Result<(), Error> {
    let mut parts = Vec::new();
    if let Some(path) = &sources.load {
        parts.push(load_part(&read(path)?));
    }
    if let Some(path) = &sources.sdk {
        parts.push(sdk_part(&read(path)?));
    }
    if let Some(path) = &sources.against {
        parts.push(against_part(&read(path)?));
    }
    let cannot = |what: &str, path: &Path| Error::io(format!("{} cannot be {what}", path.display()));
    let mut text = fs::read_to_string(page).map_err(cannot("read", page))?;
    let plots = page.with_extension("");
    fs::create_dir_all(&plots).map_err(cannot("made", &plots))?;
    for part in parts {
        text = replaced(&text, part.name, &part.lines).ok_or_else(|| {
            Error::io(format!("{} has no place for {}", page.display(), part.name))(std::io::ErrorKind::NotFound.into())
        })?;
        let plot = plots.join(part.name).with_extension("svg");
        fs::write(&plot, part.chart.svg()).map_err(cannot("written", &plot))?;
    }
    fs::write(page, text).map_err(cannot("written", page))
}

fn read<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<T, Error> {
    let text = fs::read(path).map_err(Error::io(format!("{} cannot be read", path.display())))?;
    serde_json::from_slice(&text).map_err(|error| Error::io(format!("{} is no report", path.display()))(error.into()))
}

/// The text with the lines of one part exchanged; None when it has no marks for it.
fn replaced(text: &str, part: &str, lines: &[String]) -> Option<String> {
    let (begin, end) = (format!("<!-- begin {part} -->\n"), format!("<!-- end {part} -->\n"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{}\n{end}{after}", lines.join("\n")))
}

fn load_part(kept: &Kept) -> Part {
    let mut lines = vec![others(&kept.figures), String::new()];
    lines.push(
        "| workload | unit | rate/s | of the ceiling's | p50 ms | p99 ms | CPU ms | of the ceiling's |".to_owned(),
    );
    lines.push("|---|---|---|---|---|---|---|---|".to_owned());
    for Comparison { workload, of, rate, server_cpu, .. } in &kept.comparisons {
        let own: Vec<_> = kept.figures.iter().filter(|f| f.workload == *workload && f.server == *of).collect();
        let typical = |get: fn(&KeptFigures) -> Option<f64>, digits: usize| {
            let spread = Spread::of(own.iter().filter_map(|figures| get(figures)).collect());
            spread.map_or_else(|| NONE.to_owned(), |spread| format!("{:.digits$}", spread.median))
        };
        let unit = own.first().map_or(NONE, |figures| &figures.unit);
        let of_ceiling = server_cpu.map_or_else(|| NONE.to_owned(), |spread| format!("{:.1}", spread.median));
        lines.push(format!(
            "| {workload} | {unit} | {} | {:.2} | {} | {} | {} | {of_ceiling} |",
            typical(|f| Some(f.rate_per_s), 0),
            rate.median,
            typical(|f| f.latency.as_ref().map(|l| l.p50_ms), 2),
            typical(|f| f.latency.as_ref().map(|l| l.p99_ms), 2),
            typical(|f| f.server_cpu_ms, 3),
        ));
    }
    lines.push(String::new());
    lines.extend(bar_lines(&kept.bars));
    Part { name: "load", lines, chart: ratios("Abide as multiples of the ceiling", &kept.comparisons) }
}

fn against_part(kept: &Kept) -> Part {
    let mut lines = vec![others(&kept.figures), String::new()];
    if let Some(Comparison { of, to, rounds, .. }) = kept.comparisons.first() {
        lines.push(format!("{of} as multiples of {to}: the median of {rounds} rounds (least to most)."));
        lines.push(String::new());
    }
    lines.push("| workload | rate | server CPU per unit | p50 |".to_owned());
    lines.push("|---|---|---|---|".to_owned());
    for Comparison { workload, rate, server_cpu, latency_p50, .. } in &kept.comparisons {
        let [cpu, p50] = [server_cpu, latency_p50].map(|s| s.map_or_else(|| NONE.to_owned(), |s| s.to_string()));
        lines.push(format!("| {workload} | {rate} | {cpu} | {p50} |"));
    }
    let title = kept.comparisons.first().map_or_else(String::new, |c| format!("{} as multiples of {}", c.of, c.to));
    Part { name: "against", lines, chart: ratios(&title, &kept.comparisons) }
}

fn sdk_part(report: &SdkReport) -> Part {
    let mut lines =
        vec!["| workload | server | workflows/s | p50 ms | p90 ms | p99 ms | server CPU ms | bar |".to_owned()];
    lines.push("|---|---|---|---|---|---|---|---|".to_owned());
    let mut chart = Chart {
        title: "Server CPU per workflow with the Go SDK, ms; the red mark is the bar".to_owned(),
        ..Chart::default()
    };
    for figures in &report.figures {
        let (name, server) = (figures.name(), &figures.server);
        let number = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.2}"));
        let (cpu, bar) = (number(figures.server_cpu_ms), number(bars::cpu_ms(&name)));
        let [p50, p90, p99] = [figures.p50_ms, figures.p90_ms, figures.p99_ms].map(|ms| format!("{ms:.1}"));
        lines
            .push(format!("| {name} | {server} | {:.0} | {p50} | {p90} | {p99} | {cpu} | {bar} |", figures.rate_per_s));
        if !chart.series.contains(server) {
            chart.series.push(server.clone());
        }
        let value = figures.server_cpu_ms.map(|ms| Spread { median: ms, least: ms, most: ms });
        match chart.groups.last_mut().filter(|group| group.label == name) {
            Some(group) => group.values.push(value),
            None => chart.groups.push(Group { limit: bars::cpu_ms(&name), label: name, values: vec![value] }),
        }
    }
    lines.push(String::new());
    lines.extend(bar_lines(&report.bars));
    Part { name: "sdk", lines, chart }
}

fn ratios(title: &str, comparisons: &[Comparison]) -> Chart {
    let group =
        |c: &Comparison| Group { label: c.workload.clone(), values: vec![Some(c.rate), c.server_cpu], limit: None };
    Chart {
        title: title.to_owned(),
        series: vec!["rate (more is better)".to_owned(), "server CPU per unit (less is better)".to_owned()],
        reference: Some(1.0),
        groups: comparisons.iter().map(group).collect(),
    }
}

/// How quiet the machine was, because that decides what the figures are worth.
fn others(figures: &[KeptFigures]) -> String {
    match Spread::of(figures.iter().filter_map(|figures| figures.other_cpu_percent).collect()) {
        Some(Spread { median, least, most }) => format!(
            "While this was measured, everything else on the machine used {median:.0} % of a processor ({least:.0} to {most:.0} %)."
        ),
        None => "What else ran on the machine meanwhile is not known.".to_owned(),
    }
}

fn bar_lines(bars: &[Bar]) -> Vec<String> {
    bars.iter().map(|bar| format!("- {}", bar.to_string().trim_end())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::{Sources, refresh, replaced};

    const SDK: &str = r#"{"bars":[{"what":"CPU","measured":0.5,"bar":0.7,"at_least":false}],
        "figures":[{"workload":"activities_3","server":"new","concurrency":64,"count":9,"seconds":1,"rate_per_s":6,
                    "p50_ms":1,"p90_ms":2,"p99_ms":3,"server_cpu_ms":0.5}]}"#;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let page = "a\n<!-- begin sdk -->\nold\n<!-- end sdk -->\nb\n";
        let lines = ["new".to_owned()];
        assert_eq!(replaced(page, "sdk", &lines).unwrap(), page.replace("old", "new"));
        assert!(replaced(page, "load", &lines).is_none());
    }

    #[test]
    fn a_page_gets_its_table_and_its_plot() {
        let directory = tempfile::tempdir().unwrap();
        let (page, json) = (directory.path().join("page.md"), directory.path().join("sdk.json"));
        fs::write(&page, "<!-- begin sdk -->\n<!-- end sdk -->\n").unwrap();
        fs::write(&json, SDK).unwrap();
        refresh(&page, &Sources { sdk: Some(json.clone()), ..Sources::default() }).unwrap();
        let text = fs::read_to_string(&page).unwrap();
        assert!(text.contains("| activities_3_at_64 | new | 6 | 1.0 | 2.0 | 3.0 | 0.50 | 0.70 |"), "{text}");
        assert!(text.contains("- holds   CPU: 0.500, at most 0.700"), "{text}");
        assert!(fs::read_to_string(directory.path().join("page/sdk.svg")).unwrap().contains("activities_3_at_64"));
        let error = refresh(&page, &Sources { load: Some(json), ..Sources::default() }).unwrap_err();
        assert!(error.to_string().contains("is no report"), "{error}");
    }
}
