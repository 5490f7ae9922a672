//! OpenSLO v1 and v1alpha: SLO, SLI, AlertPolicy, AlertCondition, DataSource and Service.

use std::collections::BTreeMap;

use wardline_domain::{BurnRule, Indicator, Severity, Slo, SloMetric, Span, Timestamp};

use super::{
    document::Node,
    duration,
    import::{ImportedSlos, days, target},
    metric::is_seconds,
};

/// Keys of annotations that say what Wardline counts.
pub(super) mod annotation {
    pub(in crate::slo) const NAME: &str = "wardline.dev/name";
    pub(in crate::slo) const SERVICE: &str = "wardline.dev/service";
    pub(in crate::slo) const MODELS: &str = "wardline.dev/models";
    pub(in crate::slo) const LATENCY_MS: &str = "wardline.dev/latency-ms";
    pub(in crate::slo) const OWN_METRIC: &str = "wardline.dev/own-metric";
}

/// Objects by kind and name.
struct Objects<'a>(BTreeMap<(String, String), &'a Node>);

const KINDS: [&str; 7] =
    ["SLO", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "Service", "DataSource"];

/// Reads objects that may refer to each other.
pub(super) fn import(nodes: &[Node], imported: &mut ImportedSlos) {
    let mut objects = Objects(BTreeMap::new());
    for node in nodes {
        let Some(kind) = node.get("kind").needed_text("write one of SLO, SLI, AlertPolicy, AlertCondition, Service")
        else {
            continue;
        };
        let name = node.get("metadata").get("name").needed_text("give the object a name");
        match KINDS.into_iter().find(|known| known.eq_ignore_ascii_case(&kind)) {
            Some(known) => {
                objects.0.insert((known.to_owned(), name.unwrap_or_default()), node);
            }
            None => node
                .get("kind")
                .problem(&format!("is `{kind}`, which is not known"), &format!("known kinds: {}", KINDS.join(", "))),
        }
    }
    for ((kind, _), node) in &objects.0 {
        if kind == "SLO" {
            import_slo(node, &objects, imported);
        }
    }
}

impl Objects<'_> {
    /// The object that a place names.
    fn named(&self, kind: &str, name: &str, asked_by: &Node) -> Option<&Node> {
        let found = self.0.get(&(kind.to_owned(), name.to_owned())).copied();
        if found.is_none() {
            let hint = format!("import the file that holds the {kind} too, or write it inline");
            asked_by.problem(&format!("names the {kind} `{name}`, which is in none of the files"), &hint);
        }
        found
    }
}

fn import_slo(node: &Node, objects: &Objects<'_>, imported: &mut ImportedSlos) {
    let (metadata, spec) = (node.get("metadata"), node.get("spec"));
    let annotations: BTreeMap<String, String> = metadata.get("annotations").texts().into_iter().collect();
    let own = |key: &str| annotations.get(key).cloned();
    let Some(name) = metadata.get("name").text() else { return };
    let written_service = spec.get("service").needed_text("name the service, or the model");
    let Some(service) = own(annotation::SERVICE).or(written_service) else { return };
    let models = match own(annotation::MODELS).map(|text| serde_json::from_str::<Vec<String>>(&text)) {
        Some(Ok(models)) if !models.is_empty() => models,
        Some(_) => {
            metadata.get("annotations").problem(
                &format!("has a `{}` that is no list of models", annotation::MODELS),
                "write it as JSON, such as '[\"fraud\", \"ranking\"]'",
            );
            return;
        }
        None => {
            let what = format!("says nothing of models: the service `{service}` is taken for the model's name");
            imported
                .notes
                .push(spec.get("service").noted(&what, &format!("set the annotation `{}`", annotation::MODELS)));
            vec![service.clone()]
        }
    };
    let window_days = window(&spec, imported);
    budgeting(&spec, imported);
    let rules = rules(&spec, objects, imported);
    let objectives = spec.get("objectives").items();
    if objectives.is_empty() {
        spec.get("objectives").problem("is missing", "write at least one objective with a target");
    }
    let several = objectives.len() > 1;
    for (place, objective) in objectives.iter().enumerate() {
        let Some(measured) = indicator(&spec, objective, own(annotation::LATENCY_MS), objects) else { continue };
        let percent = objective.get("targetPercent");
        let share = if percent.is_there() { target(&percent, true) } else { target(&objective.get("target"), false) };
        let (Some(target), Some(window_days)) = (share, window_days) else { continue };
        let base = own(annotation::NAME).unwrap_or_else(|| name.clone());
        let part = objective.get("displayName").text().unwrap_or_else(|| (place + 1).to_string());
        imported.slos.push(Slo {
            name: if several { format!("{base}-{part}") } else { base },
            service: service.clone(),
            description: spec.get("description").text().unwrap_or_default(),
            models: models.clone(),
            indicator: measured.indicator,
            target,
            window_days,
            rules: rules.clone(),
            metric: measured.metric.filter(|_| !annotations.contains_key(annotation::OWN_METRIC)),
        });
    }
}

