//! Compiles correlations, once the rules that they refer to are known.

use std::collections::{BTreeMap, BTreeSet};

use rsigma_parser::{CorrelationCondition, CorrelationRule, CorrelationType, WindowMode};
use wardline_domain::{RecordKind, Timestamp};

use super::{
    correlation::{Correlation, Meeting, Question},
    error::{RuleError, RuleFault},
    field::{self, Field},
    rule::{self, Body, Rule},
    rule_set::{Compiling, OwnAttributes, RuleSource, answers_to, fingerprint, name_of},
    selection::Placed,
};

/// Adds correlations, each after those that it refers to.
pub(super) fn add_all(compiling: &mut Compiling<'_>, mut waiting: Vec<(RuleSource, CorrelationRule)>) {
    let mut hidden: BTreeSet<usize> = BTreeSet::new();
    loop {
        let before = waiting.len();
        let mut later = Vec::new();
        for (source, written) in waiting {
            let waits_for =
                |name: &String| compiling.rules.iter().all(|rule| !answers_to(rule, name)) && is_named(name, &later);
            // One that refers to a correlation that is not compiled yet waits for the next round.
            if written.rules.iter().any(waits_for) {
                later.push((source, written));
                continue;
            }
            match compiled(compiling, &source, &written) {
                Ok(rule) => {
                    if let Body::Correlation(correlation) = &rule.body
                        && !written.generate
                    {
                        hidden.extend(correlation.rules.iter().copied());
                    }
                    compiling.rules.push(rule);
                }
                // It may be one that follows.
                Err((_, RuleFault::Reference(_))) if before > 1 => later.push((source, written)),
                Err((place, fault)) => fail(compiling, &source, &written, place, fault),
            }
        }
        if later.len() == before {
            for (source, written) in later {
                let (place, fault) = compiled(compiling, &source, &written)
                    .err()
                    .unwrap_or_else(|| ("correlation.rules".to_owned(), RuleFault::Circle));
                fail(compiling, &source, &written, place, fault);
            }
            break;
        }
        waiting = later;
    }
    for index in hidden {
        if let Some(rule) = compiling.rules.get_mut(index) {
            rule.tells = false;
        }
    }
}

fn is_named(name: &str, later: &[(RuleSource, CorrelationRule)]) -> bool {
    later.iter().any(|(_, other)| other.name.as_deref() == Some(name) || other.id.as_deref() == Some(name))
}

fn fail(
    compiling: &mut Compiling<'_>,
    source: &RuleSource,
    written: &CorrelationRule,
    place: String,
    fault: RuleFault,
) {
    compiling.errors.push(RuleError { file: source.file.clone(), rule: written.title.clone(), place, fault });
}

