//! Lengths of time as Prometheus and OpenSLO write them.

use wardline_domain::{Span, Timestamp};

/// `5m`, `1h30m`, `4w` as microseconds; months have 30 days, quarters 90, years 365. `None` where it is no length.
pub(super) fn parse(text: &str) -> Option<Span> {
    let mut total: Span = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit_length = tail.find(|character: char| character.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_length);
        let unit = match unit {
            "ms" => Timestamp::SECOND / 1_000,
            "s" => Timestamp::SECOND,
            "m" => Timestamp::MINUTE,
            "h" => Timestamp::HOUR,
            "d" => Timestamp::DAY,
            "w" => 7 * Timestamp::DAY,
            "M" => 30 * Timestamp::DAY,
            "Q" => 90 * Timestamp::DAY,
            "y" | "Y" => 365 * Timestamp::DAY,
            _ => return None,
        };
        total = total.checked_add(number.parse::<Span>().ok()?.checked_mul(unit)?)?;
        rest = tail;
    }
    (total > 0).then_some(total)
}

/// The same the other way, in the units that Prometheus knows.
pub(super) fn written(span: Span) -> String {
    const UNITS: [(&str, Span); 5] = [
        ("w", 7 * Timestamp::DAY),
        ("d", Timestamp::DAY),
        ("h", Timestamp::HOUR),
        ("m", Timestamp::MINUTE),
        ("s", Timestamp::SECOND),
    ];
    // Prometheus itself writes weeks only where nothing else is left over.
    if span % (7 * Timestamp::DAY) == 0 && span > 0 {
        return format!("{}w", span / (7 * Timestamp::DAY));
    }
    let mut rest = span.max(Timestamp::SECOND);
    let mut text = String::new();
    for (name, unit) in UNITS.into_iter().skip(1) {
        if rest / unit > 0 {
            text.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_written() {
        for text in ["5m", "30m", "1h", "6h", "1d", "3d", "4w", "30d", "1h4m", "1w"] {
            assert_eq!(written(parse(text).unwrap()), text);
        }
        assert_eq!(written(parse("28d").unwrap()), "4w");
        assert_eq!(parse("1M"), Some(30 * Timestamp::DAY));
        for text in ["", "5", "m", "5x", "-5m", "99999999999999w"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
