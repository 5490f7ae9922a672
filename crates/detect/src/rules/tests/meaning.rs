//! What rules mean: modifiers one by one, and columns against rows on random rules.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wardline_domain::{RecordKind, Timestamp};

use super::{
    super::{
        condition::Rows,
        fixture_batch::{Row, batches},
        rule::Body,
        *,
    },
    reference,
};

pub(super) fn rule(detection: &str) -> String {
    let indented: String = detection.lines().map(|line| format!("  {line}\n")).collect();
    format!("title: test\nlogsource: {{product: wardline, category: inference}}\ndetection:\n{indented}")
}

pub(super) fn compiled(texts: &[String]) -> RuleSet {
    let sources: Vec<RuleSource> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| RuleSource { file: format!("r{index}.yml"), text: text.clone() })
        .collect();
    let placeholders = Placeholders::from([("admins".to_owned(), vec!["root".to_owned(), "adm?n".to_owned()])]);
    let (set, errors) = RuleSet::compile(&sources, &placeholders);
    assert!(errors.is_empty(), "{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    set
}

fn row(fields: Value) -> Row {
    let Value::Object(fields) = fields else { panic!() };
    let time = fields.get("time").and_then(Value::as_str).unwrap_or("2026-11-02T22:41:00Z");
    let time = Timestamp::parse(time).unwrap();
    Row::new(RecordKind::Inference, time, fields)
}

/// The rows that each rule matches.
fn matched(set: &RuleSet, rows: &[Row]) -> Vec<Vec<usize>> {
    let mut found = vec![Vec::new(); set.rules().len()];
    let mut offset = 0;
    for batch in batches(rows).unwrap() {
        let passed = set.programs[&RecordKind::Inference].run(&batch);
        for (index, rule) in set.rules().iter().enumerate() {
            let Body::Records { condition, .. } = &rule.body else { continue };
            let hit: Rows = passed.rows_of(condition);
            found[index].extend(hit.iter(batch.len()).map(|row| row + offset));
        }
        offset += batch.len();
    }
    found
}

fn check(item: &str, hits: &[Value], misses: &[Value]) {
    let set = compiled(&[rule(&format!("selection:\n  {item}\ncondition: selection"))]);
    let rows: Vec<Row> = hits.iter().chain(misses).cloned().map(row).collect();
    let expected: Vec<usize> = (0..hits.len()).collect();
    // One batch, and a batch for each row.
    assert_eq!(matched(&set, &rows)[0], expected, "{item}");
    for (index, one) in rows.iter().enumerate() {
        assert_eq!(!matched(&set, std::slice::from_ref(one))[0].is_empty(), index < hits.len(), "{item}: row {index}");
    }
}

#[test]
fn modifiers_of_texts_mean_what_sigma_says() {
    let prompt = |text: &str| json!({ "prompt": text });
    check("prompt: 'a*c'", &[prompt("ABBC"), prompt("ac")], &[prompt("abcd"), json!({})]);
    check("prompt|cased: 'A*'", &[prompt("Ab")], &[prompt("ab")]);
    check("prompt|contains: [one, two]", &[prompt("xTWOx"), prompt("one")], &[prompt("tw o")]);
    check("prompt|contains|all: [one, two]", &[prompt("two one")], &[prompt("one")]);
    check("prompt|contains|cased: One", &[prompt("xOne")], &[prompt("xone")]);
    check("prompt|startswith: ab", &[prompt("ABc")], &[prompt("cab")]);
    check("prompt|endswith: 'b?'", &[prompt("abX")], &[prompt("ab")]);
    check("prompt|contains: ÜBER", &[prompt("ist über allem"), prompt("ÜBER")], &[prompt("uber")]);
    check("prompt|re: '^a.c$'", &[prompt("abc")], &[prompt("ABC"), prompt("abcd")]);
    check("prompt|re|i|s: 'a.c'", &[prompt("A\nC")], &[prompt("ac")]);
    check("prompt|re|m: '^b$'", &[prompt("a\nb\nc")], &[prompt("abc")]);
    check("prompt|base64offset|contains: secret", &[prompt("eHNlY3JldHk=")], &[prompt("secret")]);
    check("prompt|base64: foob", &[prompt("Zm9vYg==")], &[prompt("foob")]);
    check(
        "prompt|windash|contains: ' -enc'",
        &[prompt("x /enc"), prompt("x –ENC"), prompt("x -enc")],
        &[prompt("x enc")],
    );
    check("prompt|expand: '%admins%'", &[prompt("ROOT"), prompt("admIn")], &[prompt("user")]);
    check("prompt|neq: x", &[prompt("y"), json!({})], &[prompt("X")]);
    check("prompt: null", &[json!({}), json!({"prompt": null})], &[prompt("")]);
    check("prompt: ''", &[prompt("")], &[json!({}), prompt("x")]);
    check("prompt|exists: true", &[prompt("")], &[json!({})]);
    check("prompt|exists: false", &[json!({})], &[prompt("x")]);
    check("prompt: '*'", &[prompt("")], &[json!({})]);
    check(
        "client_ip|cidr: [10.0.0.0/8, 'fd00::/8']",
        &[json!({"client_ip": "10.9.9.9"}), json!({"client_ip": "fd12::1"})],
        &[json!({"client_ip": "11.0.0.1"}), json!({"client_ip": "x"}), json!({})],
    );
}

