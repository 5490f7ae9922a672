//! Objectives in and out of the files of other tools, and of services.

use std::{path::Path, process::Command};

use proptest::prelude::*;
use wardline_detect::{
    Watch, WatchSettings,
    slo::{SloFormat, export, import},
};
use wardline_domain::{BurnRule, Indicator, ModelSettings, Severity, Slo, SloMetric, Timestamp};

use crate::stream::{Told, batch, events, monday, settings, watched};

const OPENSLO: &str = include_str!("slo_files/openslo.yaml");
const OPENSLO_V1ALPHA: &str = include_str!("slo_files/openslo-v1alpha.yaml");
const SLOTH: &str = include_str!("slo_files/sloth.yaml");
const PYRRA: &str = include_str!("slo_files/pyrra.yaml");

fn slo(name: &str, service: &str, models: &[&str]) -> Slo {
    Slo {
        name: name.into(),
        service: service.into(),
        description: String::new(),
        models: models.iter().map(|&model| model.to_owned()).collect(),
        indicator: Indicator::Success,
        target: 0.999,
        window_days: 30,
        rules: Vec::new(),
        metric: None,
    }
}

fn imported(name: &str, text: &str) -> Vec<Slo> {
    let imported = import(&[(name, text)]);
    assert!(imported.problems.is_empty(), "{:?}", imported.problems);
    imported.slos
}

/// Goal: objects that refer to each other, pairs of windows, and a threshold as a latency.
#[test]
fn openslo_is_read() {
    let slos = imported("openslo.yaml", OPENSLO);
    let names: Vec<&str> = slos.iter().map(|slo| slo.name.as_str()).collect();
    assert_eq!(names, ["checkout-latency", "checkout-success"]);
    let (latency, success) = (&slos[0], &slos[1]);
    assert_eq!(latency.indicator, Indicator::Latency { within_ms: 150.0 });
    assert_eq!((latency.target, latency.window_days), (0.99, 28));
    assert_eq!((success.target, success.window_days), (0.9999, 30));
    assert_eq!(success.models, ["fraud", "ranking"]);
    let rule = |long, short, burn, severity| BurnRule { long, short, burn, severity };
    let (hour, minute) = (Timestamp::HOUR, Timestamp::MINUTE);
    assert_eq!(
        success.rules,
        [rule(hour, 5 * minute, 14.4, Severity::Page), rule(6 * hour, 6 * hour, 6.0, Severity::Ticket)]
    );
    let metric = success.metric.as_ref().unwrap();
    assert_eq!(metric.bad.as_deref(), Some("http_requests_total{job=\"checkout\",code=~\"5..\"}"));
}

/// Goal: what cannot be kept is said, with its line.
#[test]
fn what_openslo_says_and_is_not_kept_is_noted() {
    let notes: Vec<String> = import(&[("o.yaml", OPENSLO)]).notes.iter().map(ToString::to_string).collect();
    let all = notes.join("\n");
    for part in ["would alert while all is well", "is `Timeslices`", "o.yaml:"] {
        assert!(all.contains(part), "{part} is not in {all}");
    }
}

#[test]
fn openslo_v1alpha_is_read() {
    let slos = imported("a.yaml", OPENSLO_V1ALPHA);
    assert_eq!((slos[0].target, slos[0].window_days, slos[0].service.as_str()), (0.999, 30, "my-service"));
    assert!(slos[0].metric.as_ref().unwrap().good.as_ref().unwrap().contains("{{.window}}"));
    assert_eq!(slos[1].indicator, Indicator::Latency { within_ms: 250.0 });
}

#[test]
fn sloth_is_read() {
    let slos = imported("s.yaml", SLOTH);
    assert_eq!(slos.iter().map(|slo| slo.target).collect::<Vec<_>>(), [0.999, 0.9995, 0.95]);
    assert!(slos[1].metric.as_ref().unwrap().bad_share.is_some());
    assert_eq!(slos[2].service, "home-wifi");
}

#[test]
fn pyrra_is_read() {
    let slos = imported("p.yaml", PYRRA);
    assert_eq!(
        slos.iter().map(|slo| (slo.target, slo.window_days)).collect::<Vec<_>>(),
        [(0.999, 28), (0.9, 14), (0.99, 28)]
    );
    assert_eq!(slos[1].indicator, Indicator::Latency { within_ms: 50.0 });
    assert_eq!(slos[2].indicator, Indicator::Latency { within_ms: 150.0 });
}

