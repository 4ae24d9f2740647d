//! The graph as a picture, from the image at the top to the classes at the bottom.

use std::fmt::Write;

use super::{
    boxes::{Color, Group, groups},
    layout::{Line, layout},
    parameters,
};
use crate::Model;

/// The height of a box, in pixels.
const HEIGHT: f32 = 50.0;

/// From one row to the next, in pixels.
const ROW: f32 = 78.0;

/// The room around everything, in pixels.
const MARGIN: f32 = 24.0;

/// Where the first row starts, below the title and the legend.
const TOP: f32 = 74.0;

/// The most letters of a line.
const LETTERS: usize = 44;

/// The width of a letter, about, in pixels.
const LETTER: f32 = 6.7;

/// The narrowest picture: the legend's width, in pixels.
const NARROWEST: f32 = 760.0;

const STYLE: &str = "\
text { font: 11px system-ui, sans-serif; fill: #222; text-anchor: middle }
.name { font-weight: 600 }
.shape { fill: #667 }
.left { text-anchor: start }
.title { font-size: 16px; font-weight: 600; text-anchor: start }
.line { fill: none; stroke: #8a93a0; stroke-width: 1.3 }
.box { stroke: #9aa4b2 }
.box.shown { stroke: #333; stroke-width: 2 }
.box:hover { stroke: #000; stroke-width: 2 }
";

impl Color {
    fn fill(self) -> &'static str {
        match self {
            Self::Image => "#ffffff",
            Self::Convolution => "#d6e6f7",
            Self::Linear => "#e6dcf5",
            Self::Pool => "#fde6cc",
            Self::Norm => "#dff0d8",
            Self::Attention => "#fadce6",
            Self::Join => "#f1f1f1",
            Self::Other => "#fbf7d5",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Convolution => "convolution",
            Self::Linear => "linear",
            Self::Pool => "pool",
            Self::Norm => "norm",
            Self::Attention => "attention",
            Self::Join => "join",
            Self::Other => "other",
        }
    }
}

/// A model's graph as SVG. A box is an operation with what belongs to it, such as its batch norm and its ReLU; pointing at
/// it shows the names, shapes and kinds of all. Layers worth showing have a bold frame.
pub fn draw(model: &Model) -> String {
    let Model { graph, description } = model;
    let groups = groups(graph);
    let lines: Vec<[String; 3]> =
        groups.iter().map(|group| group.lines.each_ref().map(|line| shortened(line))).collect();
    let letters = |lines: &[String; 3]| lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let widths: Vec<f32> = lines.iter().map(|lines| letters(lines) as f32 * LETTER + 16.0).collect();
    let inputs: Vec<Vec<usize>> = groups.iter().map(|group| group.inputs.clone()).collect();
    let placed = layout(&widths, &inputs, ROW);

    let unsupported = graph.unsupported().operations();
    let [w, h] = placed.size;
    let width = (w + 2.0 * MARGIN).max(NARROWEST);
    let left = (width - w) / 2.0;
    let height = TOP + h + MARGIN + 16.0 * unsupported.len() as f32;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<style>\n{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let parameters: usize = parameters::of(graph).iter().sum();
    let title = format!("{}: {} layers, {} parameters", description.name, graph.nodes().len() - 1, counted(parameters));
    let _ = writeln!(svg, "<text class=\"title\" x=\"{MARGIN}\" y=\"32\">{}</text>", escaped(&title));
    legend(&mut svg);
    for line in &placed.lines {
        let [from, to] = [line.from, line.to].map(|id| placed.centers[id]);
        let _ = writeln!(svg, "<path class=\"line\" d=\"{}\"/>", path(line, from, to, left));
    }
    let shown: Vec<usize> = description.show.iter().filter_map(|layer| graph.find(layer).ok()).collect();
    for (((group, lines), width), [x, y]) in groups.iter().zip(&lines).zip(&widths).zip(&placed.centers) {
        boxed(&mut svg, group, lines, *width, [x + left, y + TOP], &shown);
    }
    for (i, operation) in unsupported.iter().enumerate() {
        let (y, text) = (TOP + h + 16.0 * (i as f32 + 1.0), escaped(&format!("not supported: {operation}")));
        let _ = writeln!(svg, "<text class=\"left\" x=\"{MARGIN}\" y=\"{y:.0}\">{text}</text>");
    }
    svg + "</svg>\n"
}

fn legend(svg: &mut String) {
    let mut x = MARGIN;
    for color in Color::ALL {
        let _ = writeln!(
            svg,
            "<rect class=\"box\" x=\"{x}\" y=\"46\" width=\"14\" height=\"12\" fill=\"{}\"/>\
             <text class=\"left\" x=\"{}\" y=\"56\">{}</text>",
            color.fill(),
            x + 20.0,
            color.name()
        );
        x += 20.0 + color.name().len() as f32 * LETTER + 18.0;
    }
}

fn boxed(svg: &mut String, group: &Group, lines: &[String; 3], width: f32, [x, y]: [f32; 2], shown: &[usize]) {
    let class = if group.nodes.iter().any(|id| shown.contains(id)) { "box shown" } else { "box" };
    let (left, top) = (x - width / 2.0, y - HEIGHT / 2.0);
    let _ = writeln!(
        svg,
        "<g><title>{}</title><rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
         height=\"{HEIGHT}\" rx=\"5\" fill=\"{}\"/>",
        escaped(&group.tooltip),
        group.color.fill()
    );
    for ((line, class), down) in lines.iter().zip(["name", "kind", "shape"]).zip([15.0, 29.0, 43.0]) {
        let y = top + down;
        let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(line));
    }
    svg.push_str("</g>\n");
}

/// From the bottom of a box through its places in rows to the top of another, curved between rows.
fn path(line: &Line, from: [f32; 2], to: [f32; 2], left: f32) -> String {
    let half = HEIGHT / 2.0;
    let mut path = format!("M{:.1} {:.1}", from[0] + left, from[1] + half + TOP);
    let mut at = [from[0], from[1] + half];
    let mut curve = |x: f32, y: f32| {
        let middle = (at[1] + y) / 2.0 + TOP;
        let _ = write!(
            path,
            " C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}",
            at[0] + left,
            x + left,
            x + left,
            y + TOP
        );
        at = [x, y];
    };
    for (i, &x) in line.passes.iter().enumerate() {
        let row = from[1] + (i as f32 + 1.0) * ROW;
        curve(x, row - half);
        curve(x, row + half);
    }
    curve(to[0], to[1] - half);
    path
}

/// A line that fits in a box; names differ at their end.
fn shortened(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    match letters.len() > LETTERS {
        true => format!("…{}", letters[letters.len() - LETTERS + 1..].iter().collect::<String>()),
        false => line.to_owned(),
    }
}

/// `1.2 million`.
fn counted(n: usize) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{} thousand", n / 1000),
        1_000_000..1_000_000_000 => format!("{:.1} million", n as f64 / 1e6),
        _ => format!("{:.1} billion", n as f64 / 1e9),
    }
}

/// A text in XML; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let kept = text.chars().filter(|&c| c == '\n' || !c.is_control());
    kept.fold(String::new(), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
        escaped
    })
}
