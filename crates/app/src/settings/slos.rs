//! `[[slos]]`: objectives by name, of a model or of a service that several models serve.

use std::{collections::BTreeMap, fmt::Write as _};

use wardline_domain::{BurnRule, Indicator, ModelSettings, Severity, Slo, SloMetric, Span, Timestamp};

use super::reader::Reader;

/// Reads every objective. Those of one model go to its settings, the others are answered.
pub(super) fn read(
    reader: &mut Reader<'_>,
    default: &ModelSettings,
    models: &mut BTreeMap<String, ModelSettings>,
) -> Vec<Slo> {
    let slos: Vec<Slo> = reader.each_item("slos", read_one).into_iter().flatten().collect();
    let mut services = Vec::new();
    let mut names: Vec<(String, String)> = Vec::new();
    for slo in slos {
        let name = (slo.service.clone(), slo.name.clone());
        let set = models.get(&slo.service).unwrap_or(default);
        let is_set =
            Slo::of_model(&slo.service, set).iter().any(|known| (&known.service, &known.name) == (&name.0, &name.1));
        if is_set || names.contains(&name) {
            let what = format!("has two named `{}` for the service `{}`", slo.name, slo.service);
            reader.problem("slos", what, Some("give each its own name; `objectives` makes `success` and `latency`"));
            continue;
        }
        names.push(name);
        match slo.models.as_slice() {
            [model] => models.entry(model.clone()).or_insert_with(|| default.clone()).slos.push(slo),
            _ => services.push(slo),
        }
    }
    services
}

fn read_one(reader: &mut Reader<'_>) -> Option<Slo> {
    let share = Some("write a share, such as 0.999, not a percentage");
    let name = reader.text("name");
    if name.is_none() {
        reader.problem("name", "is missing", Some("name the objective, such as `checkout-availability`"));
    }
    let models = reader.texts("models").unwrap_or_default();
    if models.is_empty() {
        reader.problem("models", "is missing", Some("write models = [\"fraud\"], or several that make up a service"));
    }
    let target = reader.number("target", 0.5..=0.999_999, share);
    if target.is_none() {
        reader.problem("target", "must be written", share);
    }
    let service = reader.text("service").or_else(|| match models.as_slice() {
        [model] => Some(model.clone()),
        _ => None,
    });
    if service.is_none() && models.len() > 1 {
        reader.problem("service", "is missing", Some("name what the models together are, such as `checkout`"));
    }
    let latency = reader.number("latency_ms", 0.001..=1e9, None);
    let description = reader.text("description").unwrap_or_default();
    let window_days = reader.whole("window_days", 1..=366).map_or(30, |days| days as u32);
    let rules = reader.each_item("rules", read_rule).into_iter().flatten().collect();
    let metric = reader.section("metric", read_metric);
    Some(Slo {
        name: name?,
        service: service?,
        description,
        models: (!models.is_empty()).then_some(models)?,
        indicator: latency.map_or(Indicator::Success, |within_ms| Indicator::Latency { within_ms }),
        target: target?,
        window_days,
        rules,
        metric,
    })
}

fn read_rule(reader: &mut Reader<'_>) -> Option<BurnRule> {
    let window = |reader: &mut Reader<'_>, key: &str| {
        let span = reader.span(key);
        if span.is_some_and(|span| span % Timestamp::MINUTE != 0) {
            reader.problem(key, "must be whole minutes", Some("write 5m, 1h or 3d"));
        }
        span
    };
    let long = window(reader, "long");
    let short = window(reader, "short").or(long);
    let burn = reader.number("burn", 0.001..=1e6, Some("14.4 over 1h is 2 % of a budget of 30 days"));
    let severity = match reader.text("severity").as_deref() {
        None | Some("page") => Severity::Page,
        Some("ticket") => Severity::Ticket,
        Some("info") => Severity::Info,
        Some(other) => {
            reader.problem("severity", format!("is `{other}`"), Some("write page, ticket or info"));
            return None;
        }
    };
    if long.is_none() || burn.is_none() {
        reader.problem("long", "and `burn` must be written", Some("write long = \"1h\", short = \"5m\", burn = 14.4"));
    }
    Some(BurnRule { long: long?, short: short?, burn: burn?, severity })
}

