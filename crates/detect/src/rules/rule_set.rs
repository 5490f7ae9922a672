//! Every rule that runs, compiled together so that what they share is tested once.

use std::collections::BTreeMap;

use rsigma_parser::{FilterRule, FilterRuleTarget, LogSource, SigmaCollection, SigmaRule, parse_sigma_yaml};
use wardline_domain::{FindingKind, RecordKind};

use super::{
    condition::Condition,
    correlated,
    error::{RuleError, RuleFault},
    field,
    item::{Placeholders, Setting},
    predicate::{Predicate, Test},
    program::Program,
    rule::{self, Body, Rule},
    selection::{self, Placed},
    text_pattern::folded,
};

/// A file of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSource {
    /// The file's name, for messages.
    pub file: String,
    /// What is in it.
    pub text: String,
}

/// Compiled rules.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    pub(crate) programs: BTreeMap<RecordKind, Program>,
}

/// What all rules of a set are compiled with, and what became of them.
pub(super) struct Compiling<'a> {
    pub(super) placeholders: &'a Placeholders,
    pub(super) rules: Vec<Rule>,
    pub(super) errors: Vec<RuleError>,
}

const MODIFIERS: &str = "use contains, startswith, endswith, all, cased, re (i, m, s), cidr, exists, fieldref, gt, gte, lt, lte, neq, expand, windash, wide, utf16, base64, base64offset or a part of a time";

/// Files larger than this are no rules.
const MOST_BYTES: usize = 1 << 20;

impl RuleSet {
    /// Compiles rules. A rule that cannot be used is left out, and said; the others run.
    pub fn compile(sources: &[RuleSource], placeholders: &Placeholders) -> (Self, Vec<RuleError>) {
        let mut compiling = Compiling { placeholders, rules: Vec::new(), errors: Vec::new() };
        let mut filters: Vec<(String, FilterRule)> = Vec::new();
        let mut correlations = Vec::new();
        for source in sources {
            let collection = compiling.read(source);
            for rule in collection.rules {
                compiling.add_rule(source, &rule);
            }
            filters.extend(collection.filters.into_iter().map(|filter| (source.file.clone(), filter)));
            correlations.extend(collection.correlations.into_iter().map(|rule| (source.clone(), rule)));
        }
        for (file, filter) in &filters {
            compiling.apply(file, filter);
        }
        correlated::add_all(&mut compiling, correlations);
        let mut set = Self { rules: compiling.rules, programs: BTreeMap::new() };
        set.link();
        (set, compiling.errors)
    }

    /// The rules, in the order in which they were read; correlations behind what they refer to.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How many different tests the rules make together.
    pub fn n_tests(&self) -> usize {
        self.programs.values().map(Program::n_predicates).sum()
    }

    /// Numbers the predicates of all rules, each once for a kind of record.
    fn link(&mut self) {
        for rule in &mut self.rules {
            if let Body::Records { tests, condition } = &mut rule.body {
                let program = self.programs.entry(rule.record_kind).or_default();
                *condition = tests.map(&mut |predicate| program.intern(predicate));
            }
        }
        self.programs.values_mut().for_each(Program::finish);
    }
}