/// Goal: each error says file, line, path and what to do.
#[test]
fn errors_say_where_and_what_to_do() {
    let text = "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: a\nspec:\n  service: s\n  indicatorRef: gone\n  timeWindow:\n    - duration: 30d\n      isRolling: true\n  objectives:\n    - target: 0.99\n    - target: 99.9\n---\nkind: [\n";
    let broken = import(&[("a.yaml", text)]);
    let all: Vec<String> = broken.problems.iter().map(ToString::to_string).collect();
    let all = all.join("\n");
    for part in ["a.yaml:7: `SLO a: spec.indicatorRef` names the SLI `gone`", "is not YAML", "hint: "] {
        assert!(all.contains(part), "{part} is not in:\n{all}");
    }
    let text = text.replace("  indicatorRef: gone\n", "  indicator:\n    spec:\n      ratioMetric:\n        counter: true\n        bad: {metricSource: {spec: {query: a}}}\n        total: {metricSource: {spec: {query: b}}}\n");
    let broken = import(&[("a.yaml", &text)]);
    let first = broken.problems.iter().find(|problem| problem.path.contains("target")).unwrap().to_string();
    assert_eq!(
        first,
        "a.yaml:18: `SLO a: spec.objectives[1].target` is 99.9, and must be more than nothing and less than everything\n  hint: write a share such as 0.999, not a percentage"
    );
    let rules =
        import(&[("r.yaml", "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: x}\n")]);
    assert!(rules.problems[0].to_string().contains("import the file that the rules were generated from"));
    assert!(import(&[("e.yaml", "")]).problems[0].to_string().contains("holds no document"));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9-]{0,20}", "[ -~]{1,30}", Just("päivä \"x\" \\ # : {}".to_owned())]
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("empty", |text| !text.is_empty())
}

fn rules() -> impl Strategy<Value = Vec<BurnRule>> {
    let rule =
        (1_i64..5_000, 1_i64..5_000, 1_u32..2_000, 0..3_usize).prop_map(|(long, short, burn, severity)| BurnRule {
            long: long.max(short) * Timestamp::MINUTE,
            short: long.min(short) * Timestamp::MINUTE,
            burn: f64::from(burn) / 10.0,
            severity: [Severity::Info, Severity::Ticket, Severity::Page][severity],
        });
    proptest::collection::vec(rule, 0..4)
}

fn metric() -> impl Strategy<Value = Option<SloMetric>> {
    let of = |good: bool, bad: bool| {
        (text(), text(), text()).prop_map(move |(a, b, total)| {
            Some(SloMetric { good: good.then_some(a), bad: bad.then_some(b), total: Some(total), bad_share: None })
        })
    };
    let share = text().prop_map(|share| Some(SloMetric { bad_share: Some(share), ..SloMetric::default() }));
    prop_oneof![Just(None), of(true, false), of(false, true), of(true, true), share]
}

prop_compose! {
    fn any_slo()(
        name in text(), service in text(), description in prop_oneof![Just(String::new()), text()],
        models in proptest::collection::vec(text(), 1..4), latency in proptest::option::of(0.001_f64..1e6),
        target in 0.5_f64..0.999_999, window_days in 1_u32..366, rules in rules(), metric in metric(),
    ) -> Slo {
        let indicator = latency.map_or(Indicator::Success, |within_ms| Indicator::Latency { within_ms });
        Slo { name, service, description, models, indicator, target, window_days, rules, metric }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Goal: what is exported is imported again, to the last digit.
    #[test]
    fn export_then_import_gives_the_same_objectives(slos in proptest::collection::vec(any_slo(), 1..4)) {
        let mut slos = slos;
        let key = |slo: &Slo| (slo.service.clone(), slo.name.clone());
        slos.sort_by_key(key);
        slos.dedup_by_key(|slo| key(slo));
        let text = export(&slos, SloFormat::OpenSlo);
        let mut again = import(&[("round.yaml", &text)]);
        prop_assert!(again.problems.is_empty(), "{:?}\n{text}", again.problems);
        again.slos.sort_by_key(key);
        prop_assert_eq!(again.slos, slos);
    }

    /// Goal: the older version keeps target, window and names, which is all that it has room for.
    #[test]
    fn v1alpha_keeps_what_it_has_room_for(slo in any_slo()) {
        let text = export(std::slice::from_ref(&slo), SloFormat::OpenSloV1Alpha);
        let again = import(&[("round.yaml", &text)]);
        prop_assert!(again.problems.is_empty(), "{:?}\n{text}", again.problems);
        prop_assert_eq!((again.slos[0].target, again.slos[0].window_days), (slo.target, slo.window_days));
    }

    /// Goal: no file, however broken, ends in a panic.
    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\n]{0,200}", cut in 0_usize..2_000) {
        import(&[("x.yaml", &text)]);
        let end = OPENSLO.char_indices().map(|(place, _)| place).take_while(|place| *place <= cut).last().unwrap_or(0);
        import(&[("cut.yaml", &OPENSLO[..end])]);
    }
}

