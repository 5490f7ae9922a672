use super::*;

fn arrival() -> Arrival<'static> {
    Arrival { received: Timestamp::from_micros(1_793_601_366_000_000), sender: "tests", source: "tests", offset: 0 }
}

fn decode(text: &str) -> Decoded {
    Decoder::new(Arc::default()).decode(text.as_bytes(), &arrival())
}

#[test]
fn an_inference_is_read() {
    let decoded = decode(
        r#"{"time":"2026-11-02T06:36:05.995Z","model":"m","version":"1","features":{"a":1,"b":"x","c":true},"items":["p","q"]}"#,
    );
    assert_eq!(decoded.dead_letters, []);
    let batch = &decoded.batches[0];
    assert_eq!(batch.number("feature_a").unwrap().value(0), 1.0);
    assert_eq!(batch.text("decision").unwrap().get(0), Some("p"));
    assert_eq!(batch.text("status").unwrap().get(0), Some("ok"));
    assert_eq!(batch.text("sender").unwrap().get(0), Some("tests"));
}