fn read_metric(reader: &mut Reader<'_>) -> Option<SloMetric> {
    if !reader.is_written() {
        return None;
    }
    let metric = SloMetric {
        good: reader.text("good"),
        bad: reader.text("bad"),
        total: reader.text("total"),
        bad_share: reader.text("bad_share"),
    };
    let is_counted = metric.total.is_some() && (metric.good.is_some() || metric.bad.is_some());
    if !is_counted && metric.bad_share.is_none() {
        reader.problem("total", "and `good` or `bad` must be written, or `bad_share`", None);
    }
    Some(metric)
}

/// Objectives as settings.
pub(crate) fn to_toml(slos: &[Slo]) -> String {
    let mut text = String::new();
    for slo in slos {
        // Writing to a String cannot fail.
        let _ = write_one(&mut text, slo);
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn write_one(text: &mut String, slo: &Slo) -> std::fmt::Result {
    if !text.is_empty() {
        writeln!(text)?;
    }
    let models: Vec<String> = slo.models.iter().map(|model| quoted(model)).collect();
    writeln!(text, "[[slos]]\nname = {}\nservice = {}", quoted(&slo.name), quoted(&slo.service))?;
    if !slo.description.is_empty() {
        writeln!(text, "description = {}", quoted(&slo.description))?;
    }
    writeln!(text, "models = [{}]", models.join(", "))?;
    if let Indicator::Latency { within_ms } = slo.indicator {
        writeln!(text, "latency_ms = {within_ms}")?;
    }
    writeln!(text, "target = {}\nwindow_days = {}", slo.target, slo.window_days)?;
    if let Some(metric) = &slo.metric {
        let parts =
            [("good", &metric.good), ("bad", &metric.bad), ("total", &metric.total), ("bad_share", &metric.bad_share)];
        writeln!(text, "[slos.metric]")?;
        for (key, part) in parts {
            if let Some(part) = part {
                writeln!(text, "{key} = {}", quoted(part))?;
            }
        }
    }
    for rule in &slo.rules {
        writeln!(
            text,
            "[[slos.rules]]\nlong = \"{}\"\nshort = \"{}\"\nburn = {}\nseverity = \"{}\"",
            window(rule.long),
            window(rule.short),
            rule.burn,
            rule.severity.name()
        )?;
    }
    Ok(())
}

fn window(span: Span) -> String {
    for (letter, unit) in [("d", Timestamp::DAY), ("h", Timestamp::HOUR)] {
        if span % unit == 0 {
            return format!("{}{letter}", span / unit);
        }
    }
    format!("{}m", span / Timestamp::MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (BTreeMap<String, ModelSettings>, Vec<Slo>, Vec<String>) {
        let table = text.parse::<toml::Table>().unwrap();
        let mut problems = Vec::new();
        let mut models = BTreeMap::new();
        let mut reader = Reader::new(&table, &mut problems);
        let services = read(&mut reader, &ModelSettings::default(), &mut models);
        reader.finish();
        (models, services, problems.iter().map(ToString::to_string).collect())
    }

    fn slo(models: &[&str]) -> Slo {
        Slo {
            name: "p99 \"fast\"".into(),
            service: "checkout".into(),
            description: "Nobody waits.".into(),
            models: models.iter().map(|&model| model.to_owned()).collect(),
            indicator: Indicator::Latency { within_ms: 150.5 },
            target: 0.9995,
            window_days: 28,
            rules: vec![BurnRule {
                long: Timestamp::HOUR,
                short: 5 * Timestamp::MINUTE,
                burn: 13.44,
                severity: Severity::Page,
            }],
            metric: Some(SloMetric {
                bad: Some("sum(rate(x{code=~\"5..\"}[{{.window}}]))".into()),
                total: Some("x_total".into()),
                ..SloMetric::default()
            }),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let written = [slo(&["fraud"]), slo(&["fraud", "ranking"])];
        let (models, _, problems) = read_text(&to_toml(&written[..1]));
        assert_eq!((models["fraud"].slos.as_slice(), problems.is_empty()), (&written[..1], true), "{problems:?}");
        let (models, services, problems) = read_text(&to_toml(&written[1..]));
        assert_eq!((services.as_slice(), models.is_empty()), (&written[1..], true), "{problems:?}");
    }

    #[test]
    fn every_problem_is_said() {
        let text = "[[slos]]\nname = \"a\"\nmodels = [\"x\", \"y\"]\ntarget = 99.9\n[[slos]]\nmodels = [\"x\"]\ntarget = 0.9\n";
        let (_, _, problems) = read_text(text);
        let all = problems.join("\n");
        for part in ["slos[0].target` is 99.9", "slos[0].service` is missing", "slos[1].name` is missing"] {
            assert!(all.contains(part), "{all}");
        }
    }
}
