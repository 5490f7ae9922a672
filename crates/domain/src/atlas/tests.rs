use super::*;

const RELEASE_4: &[u8] = include_bytes!("../../../../fuzz/corpus/atlas/release_4.yaml");
const RELEASE_5: &[u8] = include_bytes!("../../../../fuzz/corpus/atlas/release_5.yaml");
const STIX: &[u8] = include_bytes!("../../../../fuzz/corpus/atlas/stix.json");

#[test]
fn the_built_in_release_is_whole() {
    let atlas = Atlas::built_in();
    assert_eq!((atlas.tactics.len(), atlas.techniques.len(), atlas.mitigations.len()), (16, 170, 35));
    let direct = atlas.technique("aml.t0051.000").unwrap();
    assert_eq!(atlas.full_name(direct), "LLM Prompt Injection: Direct");
    assert_eq!(direct.parent.as_deref(), Some("AML.T0051"));
    assert_eq!(atlas.sub_techniques("AML.T0051").count(), 3);
    assert_eq!(atlas.technique("AML.T0015").unwrap().tactics, ["AML.TA0004", "AML.TA0007", "AML.TA0011"]);
    assert!(atlas.mitigations_of("AML.T0052.001").any(|mitigation| mitigation.id == "AML.M0018"));
    assert!(atlas.mitigations_of("AML.T0024.002").any(|mitigation| mitigation.id == "AML.M0004"));
    for technique in &atlas.techniques {
        assert!(!technique.tactics.is_empty(), "{}", technique.id);
        assert!(technique.tactics.iter().all(|id| atlas.tactic(id).is_some()), "{}", technique.id);
        let parent = technique.parent.as_deref().map(|parent| atlas.technique(parent).unwrap());
        assert!(parent.is_none_or(|parent| parent.tactics == technique.tactics), "{}", technique.id);
    }
    for mitigation in &atlas.mitigations {
        assert!(mitigation.techniques.iter().all(|id| atlas.technique(id).is_some()), "{}", mitigation.id);
    }
}

#[test]
fn traces_name_techniques_and_columns() {
    let atlas = Atlas::built_in();
    assert!(45 <= traces().len());
    for trace in traces() {
        assert!(atlas.technique(&trace.technique).is_some(), "{}", trace.technique);
        assert!(trace.fields.iter().all(|field| field.split('.').count() == 2), "{trace:?}");
    }
}

#[test]
fn links_of_mitigations_are_ids_or_objects() {
    let older = Atlas::read(RELEASE_4).unwrap();
    assert_eq!(older.version, "4.7.0");
    assert_eq!(older.technique("AML.T0051.000").unwrap().tactics, ["AML.TA0005"]);
    // The file links to a technique that it does not hold.
    assert_eq!(older.mitigations[0].techniques, ["AML.T0024"]);
    let newer = Atlas::read(RELEASE_5).unwrap();
    assert_eq!(newer.mitigations[0].techniques, ["AML.T0024", "AML.T0024.002"]);
}

#[test]
fn a_stix_bundle_is_the_same_catalogue() {
    let atlas = Atlas::read(STIX).unwrap();
    assert_eq!(atlas.version, "5.6.0");
    let tactics: Vec<&str> = atlas.tactics.iter().map(|tactic| tactic.name.as_str()).collect();
    assert_eq!(tactics, ["AI Model Access", "Exfiltration"]);
    assert_eq!(atlas.techniques.len(), 2);
    assert_eq!(atlas.techniques, Atlas::read(RELEASE_5).unwrap().techniques);
    assert_eq!(atlas.mitigations[0].techniques, ["AML.T0024"]);
}