#[test]
fn modifiers_of_numbers_times_and_other_fields_mean_what_sigma_says() {
    check(
        "user|fieldref: session",
        &[json!({"user": "A", "session": "a"})],
        &[json!({"user": "a", "session": "b"}), json!({"user": "a"})],
    );
    check(
        "output|fieldref|contains: prompt",
        &[json!({"prompt": "abc", "output": "xABCx"})],
        &[json!({"prompt": "abc", "output": "ab"})],
    );
    check("input_tokens|gte: 10", &[json!({"input_tokens": 10})], &[json!({"input_tokens": 9}), json!({})]);
    check("latency_ms|lt: 2.5", &[json!({"latency_ms": 2.4})], &[json!({"latency_ms": 2.5})]);
    check(
        "http_status: [401, '403']",
        &[json!({"http_status": 401}), json!({"http_status": 403})],
        &[json!({"http_status": 40})],
    );
    check("http_status|startswith: 5", &[json!({"http_status": 503})], &[json!({"http_status": 405})]);
    check(
        "feature_age|gt: 40",
        &[json!({"features": {"age": 41.5}}), json!({"features": {"age": "42"}})],
        &[json!({"features": {"age": 40}}), json!({"features": {"age": "old"}})],
    );
    check(
        "features.flag: true",
        &[json!({"features": {"flag": true}}), json!({"features": {"flag": "True"}})],
        &[json!({"features": {"flag": false}})],
    );
    check(
        "attribute_store: S1",
        &[json!({"attributes": {"store": "s1"}}), json!({"store": "S1"})],
        &[json!({"attributes": {"store": "s2"}})],
    );
    check("gen_ai.usage.output_tokens|gt: 5", &[json!({"output_tokens": 6})], &[json!({"output_tokens": 5})]);
    check("model: M1", &[json!({"model": "m1"})], &[json!({"model": "m2"})]);
    check("time|hour: 22", &[json!({})], &[json!({"time": "2026-11-02T21:59:59Z"})]);
    check("time|minute|gte: 41", &[json!({})], &[json!({"time": "2026-11-02T22:40:59Z"})]);
    check("time|gt: '2026-11-02T22:40:59Z'", &[json!({})], &[json!({"time": "2026-11-02T22:40:59Z"})]);
}