impl Compiling<'_> {
    fn read(&mut self, source: &RuleSource) -> SigmaCollection {
        let mut fail = |what: String| {
            let modifier = what.strip_prefix("Unknown modifier '").and_then(|rest| rest.strip_suffix('\''));
            let fault = match modifier {
                Some(modifier) => {
                    RuleFault::Unsupported { what: format!("the modifier `{modifier}`"), hint: MODIFIERS }
                }
                None => RuleFault::Unreadable(what),
            };
            self.errors.push(RuleError { file: source.file.clone(), rule: String::new(), place: String::new(), fault });
        };
        if source.text.len() > MOST_BYTES {
            fail(format!("it has more than {MOST_BYTES} bytes"));
            return SigmaCollection::new();
        }
        match parse_sigma_yaml(&source.text) {
            Ok(collection) => {
                collection.errors.iter().for_each(|error| fail(error.clone()));
                if collection.is_empty() && collection.errors.is_empty() {
                    fail("it holds no rule".to_owned());
                }
                collection
            }
            Err(error) => {
                fail(error.to_string());
                SigmaCollection::new()
            }
        }
    }

    fn add_rule(&mut self, source: &RuleSource, written: &SigmaRule) {
        match self.compiled(source, written) {
            Ok(rule) => self.rules.push(rule),
            Err((place, fault)) => {
                self.errors.push(RuleError { file: source.file.clone(), rule: written.title.clone(), place, fault });
            }
        }
    }

    fn compiled(&self, source: &RuleSource, written: &SigmaRule) -> Placed<Rule> {
        let at = |place: &str| {
            let place = place.to_owned();
            move |fault| (place, fault)
        };
        let keywords_only = selection::is_keywords_only(written);
        let kind = record_kind(&written.logsource, keywords_only).map_err(at("logsource"))?;
        let setting = Setting { kind, placeholders: self.placeholders };
        let mut tests = selection::compile(&written.detection, setting)?;
        if is_ours(&written.logsource)
            && let Some(service) = &written.logsource.service
        {
            let field = field::resolve(kind, "service").map_err(at("logsource.service"))?;
            let text = folded(service);
            let test = Test::Equal { text, cased: false, number: None, boolean: None };
            tests = Condition::All(vec![Condition::Leaf(Predicate { field, test }), tests]);
        }
        let own = OwnAttributes::of(&written.custom_attributes)?;
        let group_by = own
            .group_by
            .iter()
            .map(|name| Ok((name.clone(), field::resolve(kind, name)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(at("wardline.group-by"))?;
        let atlas = rule::atlas_of(&written.tags);
        Ok(Rule {
            file: source.file.clone(),
            name: name_of(written.name.as_deref(), &source.file),
            id: written.id.clone(),
            title: written.title.clone(),
            description: written.description.clone().unwrap_or_default(),
            level: written.level.map_or("", |level| level.as_str()),
            severity: rule::severity_of(written.level),
            kind: own.kind.unwrap_or_else(|| rule::kind_of(&atlas)),
            atlas,
            record_kind: kind,
            tells: true,
            group_by,
            fingerprint: fingerprint(&written.title, &source.text),
            body: Body::Records { tests, condition: Condition::Any(Vec::new()) },
        })
    }

    /// Narrows the rules that a filter names by its condition.
    fn apply(&mut self, file: &str, filter: &FilterRule) {
        let mut found = false;
        let placeholders = self.placeholders;
        let mut faults = Vec::new();
        for rule in &mut self.rules {
            let is_meant = match &filter.rules {
                FilterRuleTarget::Any => true,
                FilterRuleTarget::Specific(names) => names.iter().any(|name| answers_to(rule, name)),
            };
            if !is_meant {
                continue;
            }
            found = true;
            let setting = Setting { kind: rule.record_kind, placeholders };
            match (selection::compile(&filter.detection, setting), &mut rule.body) {
                (Ok(narrowing), Body::Records { tests, .. }) => {
                    *tests = Condition::All(vec![tests.clone(), narrowing]);
                }
                // A filter for any rule is for those whose records have its fields.
                (Err(_), _) if filter.rules == FilterRuleTarget::Any => {}
                (Err(fault), _) => faults.push(fault),
                (Ok(_), Body::Correlation(_)) => {}
            }
        }
        if !found && let FilterRuleTarget::Specific(names) = &filter.rules {
            faults.push(("filter.rules".to_owned(), RuleFault::Reference(names.join(", "))));
        }
        for (place, fault) in faults {
            self.errors.push(RuleError { file: file.to_owned(), rule: filter.title.clone(), place, fault });
        }
    }
}

/// Whether a name in another rule means this one.
pub(super) fn answers_to(rule: &Rule, name: &str) -> bool {
    rule.name == name || rule.id.as_deref() == Some(name) || rule.title == name || stem(&rule.file) == name
}

fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(name)
}

pub(super) fn name_of(name: Option<&str>, file: &str) -> String {
    name.unwrap_or_else(|| stem(file)).to_owned()
}

pub(super) fn fingerprint(title: &str, text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(text.as_bytes(), xxhash_rust::xxh3::xxh3_64(title.as_bytes()))
}

fn is_ours(source: &LogSource) -> bool {
    matches!(source.product.as_deref(), Some("wardline" | "ai"))
}

/// The kind of record that a rule reads.
fn record_kind(source: &LogSource, keywords_only: bool) -> Result<RecordKind, RuleFault> {
    let shown = || {
        let part = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}={value}"));
        let parts =
            [part("product", &source.product), part("category", &source.category), part("service", &source.service)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "(none)".to_owned() } else { format!("`{}`", parts.join(" ")) }
    };
    if is_ours(source) && source.custom.is_empty() {
        let category = source.category.as_deref().and_then(|category| category.parse().ok());
        return category.ok_or_else(|| RuleFault::LogSource(shown()));
    }
    // Words alone are looked for in the lines of any system's log.
    let is_some = source.product.is_some() || source.service.is_some() || source.category.is_some();
    if keywords_only && is_some && !is_ours(source) {
        return Ok(RecordKind::Log);
    }
    Err(RuleFault::LogSource(shown()))
}

/// What a rule says in attributes of ours.
#[derive(Debug, Default)]
pub(super) struct OwnAttributes {
    pub(super) kind: Option<FindingKind>,
    pub(super) group_by: Vec<String>,
}

impl OwnAttributes {
    /// Reads `wardline: {kind, group-by}`; `kind` may also stand by itself.
    pub(super) fn of(attributes: &std::collections::HashMap<String, yaml_serde::Value>) -> Placed<Self> {
        let ours = attributes.get("wardline");
        let kind = match ours.and_then(|ours| ours.get("kind")).or_else(|| attributes.get("kind")) {
            None => None,
            Some(written) => {
                let name = written.as_str().unwrap_or_default();
                let fault = || RuleFault::Value {
                    value: name.to_owned(),
                    expected: "kind of finding",
                    hint: "one of adversarial, poisoning, extraction, injection, cost, integrity, performance, fairness, errors, latency, traffic, data_drift, prediction_drift, data_quality, saturation, slo_burn",
                };
                Some(rule::kind_named(name).ok_or_else(|| ("wardline.kind".to_owned(), fault()))?)
            }
        };
        let group_by = match ours.and_then(|ours| ours.get("group-by")) {
            Some(yaml_serde::Value::String(name)) => vec![name.clone()],
            Some(yaml_serde::Value::Sequence(names)) => {
                names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        Ok(Self { kind, group_by })
    }
}
