//! The description of the HTTP API in OpenAPI 3.1, made from the routes and from what [`operations`] says of each.

mod operations;
mod schemas;

use axum::http::Method;
use serde_json::{Map, Value, json};

use self::operations::{Body, OPEN, Operation, Parameter, of};
use super::routes::{Route, routes};
use crate::accounts::Role;

/// The whole description.
pub(crate) fn document() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let operation = of(&route.method, route.path);
        insert(&mut paths, &route.method, route.path, guarded(&route, operation));
    }
    for (path, operation) in OPEN {
        insert(&mut paths, &Method::GET, path, described(path, operation, vec![]));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wardline",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A SIEM for model inference, and incident response for AI",
            "description": "A server that listens on loopback and has no token in its settings needs none. Every answer carries `x-request-id`. What changes something is in the audit log before it is answered.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [{ "url": "http://127.0.0.1:7430" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "A token of the settings or of a user" }
            }
        }
    })
}

fn insert(paths: &mut Map<String, Value>, method: &Method, path: &str, operation: Value) {
    let item = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
    if let Value::Object(item) = item {
        item.insert(method.as_str().to_lowercase(), operation);
    }
}

/// A route that needs a role, with what every such route answers.
fn guarded(route: &Route, operation: &Operation) -> Value {
    let error =
        |status: &str, description: String| (status.to_owned(), answer(&description, "application/json", "Error"));
    let who = match route.needs {
        Role::Sender => "sender or admin".to_owned(),
        Role::Admin => "admin".to_owned(),
        least => format!("{least} or above"),
    };
    let mut answers = vec![
        error("401", "No valid token".to_owned()),
        error("403", format!("The token's role is not {who}")),
        error("default", "Not done; the code says why, and the message what to do".to_owned()),
    ];
    if route.is_recorded {
        answers.push(error("503", "The audit log could not be written, so the change is not confirmed".to_owned()));
    }
    let mut value = described(route.path, operation, answers);
    value["x-needs-role"] = json!(route.needs);
    value["description"] = json!(format!("Needs the role {who}."));
    value
}

fn described(path: &str, operation: &Operation, answers: Vec<(String, Value)>) -> Value {
    let mut responses: Map<String, Value> = answers.into_iter().collect();
    for (status, description, body) in operation.answers {
        let value = match body {
            Body::None => json!({ "description": description }),
            Body::Of(media, schema) => answer(description, media, schema),
        };
        responses.insert((*status).to_owned(), value);
    }
    let mut value = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": responses,
    });
    let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = named
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(operation.query.iter().map(Parameter::to_value));
    if !parameters.is_empty() {
        value["parameters"] = Value::Array(parameters);
    }
    if let Body::Of(media, schema) = operation.body {
        value["requestBody"] = json!({ "required": true, "content": { media: { "schema": schema_of(schema) } } });
    }
    value
}

fn answer(description: &str, media: &str, schema: &str) -> Value {
    json!({ "description": description, "content": { media: { "schema": schema_of(schema) } } })
}

/// A reference, or a type of JSON where the name is in lower case.
fn schema_of(name: &str) -> Value {
    if name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return json!({ "type": name });
    }
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[cfg(test)]
mod tests;
