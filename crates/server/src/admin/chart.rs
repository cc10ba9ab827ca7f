//! Charts, drawn as SVG without scripts: lines over time, with a title, a description and the numbers beside them.
//!
//! Everything is counted in whole numbers: a chart has the unit of its series, times [`Chart::scale`].

use crate::pages::markup::Markup;
use accord_core::Timestamp;

const WIDTH: u64 = 720;
const HEIGHT: u64 = 260;
const LEFT: u64 = 70;
const RIGHT: u64 = 12;
const TOP: u64 = 14;
const BOTTOM: u64 = 34;

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Tells it from others of its page.
    pub id: &'static str,
    /// What is shown, with its unit.
    pub title: String,
    /// The same as a sentence, for who cannot see it.
    pub description: String,
    /// Values are in so many parts of the unit: 1 or a power of ten.
    pub scale: u64,
    /// What the time axis says: each step's end.
    pub times: Vec<Timestamp>,
    /// The lines.
    pub series: Vec<Series>,
    /// Writes a time of day.
    pub clock: fn(Timestamp) -> String,
}

/// A line.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// `series-1`, `series-2`, `series-3`: how it is drawn.
    pub class: &'static str,
    /// A value for each time; nothing where there is none.
    pub values: Vec<Option<u64>>,
    /// As in its chart.
    pub scale: u64,
}

impl Series {
    /// The newest value, in words.
    pub fn newest(&self) -> String {
        self.values.last().map_or_else(|| "–".to_owned(), |value| said(*value, self.scale))
    }
}

