//! Pyrra's own files: `kind: ServiceLevelObjective`.

use wardline_domain::{Indicator, Slo, SloMetric};

use super::{
    document::Node,
    duration,
    import::{ImportedSlos, days, target},
    metric::{is_seconds, matchers_of},
};

/// One object.
pub(super) fn import(node: &Node, imported: &mut ImportedSlos) {
    if node.get("kind").text().as_deref() != Some("ServiceLevelObjective") {
        node.get("kind").problem("is no ServiceLevelObjective", "write `kind: ServiceLevelObjective`");
        return;
    }
    let (metadata, spec) = (node.get("metadata"), node.get("spec"));
    let Some(name) = metadata.get("name").needed_text("name the objective") else { return };
    let share = target(&spec.get("target"), true);
    let window = spec.get("window");
    let window_days = window.needed_text("write 4w or 30d").and_then(|text| days(&window, &text));
    let measured = indicator(&spec.get("indicator"), imported);
    let (Some(target), Some(window_days), Some((indicator, metric))) = (share, window_days, measured) else { return };
    let label = metadata.get("labels").get("pyrra.dev/service").text();
    let service = label.unwrap_or_else(|| name.clone());
    let what = format!("says nothing of models: `{service}` is taken for the model's name");
    imported.notes.push(metadata.get("name").noted(&what, "name the model with --model"));
    imported.slos.push(Slo {
        name,
        models: vec![service.clone()],
        service,
        description: spec.get("description").text().unwrap_or_default(),
        indicator,
        target,
        window_days,
        rules: Vec::new(),
        metric: Some(metric),
    });
}

fn indicator(node: &Node, imported: &mut ImportedSlos) -> Option<(Indicator, SloMetric)> {
    let metric = |node: &Node| node.get("metric").needed_text("write the selector of a counter");
    let ratio = node.get("ratio");
    if ratio.is_there() {
        tell_grouping(&ratio, imported);
        let (bad, total) = (metric(&ratio.get("errors"))?, metric(&ratio.get("total"))?);
        return Some((Indicator::Success, SloMetric { bad: Some(bad), total: Some(total), ..SloMetric::default() }));
    }
    let latency = node.get("latency");
    if latency.is_there() {
        tell_grouping(&latency, imported);
        let success = latency.get("success");
        let (good, total) = (metric(&success)?, metric(&latency.get("total"))?);
        let Some(within_ms) = bucket(&good) else {
            success
                .get("metric")
                .problem("has no matcher `le`", "name the bucket that holds the limit, such as le=\"0.15\"");
            return None;
        };
        let metric = SloMetric { good: Some(good), total: Some(total), ..SloMetric::default() };
        return Some((Indicator::Latency { within_ms }, metric));
    }
    let native = [node.get("latencyNative"), node.get("latency_native")].into_iter().find(Node::is_there);
    if let Some(native) = native {
        tell_grouping(&native, imported);
        let limit = native.get("latency");
        let text = limit.needed_text("write the limit, such as 150ms")?;
        let Some(span) = duration::parse(&text) else {
            limit.problem(&format!("is `{text}`, which is no length of time"), "write the limit, such as 150ms");
            return None;
        };
        let total = metric(&native.get("total"))?;
        let seconds = span as f64 / wardline_domain::Timestamp::SECOND as f64;
        let bad_share = format!("1 - histogram_fraction(0, {seconds}, sum(rate({total}[{{{{.window}}}}])))");
        let metric = SloMetric { bad_share: Some(bad_share), ..SloMetric::default() };
        return Some((Indicator::Latency { within_ms: seconds * 1_000.0 }, metric));
    }
    node.problem(
        "has none of ratio, latency and latencyNative",
        "an indicator of probes (bool_gauge) counts no requests: use a ratio of counters",
    );
    None
}

fn tell_grouping(node: &Node, imported: &mut ImportedSlos) {
    let grouping = node.get("grouping");
    if grouping.is_there() {
        imported.notes.push(grouping.noted(
            "makes an objective of each group: here all groups are counted together",
            "write one file for each group",
        ));
    }
}

/// The limit that a bucket's selector names, in ms.
fn bucket(selector: &str) -> Option<f64> {
    let limit = matchers_of(selector).split(',').find_map(|matcher| matcher.trim().strip_prefix("le=\""))?;
    let limit: f64 = limit.trim_end_matches('"').parse().ok()?;
    // Digits as written: 0.15 * 1000 need not be 150.
    let within_ms = if is_seconds(selector) { format!("{limit}e3").parse().ok()? } else { limit };
    (within_ms > 0.0 && within_ms.is_finite()).then_some(within_ms)
}