#[test]
fn what_is_no_release_is_a_sentence() {
    let said = |text: &str| Atlas::read(text.as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(said("hello"), @r#"the file is no ATLAS YAML: invalid type: string "hello", expected struct Document"#);
    insta::assert_snapshot!(said("{}"), @"the file is no STIX bundle: missing field `type` at line 1 column 2");
    insta::assert_snapshot!(said("version: 5.0.0"), @"the file holds no ATLAS tactic: take ATLAS.yaml or stix-atlas.json of a release");
    insta::assert_snapshot!(said("format-version: 6.0.0\ntactics: {AML.TA0002: {id: AML.TA0002}}"), @"the file has format version `6.0.0`, which is not known: take a release 4.x or 5.x, or its STIX bundle");
    let tactic = "tactics: [{id: AML.TA0001, name: a}]\ntechniques:\n";
    let with = |techniques: &str| Atlas::read(format!("{tactic}{techniques}").as_bytes()).unwrap_err();
    assert_eq!(
        with("- {id: AML.T0001, name: a, tactics: [AML.TA0009]}"),
        AtlasError::Unknown { from: "AML.T0001".to_owned(), to: "AML.TA0009".to_owned() }
    );
    assert!(matches!(with("- {id: AML.T1, name: a}"), AtlasError::Id { .. }));
    assert!(matches!(with("- {id: AML.T0001.001, name: a, subtechnique-of: AML.T0001}"), AtlasError::Unknown { .. }));
    assert_eq!(
        with("- {id: AML.T0001, name: a}\n- {id: AML.T0001, name: b}"),
        AtlasError::Twice { id: "AML.T0001".to_owned() }
    );
    let nested = "- {id: AML.T0001, name: a}\n- {id: AML.T0001.001, name: b, subtechnique-of: AML.T0001}\n- {id: AML.T0001.002, name: c, subtechnique-of: AML.T0001.001}";
    assert!(matches!(with(nested), AtlasError::Nested { .. }));
    assert!(matches!(Atlas::read(&[0xff, 0xfe]), Err(AtlasError::NotText)));
    assert!(matches!(Atlas::read(&vec![b' '; 9 << 20]), Err(AtlasError::TooLarge { .. })));
}

/// Goal: names that stand for names cannot blow up the reader.
#[test]
fn repeated_aliases_end_early() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![alias; 10].join(", ")));
    }
    text.push_str("tactics: *a11\n");
    assert!(matches!(Atlas::read(text.as_bytes()), Err(AtlasError::Yaml { .. })));
    for deep in ["[", "- ", "{a: ", "? "] {
        let text = format!("tactics:\n  {}", deep.repeat(500_000));
        assert!(matches!(Atlas::read(text.as_bytes()), Err(AtlasError::Yaml { .. })), "{deep}");
    }
    let deep = format!("{{\"type\":\"bundle\",\"objects\":{}", "[".repeat(100_000));
    assert!(matches!(Atlas::read(deep.as_bytes()), Err(AtlasError::Stix { .. })));
}

#[test]
fn coverage_counts_what_is_named_and_tells_what_is_unknown() {
    let claim = |means, name: &str, ids: &[&str]| Claim {
        means,
        name: name.to_owned(),
        techniques: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    let claims = [
        claim(Means::Detector, "traffic", &["AML.T0029", "AML.T0034.000"]),
        claim(Means::Rule, "flood", &["aml.t0029"]),
        claim(Means::Hunt, "slow", &["AML.T0029", "AML.T9999"]),
    ];
    let coverage = Coverage::of(Atlas::built_in(), claims);
    assert_eq!(coverage.by_technique.keys().collect::<Vec<_>>(), ["AML.T0029", "AML.T0034.000"]);
    assert_eq!(coverage.by_technique["AML.T0029"].len(), 3);
    assert_eq!(coverage.unknown.iter().collect::<Vec<_>>(), [&("slow".to_owned(), "AML.T9999".to_owned())]);
}

#[test]
fn a_layer_has_a_technique_under_each_of_its_tactics() {
    let row = |id: &str, score| LayerRow { technique: id.to_owned(), score, comment: "one".to_owned() };
    let rows = [row("AML.T0015", Some(2.0)), row("AML.T0051.000", None)];
    let layer = layer(Atlas::built_in(), "Coverage", "what looks for what", &rows);
    assert_eq!((layer["domain"].as_str(), layer["versions"]["layer"].as_str()), (Some("atlas"), Some("4.5")));
    assert_eq!(layer["gradient"]["maxValue"], 2.0);
    let techniques = layer["techniques"].as_array().unwrap();
    let tactics: Vec<&str> = techniques.iter().map(|entry| entry["tactic"].as_str().unwrap()).collect();
    assert_eq!(tactics, ["initial-access", "defense-evasion", "impact", "execution"]);
    assert!(techniques[3].get("score").is_none());
}
