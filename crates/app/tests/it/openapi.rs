//! The description of the HTTP API that is in the repository.

use std::path::Path;

use serde_json::Value;

use crate::server::{Server, wardline};

/// What is in the repository.
pub(crate) fn checked_in() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn the_description_in_the_repository_is_what_the_command_prints() {
    let output = wardline().arg("openapi").output().unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(printed == checked_in(), "run `wardline openapi > docs/openapi.json`");
}

/// Goal: what is described is what is answered. Method: every list without parameters, at a real server.
#[test]
fn answers_have_the_fields_that_are_described() {
    let document = checked_in();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let answer = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        if path.contains('{') || answer.is_null() || path == "/v1/lineage/radius" {
            continue;
        }
        let body: Value = server.get(path).json().unwrap();
        let Some(name) = answer["$ref"].as_str() else {
            assert!(body.is_object(), "{path}: {body}");
            continue;
        };
        let schema = &document["components"]["schemas"][name.rsplit('/').next().unwrap()];
        for field in schema["required"].as_array().unwrap() {
            let field = field.as_str().unwrap();
            let is_list = schema["properties"][field]["type"] == "array";
            assert!(if is_list { body[field].is_array() } else { !body[field].is_null() }, "{path}: {field} in {body}");
        }
        asked += 1;
    }
    assert!(12 <= asked, "{asked}");
}