/// The window's days; a calendar's window is taken as a rolling one.
fn window(spec: &Node, imported: &mut ImportedSlos) -> Option<u32> {
    let windows = [spec.get("timeWindow"), spec.get("timeWindows")].into_iter().find(Node::is_there);
    let Some(list) = windows else { return Some(30) };
    let items = list.items();
    let [window] = items.as_slice() else {
        list.problem(
            &format!("has {} windows, and must have one", items.len()),
            "write `- duration: 30d` and `isRolling: true`",
        );
        return None;
    };
    if window.get("calendar").is_there() || window.get("isRolling").flag() == Some(false) {
        let what = "is aligned to a calendar: it is taken as a rolling window of the same length";
        imported.notes.push(window.noted(what, "set `isRolling: true` where that is meant"));
    }
    let duration = window.get("duration");
    if let Some(text) = duration.text() {
        return days(&duration, &text);
    }
    let unit = window.get("unit").needed_text("write `duration: 30d`, or `unit: Day` and `count: 30`")?;
    let letter = match unit.as_str() {
        "Second" => "s",
        "Minute" => "m",
        "Hour" => "h",
        "Day" => "d",
        "Week" => "w",
        "Month" => "M",
        "Quarter" => "Q",
        "Year" => "Y",
        other => {
            window.get("unit").problem(&format!("is `{other}`, which is no unit"), "write Day, Week or Month");
            return None;
        }
    };
    let count = window.get("count").text().unwrap_or_else(|| "1".to_owned());
    days(window, &format!("{count}{letter}"))
}

fn budgeting(spec: &Node, imported: &mut ImportedSlos) {
    let method = spec.get("budgetingMethod");
    if let Some(name) = method.text().filter(|name| name != "Occurrences") {
        let what = format!("is `{name}`: events are counted here, each for one, as in `Occurrences`");
        imported.notes.push(method.noted(&what, "write `budgetingMethod: Occurrences` where that is meant"));
    }
}

/// What is measured, and what Prometheus counts for it.
struct Measured {
    indicator: Indicator,
    metric: Option<SloMetric>,
}

