//! Rules for Prometheus under the names that Sloth gives them, so that its dashboards fit.
//!
//! Two things are different: the budget's window is bad over total, where Sloth takes the mean of five-minute shares,
//! which weighs a quiet night like a busy day; and a window without traffic has no sample, where Sloth's 0/0 would
//! poison the mean for a month.

use serde_json::{Map, Value, json};
use wardline_domain::{BurnRule, Severity, Slo, Span, Timestamp};

use super::{
    duration::written,
    metric::{counted, quoted},
    openslo_export::object_name,
};

/// Groups of rules of all objectives.
pub(super) fn groups(slos: &[Slo]) -> Value {
    json!({ "groups": slos.iter().flat_map(of_slo).collect::<Vec<_>>() })
}

/// A number without the noise of binary fractions.
pub(super) fn plain(number: f64) -> String {
    let text = format!("{number:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn of_slo(slo: &Slo) -> Vec<Value> {
    let id = object_name(slo);
    let names = Names { slo, id: &id };
    let mut groups = vec![
        json!({ "name": format!("sloth-slo-sli-recordings-{id}"), "rules": names.recordings() }),
        json!({ "name": format!("sloth-slo-meta-recordings-{id}"), "rules": names.meta() }),
    ];
    let alerts = names.alerts();
    if !alerts.is_empty() {
        groups.push(json!({ "name": format!("sloth-slo-alerts-{id}"), "rules": alerts }));
    }
    groups
}

struct Names<'a> {
    slo: &'a Slo,
    id: &'a str,
}

impl Names<'_> {
    fn labels(&self) -> Map<String, Value> {
        let pairs = [
            ("sloth_id", self.id),
            ("sloth_service", self.slo.service.as_str()),
            ("sloth_slo", self.slo.name.as_str()),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value.to_owned()))).collect()
    }

    fn selector(&self) -> String {
        format!(
            "{{sloth_id={}, sloth_service={}, sloth_slo={}}}",
            quoted(self.id),
            quoted(&self.slo.service),
            quoted(&self.slo.name)
        )
    }

    fn record(&self, name: &str, expr: String, window: Option<&str>) -> Value {
        let mut labels = self.labels();
        if let Some(window) = window {
            labels.insert("sloth_window".to_owned(), Value::String(window.to_owned()));
        }
        json!({ "record": name, "expr": expr, "labels": labels })
    }

    fn recordings(&self) -> Vec<Value> {
        let counted = counted(self.slo);
        let mut windows: Vec<Span> = self.slo.burn_rules().iter().flat_map(|rule| [rule.short, rule.long]).collect();
        windows.extend([5 * Timestamp::MINUTE, self.slo.window()]);
        windows.sort_unstable();
        windows.dedup();
        let record = |window: Span| {
            let window = self.window(window);
            self.record(&format!("slo:sli_error:ratio_rate{window}"), counted.bad_share(&window), Some(&window))
        };
        windows.into_iter().map(record).collect()
    }

    /// The budget's window is named in days, as Sloth does, the others as Prometheus does.
    fn window(&self, window: Span) -> String {
        if window == self.slo.window() { format!("{}d", self.slo.window_days) } else { written(window) }
    }

    fn meta(&self) -> Vec<Value> {
        let (slo, selector) = (self.slo, self.selector());
        let of_budget = |window: &str| {
            format!(
                "slo:sli_error:ratio_rate{window}{selector}\n/ on(sloth_id, sloth_slo, sloth_service) group_left\nslo:error_budget:ratio{selector}\n"
            )
        };
        let days = format!("{}d", slo.window_days);
        let mut info = self.labels();
        for (key, value) in [("sloth_mode", "wardline"), ("sloth_spec", "prometheus/v1"), ("sloth_version", "wardline")]
        {
            info.insert(key.to_owned(), Value::String(value.to_owned()));
        }
        vec![
            self.record("slo:objective:ratio", format!("vector({})", plain(slo.target)), None),
            self.record("slo:error_budget:ratio", format!("vector(1-{})", plain(slo.target)), None),
            self.record("slo:time_period:days", format!("vector({})", slo.window_days), None),
            self.record("slo:current_burn_rate:ratio", of_budget(&self.window(5 * Timestamp::MINUTE)), None),
            self.record("slo:period_burn_rate:ratio", of_budget(&days), None),
            self.record(
                "slo:period_error_budget_remaining:ratio",
                format!("1 - slo:period_burn_rate:ratio{selector}"),
                None,
            ),
            json!({ "record": "sloth_slo_info", "expr": "vector(1)", "labels": info }),
        ]
    }

    fn alerts(&self) -> Vec<Value> {
        let rules = self.slo.burn_rules();
        let of = |severity: Severity, word: &str| {
            let pairs: Vec<String> =
                rules.iter().filter(|rule| rule.severity == severity).map(|rule| self.pair(rule)).collect();
            (!pairs.is_empty()).then(|| {
                json!({
                    "alert": format!("{}ErrorBudgetBurn", camel(self.id)),
                    "expr": pairs.join("\nor ignoring (sloth_window)\n"),
                    "labels": { "severity": word, "sloth_severity": word },
                    "annotations": {
                        "summary": "{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is over expected.",
                        "title": format!("({word}) {{{{$labels.sloth_service}}}} {{{{$labels.sloth_slo}}}} SLO error budget burn rate is too fast."),
                    },
                })
            })
        };
        [of(Severity::Page, "page"), of(Severity::Ticket, "ticket")].into_iter().flatten().collect()
    }

    fn pair(&self, rule: &BurnRule) -> String {
        let budget = self.slo.budget();
        let (burn, _) = rule.reachable(budget);
        let one = |window: Span| {
            format!(
                "(slo:sli_error:ratio_rate{}{} > ({} * {}))",
                self.window(window),
                self.selector(),
                plain(burn),
                plain(budget)
            )
        };
        format!("(\n    {}\n    and ignoring (sloth_window)\n    {}\n)", one(rule.short), one(rule.long))
    }
}

/// `fraud-success` as `FraudSuccess`.
fn camel(name: &str) -> String {
    name.split('-')
        .flat_map(|part| {
            part.chars()
                .enumerate()
                .map(|(place, character)| if place == 0 { character.to_ascii_uppercase() } else { character })
        })
        .collect()
}
