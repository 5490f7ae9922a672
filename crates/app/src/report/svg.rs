//! Writes SVG: elements, paths, and text that is escaped.

use std::fmt::Write as _;

/// A drawing that is being written.
#[derive(Debug)]
pub(super) struct Svg {
    text: String,
}

impl Svg {
    /// A drawing of a size, with the sentence that says what it shows to those who cannot see it.
    pub(super) fn new(width: f64, height: f64, says: &str) -> Self {
        let mut text = String::new();
        let says = escaped(says);
        let _ = write!(
            text,
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{says}\" preserveAspectRatio=\"xMidYMid meet\">"
        );
        Self { text }
    }

    /// A straight line.
    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let _ = write!(
            self.text,
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            from.0, from.1, to.0, to.1
        );
    }

    /// A rectangle; `says` is shown by the browser when pointed at.
    pub(super) fn rectangle(&mut self, class: &str, corner: (f64, f64), size: (f64, f64), says: &str) {
        let _ = write!(
            self.text,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\">",
            corner.0,
            corner.1,
            size.0.max(0.0),
            size.1.max(0.0)
        );
        if !says.is_empty() {
            let _ = write!(self.text, "<title>{}</title>", escaped(says));
        }
        self.text.push_str("</rect>");
    }

    /// A word.
    pub(super) fn word(&mut self, class: &str, place: (f64, f64), word: &str) {
        let _ = write!(
            self.text,
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            place.0,
            place.1,
            escaped(word)
        );
    }

    /// An open path through places; `None` lifts the pen.
    pub(super) fn path(&mut self, class: &str, places: impl IntoIterator<Item = Option<(f64, f64)>>) {
        let mut drawn = String::new();
        let mut down = false;
        for place in places {
            match place {
                Some((x, y)) => {
                    let _ = write!(drawn, "{}{x:.1} {y:.1}", if down { 'L' } else { 'M' });
                    down = true;
                }
                None => down = false,
            }
        }
        let _ = write!(self.text, "<path class=\"{class}\" d=\"{drawn}\"/>");
    }

    /// A closed area.
    pub(super) fn area(&mut self, class: &str, places: impl IntoIterator<Item = (f64, f64)>) {
        let mut drawn = String::new();
        for (index, (x, y)) in places.into_iter().enumerate() {
            let _ = write!(drawn, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        }
        if !drawn.is_empty() {
            let _ = write!(self.text, "<path class=\"{class}\" d=\"{drawn}Z\"/>");
        }
    }

    /// Opens a link to a place on the page, around what is drawn until it is closed.
    pub(super) fn open_link(&mut self, anchor: &str) {
        let _ = write!(self.text, "<a href=\"#{}\">", escaped(anchor));
    }

    /// Closes the link.
    pub(super) fn close_link(&mut self) {
        self.text.push_str("</a>");
    }

    /// The finished drawing.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }
}

/// Text that can stand in an element and in an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control characters are not allowed in a page at all.
            control if control.is_control() && !matches!(control, '\n' | '\t') => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_element() {
        let mut svg = Svg::new(10.0, 10.0, "a \"plot\" of <b>");
        svg.word("w", (1.0, 2.0), "</text><script>alert(1)</script>\u{1}");
        svg.rectangle("r", (0.0, 0.0), (1.0, -1.0), "</title>");
        let text = svg.finish();
        assert!(!text.contains("<script>") && !text.contains("<b>") && !text.contains("</title></title>"), "{text}");
        assert!(text.contains("aria-label=\"a &quot;plot&quot; of &lt;b&gt;\""), "{text}");
    }

    #[test]
    fn a_gap_lifts_the_pen() {
        let mut svg = Svg::new(10.0, 10.0, "");
        svg.path("p", [Some((0.0, 1.0)), Some((1.0, 1.0)), None, Some((3.0, 1.0))]);
        assert!(svg.finish().contains("d=\"M0.0 1.0L1.0 1.0M3.0 1.0\""));
    }
}
