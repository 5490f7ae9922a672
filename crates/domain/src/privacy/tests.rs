//! What is hashed is nowhere in what is written, and still does its work.

use arrow::array::{Float64Array, TimestampMicrosecondArray};
use proptest::prelude::*;

use super::*;
use crate::RecordKind;

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn policy(rules: &[(&str, Treatment)], epoch_days: u32) -> PrivacyPolicy {
    let rules = rules.iter().map(|(field, treatment)| FieldRule {
        model: None,
        field: (*field).to_owned(),
        treatment: *treatment,
    });
    PrivacyPolicy::new(rules.collect(), PrivacyKey::from_hex(KEY, epoch_days).unwrap()).unwrap()
}

fn batch(times: &[i64], users: &[&str], ages: &[f64]) -> EventBatch {
    let time = TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC");
    let users: DictionaryArray<Int32Type> = users.iter().copied().collect();
    let schema = Schema::new(vec![
        Field::new("time", crate::schema::timestamp(), false),
        Field::new("user", crate::schema::repeated_text(), true),
        Field::new("feature_age", DataType::Float64, true),
    ]);
    let columns: Vec<ArrayRef> = vec![Arc::new(time), Arc::new(users), Arc::new(Float64Array::from(ages.to_vec()))];
    let records = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    EventBatch { kind: RecordKind::Inference, model: Some("m".into()), records }
}

#[test]
fn equal_values_share_a_token_and_no_value_is_left() {
    let arrived = batch(&[1, 2, 3], &["ann", "bob", "ann"], &[41.0, 52.0, 41.0]);
    let written = policy(&[("user", Treatment::Hash), ("feature_*", Treatment::Hmac)], 0).apply(&arrived).unwrap();
    let users = written.text("user").unwrap();
    assert_eq!(users.get(0), users.get(2));
    assert_ne!(users.get(0), users.get(1));
    assert_eq!(users.get(0).unwrap().len(), 32);
    assert_eq!(written.number("feature_age").unwrap().null_count(), 3);
    let ages = written.text("feature_age_token").unwrap();
    assert_eq!(ages.get(0), ages.get(2));
    assert!(!format!("{:?}", written.records).contains("ann"));
}

#[test]
fn statistics_keep_numbers_and_lose_names() {
    let arrived = batch(&[1], &["ann"], &[41.3]);
    let written = policy(&[("user", Treatment::Hash), ("feature_age", Treatment::Hash)], 0).apply(&arrived).unwrap();
    let seen = PrivacyPolicy::for_statistics(&arrived, &written).unwrap();
    let age = seen.number("feature_age").unwrap().value(0);
    assert!(age != 41.3 && (age - 41.3).abs() < 0.008 * 41.3, "{age}");
    let kept = PrivacyPolicy::for_statistics(&arrived, &arrived).unwrap();
    assert_eq!(kept.number("feature_age").unwrap().value(0), 41.3);
    assert_ne!(seen.text("user").unwrap().get(0), Some("ann"));
}

#[test]
fn a_new_epoch_has_new_tokens_and_two_fields_never_match() {
    let day = Timestamp::DAY;
    let policy = policy(&[("user", Treatment::Hash)], 30);
    let tokens = |times: &[i64]| {
        let written = policy.apply(&batch(times, &["ann", "ann"], &[1.0, 1.0])).unwrap();
        let users = written.text("user").unwrap();
        (users.get(0).unwrap().to_owned(), users.get(1).unwrap().to_owned())
    };
    let (same, also_same) = tokens(&[day, 2 * day]);
    assert_eq!(same, also_same);
    let (before, after) = tokens(&[day, 31 * day]);
    assert_eq!(before, same);
    assert_ne!(before, after);
    assert_ne!(policy.key.derive("user", 0), policy.key.derive("tenant", 0));
}

#[test]
fn rules_that_name_a_model_win_and_prompts_are_hashed_by_default() {
    let rules = vec![
        FieldRule { model: Some("open".into()), field: "prompt".into(), treatment: Treatment::Keep },
        FieldRule { model: None, field: "prompt".into(), treatment: Treatment::Drop },
    ];
    let policy = PrivacyPolicy::new(rules, PrivacyKey::from_hex(KEY, 0).unwrap()).unwrap();
    assert_eq!(policy.treatment(Some("open"), "prompt"), Treatment::Keep);
    assert_eq!(policy.treatment(Some("other"), "prompt"), Treatment::Drop);
    assert_eq!(policy.treatment(Some("other"), "output"), Treatment::Hash);
}

#[test]
fn what_orders_the_tables_cannot_be_hashed_and_a_bad_key_is_refused() {
    let rule = FieldRule { model: None, field: "time".into(), treatment: Treatment::Drop };
    let refused = PrivacyPolicy::new(vec![rule], PrivacyKey::from_hex(KEY, 0).unwrap()).unwrap_err();
    assert!(refused.to_string().contains("`time`"));
    assert!(PrivacyKey::from_hex("secret", 0).unwrap_err().to_string().contains("openssl rand -hex 32"));
}

#[test]
fn hmac_is_hmac_sha_256() {
    // Python 3.11: hmac.new(key, b"ann", "sha256").hexdigest()[:32].
    let key = PrivacyKey::from_hex(KEY, 0).unwrap();
    let tokens = Tokens { key: key.secret, treatment: Treatment::Hmac };
    assert_eq!(tokens.one("ann"), "260f4c194037f8b47d4363e8f5c0bc88");
}

#[test]
fn what_is_left_over_is_treated_field_by_field_and_records_without_a_model_are_not_spared() {
    let rules = vec![
        FieldRule { model: Some("m".into()), field: "email".into(), treatment: Treatment::Hash },
        FieldRule { model: None, field: "attribute_phone".into(), treatment: Treatment::Drop },
    ];
    let policy = PrivacyPolicy::new(rules, PrivacyKey::from_hex(KEY, 0).unwrap()).unwrap();
    let schema = Schema::new(vec![
        Field::new("time", crate::schema::timestamp(), false),
        Field::new("attributes", DataType::Utf8, true),
    ]);
    let left_over = StringArray::from(vec![r#"{"email":"ann@x.org","phone":"123","store":"S1"}"#]);
    let time = TimestampMicrosecondArray::from(vec![1]).with_timezone("UTC");
    let records = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(time), Arc::new(left_over)]).unwrap();
    let log = EventBatch { kind: RecordKind::Log, model: None, records };
    let written = policy.apply(&log).unwrap();
    let text = written.text("attributes").unwrap().get(0).unwrap().to_owned();
    assert!(!text.contains("ann@x.org") && !text.contains("phone") && text.contains(r#""store":"S1""#), "{text}");
    let rule = FieldRule { model: Some("m".into()), field: "id".into(), treatment: Treatment::Hash };
    assert!(PrivacyPolicy::new(vec![rule], PrivacyKey::from_hex(KEY, 0).unwrap()).is_err());
}

proptest! {
    #[test]
    fn no_value_survives_hashing(users in proptest::collection::vec("[a-z]{6,12}", 1..20)) {
        let names: Vec<&str> = users.iter().map(String::as_str).collect();
        let arrived = batch(&vec![1; names.len()], &names, &vec![1.0; names.len()]);
        let written = policy(&[("user", Treatment::Hash)], 0).apply(&arrived).unwrap();
        let text = format!("{:?}", written.records);
        for name in names {
            prop_assert!(!text.contains(name));
        }
    }
}
