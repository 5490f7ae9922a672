use arrow::array::{Array, AsArray};
use arrow::datatypes::Float32Type;
use wardline_domain::{EventBatch, schema};

use super::*;
use crate::FeatureType;

pub(super) const TIME: &str = r#""time":"2026-11-02T06:36:05.995Z""#;
const MICROS: i64 = 1_793_601_365_995_000;

pub(super) fn arrival() -> Arrival<'static> {
    Arrival { received: Timestamp::from_micros(MICROS + 1_000), sender: "tests", source: "tests.ndjson", offset: 0 }
}

pub(super) fn decode(text: &str) -> Decoded {
    Decoder::new(Arc::default()).decode(text.as_bytes(), &arrival())
}

/// An inference of model `m` with more members.
pub(super) fn inference(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!("{{{TIME},\"model\":\"m\",\"version\":\"1\"{comma}{more}}}")
}

/// The only batch of lines that are all good.
pub(super) fn good(text: &str) -> EventBatch {
    let mut decoded = decode(text);
    assert_eq!(decoded.dead_letters, [], "{text}");
    assert_eq!(decoded.batches.len(), 1);
    assert_eq!(decoded.records, decoded.events());
    decoded.batches.remove(0)
}

/// Why a line is refused; it must not disturb its good neighbours, nor leave anything behind.
fn refused(line: &str) -> DeadLetterReason {
    let neighbour = inference(r#""features":{"age":1,"job":"x"},"embedding":[1,2],"id":"a""#);
    let text = format!("{neighbour}\n{line}\n{neighbour}\n");
    let registry = Arc::new(SchemaRegistry::new());
    let mut decoded = Decoder::new(Arc::clone(&registry)).decode(text.as_bytes(), &arrival());
    assert_eq!((decoded.records, decoded.dead_letters.len()), (3, 1), "{line}");
    let alone = good(&format!("{neighbour}\n{neighbour}\n"));
    assert_eq!(decoded.batches.len(), 1);
    assert_eq!(decoded.batches[0].records, alone.records, "{line}");
    assert_eq!(registry.model("m").unwrap().features.len(), 2);
    assert_eq!(registry.snapshot().len(), 1);
    let letter = decoded.dead_letters.remove(0);
    assert_eq!((letter.offset, letter.source.as_str()), (neighbour.len() as u64 + 1, "tests.ndjson"));
    assert_eq!(letter.record, line);
    letter.reason
}

pub(super) fn text_at<'a>(batch: &'a EventBatch, column: &str, row: usize) -> Option<&'a str> {
    batch.text(column).unwrap_or_else(|| panic!("no text column {column}")).get(row)
}

/// An inference with every field and a few of its model's own.
fn full() -> EventBatch {
    good(&inference(
        r#""kind":"inference","id":"p1","role":"canary","service":"s","environment":"prod","instance":"s-0","status":"error",
        "http_status":503,"error":"timeout","latency_ms":12.5,"queue_ms":1,"ttft_ms":"3.5","batch_size":4,"input_tokens":"12",
        "output_tokens":7.0,"features":{"age":41,"owner":true,"job":"clerk","gone":null},"embedding":[0.5,1,-2],"prompt":"in",
        "output":"out","score":0.25,"items":["b","a"],"scores":{"yes":0.25,"no":0.75},"decision":"yes","prediction":8,"user":"u",
        "session":"se","api_key":"k","client_ip":"10.0.0.1","tenant":"t","channel":"web","groups":{"sex":"f"},
        "attributes":{"store":"S1","floor":3,"open":false,"deep":{"a":[1]}},"trace_id":"ab","span_id":"cd","extra":"e""#
            .replace('\n', " ")
            .as_str(),
    ))
}

