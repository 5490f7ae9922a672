//! Sloth's own files: `version: prometheus/v1`, and the same as an object of Kubernetes.

use wardline_domain::{Indicator, Slo, SloMetric};

use super::{
    document::Node,
    import::{ImportedSlos, target},
};

/// The days that Sloth counts over unless it is told otherwise where it runs.
const USUAL_DAYS: u32 = 30;

/// A file.
pub(super) fn import_file(node: &Node, imported: &mut ImportedSlos) {
    let version = node.get("version");
    match version.text().as_deref() {
        Some("prometheus/v1") => import(node, imported),
        other => version.problem(
            &format!("is `{}`, which is not known", other.unwrap_or_default()),
            "Sloth writes `version: prometheus/v1`",
        ),
    }
}

/// The objectives of a service.
pub(super) fn import(node: &Node, imported: &mut ImportedSlos) {
    let Some(service) = node.get("service").needed_text("name the service") else { return };
    let slos = node.get("slos").items();
    if slos.is_empty() {
        node.get("slos").problem("is missing", "write at least one objective");
    }
    let what = format!(
        "says nothing of models: the service `{service}` is taken for the model's name, each objective for its success, and the budget for one of {USUAL_DAYS} days"
    );
    imported.notes.push(
        node.get("service").noted(&what, "name the model with --model, and a latency in the settings that are printed"),
    );
    for slo in slos {
        if let Some(slo) = import_one(&slo, &service, imported) {
            imported.slos.push(slo);
        }
    }
}

fn import_one(node: &Node, service: &str, imported: &mut ImportedSlos) -> Option<Slo> {
    let name = node.get("name").needed_text("name the objective")?;
    let target = target(&node.get("objective"), true)?;
    let metric = metric(&node.get("sli"))?;
    let alerting = node.get("alerting");
    let is_off = |alert: &str| alerting.get(alert).get("disable").flag() == Some(true);
    if is_off("page_alert") || is_off("ticket_alert") || is_off("pageAlert") || is_off("ticketAlert") {
        let what = "turns alerts off: Wardline's usual ones are on";
        imported.notes.push(alerting.noted(what, "add a silence for the kind slo_burn where none are wanted"));
    }
    Some(Slo {
        name,
        service: service.to_owned(),
        description: node.get("description").text().unwrap_or_default(),
        models: vec![service.to_owned()],
        indicator: Indicator::Success,
        target,
        window_days: USUAL_DAYS,
        rules: Vec::new(),
        metric: Some(metric),
    })
}

fn metric(sli: &Node) -> Option<SloMetric> {
    let either = |node: &Node, file: &str, object: &str| node.get(file).text().or_else(|| node.get(object).text());
    let events = sli.get("events");
    if events.is_there() {
        let (bad, total) = (either(&events, "error_query", "errorQuery"), either(&events, "total_query", "totalQuery"));
        if bad.is_none() || total.is_none() {
            events.problem("needs `error_query` and `total_query`", "write both, with `{{.window}}` for the window");
            return None;
        }
        return Some(SloMetric { bad, total, ..SloMetric::default() });
    }
    let raw = sli.get("raw");
    if raw.is_there() {
        let share = either(&raw, "error_ratio_query", "errorRatioQuery");
        if share.is_none() {
            raw.problem("needs `error_ratio_query`", "write it, with `{{.window}}` for the window");
        }
        return Some(SloMetric { bad_share: Some(share?), ..SloMetric::default() });
    }
    let hint = "write `events` with error_query and total_query";
    if sli.get("plugin").is_there() {
        sli.get("plugin").problem("is code of Sloth's, which is not run here", hint);
    } else {
        sli.problem("has neither `events` nor `raw`", hint);
    }
    None
}
