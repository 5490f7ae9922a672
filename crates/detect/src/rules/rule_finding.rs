//! What a match of a rule is told as.

use wardline_domain::{EventBatch, Finding, RecordKind, Slice, Timestamp};

use super::{
    correlation::{Correlation, Exactness, Question},
    field::Field,
    rule::{Body, Rule},
    rule_set::RuleSet,
    sql,
};
use crate::wording::number;

/// The detector's name in findings of rules.
pub(crate) const DETECTOR: &str = "rule";

/// A match that is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Telling {
    pub(crate) row: usize,
    pub(crate) rule: usize,
    pub(crate) time: Timestamp,
    pub(crate) model: String,
    /// Values of the fields that part matches into groups.
    pub(crate) group: Vec<String>,
    /// Of a correlation: what it counted.
    pub(crate) counted: Option<(f64, Exactness)>,
}

/// The finding that a first match makes.
pub(crate) fn first(set: &RuleSet, telling: &Telling, batch: &EventBatch) -> Finding {
    let rule = &set.rules[telling.rule];
    let fields = group_fields(rule, batch.kind);
    let slice = fields
        .iter()
        .zip(&telling.group)
        .fold(Slice::whole(), |slice, ((name, _), value)| slice.and(short(name), value.as_str()));
    let (observed, unit) = match (&rule.body, telling.counted) {
        (Body::Correlation(correlation), Some((observed, _))) => (observed, unit(correlation)),
        _ => (1.0, "events"),
    };
    let mut finding = Finding {
        slice,
        onset: onset(rule, telling.time),
        onset_interval: (onset(rule, telling.time), telling.time),
        observed,
        unit: unit.to_owned(),
        n_observed: observed.max(1.0) as u64,
        effect: observed,
        effect_name: "count".to_owned(),
        severity: rule.severity,
        atlas: rule.atlas.clone(),
        evidence: evidence(set, telling, batch, &fields),
        ..Finding::draft(&telling.model, DETECTOR, rule.kind, &rule.name, telling.time)
    };
    finding.title = format!("{}{}{}", rule.title, place(&finding.slice), told_count(rule, telling));
    finding.id = Finding::identify(DETECTOR, &rule.name, &finding.model, None, &finding.slice, finding.onset);
    finding
}

/// The finding for what came after the first match: so many more until a time.
pub(crate) fn again(first: &Finding, title: &str, count: u64, until: Timestamp) -> Finding {
    let more = if count == 1 { "match" } else { "matches" };
    Finding {
        time: until,
        observed: count as f64,
        unit: "events".to_owned(),
        n_observed: count,
        effect: count as f64,
        title: format!("{title}{}: {count} more {more} in the hour until {until}", place(&first.slice)),
        ..first.clone()
    }
}

fn place(slice: &Slice) -> String {
    if slice.is_whole() { String::new() } else { format!(" in {slice}") }
}

/// What a correlation counted began within its span.
fn onset(rule: &Rule, time: Timestamp) -> Timestamp {
    match &rule.body {
        Body::Records { .. } => time,
        Body::Correlation(correlation) => time.plus(-correlation.span),
    }
}

const fn unit(correlation: &Correlation) -> &'static str {
    match correlation.question {
        Question::EventCount => "events",
        Question::ValueCount => "values",
        Question::Together(_) | Question::HowMany | Question::InOrder => "rules",
        Question::Sum | Question::Average | Question::Percentile(_) => "",
    }
}

fn told_count(rule: &Rule, telling: &Telling) -> String {
    let (Body::Correlation(correlation), Some((observed, exactness))) = (&rule.body, telling.counted) else {
        return String::new();
    };
    let shown = match exactness {
        Exactness::Exact => number(observed),
        Exactness::OrMore => format!("{} or more", number(observed)),
        Exactness::About(error) => format!("about {} (standard error {:.1} %)", number(observed), error * 100.0),
    };
    let span = span_text(correlation.span);
    match correlation.question {
        Question::EventCount => format!(": {shown} matches within {span}"),
        Question::ValueCount => format!(": {shown} different values within {span}"),
        Question::Sum => format!(": a sum of {shown} within {span}"),
        Question::Average => format!(": an average of {shown} within {span}"),
        Question::Percentile(percent) => format!(": percentile {percent} is {shown} within {span}"),
        Question::Together(_) | Question::HowMany => format!(": they met within {span}"),
        Question::InOrder => format!(": one after the other within {span}"),
    }
}

fn span_text(span: i64) -> String {
    for (length, unit) in [(Timestamp::DAY, "d"), (Timestamp::HOUR, "h"), (Timestamp::MINUTE, "min")] {
        if span >= length && span % length == 0 {
            return format!("{} {unit}", span / length);
        }
    }
    format!("{} s", span / Timestamp::SECOND)
}

/// The fields that part a rule's matches into groups, for records of a kind.
fn group_fields(rule: &Rule, kind: RecordKind) -> Vec<(String, Field)> {
    match &rule.body {
        Body::Records { .. } => rule.group_by.clone(),
        Body::Correlation(correlation) => {
            let fields = correlation.groups.iter().find(|((_, of), _)| *of == kind).map(|(_, fields)| fields.clone());
            correlation.group_names.iter().cloned().zip(fields.unwrap_or_default()).collect()
        }
    }
}

/// A dimension's name in slices: without what says which kind of column it is.
fn short(name: &str) -> &str {
    name.strip_prefix("attribute_").or_else(|| name.strip_prefix("attributes.")).unwrap_or(name)
}

/// SQL for the rows that the rule matched, where their tests have a form in SQL; else all rows of the time.
fn evidence(set: &RuleSet, telling: &Telling, batch: &EventBatch, fields: &[(String, Field)]) -> String {
    let rule = &set.rules[telling.rule];
    let schema = batch.records.schema();
    let table = match (batch.kind, &batch.model) {
        (RecordKind::Inference, Some(model)) => format!("model.{model}"),
        (RecordKind::TrainingRow, Some(model)) => format!("training.{model}"),
        (kind, _) => kind.name().to_owned(),
    };
    let until = telling.time.plus(Timestamp::HOUR);
    let mut conditions =
        vec![format!("time >= TIMESTAMP '{}'", onset(rule, telling.time)), format!("time <= TIMESTAMP '{until}'")];
    conditions.extend(
        fields.iter().zip(&telling.group).filter_map(|((_, field), value)| sql::field_is(field, value, &schema)),
    );
    conditions.extend(set.sql_condition(rule, batch.kind, &schema).ok());
    format!("SELECT * FROM {} WHERE {} ORDER BY time LIMIT 100", sql::identifier(&table), conditions.join(" AND "))
}