#[test]
fn conditions_and_keywords_mean_what_sigma_says() {
    let texts = [
        "a1: {user: x}\na2: {channel: y}\n_b: {tenant: z}\ncondition: all of a*",
        "a1: {user: x}\na2: {channel: y}\n_b: {tenant: z}\ncondition: 1 of them",
        "a1: {user: x}\na2: {channel: y}\nb: {tenant: z}\ncondition: 2 of them",
        "a: {user: x}\nb: {channel: y}\ncondition: a and not b",
        "words: [Alpha, 'be*a']\ncondition: words",
        "'|all'",
        "either:\n- user: x\n  channel: y\n- tenant: z\ncondition: either",
    ];
    let mut texts: Vec<String> = texts.iter().map(|text| rule(text)).collect();
    texts[5] = rule("words:\n  '|all': [alpha, beta]\ncondition: words");
    let rows = [
        json!({"user": "x", "channel": "y", "tenant": "z"}),
        json!({"user": "x"}),
        json!({"tenant": "z", "channel": "q"}),
        json!({"prompt": "the alpha", "output": "say beta"}),
        json!({"output": "xBETAx"}),
    ];
    let rows: Vec<Row> = rows.into_iter().map(row).collect();
    let expected: [&[usize]; 7] = [&[0], &[0, 1], &[0], &[1], &[3, 4], &[3], &[0, 2]];
    assert_eq!(matched(&compiled(&texts), &rows), expected);
}

