"""Checks findings, one a line, against the published schema of OCSF, and what it says beyond JSON Schema."""

import json
import sys

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

VERSION = "1.8.0"
published = get_ocsf_schema(VERSION)
schema = OcsfJsonSchemaEmbedded(published).get_class_schema("detection_finding", [])
assert schema["additionalProperties"] is False
objects = published["objects"]


def check_constraints(name, value):
    """What an object must have one of."""
    kind = objects[name]
    wanted = (kind.get("constraints") or {}).get("at_least_one")
    assert not wanted or any(key in value for key in wanted), f"{name} has none of {wanted}: {value}"
    check_attributes(kind, value)


def check_attributes(kind, value):
    for key, inner in value.items():
        object_type = kind["attributes"][key].get("object_type")
        if object_type in objects and object_type != "object":
            for one in inner if isinstance(inner, list) else [inner]:
                check_constraints(object_type, one)


count = 0
for line in sys.stdin:
    finding = json.loads(line)
    jsonschema.validate(finding, schema)
    assert finding["metadata"]["version"] == VERSION
    assert finding["type_uid"] == finding["class_uid"] * 100 + finding["activity_id"]
    check_attributes(published["classes"]["detection_finding"], finding)
    for key, attribute in published["classes"]["detection_finding"]["attributes"].items():
        captions = attribute.get("enum")
        sibling = attribute.get("sibling")
        if captions and sibling and key in finding and sibling in finding:
            assert captions[str(finding[key])]["caption"] == finding[sibling] or key in ("class_uid", "category_uid"), key
    count += 1
print(f"{count} findings are valid in {VERSION}")