/// A value with its decimals.
fn said(value: Option<u64>, scale: u64) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let scale = scale.max(1);
    let (whole, part) = (value / scale, value % scale);
    let digits = scale.ilog10() as usize;
    match digits {
        0 => whole.to_string(),
        _ => {
            let text = format!("{whole}.{part:0digits$}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

/// The top of the axis: 1, 2 or 5 times a power of ten, not below `most`.
fn top_of_axis(most: u64) -> u64 {
    let mut power: u64 = 1;
    loop {
        for step in [1, 2, 5] {
            let top = power.saturating_mul(step);
            if top >= most.max(1) {
                return top;
            }
        }
        power = power.saturating_mul(10);
    }
}

impl Chart {
    /// The numbers, newest first: a time, and a value of each line.
    pub fn rows(&self) -> Vec<(String, Vec<String>)> {
        let row = |(index, at): (usize, &Timestamp)| {
            let value = |line: &Series| said(line.values.get(index).copied().flatten(), self.scale);
            ((self.clock)(*at), self.series.iter().map(value).collect())
        };
        self.times.iter().enumerate().rev().map(row).collect()
    }

    /// The drawing.
    pub fn svg(&self) -> Markup {
        let most = self.series.iter().flat_map(|line| line.values.iter().flatten()).max().copied();
        let top = top_of_axis(most.unwrap_or(0).max(self.scale));
        let mut html = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
            Markup::of(&self.title),
            Markup::of(&self.description),
            id = self.id,
        );
        for step in [0, 1, 2] {
            let y = y_of(top * step / 2, top);
            html.push_str(&format!(
                "<path class=\"grid-line\" d=\"M{LEFT} {y}H{}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\" direction=\"ltr\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 8,
                y + 5,
                said(Some(top * step / 2), self.scale)
            ));
        }
        for (index, anchor) in self.time_labels() {
            let Some(at) = self.times.get(index) else { continue };
            html.push_str(&format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" direction=\"ltr\">{}</text>",
                self.x_of(index),
                HEIGHT - 8,
                Markup::of(&(self.clock)(*at))
            ));
        }
        for line in &self.series {
            let (path, dots) = self.path(line, top);
            html.push_str(&format!("<path class=\"{}\" d=\"{path}\"/>", line.class));
            for (x, y) in dots {
                html.push_str(&format!("<circle class=\"{}\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/>", line.class));
            }
        }
        html.push_str("</svg>");
        Markup::drawn(html)
    }

    /// Which times are written under the axis, and how each stands to its place. One or two samples have no middle of
    /// their own, and one has no end.
    fn time_labels(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let count = self.times.len();
        let middle = (count > 2).then_some((count / 2, "middle"));
        let last = (count > 1).then(|| (count - 1, "end"));
        std::iter::once((0, "start")).chain(middle).chain(last)
    }

    fn x_of(&self, index: usize) -> u64 {
        let steps = (self.times.len().max(2) - 1) as u64;
        LEFT + (WIDTH - LEFT - RIGHT) * (index as u64).min(steps) / steps
    }

    /// A line breaks where there is no value; a value alone is a dot, as large as can be seen.
    fn path(&self, line: &Series, top: u64) -> (String, Vec<(u64, u64)>) {
        let mut path = String::new();
        let mut dots = Vec::new();
        let mut drawing = false;
        for (index, value) in line.values.iter().enumerate() {
            let Some(value) = value else {
                drawing = false;
                continue;
            };
            let (x, y) = (self.x_of(index), y_of(*value, top));
            let alone = !drawing && line.values.get(index + 1).copied().flatten().is_none();
            if alone {
                dots.push((x, y));
            } else {
                path.push_str(&format!("{}{x} {y}", if drawing { 'L' } else { 'M' }));
            }
            drawing = true;
        }
        (path, dots)
    }
}

fn y_of(value: u64, top: u64) -> u64 {
    let room = HEIGHT - TOP - BOTTOM;
    HEIGHT
        - BOTTOM
        - u64::try_from(u128::from(room) * u128::from(value.min(top)) / u128::from(top.max(1)))
            .unwrap_or(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: Vec<Option<u64>>) -> Chart {
        let times = (0..values.len() as i64).map(Timestamp).collect();
        let line = Series { name: "<calls>".into(), class: "series-1", values, scale: 10 };
        Chart {
            id: "calls",
            title: "A & B".into(),
            description: "<b>".into(),
            scale: 10,
            times,
            series: vec![line],
            clock: |at| format!("t{}", at.0),
        }
    }

    #[test]
    fn a_chart_is_drawn_within_its_frame_and_says_its_numbers() {
        let chart = chart(vec![Some(0), Some(25), None, Some(90)]);
        let svg = chart.svg().as_str().to_owned();
        assert!(
            svg.contains(
                "<title id=\"calls-title\">A &amp; B</title><desc id=\"calls-desc\">&lt;b&gt;</desc>"
            )
        );
        // The axis ends at ten, the line breaks where nothing is known.
        assert!(svg.contains(">10</text>") && svg.contains(">5</text>"), "{svg}");
        assert!(svg.contains("d=\"M70 226L282 173\""), "{svg}");
        assert!(svg.contains("<circle class=\"series-1\" cx=\"708\" cy=\"36\""), "{svg}");
        assert_eq!(chart.rows()[0], ("t3".to_owned(), vec!["9".to_owned()]));
        assert_eq!(chart.rows()[1], ("t2".to_owned(), vec!["–".to_owned()]));
        assert_eq!(chart.rows()[2], ("t1".to_owned(), vec!["2.5".to_owned()]));
    }

    #[test]
    fn an_empty_chart_and_a_huge_one_are_drawn_too() {
        assert!(chart(vec![]).svg().as_str().ends_with("</svg>"));
        assert!(chart(vec![Some(u64::MAX), Some(1)]).svg().as_str().contains("M70 14"));
    }

    #[test]
    fn labels_of_few_samples_do_not_lie_on_each_other() {
        for (count, expected) in [
            (0, vec![]),
            (1, vec!["70 start t0"]),
            (2, vec!["70 start t0", "708 end t1"]),
            (3, vec!["70 start t0", "389 middle t1", "708 end t2"]),
            (60, vec!["70 start t0", "394 middle t30", "708 end t59"]),
        ] {
            let svg = chart(vec![Some(1); count]).svg().as_str().to_owned();
            let at_the_axis = |text: &&str| text.contains("y=\"252\"");
            let label = |text: &str| {
                let part = |before: &str, after: char| {
                    text.split_once(before).and_then(|(_, rest)| rest.split(after).next()).unwrap().to_owned()
                };
                format!("{} {} {}", part("x=\"", '"'), part("anchor=\"", '"'), part(">", '<'))
            };
            let found: Vec<String> = svg.split("<text ").skip(1).filter(at_the_axis).map(label).collect();
            assert_eq!(found, expected, "{count} samples");
        }
    }

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (most, top) in [(0, 1), (1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (499, 500), (501, 1_000)] {
            assert_eq!(top_of_axis(most), top);
        }
    }
}
