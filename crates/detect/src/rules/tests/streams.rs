//! Rules over streams: cuts and restarts change nothing, and one cause is told once an hour.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use wardline_domain::{Finding, RecordKind, Severity, Timestamp};

use super::{
    super::{
        fixture_batch::{Row, batches},
        *,
    },
    meaning::{compiled, rule},
};

const PARTS: &str = "
---
title: rare
name: rare
logsource: {product: wardline, category: inference}
detection: {s: {prompt|contains: '7'}, condition: s}
level: high
---
title: any
name: any
logsource: {product: wardline, category: inference}
detection: {s: {user|exists: true}, condition: s}
---
title: many
correlation: {type: event_count, rules: any, group-by: [user], timespan: 1m, condition: {gte: 20}}
level: medium
---
title: different
name: different
correlation: {type: value_count, rules: any, group-by: [user], timespan: 5m, condition: {gte: 30, field: prompt}}
level: medium
---
title: sum
correlation: {type: value_sum, rules: [any], group-by: [user], timespan: 5m, condition: {gte: 900, field: input_tokens}}
level: low
---
title: middle
correlation: {type: value_median, rules: [any], group-by: [channel], timespan: 2m, condition: {gt: 12, field: input_tokens}}
level: low
---
title: chain
correlation: {type: temporal_ordered, rules: [rare, different], group-by: [user], timespan: 10m}
generate: true
level: high
";

fn stream(n_events: u64) -> Vec<Row> {
    let start = Timestamp::parse("2026-11-02T10:00:00Z").unwrap();
    let mut state = 7_u64;
    let mut next = |most: u64| {
        state = xxhash_rust::xxh3::xxh3_64(&state.to_le_bytes());
        state % most
    };
    let mut time = start;
    (0..n_events)
        .map(|index| {
            time = time.plus((next(1_500) as i64) * 1_000);
            let mut at = time;
            if index % 57 == 0 {
                at = at.plus(-40 * Timestamp::SECOND);
            }
            let fields = json!({
                "user": format!("u{}", next(6)),
                "channel": format!("c{}", next(2)),
                "prompt": format!("p{}", next(400)),
                "input_tokens": next(25),
            });
            let Value::Object(fields) = fields else { unreachable!() };
            Row::new(RecordKind::Inference, at, fields)
        })
        .collect()
}

fn found(watch: &mut RuleWatch, rows: &[Row], size: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in rows.chunks(size) {
        for batch in batches(part).unwrap() {
            findings.extend(watch.observe(&batch).into_iter().map(|(_, finding)| finding));
        }
    }
    findings
}

#[test]
fn cuts_and_restarts_change_nothing() {
    let set = Arc::new(compiled(&[PARTS.to_owned()]));
    let rows = stream(6_000);
    let mut watch = RuleWatch::new(Arc::clone(&set));
    let mut whole = found(&mut watch, &rows, rows.len());
    whole.extend(watch.finish());
    for title in ["rare", "many", "different", "sum", "middle", "chain"] {
        assert!(whole.iter().any(|finding| finding.title.starts_with(title)), "{title}");
    }
    for size in [1, 7, 512, 2_500] {
        let mut watch = RuleWatch::new(Arc::clone(&set));
        let mut parts = found(&mut watch, &rows, size);
        parts.extend(watch.finish());
        assert_eq!(whole, parts, "pieces of {size}");
    }
    for cut in [1, 1_234, 4_000] {
        let mut watch = RuleWatch::new(Arc::clone(&set));
        let mut parts = found(&mut watch, &rows[..cut], 300);
        let saved = watch.save().unwrap();
        let mut watch = RuleWatch::new(Arc::clone(&set));
        watch.load(&saved).unwrap();
        parts.extend(found(&mut watch, &rows[cut..], 300));
        parts.extend(watch.finish());
        assert_eq!(whole, parts, "restart at {cut}");
    }
    assert!(RuleWatch::new(set).load(&[255; 7]).is_err());
}

/// A million matches would be a million findings.
#[test]
fn what_goes_on_is_told_once_an_hour_with_its_count() {
    let set =
        Arc::new(compiled(&[rule("s: {user: x}\ncondition: s").replace("title: test", "title: Test\nlevel: high")]));
    let start = Timestamp::parse("2026-11-02T10:00:00Z").unwrap();
    let event = |seconds: i64| {
        let fields = Map::from_iter([("user".to_owned(), json!("x"))]);
        Row::new(RecordKind::Inference, start.plus(seconds * Timestamp::SECOND), fields)
    };
    let rows: Vec<Row> = (0..9_000).map(event).chain([event(40_000)]).collect();
    let mut watch = RuleWatch::new(set);
    let findings = found(&mut watch, &rows, 1_000);
    let told: Vec<(u64, &str)> = findings.iter().map(|finding| (finding.n_observed, finding.title.as_str())).collect();
    insta::assert_debug_snapshot!(told, @r#"
    [
        (
            1,
            "Test",
        ),
        (
            3599,
            "Test: 3599 more matches in the hour until 2026-11-02T11:00:00.000Z",
        ),
        (
            3600,
            "Test: 3600 more matches in the hour until 2026-11-02T12:00:00.000Z",
        ),
    ]
    "#);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Ticket));
    insta::assert_snapshot!(findings[0].evidence, @r#"SELECT * FROM "model.model" WHERE time >= TIMESTAMP '2026-11-02T10:00:00.000Z' AND time <= TIMESTAMP '2026-11-02T11:00:00.000Z' AND coalesce(lower("user") = 'x', false) ORDER BY time LIMIT 100"#);
}

#[test]
fn values_out_of_room_are_said() {
    let text = PARTS.replace("gte: 30, field: prompt", "gte: 3000000, field: prompt");
    let set = compiled(&[text]);
    assert!(set.rules().iter().any(|rule| rule.notes().iter().any(|note| note.contains("estimated"))));
}

#[test]
fn low_levels_are_on_record_only() {
    let severities: Vec<Severity> = ["informational", "low", "medium", "high", "critical"]
        .iter()
        .map(|level| {
            let text =
                rule("s: {user: x}\ncondition: s").replace("title: test", &format!("title: test\nlevel: {level}"));
            compiled(&[text]).rules()[0].severity
        })
        .collect();
    assert_eq!(severities, [Severity::Info, Severity::Info, Severity::Ticket, Severity::Ticket, Severity::Page]);
}