fn indicator(spec: &Node, objective: &Node, latency_ms: Option<String>, objects: &Objects<'_>) -> Option<Measured> {
    let latency = match latency_ms.map(|text| text.parse::<f64>()) {
        None => None,
        Some(Ok(ms)) if ms > 0.0 => Some(Indicator::Latency { within_ms: ms }),
        Some(_) => {
            spec.problem(
                &format!("has a `{}` that is no number", annotation::LATENCY_MS),
                "write milliseconds, such as \"150\"",
            );
            return None;
        }
    };
    let v1alpha = objective.get("ratioMetrics");
    if v1alpha.is_there() {
        let metric = ratio(&v1alpha, objects)?;
        return Some(Measured { indicator: latency.unwrap_or(Indicator::Success), metric: Some(metric) });
    }
    let inline = spec.get("indicator");
    let reference = [spec.get("indicatorRef"), objective.get("indicatorRef")].into_iter().find(Node::is_there);
    let sli = match reference {
        Some(reference) => objects.named("SLI", &reference.text()?, &reference)?.get("spec"),
        None if inline.get("spec").is_there() => inline.get("spec"),
        None if inline.is_there() => inline,
        None if objective.get("indicator").is_there() => objective.get("indicator").get("spec"),
        None => {
            spec.get("indicator")
                .problem("is missing", "write an indicator with ratioMetric or thresholdMetric, or indicatorRef");
            return None;
        }
    };
    if sli.get("ratioMetric").is_there() {
        let metric = ratio(&sli.get("ratioMetric"), objects)?;
        return Some(Measured { indicator: latency.unwrap_or(Indicator::Success), metric: Some(metric) });
    }
    let threshold = sli.get("thresholdMetric");
    if !threshold.is_there() {
        sli.problem("has neither ratioMetric nor thresholdMetric", "write one of them");
        return None;
    }
    let query = query(&threshold, objects)?;
    Some(Measured { indicator: latency.or_else(|| limit(objective, &query))?, metric: None })
}

/// `op: lte, value: 150` as a latency.
fn limit(objective: &Node, query: &str) -> Option<Indicator> {
    let op = objective.get("op").text().unwrap_or_default();
    if op != "lte" && op != "lt" {
        objective.get("op").problem(
            &format!("is `{op}`: of threshold metrics, latencies that must stay below a value are understood"),
            "write `op: lte` and `value`, or use a ratioMetric",
        );
        return None;
    }
    let value = objective.get("value");
    if !value.is_there() {
        value.problem("is missing", "write the latency that must not be passed");
        return None;
    }
    let value = value.number()?;
    // Digits as written: 0.15 * 1000 need not be 150.
    let within_ms = if is_seconds(query) { format!("{value}e3").parse().unwrap_or(value) } else { value };
    if within_ms > 0.0 {
        return Some(Indicator::Latency { within_ms });
    }
    objective
        .get("value")
        .problem(&format!("is {value}, and must be more than 0"), "write the latency that must not be passed");
    None
}

fn ratio(node: &Node, objects: &Objects<'_>) -> Option<SloMetric> {
    let one = |key: &str| node.get(key).is_there().then(|| query(&node.get(key), objects));
    let raw = one("raw");
    if let Some(raw) = raw {
        let raw = raw?;
        let is_failure = node.get("rawType").text().as_deref() == Some("failure");
        let bad_share = if is_failure { raw } else { format!("1 - ({raw})") };
        return Some(SloMetric { bad_share: Some(bad_share), ..SloMetric::default() });
    }
    let (good, bad, total) = (one("good"), one("bad"), one("total"));
    if total.is_none() || (good.is_none() && bad.is_none()) {
        node.problem("needs `total`, and `good` or `bad`", "write each with metricSource.spec.query");
        return None;
    }
    // A query that could not be read is a problem that was noted already.
    let read = |part: Option<Option<String>>| part.map_or(Some(None), |query| query.map(Some));
    Some(SloMetric { good: read(good)?, bad: read(bad)?, total: read(total)?, bad_share: None })
}

/// The query of a metric, in either version's words.
fn query(node: &Node, objects: &Objects<'_>) -> Option<String> {
    let source = node.get("metricSource");
    let of_v1 = source.get("spec").get("query");
    if let Some(name) = source.get("metricSourceRef").text() {
        objects.named("DataSource", &name, &source.get("metricSourceRef"))?;
    }
    if of_v1.is_there() {
        return of_v1.text();
    }
    let of_v1alpha = node.get("query");
    if of_v1alpha.is_there() { of_v1alpha.text() } else { of_v1.needed_text("write the query as text") }
}

