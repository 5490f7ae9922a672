//! What Prometheus counts for an objective, as expressions over a window.

use wardline_domain::{Slo, SloMetric};

/// Wardline's own counters of an objective's events and bad events.
pub const EVENTS_METRIC: &str = "wardline_slo_events_total";
/// See [`EVENTS_METRIC`].
pub const BAD_EVENTS_METRIC: &str = "wardline_slo_bad_events_total";

/// Bad and total events of an objective, as expressions in which the window is still to be set.
pub(super) enum Counted {
    /// Bad and total events.
    Events {
        /// Bad ones.
        bad: Part,
        /// All.
        total: String,
    },
    /// The share of bad events, ready made.
    Share(String),
}

/// How bad events are known.
pub(super) enum Part {
    /// They are counted.
    Bad(String),
    /// They are what is not good.
    NotGood(String),
}

/// What is counted: what the objective names, or Wardline's own counters.
pub(super) fn counted(slo: &Slo) -> Counted {
    let own = own_metric(slo);
    let metric = slo.metric.as_ref().unwrap_or(&own);
    if let Some(share) = &metric.bad_share {
        return Counted::Share(share.clone());
    }
    let total = metric.total.clone().or_else(|| own.total.clone()).unwrap_or_default();
    let bad = match (&metric.bad, &metric.good) {
        (Some(bad), _) => Part::Bad(bad.clone()),
        (None, Some(good)) => Part::NotGood(good.clone()),
        (None, None) => Part::Bad(own.bad.unwrap_or_default()),
    };
    Counted::Events { bad, total }
}

/// Wardline's own counters of an objective.
pub(super) fn own_metric(slo: &Slo) -> SloMetric {
    let selector = |name: &str| format!("{name}{{service={},slo={}}}", quoted(&slo.service), quoted(&slo.name));
    SloMetric { bad: Some(selector(BAD_EVENTS_METRIC)), total: Some(selector(EVENTS_METRIC)), ..SloMetric::default() }
}

/// A text as a PromQL string.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

impl Counted {
    /// The share of bad events over a window. Where nothing came there is no sample, rather than 0/0.
    pub(super) fn bad_share(&self, window: &str) -> String {
        match self {
            Self::Share(share) => windowed(share, window),
            Self::Events { bad: Part::Bad(bad), total } => {
                format!("({})\n/\n(({}) > 0)", windowed(bad, window), windowed(total, window))
            }
            Self::Events { bad: Part::NotGood(good), total } => {
                format!("1 - (({}) / (({}) > 0))", windowed(good, window), windowed(total, window))
            }
        }
    }

    /// The selector of the total, where it is one.
    pub(super) fn total_selector(&self) -> Option<&str> {
        match self {
            Self::Events { total, .. } if is_selector(total) => Some(total),
            _ => None,
        }
    }
}

/// An expression over a window: the window set where the expression leaves it open, a rate of a bare counter, and a
/// rate by subquery of any other counter.
pub(super) fn windowed(expression: &str, window: &str) -> String {
    let open = ["{{.window}}", "{{ .window }}", "${window}", "$__rate_interval"];
    if let Some(found) = open.into_iter().find(|open| expression.contains(open)) {
        return expression.replace(found, window);
    }
    if is_selector(expression) {
        return format!("sum(rate({expression}[{window}]))");
    }
    if has_range(expression) {
        // The author chose a window; another one cannot be set from outside.
        return expression.to_owned();
    }
    format!("rate(({expression})[{window}:])")
}

/// `name` or `name{…}`.
pub(super) fn is_selector(expression: &str) -> bool {
    let name_end = expression.find(|character: char| !is_name_character(character)).unwrap_or(expression.len());
    let (name, rest) = expression.split_at(name_end);
    let begins =
        name.starts_with(|character: char| character.is_ascii_alphabetic() || character == '_' || character == ':');
    if !begins || rest.is_empty() {
        return begins;
    }
    // One pair of braces, outside of quotes, at the very end.
    let mut quote = None;
    let mut escaped = false;
    for (place, character) in rest.char_indices() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), character) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(character),
            (None, '}') => return place + 1 == rest.len(),
            (None, '{') if place > 0 => return false,
            (None, _) if place == 0 && character != '{' => return false,
            _ => {}
        }
    }
    false
}

const fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == ':'
}

/// Whether a range such as `[5m]` stands in an expression.
fn has_range(expression: &str) -> bool {
    expression.split('[').skip(1).any(|rest| {
        rest.split_once(']')
            .is_some_and(|(range, _)| super::duration::parse(range.split(':').next().unwrap_or_default()).is_some())
    })
}

/// The name of the metric of a selector.
pub(super) fn name_of(selector: &str) -> &str {
    selector.split('{').next().unwrap_or_default()
}

/// Matchers of a selector, as they are written between its braces.
pub(super) fn matchers_of(selector: &str) -> &str {
    selector.split_once('{').map_or("", |(_, rest)| rest.trim_end_matches('}'))
}

/// Whether a query speaks of seconds: Prometheus names units.
pub(super) fn is_seconds(query: &str) -> bool {
    query.contains("_seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_told_from_expressions() {
        for selector in ["up", "http_requests_total{code=~\"5..\"}", "a:b{x=\"}\",y='{'}"] {
            assert!(is_selector(selector), "{selector}");
        }
        for other in ["sum(up)", "up / down", "up{a=\"b\"} / down{c=\"d\"}", "up[5m]", "1", ""] {
            assert!(!is_selector(other), "{other}");
        }
    }

    #[test]
    fn windows_are_set() {
        assert_eq!(windowed("up", "5m"), "sum(rate(up[5m]))");
        assert_eq!(windowed("sum(rate(up[{{.window}}]))", "1h"), "sum(rate(up[1h]))");
        assert_eq!(windowed("sum(up)", "1h"), "rate((sum(up))[1h:])");
        assert_eq!(windowed("sum(rate(up[3m]))", "1h"), "sum(rate(up[3m]))");
    }
}
