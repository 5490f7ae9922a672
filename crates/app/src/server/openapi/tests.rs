//! The description holds what the server serves, and nothing else.

use std::collections::BTreeSet;

use super::{operations::OPERATIONS, *};

#[test]
fn every_route_is_described_and_nothing_else() {
    let served: BTreeSet<(String, &str)> =
        routes().iter().map(|route| (route.method.to_string(), route.path)).collect();
    let described: BTreeSet<(String, &str)> =
        OPERATIONS.iter().map(|(method, path, _)| ((*method).to_owned(), *path)).collect();
    assert_eq!(served, described);
    assert_eq!(described.len(), OPERATIONS.len(), "an operation is described twice");
}

#[test]
fn operations_have_names_of_their_own() {
    let ids: BTreeSet<&str> = OPERATIONS.iter().map(|(_, _, operation)| operation.id).collect();
    assert_eq!(ids.len(), OPERATIONS.len());
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let mut referred = BTreeSet::new();
    references(&document, &mut referred);
    let known: BTreeSet<String> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(referred, known);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get("$ref") {
                found.insert(to.trim_start_matches("#/components/schemas/").to_owned());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