/// Pairs of windows: conditions of one policy must hold together, policies stand side by side.
fn rules(spec: &Node, objects: &Objects<'_>, imported: &mut ImportedSlos) -> Vec<BurnRule> {
    let mut rules = Vec::new();
    for policy in spec.get("alertPolicies").items() {
        let inline = policy.get("spec");
        let body = if inline.is_there() {
            inline
        } else {
            let reference = policy.get("alertPolicyRef");
            let place = if reference.is_there() { reference } else { policy.clone() };
            let Some(name) = place.text() else { continue };
            let Some(found) = objects.named("AlertPolicy", &name, &place) else { continue };
            found.get("spec")
        };
        rules.extend(rule(&body, objects, imported));
    }
    if rules == BurnRule::usual() { Vec::new() } else { rules }
}

fn rule(policy: &Node, objects: &Objects<'_>, imported: &mut ImportedSlos) -> Option<BurnRule> {
    let items = policy.get("conditions").items();
    let mut conditions: Vec<(Span, f64, Severity)> =
        items.iter().filter_map(|item| condition(item, objects, imported)).collect();
    if conditions.len() < items.len() {
        return None;
    }
    conditions.sort_by_key(|condition| condition.0);
    let (&(short, ..), &(long, burn, severity)) = (conditions.first()?, conditions.last()?);
    if conditions.len() > 2 || conditions.iter().any(|condition| condition.1 != burn) {
        policy.get("conditions").problem(
            "are no pair of windows with one burn rate",
            "write one condition, or two of the same threshold with a long and a short lookbackWindow",
        );
        return None;
    }
    Some(BurnRule { long, short, burn, severity })
}

fn condition(item: &Node, objects: &Objects<'_>, imported: &mut ImportedSlos) -> Option<(Span, f64, Severity)> {
    let reference = item.get("conditionRef");
    let spec = if reference.is_there() {
        objects.named("AlertCondition", &reference.text()?, &reference)?.get("spec")
    } else {
        item.get("spec")
    };
    let condition = spec.get("condition");
    let kind = condition.get("kind").text().unwrap_or_else(|| "burnrate".to_owned());
    if kind != "burnrate" {
        condition.get("kind").problem(&format!("is `{kind}`"), "only `burnrate` is known");
        return None;
    }
    let op = condition.get("op").text().unwrap_or_else(|| "gte".to_owned());
    if op == "lte" || op == "lt" {
        let what = format!("is `{op}`, which would alert while all is well: it is taken as `gte`");
        imported.notes.push(condition.get("op").noted(&what, "write `op: gte`"));
    }
    if let Some(after) = condition.get("alertAfter").text().filter(|after| !after.starts_with('0')) {
        let what = format!("is {after}: the short window takes its place, and no further wait is made");
        imported.notes.push(
            condition.get("alertAfter").noted(&what, "add a condition with a short lookbackWindow to the policy"),
        );
    }
    let burn = condition.get("threshold");
    if !burn.is_there() {
        burn.problem("is missing", "write a burn rate such as 14.4");
    }
    let burn = burn.number().filter(|burn| *burn > 0.0)?;
    let lookback = condition.get("lookbackWindow");
    let text = lookback.needed_text("write 1h")?;
    let span = duration::parse(&text).filter(|span| Timestamp::MINUTE <= *span && *span <= 366 * Timestamp::DAY);
    if span.is_none() {
        lookback.problem(&format!("is `{text}`"), "write a length from 1m on, such as 1h");
    }
    Some((span?, burn, severity(&spec.get("severity").text().unwrap_or_default())))
}

/// Whether the word means that somebody is woken.
fn severity(text: &str) -> Severity {
    match text.to_ascii_lowercase().as_str() {
        "page" | "critical" | "high" | "sev1" => Severity::Page,
        "info" => Severity::Info,
        _ => Severity::Ticket,
    }
}
