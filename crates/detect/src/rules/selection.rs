//! The detection part of a rule: named selections, and the condition that joins them.

use std::collections::HashMap;

use rsigma_parser::{
    ConditionExpr, Detection, Detections, Quantifier, SelectorPattern, SigmaRule, detection_name_matches,
};

use super::{
    condition::Condition,
    error::RuleFault,
    item::{self, Setting, Tests},
};

/// A fault and the place in the rule where it is.
pub(crate) type Placed<T> = Result<T, (String, RuleFault)>;

/// Most combinations that `N of` may stand for.
const MOST_COMBINATIONS: usize = 500;

/// Compiles the detection part.
pub(crate) fn compile(detections: &Detections, setting: Setting<'_>) -> Placed<Tests> {
    if detections.timeframe.is_some() {
        let what = "`timeframe` in a detection, which Sigma 2 left out,".to_owned();
        let fault = RuleFault::Unsupported { what, hint: "write a correlation of type event_count" };
        return Err(("detection.timeframe".to_owned(), fault));
    }
    let mut named = HashMap::new();
    for (name, detection) in &detections.named {
        named.insert(name.clone(), selection(detection, setting, &format!("detection.{name}"))?);
    }
    let conditions = detections
        .conditions
        .iter()
        .map(|condition| joined(condition, &named).map_err(|fault| ("detection.condition".to_owned(), fault)))
        .collect::<Placed<Vec<_>>>()?;
    Ok(Condition::Any(conditions))
}

/// Whether a rule only looks for keywords, so that it suits any text.
pub(crate) fn is_keywords_only(rule: &SigmaRule) -> bool {
    !rule.detection.named.is_empty() && rule.detection.named.values().all(|one| matches!(one, Detection::Keywords(_)))
}

fn selection(detection: &Detection, setting: Setting<'_>, place: &str) -> Placed<Tests> {
    let at = |fault| (place.to_owned(), fault);
    match detection {
        Detection::AllOf(items) => {
            let tests = items.iter().map(|item| {
                item::compile(item, setting).map_err(|fault| {
                    let name = item.field.name.as_deref().unwrap_or("keywords");
                    (format!("{place}.{name}"), fault)
                })
            });
            Ok(Condition::All(tests.collect::<Placed<Vec<_>>>()?))
        }
        Detection::AnyOf(parts) => {
            let tests = parts.iter().map(|part| selection(part, setting, place));
            Ok(Condition::Any(tests.collect::<Placed<Vec<_>>>()?))
        }
        Detection::And(parts) => {
            let tests = parts.iter().map(|part| selection(part, setting, place));
            Ok(Condition::All(tests.collect::<Placed<Vec<_>>>()?))
        }
        Detection::Keywords(values) => item::keywords(values, setting).map_err(at),
        Detection::ArrayMatch { .. } | Detection::Conditional { .. } => Err(at(RuleFault::Unsupported {
            what: "matching the members of an array".to_owned(),
            hint: "records have no such arrays; use an attribute for what matters",
        })),
    }
}

fn joined(condition: &ConditionExpr, named: &HashMap<String, Tests>) -> Result<Tests, RuleFault> {
    let each = |parts: &[ConditionExpr]| parts.iter().map(|part| joined(part, named)).collect::<Result<Vec<_>, _>>();
    match condition {
        ConditionExpr::And(parts) => Ok(Condition::All(each(parts)?)),
        ConditionExpr::Or(parts) => Ok(Condition::Any(each(parts)?)),
        ConditionExpr::Not(part) => Ok(Condition::Not(Box::new(joined(part, named)?))),
        ConditionExpr::Identifier(name) => named.get(name).cloned().ok_or_else(|| RuleFault::Selection(name.clone())),
        ConditionExpr::Selector { quantifier, pattern } => {
            let mut names: Vec<&String> = named
                .keys()
                .filter(|name| match pattern {
                    SelectorPattern::Them => !name.starts_with('_'),
                    SelectorPattern::Pattern(pattern) => detection_name_matches(pattern, name),
                })
                .collect();
            names.sort();
            if names.is_empty() {
                return Err(RuleFault::Selection(pattern.to_string()));
            }
            let tests: Vec<Tests> = names.iter().filter_map(|name| named.get(*name).cloned()).collect();
            match quantifier {
                Quantifier::Any | Quantifier::Count(1) => Ok(Condition::Any(tests)),
                Quantifier::All => Ok(Condition::All(tests)),
                Quantifier::Count(least) => at_least(&tests, usize::try_from(*least).unwrap_or(usize::MAX)),
            }
        }
    }
}

/// At least so many of the tests: any of their combinations.
fn at_least(tests: &[Tests], least: usize) -> Result<Tests, RuleFault> {
    let mut combinations: Vec<Vec<usize>> = vec![Vec::new()];
    for round in 0..least.min(tests.len() + 1) {
        combinations = combinations
            .iter()
            .flat_map(|chosen| {
                let from = chosen.last().map_or(0, |last| last + 1);
                (from..tests.len()).map(move |next| chosen.iter().copied().chain([next]).collect())
            })
            .collect();
        if combinations.len() > MOST_COMBINATIONS {
            return Err(RuleFault::Unsupported {
                what: format!("`{least} of` {} selections (round {round})", tests.len()),
                hint: "name fewer selections",
            });
        }
    }
    let each = |chosen: &Vec<usize>| Condition::All(chosen.iter().map(|&index| tests[index].clone()).collect());
    Ok(Condition::Any(combinations.iter().map(each).collect()))
}