#[test]
fn every_field_of_an_inference_has_its_column() {
    let batch = full();
    assert_eq!((batch.kind, batch.model.as_deref()), (RecordKind::Inference, Some("m")));
    let base = schema::base(RecordKind::Inference);
    let names: Vec<&str> = batch.records.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    let own = [
        "feature_age",
        "feature_job",
        "feature_owner",
        "attribute_extra",
        "attribute_floor",
        "attribute_open",
        "attribute_store",
        "group_sex",
    ];
    assert_eq!(&names[base.fields().len()..], own);
    for (field, wanted) in batch.records.schema_ref().fields().iter().zip(base.fields()) {
        assert_eq!(field, wanted);
        assert_eq!(batch.column(field.name()).unwrap().null_count(), 0, "{}", field.name());
    }
    for (column, wanted) in [
        ("id", "p1"),
        ("model", "m"),
        ("version", "1"),
        ("role", "canary"),
        ("service", "s"),
        ("environment", "prod"),
        ("instance", "s-0"),
        ("status", "error"),
        ("error", "timeout"),
        ("prompt", "in"),
        ("output", "out"),
        ("decision", "yes"),
        ("user", "u"),
        ("session", "se"),
        ("api_key", "k"),
        ("client_ip", "10.0.0.1"),
        ("tenant", "t"),
        ("channel", "web"),
        ("trace_id", "ab"),
        ("span_id", "cd"),
        ("sender", "tests"),
        ("feature_job", "clerk"),
        ("attribute_store", "S1"),
        ("attribute_floor", "3"),
        ("attribute_open", "false"),
        ("attribute_extra", "e"),
        ("group_sex", "f"),
        ("attributes", r#"{"deep":{"a":[1]}}"#),
    ] {
        assert_eq!(text_at(&batch, column, 0), Some(wanted), "{column}");
    }
}

#[test]
fn numbers_lists_and_maps_have_their_types() {
    let batch = full();
    for (column, wanted) in [
        ("latency_ms", 12.5),
        ("queue_ms", 1.0),
        ("ttft_ms", 3.5),
        ("score", 0.25),
        ("prediction", 8.0),
        ("feature_age", 41.0),
    ] {
        assert_eq!(batch.number(column).unwrap().value(0), wanted, "{column}");
    }
    for (column, wanted) in [("batch_size", 4), ("input_tokens", 12), ("output_tokens", 7)] {
        assert_eq!(batch.integer(column).unwrap().value(0), wanted, "{column}");
    }
    assert_eq!(batch.column("http_status").unwrap().as_primitive::<arrow::datatypes::Int32Type>().value(0), 503);
    assert!(batch.boolean("feature_owner").unwrap().value(0));
    assert_eq!(batch.times().unwrap().value(0), MICROS);
    let embedding = batch.column("embedding").unwrap().as_list::<i32>().value(0);
    assert_eq!(embedding.as_primitive::<Float32Type>().values(), &[0.5, 1.0, -2.0]);
    let items = batch.column("items").unwrap().as_list::<i32>().value(0);
    assert_eq!(items.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(batch.column("scores").unwrap().as_map().value(0).len(), 2);
}

#[test]
fn batches_are_by_kind_and_model_in_the_order_of_arrival() {
    let lines = [
        inference(""),
        inference("").replace("\"m\"", "\"n\""),
        format!(
            r#"{{"kind":"outcome",{TIME},"id":"p","label":"yes","value":1,"feedback":-1,"source":"s","store":"S1"}}"#
        ),
        format!(
            r#"{{"kind":"training_row",{TIME},"model":"m","row_id":7,"features":{{"age":1}},"embedding":[1],"label":3,"store":"S1"}}"#
        ),
        format!(
            r#"{{"kind":"deployment",{TIME},"model":"m","version":"2","action":"promote","weight":50,"by":"ci","committed_at":1793601365}}"#
        ),
        format!(
            r#"{{"kind":"metric",{TIME},"service":"s","name":"cpu","value":"7.5","attributes":{{"zone":"a"}},"features":{{"x":1}}}}"#
        ),
        format!(r#"{{"kind":"log",{TIME},"service":"s","severity":"warn","body":"hello","line":4}}"#),
        inference(""),
    ];
    let decoded = decode(&lines.join("\n"));
    assert_eq!(decoded.dead_letters, []);
    let seen: Vec<(RecordKind, Option<&str>, usize)> =
        decoded.batches.iter().map(|batch| (batch.kind, batch.model.as_deref(), batch.len())).collect();
    use RecordKind::*;
    assert_eq!(
        seen,
        [
            (Inference, Some("m"), 2),
            (Inference, Some("n"), 1),
            (Outcome, None, 1),
            (TrainingRow, Some("m"), 1),
            (Deployment, None, 1),
            (Metric, None, 1),
            (Log, None, 1),
        ]
    );
    let of = |kind| decoded.batches.iter().find(|batch| batch.kind == kind).unwrap();
    assert_eq!(text_at(of(Outcome), "attributes", 0), Some(r#"{"store":"S1"}"#));
    assert_eq!(text_at(of(TrainingRow), "row_id", 0), Some("7"));
    assert_eq!(text_at(of(TrainingRow), "label", 0), Some("3"));
    assert_eq!(text_at(of(TrainingRow), "attribute_store", 0), Some("S1"));
    assert_eq!(text_at(of(Deployment), "model", 0), Some("m"));
    assert_eq!(of(Metric).number("value").unwrap().value(0), 7.5);
    assert_eq!(text_at(of(Metric), "attributes", 0), Some(r#"{"zone":"a","features":{"x":1}}"#));
    assert_eq!(text_at(of(Log), "attributes", 0), Some(r#"{"line":4}"#));
    assert_eq!(of(Outcome).records.schema().as_ref(), schema::base(Outcome).as_ref());
}

#[test]
fn a_time_is_read_in_every_form() {
    for time in [
        r#""2026-11-02T06:36:05.995Z""#,
        r#""2026-11-02T08:36:05.995+02:00""#,
        "1793601365.995",
        "1793601365995",
        "1793601365995000",
        "1793601365995000000",
        r#""1793601365.995""#,
    ] {
        let batch = good(&format!(r#"{{"time":{time},"model":"m","version":"1"}}"#));
        assert_eq!(batch.times().unwrap().value(0), MICROS, "{time}");
    }
    for time in ["\"yesterday\"", "12", "1e300", "\"\u{e9}\""] {
        let line = format!(r#"{{"time":{time},"model":"m","version":"1"}}"#);
        assert!(matches!(refused(&line), DeadLetterReason::BadTime { field, .. } if field == "time"), "{time}");
    }
    let line = format!(r#"{{"kind":"deployment",{TIME},"model":"m","committed_at":"soon"}}"#);
    assert!(matches!(refused(&line), DeadLetterReason::BadTime { field, .. } if field == "committed_at"));
}

#[test]
fn what_is_required_must_be_there() {
    for (line, missing) in [
        (r#"{"model":"m","version":"1"}"#.to_owned(), "time"),
        (r#"{"time":null,"model":"m","version":"1"}"#.to_owned(), "time"),
        (format!(r#"{{{TIME},"version":"1"}}"#), "model"),
        (format!(r#"{{{TIME},"model":"","version":"1"}}"#), "model"),
        (format!(r#"{{{TIME},"model":"m"}}"#), "version"),
        (format!(r#"{{"kind":"outcome",{TIME},"label":"x"}}"#), "id"),
        (format!(r#"{{"kind":"training_row",{TIME}}}"#), "model"),
        (format!(r#"{{"kind":"deployment",{TIME}}}"#), "model"),
        (format!(r#"{{"kind":"metric",{TIME},"name":"n","value":1}}"#), "service"),
        (format!(r#"{{"kind":"metric",{TIME},"service":"s","value":1}}"#), "name"),
        (format!(r#"{{"kind":"metric",{TIME},"service":"s","name":"n"}}"#), "value"),
        (format!(r#"{{"kind":"log",{TIME},"service":"s"}}"#), "body"),
    ] {
        assert_eq!(refused(&line), DeadLetterReason::Missing { field: missing.to_owned() }, "{line}");
    }
}

#[test]
fn a_value_of_another_type_is_refused_with_what_was_found() {
    for (more, field) in [
        (r#""latency_ms":"fast""#, "latency_ms"),
        (r#""latency_ms":"NaN""#, "latency_ms"),
        (r#""latency_ms":true"#, "latency_ms"),
        (r#""input_tokens":1.5"#, "input_tokens"),
        (r#""http_status":99999999999"#, "http_status"),
        (r#""service":5"#, "service"),
        (r#""user":{"a":1}"#, "user"),
        (r#""status":"fine""#, "status"),
        (r#""features":[1]"#, "features"),
        (r#""features":{"age":[1]}"#, "features.age"),
        (r#""features":{"other":{"a":1}}"#, "features.other"),
        (r#""features":{"":1}"#, "features"),
        (r#""attributes":"x""#, "attributes"),
        (r#""attributes":{"":1}"#, "attributes"),
        (r#""":1"#, "attributes"),
        (r#""groups":{"sex":{"a":1}}"#, "groups.sex"),
        (r#""scores":[1]"#, "scores"),
        (r#""scores":{"a":"x"}"#, "scores"),
        (r#""items":"a""#, "items"),
        (r#""items":[null]"#, "items[]"),
        (r#""embedding":[1,2,3]"#, "embedding"),
        (r#""embedding":[1,"x"]"#, "embedding[]"),
        (r#""embedding":"x""#, "embedding"),
    ] {
        let reason = refused(&inference(more));
        assert!(
            matches!(&reason, DeadLetterReason::WrongType { field: found, .. } if found == field),
            "{more}: {reason:?}"
        );
    }
    insta::assert_snapshot!(refused(&inference(r#""latency_ms":"fast""#)), @"`latency_ms` is the text `fast`, and must be a number");
    insta::assert_snapshot!(
        refused(&inference(r#""embedding":[1,2,3]"#)),
        @"`embedding` is a list of 3 numbers, and must be a list of 2 numbers, as the model has had so far"
    );
}

#[test]
fn numbers_stand_for_names_that_people_number() {
    let batch = good(&inference(r#""user":12,"decision":8,"id":7,"session":1.50,"items":[3,true]"#));
    for (column, wanted) in [("user", "12"), ("decision", "8"), ("id", "7"), ("session", "1.50")] {
        assert_eq!(text_at(&batch, column, 0), Some(wanted));
    }
}

#[test]
fn the_status_follows_from_what_is_known() {
    for (more, status) in [
        ("", "ok"),
        (r#""http_status":499"#, "ok"),
        (r#""http_status":500"#, "error"),
        (r#""http_status":"503""#, "error"),
        (r#""error":"timeout""#, "error"),
        (r#""error":"""#, "ok"),
        (r#""error":null"#, "ok"),
        (r#""error":false"#, "ok"),
        (r#""error":"timeout","status":"ok""#, "ok"),
        (r#""http_status":500,"status":null"#, "error"),
    ] {
        assert_eq!(text_at(&good(&inference(more)), "status", 0), Some(status), "{more}");
    }
}

#[test]
fn the_decision_is_the_first_of_the_slate_unless_it_is_written() {
    assert_eq!(text_at(&good(&inference(r#""items":["a","b"]"#)), "decision", 0), Some("a"));
    assert_eq!(text_at(&good(&inference(r#""decision":"b","items":["a","b"]"#)), "decision", 0), Some("b"));
    assert_eq!(text_at(&good(&inference(r#""items":[]"#)), "decision", 0), None);
}

#[test]
fn ids_are_made_for_predictions_only_and_never_twice() {
    let lines =
        [inference(""), inference("\"id\":null"), inference("\"id\":\"\""), inference("\"id\":\"own\"")].join("\n");
    let batch = good(&lines);
    let ids: Vec<&str> = (0..4).filter_map(|row| text_at(&batch, "id", row)).collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(ids[3], "own");
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    assert_eq!(ids[0].parse::<Ulid>().unwrap().timestamp_ms(), MICROS as u64 / 1_000);
    let again = |seed| {
        let decoded = Decoder::new(Arc::default()).with_id_seed(seed).decode(lines.as_bytes(), &arrival());
        text_at(&decoded.batches[0], "id", 0).unwrap().to_owned()
    };
    assert_eq!(again(1), again(1));
    assert_ne!(again(1), again(2));
}

#[test]
fn a_feature_keeps_its_type_across_calls_and_decoders() {
    let registry = Arc::new(SchemaRegistry::new());
    let mut first = Decoder::new(Arc::clone(&registry));
    let mut second = Decoder::new(Arc::clone(&registry));
    let line = |feature: &str| inference(&format!(r#""features":{{"age":{feature}}}"#));
    assert_eq!(first.decode(line("1").as_bytes(), &arrival()).events(), 1);
    for decoder in [&mut first, &mut second] {
        let decoded = decoder.decode(line("\"old\"").as_bytes(), &arrival());
        assert_eq!((decoded.events(), decoded.records), (0, 1));
        insta::allow_duplicates! {
            insta::assert_snapshot!(
                decoded.dead_letters[0].reason,
                @"feature `age` of model `m` is the text `old`; it has been a number so far: send it as that, or under another name"
            );
        }
    }
    assert_eq!(second.decode(line("null").as_bytes(), &arrival()).events(), 1);
    registry.reset("m");
    for decoder in [&mut first, &mut second] {
        assert_eq!(decoder.decode(line("\"old\"").as_bytes(), &arrival()).events(), 1);
    }
    assert_eq!(registry.feature("m", "age"), Some(FeatureType::Text));
    assert_eq!(first.decode(line("true").as_bytes(), &arrival()).events(), 0);
}

#[test]
fn a_null_feature_waits_for_its_type() {
    let lines = [r#""features":{"a":null,"b":1}"#, r#""features":{"a":"x","b":null}"#, r#""features":{}"#];
    let batch = good(&lines.map(inference).join("\n"));
    assert_eq!(batch.column("feature_a").unwrap().data_type(), &schema::repeated_text());
    assert_eq!([0, 1, 2].map(|row| text_at(&batch, "feature_a", row)), [None, Some("x"), None]);
    assert_eq!(batch.column("feature_b").unwrap().null_count(), 2);
    assert!(good(&inference(r#""features":{"a":null}"#)).column("feature_a").is_none());
}

#[test]
fn a_model_has_no_more_features_than_columns() {
    let features = |count: usize| {
        let members: Vec<String> = (0..count).map(|number| format!("\"f{number}\":1")).collect();
        inference(&format!("\"features\":{{{}}}", members.join(",")))
    };
    assert_eq!(decode(&features(schema::MAX_FEATURE_COLUMNS)).events(), 1);
    let decoded = decode(&features(schema::MAX_FEATURE_COLUMNS + 1));
    assert_eq!(decoded.dead_letters[0].reason_name(), "too_many_features");
}

#[test]
fn attributes_beyond_the_limit_stay_as_json() {
    let members: Vec<String> = (0..70).map(|number| format!("\"a{number:02}\":{number}")).collect();
    let line = inference(&format!("\"attributes\":{{{}}}", members.join(",")));
    let batch = good(&format!("{line}\n{line}"));
    assert_eq!(batch.prefixed("attribute_").count(), schema::MAX_ATTRIBUTE_COLUMNS);
    assert_eq!(text_at(&batch, "attributes", 1), Some(r#"{"a64":64,"a65":65,"a66":66,"a67":67,"a68":68,"a69":69}"#));
}

#[test]
fn the_last_of_two_members_of_one_name_counts() {
    let batch = good(&inference(
        r#""user":"a","user":"b","features":{"x":1,"x":2,"y":3,"y":null},"latency_ms":1,"latency_ms":2,"deep":[1],"deep":[2],
        "scores":{"a":1,"a":2},"attributes":{"s":"1","\u0073":"2"}"#.replace('\n', " ").as_str(),
    ));
    assert_eq!(text_at(&batch, "user", 0), Some("b"));
    assert_eq!(batch.text("user").unwrap().dictionary().unwrap().len(), 1);
    assert_eq!(batch.number("feature_x").unwrap().value(0), 2.0);
    assert!(batch.column("feature_y").is_none());
    assert_eq!(batch.number("latency_ms").unwrap().value(0), 2.0);
    assert_eq!(text_at(&batch, "attributes", 0), Some(r#"{"deep":[2]}"#));
    assert_eq!(text_at(&batch, "attribute_s", 0), Some("2"));
    assert_eq!(batch.column("scores").unwrap().as_map().value(0).len(), 1);
}

#[test]
fn what_is_no_json_object_is_refused_and_says_where() {
    for line in ["[1]", "7", "{", "hello", "{\"a\":1}{\"b\":2}", "{\"time\":NaN}"] {
        assert!(matches!(refused(line), DeadLetterReason::NotJson { .. }), "{line}");
    }
    insta::assert_snapshot!(
        refused(&inference("\"score\":NaN")),
        @"not a JSON object: NaN and Infinity are not JSON (byte 69): leave the field out, or write null"
    );
    assert!(
        matches!(refused(r#"{"kind":"trace","model":"m"}"#), DeadLetterReason::UnknownKind { kind } if kind == "trace")
    );
    assert!(matches!(refused(r#"{"kind":1}"#), DeadLetterReason::WrongType { field, .. } if field == "kind"));
}

#[test]
fn bytes_that_are_no_text_cost_only_their_line() {
    let mut bytes = format!("{}\n", inference("")).into_bytes();
    let start = bytes.len() as u64;
    bytes.extend_from_slice(b"{\"model\":\"\xff\"}\n");
    bytes.extend_from_slice(inference("").as_bytes());
    let decoded = Decoder::new(Arc::default()).decode(&bytes, &Arrival { offset: 100, ..arrival() });
    assert_eq!((decoded.events(), decoded.records), (2, 3));
    assert_eq!(decoded.dead_letters[0].reason, DeadLetterReason::NotUtf8 { at: 10 });
    assert_eq!(decoded.dead_letters[0].offset, 100 + start);
}

#[test]
fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
    let limits = Limits { max_line_bytes: 200 };
    let of_length = |length: usize| {
        let line = inference("\"prompt\":\"\"");
        inference(&format!("\"prompt\":\"{}\"", "x".repeat(length - line.len())))
    };
    for (length, refused) in [(200, 0), (201, 1)] {
        let decoded = Decoder::with_limits(Arc::default(), limits).decode(of_length(length).as_bytes(), &arrival());
        assert_eq!(decoded.dead_letters.len(), refused, "{length}");
    }
    let decoded = Decoder::with_limits(Arc::default(), limits).decode(of_length(300).as_bytes(), &arrival());
    assert_eq!(decoded.dead_letters[0].reason, DeadLetterReason::TooLong { bytes: 300, most: 200 });
}

#[test]
fn empty_lines_are_no_records() {
    let decoded = decode(&format!("\n\r\n  \n{}\r\n\n", inference("")));
    assert_eq!((decoded.records, decoded.events()), (1, 1));
    assert_eq!(decode("").records, 0);
}

#[test]
fn two_threads_agree_on_a_type() {
    let registry = Arc::new(SchemaRegistry::new());
    let events: Vec<u64> = std::thread::scope(|scope| {
        let run = |value: &'static str| {
            let registry = Arc::clone(&registry);
            scope.spawn(move || {
                let lines: Vec<String> =
                    (0..500).map(|number| inference(&format!(r#""features":{{"f{number}":{value}}}"#))).collect();
                Decoder::new(registry).decode(lines.join("\n").as_bytes(), &arrival()).events()
            })
        };
        [run("1"), run("\"x\"")].map(|thread| thread.join().unwrap()).to_vec()
    });
    assert_eq!(events.iter().sum::<u64>(), 500);
    assert_eq!(registry.model("m").unwrap().features.len(), 500);
}
