use proptest::prelude::*;

use super::*;

fn problem(text: &str) -> String {
    Tape::default().read(text).map(|_| String::new()).unwrap_or_else(|error| error.to_string())
}

fn json_of(line: Line<'_>, value: Value) -> serde_json::Value {
    match value.shape {
        Shape::Null => serde_json::Value::Null,
        Shape::Boolean(value) => value.into(),
        Shape::Integer(value) => value.into(),
        Shape::Number(value) => value.into(),
        Shape::Text | Shape::Escaped(..) => line.text(value).unwrap().into(),
        Shape::Object(first, count) => line
            .members(first, count)
            .iter()
            .map(|member| (line.key(member).to_owned(), json_of(line, member.value)))
            .collect(),
        Shape::List(first, count) => line.elements(first, count).iter().map(|value| json_of(line, *value)).collect(),
        Shape::Deep => serde_json::from_str(line.raw(value)).unwrap(),
    }
}

fn same(ours: &serde_json::Value, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (ours, theirs) {
        (Json::Number(ours), Json::Number(theirs)) => {
            // The other parser rounds doubles by up to a unit in the last place; ours are compared exactly below.
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            (ours - theirs).abs() <= theirs.abs() * 1e-15
        }
        (Json::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Json::Object(ours), Json::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(key, ours)| theirs.get(key).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => ours == theirs,
    }
}

/// Goal: we take what an established parser takes, with the same values, and refuse what it refuses.
fn check_against_serde(text: &str) {
    let theirs: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(text);
    let mut tape = Tape::default();
    match (tape.read(text), theirs) {
        (Ok(line), Ok(theirs)) => {
            let ours: serde_json::Value =
                line.top().iter().map(|member| (line.key(member).to_owned(), json_of(line, member.value))).collect();
            assert!(same(&ours, &theirs.into()), "{text}");
        }
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("{text}: {ours:?} but {theirs:?}"),
    }
}

#[test]
fn every_shape_is_read_as_an_established_parser_reads_it() {
    for text in [
        r#"{}"#,
        r#" { "a" : 1 , "b" : -2.5e-3 } "#,
        r#"{"a":null,"b":true,"c":false,"d":"x","e":[],"f":{},"g":[1,"2",null,[3,{"a":[]}]],"h":{"i":{"j":[1]},"k":"l"}}"#,
        r#"{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","b\u0063":1,"a":2}"#,
        r#"{"a":123456789012345678,"b":1234567890123456789,"c":12345678901234567890,"d":-0,"e":0.1,"f":-0.0,"g":1e22,"h":1E-22}"#,
        r#"{"a":9007199254740993.0,"b":0.30000000000000004,"c":1.7976931348623157e308,"d":5e-324,"e":1e-400}"#,
        "{\"a\":\"é😀 plain text longer than eight bytes\"}",
    ] {
        check_against_serde(text);
        assert_eq!(problem(text), "", "{text}");
    }
}

#[test]
fn what_breaks_the_grammar_is_refused() {
    for text in [
        "",
        " ",
        "1",
        "[1]",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1}}",
        "{\"a\":1} x",
        "{a:1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":tru}",
        "{\"a\":truex}",
        "{\"a\":\"x}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":[1,]}",
        "{\"a\":[1}",
        "{\"a\":{\"b\":[}}",
        "{\"a\":{\"b\":{\"c\":1,}}}",
        "{\"a\":1e999}",
        "{'a':1}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":{\"b\":[[1]}}",
    ] {
        assert_ne!(problem(text), "", "{text}");
        check_against_serde(text);
    }
}

#[test]
fn numbers_that_are_none_are_named() {
    for text in ["NaN", "Infinity", "-Infinity", "[NaN]", "nan", "{\"b\":[-Infinity]}"] {
        assert!(problem(&format!("{{\"a\":{text}}}")).contains("NaN and Infinity are not JSON"), "{text}");
    }
}

#[test]
fn depth_is_bounded_on_both_sides() {
    let nested = |depth: usize| format!("{{\"a\":{{\"b\":{}{}}}}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(problem(&nested(64)), "");
    assert!(problem(&nested(65)).contains("deeper than 64"));
}

#[test]
fn a_message_says_what_and_where() {
    assert_eq!(problem("{\"a\":1 \"b\":2}"), "expected `,` or `}` at byte 7, found a quote");
    assert_eq!(problem("{\"a\":"), "expected a value at byte 5, found the end of the line");
}

proptest! {
    #[test]
    fn any_text_is_judged_as_an_established_parser_does(text in ".{0,60}") {
        check_against_serde(&text);
    }

    #[test]
    fn text_near_json_is_judged_alike(text in r#"\{("a|b|\\|n|u00|:|,|1|-|\.|e|\[|\]|\{|\}|"|true|null| ){0,20}\}?"#) {
        check_against_serde(&text);
    }

    #[test]
    fn numbers_are_the_nearest_doubles(text in "-?(0|[1-9][0-9]{0,19})(\\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?") {
        let line = format!("{{\"a\":{text}}}");
        check_against_serde(&line);
        let nearest: f64 = text.parse().unwrap();
        let mut tape = Tape::default();
        match tape.read(&line).map(|line| line.top()[0].value.shape) {
            Ok(Shape::Integer(value)) => prop_assert_eq!(value as f64, nearest),
            Ok(Shape::Number(value)) => prop_assert_eq!(value.to_bits(), nearest.to_bits()),
            _ => prop_assert!(nearest.is_infinite()),
        }
    }

    #[test]
    fn any_text_value_reads_back(value in ".{0,40}") {
        check_against_serde(&serde_json::json!({ "a": value, value.clone(): [value] }).to_string());
    }
}