fn compiled(compiling: &Compiling<'_>, source: &RuleSource, written: &CorrelationRule) -> Placed<Rule> {
    let at = |place: &str| {
        let place = format!("correlation.{place}");
        move |fault| (place, fault)
    };
    if written.window != WindowMode::Sliding {
        let what = format!("the window `{}`", written.window.as_str());
        return Err(at("window")(RuleFault::Unsupported { what, hint: "leave it out: windows slide" }));
    }
    let rules = references(compiling, written).map_err(at("rules"))?;
    let kinds: Vec<BTreeSet<RecordKind>> = rules.iter().map(|&index| kinds_of(&compiling.rules, index)).collect();
    let names = |reference: usize, name: &str| -> String {
        let alias = written.aliases.iter().find(|alias| alias.alias == name);
        let own = alias.and_then(|alias| {
            let target = &compiling.rules[rules[reference]];
            let found =
                alias.mapping.iter().find(|(rule, _)| answers_to(target, rule) || **rule == written.rules[reference]);
            found.map(|(_, field)| field.clone())
        });
        own.unwrap_or_else(|| name.to_owned())
    };
    let fields = |wanted: &[String]| -> Result<BTreeMap<(usize, RecordKind), Vec<Field>>, RuleFault> {
        let mut found = BTreeMap::new();
        for (reference, kinds) in kinds.iter().enumerate() {
            for &kind in kinds {
                let of = |name: &String| field::resolve(kind, &names(reference, name));
                found.insert((reference, kind), wanted.iter().map(of).collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok(found)
    };
    let (question, bounds, counted) = question(compiling, written, &rules).map_err(at("condition"))?;
    let has_model = |kind: &RecordKind| kind.is_per_model() || *kind == RecordKind::Deployment;
    let correlation = Correlation {
        question,
        groups: fields(&written.group_by).map_err(at("group-by"))?,
        values: fields(&counted).map_err(at("condition.field"))?,
        group_names: written.group_by.clone(),
        span: i64::try_from(written.timespan.seconds)
            .unwrap_or(i64::MAX / Timestamp::SECOND)
            .saturating_mul(Timestamp::SECOND),
        bounds,
        by_model: kinds.iter().flatten().all(has_model),
        rules,
    };
    rule_of(compiling, source, written, correlation)
}

fn rule_of(
    compiling: &Compiling<'_>,
    source: &RuleSource,
    written: &CorrelationRule,
    correlation: Correlation,
) -> Placed<Rule> {
    let own = OwnAttributes::of(&written.custom_attributes)?;
    let mut atlas = rule::atlas_of(&written.tags);
    if atlas.is_empty() {
        atlas = correlation.rules.iter().flat_map(|&index| compiling.rules[index].atlas.clone()).collect();
        atlas.sort();
        atlas.dedup();
    }
    let level = written.level;
    Ok(Rule {
        file: source.file.clone(),
        name: name_of(written.name.as_deref(), &source.file),
        id: written.id.clone(),
        title: written.title.clone(),
        description: written.description.clone().unwrap_or_default(),
        level: level.map_or("", |level| level.as_str()),
        severity: rule::severity_of(level),
        kind: own.kind.unwrap_or_else(|| rule::kind_of(&atlas)),
        atlas,
        record_kind: correlation
            .rules
            .first()
            .map_or(RecordKind::Inference, |&index| compiling.rules[index].record_kind),
        tells: true,
        group_by: Vec::new(),
        fingerprint: fingerprint(&written.title, &source.text),
        body: Body::Correlation(Box::new(correlation)),
    })
}

fn references(compiling: &Compiling<'_>, written: &CorrelationRule) -> Result<Vec<usize>, RuleFault> {
    if written.rules.is_empty() {
        return Err(RuleFault::Reference("(none)".to_owned()));
    }
    let each = written.rules.iter().map(|name| {
        let found = compiling.rules.iter().rposition(|rule| answers_to(rule, name));
        found.ok_or_else(|| RuleFault::Reference(name.clone()))
    });
    each.collect()
}

/// The kinds of record that may complete a rule.
fn kinds_of(rules: &[Rule], index: usize) -> BTreeSet<RecordKind> {
    match &rules[index].body {
        Body::Records { .. } => BTreeSet::from([rules[index].record_kind]),
        Body::Correlation(correlation) => correlation.rules.iter().flat_map(|&index| kinds_of(rules, index)).collect(),
    }
}

type Asked = (Question, Vec<(rsigma_parser::ConditionOperator, f64)>, Vec<String>);

fn question(compiling: &Compiling<'_>, written: &CorrelationRule, rules: &[usize]) -> Result<Asked, RuleFault> {
    let needs_field = |field: &Option<Vec<String>>| {
        field.clone().ok_or(RuleFault::Value {
            value: written.correlation_type.as_str().to_owned(),
            expected: "condition without a field",
            hint: "`field:` with the field that counts",
        })
    };
    match &written.condition {
        CorrelationCondition::Threshold { predicates, field, percentile } => {
            let bounds = predicates.iter().map(|&(operator, limit)| (operator, limit as f64)).collect();
            let (question, fields) = match written.correlation_type {
                CorrelationType::EventCount => (Question::EventCount, Vec::new()),
                CorrelationType::ValueCount => (Question::ValueCount, needs_field(field)?),
                CorrelationType::ValueSum => (Question::Sum, needs_field(field)?),
                CorrelationType::ValueAvg => (Question::Average, needs_field(field)?),
                CorrelationType::ValueMedian => (Question::Percentile(50.0), needs_field(field)?),
                CorrelationType::ValuePercentile => (Question::Percentile(percent(*percentile)?), needs_field(field)?),
                CorrelationType::Temporal if is_default(predicates) => {
                    (Question::Together(Meeting::All((0..rules.len()).map(Meeting::Rule).collect())), Vec::new())
                }
                CorrelationType::Temporal => (Question::HowMany, Vec::new()),
                CorrelationType::TemporalOrdered if is_default(predicates) || asks_for_all(predicates, rules.len()) => {
                    (Question::InOrder, Vec::new())
                }
                CorrelationType::TemporalOrdered => {
                    return Err(RuleFault::Unsupported {
                        what: "a number of rules in `temporal_ordered`".to_owned(),
                        hint: "leave `condition` out: all rules must match, in their order",
                    });
                }
            };
            Ok((question, bounds, fields))
        }
        CorrelationCondition::Extended(condition) => {
            let place_of = |name: &str| {
                let named = written.rules.iter().position(|rule| rule == name);
                named.or_else(|| rules.iter().position(|&index| answers_to(&compiling.rules[index], name)))
            };
            let meeting =
                Meeting::read(condition, &place_of).filter(|_| written.correlation_type == CorrelationType::Temporal);
            let meeting = meeting.ok_or_else(|| RuleFault::Unsupported {
                what: format!(
                    "the condition `{condition}` of a correlation of type {}",
                    written.correlation_type.as_str()
                ),
                hint: "join the rules of a `temporal` correlation with `and` and `or`",
            })?;
            Ok((Question::Together(meeting), Vec::new(), Vec::new()))
        }
    }
}

fn percent(percentile: Option<u64>) -> Result<f64, RuleFault> {
    percentile.filter(|percent| *percent <= 100).map(|percent| percent as f64).ok_or(RuleFault::Value {
        value: percentile.map_or_else(String::new, |percent| percent.to_string()),
        expected: "percentile",
        hint: "`percentile:` with a number from 0 to 100",
    })
}

/// What the reader puts where no condition is written.
fn is_default(predicates: &[(rsigma_parser::ConditionOperator, u64)]) -> bool {
    predicates == [(rsigma_parser::ConditionOperator::Gte, 1)]
}

fn asks_for_all(predicates: &[(rsigma_parser::ConditionOperator, u64)], n_rules: usize) -> bool {
    predicates == [(rsigma_parser::ConditionOperator::Gte, n_rules as u64)]
}
