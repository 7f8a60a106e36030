//! Bar charts as SVG, drawn by hand: one file that every browser shows, and no library for a few rectangles.
use std::fmt::Write;

use super::Spread;

const WIDTH: f64 = 760.0;
const LABEL_WIDTH: f64 = 190.0;
/// What stands behind a bar has its room at the right.
const VALUE_WIDTH: f64 = 130.0;
const TOP: f64 = 64.0;
const BAR_HEIGHT: f64 = 14.0;
const GROUP_GAP: f64 = 12.0;
/// Told apart without colour vision too.
const COLOURS: [&str; 2] = ["#2b6cb0", "#dd8a27"];

/// A chart of horizontal bars, from 0.
#[derive(Debug, Clone, Default)]
pub struct Chart {
    /// What stands above it.
    pub title: String,
    /// What each bar of a group is, at most two.
    pub series: Vec<String>,
    /// A line through all groups, where both sides would be equal.
    pub reference: Option<f64>,
    /// From top to bottom.
    pub groups: Vec<Group>,
}

/// The bars of one workload.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The workload.
    pub label: String,
    /// One for each series.
    pub values: Vec<Option<Spread>>,
    /// A mark that the bars are held against.
    pub limit: Option<f64>,
}

impl Chart {
    /// The chart as a file.
    pub fn svg(&self) -> String {
        let group_height = BAR_HEIGHT * self.series.len() as f64 + GROUP_GAP;
        let height = TOP + group_height * self.groups.len() as f64 + GROUP_GAP;
        let scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / self.most();
        let x = |value: f64| LABEL_WIDTH + value * scale;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        );
        text(&mut svg, (12.0, 22.0), "font-size=\"15\" font-weight=\"bold\"", &self.title);
        for (number, (name, colour)) in self.series.iter().zip(COLOURS).enumerate() {
            let at = LABEL_WIDTH + number as f64 * 220.0;
            rectangle(&mut svg, (at, 38.0), (12.0, 12.0), colour);
            text(&mut svg, (at + 18.0, 48.0), "", name);
        }
        for (number, group) in self.groups.iter().enumerate() {
            let top = TOP + number as f64 * group_height;
            let middle = top + (group_height - GROUP_GAP) / 2.0 + 4.0;
            text(&mut svg, (LABEL_WIDTH - 8.0, middle), "text-anchor=\"end\"", &group.label);
            for (line, (value, colour)) in group.values.iter().zip(COLOURS).enumerate() {
                let top = top + line as f64 * BAR_HEIGHT;
                let Some(Spread { median, least, most }) = *value else { continue };
                rectangle(&mut svg, (x(0.0), top), (median * scale, BAR_HEIGHT - 2.0), colour);
                let centre = top + (BAR_HEIGHT - 2.0) / 2.0;
                if least < most {
                    line_between(&mut svg, (x(least), centre), (x(most), centre), "#1a202c", "");
                }
                text(&mut svg, (x(most.max(median)) + 6.0, top + BAR_HEIGHT - 3.0), "", &format!("{median:.2}"));
            }
            if let Some(limit) = group.limit {
                let bottom = top + group_height - GROUP_GAP + 2.0;
                line_between(&mut svg, (x(limit), top - 4.0), (x(limit), bottom), "#c53030", "");
            }
        }
        if let Some(reference) = self.reference {
            let bottom = height - GROUP_GAP;
            line_between(&mut svg, (x(reference), TOP - 8.0), (x(reference), bottom), "#4a5568", "4 3");
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// What the longest bar stands for.
    fn most(&self) -> f64 {
        let values = self.groups.iter().flat_map(|group| {
            let values = group.values.iter().flatten().map(|spread| spread.most);
            values.chain(group.limit)
        });
        let most = values.chain(self.reference).fold(0.0, f64::max);
        if most > 0.0 { most } else { 1.0 }
    }
}

fn rectangle(svg: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), colour: &str) {
    let at = format!("x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"");
    let _infallible = writeln!(svg, "<rect {at} fill=\"{colour}\"/>");
}

fn line_between(svg: &mut String, from: (f64, f64), to: (f64, f64), colour: &str, dashes: &str) {
    let at = format!("x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"", from.0, from.1, to.0, to.1);
    let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
    let _infallible = writeln!(svg, "<line {at} stroke=\"{colour}\" stroke-width=\"1.5\"{dashes}/>");
}

fn text(svg: &mut String, (x, y): (f64, f64), style: &str, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let space = if style.is_empty() { "" } else { " " };
    let _infallible = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\"{space}{style}>{escaped}</text>");
}

#[cfg(test)]
mod tests {
    use super::{Chart, Group};
    use crate::report::Spread;

    #[test]
    fn a_bar_is_as_long_as_its_value() {
        let value = |median| Some(Spread { median, least: median, most: median });
        let group = |label: &str, values| Group { label: label.to_owned(), values, limit: None };
        let chart = Chart {
            title: "new < old & all".to_owned(),
            series: vec!["rate".to_owned()],
            reference: Some(1.0),
            groups: vec![group("a", vec![value(2.0)]), group("b", vec![value(0.5)]), group("c", vec![None])],
        };
        let svg = chart.svg();
        assert!(svg.contains("width=\"440.0\"") && svg.contains("width=\"110.0\""), "{svg}");
        assert!(svg.contains("new &lt; old &amp; all") && svg.contains("stroke-dasharray"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 4, "background, legend and two bars: {svg}");
    }

    #[test]
    fn nothing_measured_is_an_empty_chart() {
        assert!(Chart::default().svg().ends_with("</svg>\n"));
    }
}
