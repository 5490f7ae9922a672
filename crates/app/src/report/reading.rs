//! Numbers and times as people read them.

use chrono::{DateTime, Utc};
use wardline_domain::{Span, Timestamp};

/// A value with its unit: `1.24 s`, `2.4 %`, `12,345 events/h`.
pub(super) fn value(number: f64, unit: &str) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    match unit {
        "ms" if number.abs() >= 1_000.0 => format!("{} s", digits(number / 1_000.0)),
        "ms" => format!("{} ms", digits(number)),
        "share" => percent(number),
        "" => digits(number),
        unit => format!("{} {unit}", digits(number)),
    }
}

/// A share as a percentage that keeps two digits that matter: 0.004 % is not 0 %.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        size if size >= 10.0 || size == 0.0 => format!("{percent:.0} %"),
        size if size >= 1.0 => format!("{percent:.1} %"),
        size if size >= 0.1 => format!("{percent:.2} %"),
        _ => format!("{percent:.3} %"),
    }
}

/// A number with three digits that matter, or all of them before the point.
pub(super) fn digits(number: f64) -> String {
    let size = number.abs();
    let decimals = match size {
        _ if size >= 100.0 || size == 0.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.01 => 3,
        _ => 5,
    };
    let text = format!("{number:.decimals$}");
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    match text.split_once('.') {
        Some((whole, part)) => format!("{}.{part}", grouped(whole)),
        None => grouped(&text),
    }
}

/// A count with its thousands apart.
pub(super) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("−", rest));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A sentence as HTML: escaped, and what stands in backticks as code.
pub(super) fn sentence(text: &str) -> String {
    let escaped = super::svg::escaped(text);
    let parts: Vec<&str> = escaped.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped;
    }
    let mut html = String::with_capacity(escaped.len() + 26);
    for (index, part) in parts.into_iter().enumerate() {
        let (open, close) = if index % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
        html.extend([open, part, close]);
    }
    html
}

/// Bytes in the unit that suits.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut size = number as f64;
    let mut unit = 0;
    while size >= 1_024.0 && unit + 1 < UNITS.len() {
        size /= 1_024.0;
        unit += 1;
    }
    format!("{} {}", digits(size), UNITS[unit])
}

/// A moment to the second: `Sun 22 Nov 2026, 09:24:10`.
pub(super) fn moment(time: Timestamp) -> String {
    formatted(time, "%a %-d %b %Y, %H:%M:%S")
}

/// The time of day where `other` is the same day, else the moment.
pub(super) fn moment_beside(time: Timestamp, other: Timestamp) -> String {
    if time.floor(Timestamp::DAY) == other.floor(Timestamp::DAY) { formatted(time, "%H:%M:%S") } else { moment(time) }
}

/// A moment in another form.
pub(super) fn formatted(time: Timestamp, form: &str) -> String {
    DateTime::<Utc>::from_timestamp_micros(time.micros())
        .map_or_else(|| time.to_string(), |time| time.format(form).to_string())
}

/// A length of time in its two greatest units: `2 h 30 min`.
pub(super) fn span(span: Span) -> String {
    const UNITS: [(Span, &str); 4] =
        [(Timestamp::DAY, "d"), (Timestamp::HOUR, "h"), (Timestamp::MINUTE, "min"), (Timestamp::SECOND, "s")];
    let Some(first) = UNITS.iter().position(|(length, _)| span >= *length) else { return "under 1 s".to_owned() };
    let (length, unit) = UNITS[first];
    let rest = UNITS.get(first + 1).map(|(next, unit)| ((span % length) / next, unit)).filter(|(left, _)| *left > 0);
    let head = format!("{} {unit}", span / length);
    rest.map_or(head.clone(), |(left, unit)| format!("{head} {left} {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_the_digits_that_matter() {
        let read = [
            value(1_240.0, "ms"),
            value(38.04, "ms"),
            value(0.000_04, "share"),
            value(0.024, "share"),
            value(0.93, "share"),
            value(12_345.0, "events/h"),
            value(f64::NAN, "ms"),
            value(-1_234_567.0, ""),
            value(0.000_31, "score"),
            value(0.0, "share"),
        ];
        assert_eq!(
            read,
            [
                "1.24 s",
                "38 ms",
                "0.004 %",
                "2.4 %",
                "93 %",
                "12,345 events/h",
                "–",
                "−1,234,567",
                "0.00031 score",
                "0 %"
            ]
        );
    }

    #[test]
    fn lengths_of_time_have_two_units() {
        let read = [150 * Timestamp::MINUTE, 3 * Timestamp::DAY, 61 * Timestamp::SECOND, 0].map(span);
        assert_eq!(read, ["2 h 30 min", "3 d", "1 min 1 s", "under 1 s"]);
    }

    #[test]
    fn backticks_become_code_and_nothing_else_becomes_html() {
        assert_eq!(sentence("`a<b` is <b>"), "<code>a&lt;b</code> is &lt;b&gt;");
        assert_eq!(sentence("one ` only"), "one ` only");
    }

    #[test]
    fn moments_on_the_same_day_are_short() {
        let time = Timestamp::parse("2026-11-22T09:24:10Z").unwrap();
        assert_eq!(moment(time), "Sun 22 Nov 2026, 09:24:10");
        assert_eq!(moment_beside(time.plus(Timestamp::HOUR), time), "10:24:10");
        assert_eq!(bytes(1_500_000), "1.43 MiB");
    }
}