/// The real promtool; made available the first time.
fn promtool() -> Command {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let made = Command::new(repository.join(".ci/promtool")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Command::new(String::from_utf8(made.stdout).unwrap().trim())
}

fn written(name: &str, text: &str) -> std::path::PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn checked(arguments: &[&str], path: &Path) {
    let output = promtool().args(arguments).arg(path).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{}", std::fs::read_to_string(path).unwrap_or_default());
}

/// Goal: promtool accepts the rules of everything that can be imported, and of awkward names.
#[test]
fn promtool_accepts_exported_rules() {
    let mut slos: Vec<Slo> =
        [OPENSLO, OPENSLO_V1ALPHA, SLOTH, PYRRA].iter().flat_map(|text| imported("x.yaml", text)).collect();
    slos.push(slo("success", "fraud", &["fraud"]));
    slos.push(Slo {
        indicator: Indicator::Latency { within_ms: 150.0 },
        target: 0.9,
        ..slo("p90 \"fast\" {x} \\", "päivä/v2", &["a", "b"])
    });
    for (format, name) in [(SloFormat::SlothRules, "sloth-rules.yml"), (SloFormat::PyrraRules, "pyrra-rules.yml")] {
        checked(&["check", "rules", "--lint-fatal"], &written(name, &export(&slos, format)));
    }
}

/// Goal: in Prometheus itself the budget is bad over total, a window without traffic is no NaN, and the page fires.
/// Method: half a day at 100 events a second without a failure, half a day at one a second with a tenth failing; the
/// mean of five-minute shares would be 5 %.
#[test]
fn prometheus_computes_what_is_meant() {
    let objective = Slo { window_days: 1, ..slo("success", "fraud", &["fraud"]) };
    let rules = export(std::slice::from_ref(&objective), SloFormat::SlothRules);
    written("one-sloth.yml", &rules);
    written("one-pyrra.yml", &export(std::slice::from_ref(&objective), SloFormat::PyrraRules));
    let series = |name: &str, values: &str| {
        format!("      - series: '{name}{{service=\"fraud\",slo=\"success\"}}'\n        values: '{values}'\n")
    };
    let test = format!(
        "rule_files: [one-sloth.yml, one-pyrra.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n{}{}    promql_expr_test:\n{}{}{}{}",
        series("wardline_slo_events_total", "0+6000x720 4320000+60x720 4363200x400"),
        series("wardline_slo_bad_events_total", "0x720 0+6x720 4320x400"),
        expected("sum(round(100000 * slo:sli_error:ratio_rate1d))", "24h", Some("99")),
        expected("count(slo:sli_error:ratio_rate5m)", "30h", None),
        expected("count(ALERTS{alertname=\"FraudSuccessErrorBudgetBurn\",severity=\"page\"})", "14h", Some("1")),
        expected(
            "count(ALERTS{alertname=\"ErrorBudgetBurn\",severity=\"critical\",long=\"1h\",short=\"5m\"})",
            "14h",
            Some("1")
        ),
    );
    checked(&["test", "rules"], &written("one-test.yml", &test));
}

fn expected(expr: &str, at: &str, value: Option<&str>) -> String {
    let samples = value.map_or_else(|| "[]".to_owned(), |value| format!("[{{labels: '{{}}', value: {value}}}]"));
    format!("      - expr: '{expr}'\n        eval_time: {at}\n        exp_samples: {samples}\n")
}

fn with_slos(learned: Timestamp, own: Vec<Slo>, services: Vec<Slo>) -> WatchSettings {
    let default = settings(learned);
    let default_model = ModelSettings { slos: own, ..default.default_model.clone() };
    WatchSettings { default_model, service_slos: services, ..default }
}

fn burns(told: &Told) -> Vec<&wardline_domain::Finding> {
    told.findings
        .iter()
        .filter(|finding| finding.detector == "burn_rate" && finding.severity == Severity::Page)
        .collect()
}

/// Goal: of two latency objectives of one model, the one that is broken is told by its name.
#[test]
fn each_objective_of_a_model_is_watched_by_itself() {
    let learned = monday().plus(4 * Timestamp::HOUR);
    let within = |name: &str, within_ms| Slo {
        indicator: Indicator::Latency { within_ms },
        target: 0.99,
        ..slo(name, "scorer", &["scorer"])
    };
    let stream = events(11, 7_200.0, monday(), learned.plus(2 * Timestamp::HOUR), |event, dice| {
        event.latency_ms = if event.time >= learned && dice.next() < 0.3 { 300.0 } else { 40.0 };
    });
    let told =
        watched(with_slos(learned, vec![within("fast", 100.0), within("bearable", 400.0)], Vec::new()), &stream, 2_000);
    let titles: Vec<&str> = burns(&told).iter().map(|finding| finding.title.as_str()).collect();
    assert!(
        titles[0].contains("`fast`") && titles[0].contains("the windows of 1 h and 5 min fired at 14.4 times"),
        "{titles:?}"
    );
    assert!(titles.iter().all(|title| !title.contains("bearable")), "{titles:?}");
}

/// Goal: failures that come hours late count when they happened, and wake nobody; the same failures on time do.
#[test]
fn late_events_count_when_they_happened() {
    let learned = monday().plus(4 * Timestamp::HOUR);
    let stream = |is_late: bool| {
        let mut stream = events(12, 7_200.0, monday(), learned.plus(2 * Timestamp::HOUR), |_, _| {});
        let from = learned.plus(Timestamp::HOUR);
        let until = from.plus(10 * Timestamp::MINUTE);
        // Every other event of ten minutes is a failure of half an hour ago.
        for event in stream.iter_mut().filter(|event| from <= event.time && event.time < until).step_by(2) {
            event.failed = true;
            if is_late {
                event.time = event.time.plus(-30 * Timestamp::MINUTE);
            }
        }
        watched(with_slos(learned, Vec::new(), Vec::new()), &stream, 2_000)
    };
    assert!(!burns(&stream(false)).is_empty());
    assert!(burns(&stream(true)).is_empty(), "{:?}", burns(&stream(true)));
}

/// Goal: a service of two models is watched as one, whichever batches they come in, and the model that fails is named.
#[test]
fn a_service_is_watched_over_its_models() {
    let learned = monday().plus(4 * Timestamp::HOUR);
    let until = learned.plus(2 * Timestamp::HOUR);
    let good = events(13, 7_200.0, monday(), until, |_, _| {});
    let bad = events(14, 7_200.0, monday(), until, |event, dice| {
        event.failed |= event.time >= learned && dice.next() < 0.3;
    });
    let run = |size: usize| {
        let objective = Slo { target: 0.995, ..slo("availability", "checkout", &["scorer", "ranker"]) };
        let mut watch = Watch::new(with_slos(learned, Vec::new(), vec![objective]));
        let mut told = Told::default();
        for (good, bad) in good.chunks(size).zip(bad.chunks(size)) {
            let mut other = batch(bad);
            other.model = Some("ranker".into());
            told.take(watch.observe_together(&[batch(good), other]));
        }
        told.take(watch.finish());
        let counts = watch.slo_counts();
        let service = counts.into_iter().find(|count| count.service == "checkout").unwrap();
        let titles: Vec<String> = burns(&told)
            .iter()
            .filter(|finding| finding.title.contains("checkout"))
            .map(|finding| finding.title.clone())
            .collect();
        let models: Vec<String> = burns(&told).iter().map(|finding| finding.model.clone()).collect();
        (titles, models, service.bad)
    };
    let (titles, models, bad_events) = run(2_000);
    assert!(titles[0].contains("of service checkout burns"), "{titles:?}");
    assert!(models.iter().all(|model| model == "ranker"), "{models:?}");
    assert!(bad_events > 3_000, "{bad_events}");
    assert!(!run(500).0.is_empty());
}
