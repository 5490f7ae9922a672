//! An evaluator that reads a rule's written form value by value and row by row: slow, plain, and written
//! apart from the one that runs.

use rsigma_parser::{
    ConditionExpr, Detection, DetectionItem, Modifier, Quantifier, SelectorPattern, SigmaRule, SigmaString, SigmaValue,
    SpecialChar, StringPart,
};
use serde_json::Value;

use super::super::fixture_batch::Row;

/// Whether a rule matches an event.
pub(super) fn matches(rule: &SigmaRule, row: &Row) -> bool {
    rule.detection.conditions.iter().any(|condition| holds(condition, rule, row))
}

fn holds(condition: &ConditionExpr, rule: &SigmaRule, row: &Row) -> bool {
    match condition {
        ConditionExpr::And(parts) => parts.iter().all(|part| holds(part, rule, row)),
        ConditionExpr::Or(parts) => parts.iter().any(|part| holds(part, rule, row)),
        ConditionExpr::Not(part) => !holds(part, rule, row),
        ConditionExpr::Identifier(name) => selected(&rule.detection.named[name], row),
        ConditionExpr::Selector { quantifier, pattern } => {
            let meant = rule.detection.named.iter().filter(|(name, _)| match pattern {
                SelectorPattern::Them => !name.starts_with('_'),
                SelectorPattern::Pattern(pattern) => name.starts_with(pattern.trim_end_matches('*')),
            });
            let (mut all, mut some) = (0, 0);
            meant.for_each(|(_, detection)| {
                all += 1;
                some += u64::from(selected(detection, row));
            });
            match quantifier {
                Quantifier::Any => some >= 1,
                Quantifier::All => some == all,
                Quantifier::Count(least) => some >= *least,
            }
        }
    }
}

fn selected(detection: &Detection, row: &Row) -> bool {
    match detection {
        Detection::AllOf(items) => items.iter().all(|item| item_holds(item, row)),
        Detection::AnyOf(parts) => parts.iter().any(|part| selected(part, row)),
        Detection::And(parts) => parts.iter().all(|part| selected(part, row)),
        Detection::Keywords(values) => values.iter().any(|value| {
            ["prompt", "output", "error"].iter().any(|column| {
                row.columns.get(*column).and_then(Value::as_str).is_some_and(|text| found(value, text, "*", "*", false))
            })
        }),
        other => panic!("{other:?}"),
    }
}

fn item_holds(item: &DetectionItem, row: &Row) -> bool {
    let name = item.field.name.as_deref().unwrap();
    let value = row.columns.get(name).filter(|value| !value.is_null());
    let has = |modifier: Modifier| item.field.modifiers.contains(&modifier);
    let one = |wanted: &SigmaValue| -> bool {
        if has(Modifier::Exists) {
            return value.is_some() == (*wanted == SigmaValue::Bool(true));
        }
        if *wanted == SigmaValue::Null {
            return value.is_none();
        }
        let Some(value) = value else { return false };
        let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        let limit: Option<f64> = wanted.to_string().parse().ok();
        for (modifier, compare) in [
            (Modifier::Gt, f64::gt as fn(&f64, &f64) -> bool),
            (Modifier::Gte, f64::ge),
            (Modifier::Lt, f64::lt),
            (Modifier::Lte, f64::le),
        ] {
            if has(modifier) {
                return number.zip(limit).is_some_and(|(number, limit)| compare(&number, &limit));
            }
        }
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        if has(Modifier::Re) {
            let flag = if has(Modifier::IgnoreCase) { "(?i)" } else { "" };
            return regex::Regex::new(&format!("{flag}{wanted}")).unwrap().is_match(&text);
        }
        if has(Modifier::Cidr) {
            // Networks of eight bits alone.
            return text.split('.').next() == wanted.to_string().split('.').next() && text.matches('.').count() == 3;
        }
        if value.is_number() && !has(Modifier::StartsWith) {
            return limit.is_some_and(|limit| value.as_f64() == Some(limit));
        }
        let (before, after) = match () {
            () if has(Modifier::Contains) => ("*", "*"),
            () if has(Modifier::StartsWith) => ("", "*"),
            () if has(Modifier::EndsWith) => ("*", ""),
            () => ("", ""),
        };
        found(wanted, &text, before, after, has(Modifier::Cased))
    };
    let all = if has(Modifier::All) { item.values.iter().all(one) } else { item.values.iter().any(one) };
    all != has(Modifier::Neq)
}

/// By the slow definition of wildcards.
fn found(wanted: &SigmaValue, text: &str, before: &str, after: &str, cased: bool) -> bool {
    let written = match wanted {
        SigmaValue::String(text) => text.clone(),
        other => SigmaString::from_raw(&other.to_string()),
    };
    let mut pattern: Vec<Option<char>> = Vec::new();
    const ANY: char = '\u{0}';
    let fold = |text: &str| if cased { text.to_owned() } else { text.to_lowercase() };
    if before == "*" {
        pattern.push(Some(ANY));
    }
    for part in &written.parts {
        match part {
            StringPart::Plain(plain) => pattern.extend(fold(plain).chars().map(Some)),
            StringPart::Special(SpecialChar::WildcardMulti) => pattern.push(Some(ANY)),
            StringPart::Special(SpecialChar::WildcardSingle) => pattern.push(None),
        }
    }
    if after == "*" {
        pattern.push(Some(ANY));
    }
    let text: Vec<char> = fold(text).chars().collect();
    // Which beginnings of the text the pattern so far matches.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for piece in pattern {
        let mut next = vec![false; text.len() + 1];
        for (place, _) in reached.iter().enumerate().filter(|(_, is_reached)| **is_reached) {
            match piece {
                Some(ANY) => next[place..].fill(true),
                Some(wanted) if text.get(place) == Some(&wanted) => next[place + 1] = true,
                None if place < text.len() => next[place + 1] = true,
                _ => {}
            }
        }
        reached = next;
    }
    reached[text.len()]
}
