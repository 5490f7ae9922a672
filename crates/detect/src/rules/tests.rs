//! What must hold for the shipped rules, and for every rule.

use super::*;

/// Every shipped rule fires where it must and stays quiet where it must.
#[test]
fn shipped_rules_pass_their_tests() {
    let mut failures = Vec::new();
    for ((file, text), fixture) in SHIPPED.iter().zip(SHIPPED_TESTS) {
        let source = RuleSource { file: (*file).to_owned(), text: (*text).to_owned() };
        match run_fixture(&source, fixture, &Placeholders::new()) {
            Ok(report) => failures.extend(report.failures.into_iter().map(|failure| format!("{file}: {failure}"))),
            Err(error) => failures.push(format!("{file}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn shipped_rules_go_together() {
    let (set, errors) = RuleSet::compile(&shipped::shipped_sources(), &Placeholders::new());
    assert!(errors.is_empty(), "{errors:?}");
    assert!(set.rules().iter().filter(|rule| rule.tells).count() >= 35);
    assert!(set.rules().iter().filter(|rule| rule.tells).all(|rule| !rule.atlas.is_empty()));
}

mod meaning;
mod oracle;
mod reference;
mod streams;