#[test]
fn what_is_not_supported_says_what_where_and_what_to_do() {
    let said = |text: &str| {
        let source = RuleSource { file: "r.yml".to_owned(), text: text.to_owned() };
        let (_, errors) = RuleSet::compile(&[source], &Placeholders::new());
        errors.first().map(ToString::to_string).unwrap_or_default()
    };
    let item = |item: &str| said(&rule(&format!("s:\n  {item}\ncondition: s")));
    insta::assert_snapshot!(item("promt: x"), @r#"`r.yml`, rule `test`, at `detection.s.promt`: inference records have no field `promt`: write `attribute_promt` or `feature_promt` for what a model sends beside the fixed columns"#);
    insta::assert_snapshot!(item("scores: x"), @r#"`r.yml`, rule `test`, at `detection.s.scores`: rules cannot look into `scores`, which is a list or a map: use `decision`, `score` or an attribute"#);
    insta::assert_snapshot!(item("prompt|re: 'a(?=b)'"), @r#"`r.yml`, rule `test`, at `detection.s.prompt`: the regular expression is refused (error: look-around, including look-ahead and look-behind, is not supported): look-around and back-references are not supported, write it without them or as several selections"#);
    insta::assert_snapshot!(item("prompt|contains|endswith: x"), @r#"`r.yml`, rule `test`, at `detection.s.prompt`: the modifiers `contains|endswith` do not go together: split them into two fields of the selection"#);
    insta::assert_snapshot!(item("prompt|expand: '%who%'"), @r#"`r.yml`, rule `test`, at `detection.s.prompt`: the placeholder `%who%` has no values: set `rules.placeholders.who`"#);
    insta::assert_snapshot!(item("latency_ms: slow"), @r#"`r.yml`, rule `test`, at `detection.s.latency_ms`: `slow` is no number: write a number, or a time for a time"#);
    insta::assert_snapshot!(item("client_ip|cidr: 10.0.0.0"), @r#"`r.yml`, rule `test`, at `detection.s.client_ip`: `10.0.0.0` is no network: write an address and a prefix such as 10.0.0.0/8"#);
    insta::assert_snapshot!(item("prompt|sounds: x"), @r#"`r.yml`: the modifier `sounds` is not supported: use contains, startswith, endswith, all, cased, re (i, m, s), cidr, exists, fieldref, gt, gte, lt, lte, neq, expand, windash, wide, utf16, base64, base64offset or a part of a time"#);
    insta::assert_snapshot!(said(&rule("s: {user: x}\ncondition: t")), @r#"`r.yml`, rule `test`, at `detection.condition`: there is no selection `t`: the condition may name those of `detection` only"#);
    insta::assert_snapshot!(said("title: t\nlogsource: {product: windows, category: process_creation}\ndetection: {s: {Image: x}, condition: s}"), @r#"`r.yml`, rule `t`, at `logsource`: the log source `product=windows category=process_creation` is not taken in: write `product: wardline` and a `category` of inference, outcome, training_row, deployment, metric or log"#);
    insta::assert_snapshot!(said("title: c\ncorrelation: {type: event_count, rules: [none], group-by: [user], timespan: 1h, condition: {gte: 2}}"), @r#"`r.yml`, rule `c`, at `correlation.rules`: there is no rule `none` by id, name or file: put it into the same file or folder"#);
    insta::assert_snapshot!(said(": : :"), @r#"`r.yml`: this is no Sigma rule: YAML parse error: did not find expected key, while parsing a block mapping"#);
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        "[aAbBäÄ*?1-3 ]{0,5}".prop_map(Value::from),
        prop_oneof![Just("10.1.2.3"), Just("11.1.2.3"), Just("12"), Just("2.5")].prop_map(Value::from),
    ]
}

fn event() -> impl Strategy<Value = Row> {
    (value(), value(), value(), proptest::option::of(0..5_i64), proptest::option::of(-2.0..3.0_f64)).prop_map(
        |(prompt, user, output, tokens, score)| {
            let mut fields = Map::new();
            for (name, value) in [("prompt", prompt), ("user", user), ("output", output)] {
                fields.insert(name.to_owned(), value);
            }
            fields.insert("input_tokens".to_owned(), tokens.into());
            fields.insert("score".to_owned(), score.map(|score| (score * 2.0).round() / 2.0).into());
            row(Value::Object(fields))
        },
    )
}

fn item() -> impl Strategy<Value = String> {
    let text = "[abBÄ1*?]{1,3}";
    let texts = proptest::collection::vec(text, 1..3)
        .prop_map(|texts| texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", "));
    let modifier = prop_oneof![
        Just(""),
        Just("|contains"),
        Just("|startswith"),
        Just("|endswith"),
        Just("|contains|all"),
        Just("|cased"),
        Just("|contains|cased"),
        Just("|neq")
    ];
    let field = prop_oneof![Just("prompt"), Just("user"), Just("output")];
    prop_oneof![
        4 => (field, modifier, texts).prop_map(|(field, modifier, texts)| format!("{field}{modifier}: [{texts}]")),
        1 => (prop_oneof![Just("prompt"), Just("user")], prop_oneof![Just("[ab]+$"), Just("^a"), Just("b.")], any::<bool>())
            .prop_map(|(field, pattern, flag)| format!("{field}|re{}: '{pattern}'", if flag { "|i" } else { "" })),
        1 => prop_oneof![Just("prompt: null"), Just("user|exists: true"), Just("input_tokens: null"), Just("user|exists: false")]
            .prop_map(str::to_owned),
        1 => (prop_oneof![Just("gt"), Just("gte"), Just("lt"), Just("lte")], 0..4_i32, prop_oneof![Just("input_tokens"), Just("score"), Just("user")])
            .prop_map(|(compare, limit, field)| format!("{field}|{compare}: {limit}")),
        1 => (0..4_i32, prop_oneof![Just("input_tokens"), Just("score")]).prop_map(|(number, field)| format!("{field}: {number}")),
        1 => Just("user|cidr: 10.0.0.0/8".to_owned()),
        1 => Just("input_tokens|startswith: 1".to_owned()),
    ]
}

fn condition() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("s0 and s1 and s2"),
        Just("s0 or s1 and not s2"),
        Just("not (s0 or s1) and s2"),
        Just("1 of s*"),
        Just("all of them"),
        Just("not 1 of them"),
        Just("2 of s*"),
        Just("s0 and not all of s*")
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Columns with shared tests, automata and dictionaries say what the plain reading of each rule says.
    #[test]
    fn columns_agree_with_rows(
        rules in proptest::collection::vec((proptest::collection::vec(item(), 3..4), condition()), 1..12),
        rows in proptest::collection::vec(event(), 1..90),
    ) {
        let texts: Vec<String> = rules
            .iter()
            .map(|(items, condition)| {
                let selections: String = items.iter().enumerate().map(|(place, item)| format!("s{place}:\n  {item}\n")).collect();
                rule(&format!("{selections}condition: {condition}"))
            })
            .collect();
        let found = matched(&compiled(&texts), &rows);
        for (text, found) in texts.iter().zip(found) {
            let parsed = rsigma_parser::parse_sigma_yaml(text).unwrap();
            let expected: Vec<usize> =
                (0..rows.len()).filter(|&row| reference::matches(&parsed.rules[0], &rows[row])).collect();
            prop_assert_eq!(found, expected, "{}", text);
        }
    }
}
