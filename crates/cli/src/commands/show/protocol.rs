//! How a terminal draws, and how much it can.

use clap::ValueEnum;
use terminal_size::{Height, Width};

use super::blocks::Depth;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Kitty's graphics: kitty, Ghostty, Konsole
    Kitty,
    /// iTerm2's inline images: iTerm2, WezTerm, mintty
    Iterm2,
    /// Sixel graphics: foot, mlterm, xterm -ti vt340, Windows Terminal
    Sixel,
    /// Half blocks in 24-bit color
    Truecolor,
    /// Half blocks in 256 colors
    #[value(name = "256")]
    Colors256,
    /// Letters without color
    Shades,
}

impl Protocol {
    /// What the terminal says of itself in its environment; what says nothing gets 256 colors.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let is = |name: &str, values: &[&str]| variable(name).is_some_and(|value| values.contains(&value.as_str()));
        let term = variable("TERM").unwrap_or_default();
        // A multiplexer shows text only, whatever the terminal around it can do.
        if !set("TMUX") && !set("STY") && !term.starts_with("screen") && !term.starts_with("tmux") {
            let kitty = ["xterm-kitty", "xterm-ghostty"].contains(&term.as_str());
            if kitty || set("KITTY_WINDOW_ID") || set("KONSOLE_VERSION") || is("TERM_PROGRAM", &["ghostty"]) {
                return Self::Kitty;
            }
            if is("TERM_PROGRAM", &["iTerm.app", "WezTerm", "mintty"]) || is("LC_TERMINAL", &["iTerm2"]) {
                return Self::Iterm2;
            }
            if term.starts_with("foot") || term.starts_with("mlterm") || term.contains("sixel") {
                return Self::Sixel;
            }
        }
        if set("NO_COLOR") || term == "dumb" {
            Self::Shades
        } else if is("COLORTERM", &["truecolor", "24bit"]) || set("WT_SESSION") || term.ends_with("-direct") {
            Self::Truecolor
        } else {
            Self::Colors256
        }
    }

    /// The colors of half blocks, where they are what is drawn.
    pub fn depth(self) -> Option<Depth> {
        match self {
            Self::Truecolor => Some(Depth::Truecolor),
            Self::Colors256 => Some(Depth::Colors256),
            Self::Shades => Some(Depth::Shades),
            Self::Kitty | Self::Iterm2 | Self::Sixel => None,
        }
    }
}

/// The terminal's places for letters.
pub struct Cells {
    rows: usize,
    columns: usize,
    /// Height and width of one in pixels.
    pub pixels: [usize; 2],
}

impl Cells {
    /// A usual terminal, where none is asked.
    const USUAL: Self = Self { rows: 24, columns: 80, pixels: [20, 10] };

    pub fn of_terminal() -> Self {
        let usual = Self::USUAL;
        let (columns, rows) = match terminal_size::terminal_size() {
            Some((Width(columns @ 1..), Height(rows @ 1..))) => (columns.into(), rows.into()),
            _ => (usual.columns, usual.rows),
        };
        Self { rows, columns, pixels: pixels([rows, columns]).unwrap_or(usual.pixels) }
    }

    /// Rows and columns for an image of `[h, w]` pixels: as wide as was asked for, else as large as it is but no larger
    /// than the terminal.
    pub fn fit(&self, [h, w]: [usize; 2], width: Option<usize>, protocol: Protocol) -> [usize; 2] {
        let [cell_h, cell_w] = match protocol.depth() {
            Some(_) => [2, 1],
            None => self.pixels,
        };
        let rows = |columns: usize| (columns * cell_w * h).div_ceil(w * cell_h).max(1);
        let (columns, most) = match width {
            Some(columns) => (columns, MOST_ROWS),
            // The line of the prompt should not push the picture's first one out.
            None => (w.div_ceil(cell_w).min(self.columns), (self.rows - 1).max(1)),
        };
        if rows(columns) <= most {
            return [rows(columns), columns];
        }
        [most, (most * cell_h * w / (h * cell_w)).clamp(1, columns)]
    }
}

/// The most rows that a picture is drawn on, however wide it was asked for.
const MOST_ROWS: usize = 500;

/// Height and width of a cell in pixels, if the terminal says.
#[cfg(unix)]
fn pixels([rows, columns]: [usize; 2]) -> Option<[usize; 2]> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    let cell = [usize::from(size.ws_ypixel) / rows, usize::from(size.ws_xpixel) / columns];
    (!cell.contains(&0)).then_some(cell)
}

#[cfg(not(unix))]
fn pixels(_: [usize; 2]) -> Option<[usize; 2]> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Protocol {
        let value =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Protocol::of(value)
    }

    #[test]
    fn terminals_are_known_by_their_environment() {
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("COLORTERM", "truecolor")]), Protocol::Kitty);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")]), Protocol::Iterm2);
        assert_eq!(of(&[("TERM", "foot")]), Protocol::Sixel);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Protocol::Truecolor);
        assert_eq!(of(&[("TERM", "xterm-256color")]), Protocol::Colors256);
        assert_eq!(of(&[]), Protocol::Colors256);
        assert_eq!(of(&[("TERM", "dumb")]), Protocol::Shades);
    }

    #[test]
    fn no_color_and_multiplexers_are_heeded() {
        assert_eq!(of(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]), Protocol::Shades);
        assert_eq!(of(&[("NO_COLOR", ""), ("COLORTERM", "truecolor")]), Protocol::Truecolor);
        assert_eq!(of(&[("TMUX", "x"), ("KITTY_WINDOW_ID", "1"), ("TERM", "tmux-256color")]), Protocol::Colors256);
    }

    #[test]
    fn pictures_fit_the_terminal_unless_told_otherwise() {
        let cells = Cells::USUAL;
        assert_eq!(cells.fit([128, 128], None, Protocol::Kitty), [7, 13], "its own size");
        assert_eq!(cells.fit([100, 1000], None, Protocol::Truecolor), [4, 80], "as wide as the terminal");
        assert_eq!(cells.fit([400, 400], None, Protocol::Truecolor), [23, 46], "as high as the terminal");
        assert_eq!(cells.fit([400, 400], Some(100), Protocol::Truecolor), [50, 100]);
        assert_eq!(cells.fit([1, 1000], Some(10), Protocol::Kitty), [1, 10]);
        assert_eq!(cells.fit([1000, 1], None, Protocol::Truecolor), [23, 1]);
    }
}
