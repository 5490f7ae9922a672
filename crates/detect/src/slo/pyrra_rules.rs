//! Rules for Prometheus under the names that Pyrra gives them, so that its pages and dashboards fit.
//!
//! Pyrra rounds burn rates to whole numbers and stretches windows to the budget's length; here both are as they are
//! set. A window without traffic has no sample, rather than 0/0.

use serde_json::{Map, Value, json};
use wardline_domain::{BurnRule, Severity, Slo, Span};

use super::{
    duration::written,
    metric::{Counted, Part, counted, is_selector, name_of, quoted, windowed},
    openslo_export::object_name,
    sloth_rules::plain,
};

/// Groups of rules of all objectives.
pub(super) fn groups(slos: &[Slo]) -> Value {
    json!({ "groups": slos.iter().flat_map(of_slo).collect::<Vec<_>>() })
}

struct Names<'a> {
    slo: &'a Slo,
    name: String,
    /// What the recorded series are named by: the metric of all events without its ending, or the objective.
    metric: String,
    counted: Counted,
}

fn of_slo(slo: &Slo) -> Vec<Value> {
    let (name, counted) = (object_name(slo), counted(slo));
    let metric = counted.total_selector().map_or_else(
        || format!("slo_{}", name.replace('-', "_")),
        |selector| {
            let metric = name_of(selector);
            metric.strip_suffix("_total").or_else(|| metric.strip_suffix("_count")).unwrap_or(metric).to_owned()
        },
    );
    let names = Names { slo, name, metric, counted };
    vec![
        json!({ "name": format!("{}-increase", names.name), "interval": "2m30s", "rules": names.increases() }),
        json!({ "name": names.name, "interval": "30s", "rules": names.burn_rates() }),
        json!({ "name": format!("{}-generic", names.name), "interval": "30s", "rules": names.generic() }),
    ]
}

impl Names<'_> {
    fn labels(&self) -> Map<String, Value> {
        let pairs = [("slo", self.name.as_str()), ("service", self.slo.service.as_str())];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value.to_owned()))).collect()
    }

    fn record(&self, name: &str, expr: String) -> Value {
        json!({ "record": name, "expr": expr, "labels": self.labels() })
    }

    /// Events, and bad events, of the budget's window; expressions other than counters have rates alone.
    fn increases(&self) -> Vec<Value> {
        let window = written(self.slo.window());
        let seconds = self.slo.window() / wardline_domain::Timestamp::SECOND;
        let increase = |expression: &str| {
            if is_selector(expression) {
                format!("sum(increase({expression}[{window}]))")
            } else {
                format!("({}) * {seconds}", windowed(expression, &window))
            }
        };
        let mut rules = Vec::new();
        if let Counted::Events { bad, total } = &self.counted {
            rules.push(self.record(&format!("{}:increase{window}", self.metric), increase(total)));
            let errors = match bad {
                Part::Bad(bad) => increase(bad),
                Part::NotGood(good) => format!("({}) - ({})", increase(total), increase(good)),
            };
            rules.push(self.record(&format!("{}:errors_increase{window}", self.metric), errors));
            if is_selector(total) {
                let mut labels = self.labels();
                labels.insert("severity".to_owned(), Value::String("critical".to_owned()));
                rules.push(json!({
                    "alert": "SLOMetricAbsent",
                    "expr": format!("absent({total}) == 1"),
                    "for": "10m",
                    "labels": labels,
                    "annotations": { "description": format!("{} is not scraped: the objective is not watched", name_of(total)) },
                }));
            }
        }
        rules
    }

    fn burn_rate(&self, window: Span) -> String {
        format!("{}:burnrate{}", self.metric, written(window))
    }

    fn burn_rates(&self) -> Vec<Value> {
        let rules = self.slo.burn_rules();
        let mut windows: Vec<Span> = rules.iter().flat_map(|rule| [rule.short, rule.long]).collect();
        windows.sort_unstable();
        windows.dedup();
        let recorded = windows
            .into_iter()
            .map(|window| self.record(&self.burn_rate(window), self.counted.bad_share(&written(window))));
        recorded.chain(rules.iter().map(|rule| self.alert(rule))).collect()
    }

    fn alert(&self, rule: &BurnRule) -> Value {
        let slo = self.slo;
        let (burn, _) = rule.reachable(slo.budget());
        let selector = format!("{{service={},slo={}}}", quoted(&slo.service), quoted(&self.name));
        let one = |window: Span| {
            format!("{}{selector} > ({} * (1-{}))", self.burn_rate(window), plain(burn), plain(slo.target))
        };
        let mut labels = self.labels();
        let exhaustion = (slo.window() as f64 / burn.max(1e-9)) as Span;
        let minutes = (exhaustion / wardline_domain::Timestamp::MINUTE).max(1) * wardline_domain::Timestamp::MINUTE;
        for (key, value) in [
            ("short", written(rule.short)),
            ("long", written(rule.long)),
            ("severity", if rule.severity == Severity::Page { "critical" } else { "warning" }.to_owned()),
            ("exhaustion", written(minutes)),
        ] {
            labels.insert(key.to_owned(), Value::String(value));
        }
        json!({
            "alert": "ErrorBudgetBurn",
            "expr": format!("{} and {}", one(rule.short), one(rule.long)),
            "labels": labels,
            "annotations": { "description": if slo.description.is_empty() { format!("the error budget of {} burns too fast", self.name) } else { slo.description.clone() } },
        })
    }

    fn generic(&self) -> Vec<Value> {
        let slo = self.slo;
        let window = written(slo.window());
        let seconds = slo.window() / wardline_domain::Timestamp::SECOND;
        let mut rules = vec![
            self.record("pyrra_objective", format!("vector({})", plain(slo.target))),
            self.record("pyrra_window", format!("vector({seconds})")),
            self.record("pyrra_availability", format!("1 - ({})", self.counted.bad_share(&window))),
        ];
        if let Counted::Events { bad, total } = &self.counted {
            let selector = |expression: &str| is_selector(expression).then(|| format!("sum({expression})"));
            if let Some(total) = selector(total) {
                rules.push(self.record("pyrra_requests_total", total.clone()));
                let errors = match bad {
                    Part::Bad(bad) => selector(bad),
                    Part::NotGood(good) => selector(good).map(|good| format!("{total} - {good}")),
                };
                rules.extend(errors.map(|errors| self.record("pyrra_errors_total", errors)));
            }
        }
        rules
    }
}
