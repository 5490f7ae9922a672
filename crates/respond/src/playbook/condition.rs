//! Conditions: comparisons of variables, joined by AND and OR, in the manner of STIX patterns.
//!
//! `__severity__:value = 'high' AND __error_rate__:value > 0.05`. AND binds closer than OR. Two sides that are both
//! numbers are compared as numbers, others as texts.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition(Vec<Vec<Comparison>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparison {
    variable: String,
    operator: Operator,
    literal: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Longer ones first, so that `<=` is not read as `<`.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, all) in self.0.iter().enumerate() {
            formatter.write_str(if number == 0 { "" } else { " OR " })?;
            for (number, Comparison { variable, operator, literal }) in all.iter().enumerate() {
                let and = if number == 0 { "" } else { " AND " };
                let sign = OPERATORS.iter().find(|(_, known)| known == operator).map_or("", |(sign, _)| sign);
                let quote = if literal.parse::<f64>().is_ok() { "" } else { "'" };
                write!(formatter, "{and}{variable}:value {sign} {quote}{literal}{quote}")?;
            }
        }
        Ok(())
    }
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let any = split(text, "OR")
            .into_iter()
            .map(|part| split(part, "AND").into_iter().map(comparison).collect::<Result<Vec<_>, _>>());
        any.collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// Names of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(|comparison| comparison.variable.as_str())
    }

    /// Whether it holds. A variable without a value fulfils nothing.
    pub fn holds(&self, values: &BTreeMap<String, String>) -> bool {
        let fulfils = |comparison: &Comparison| {
            values.get(&comparison.variable).is_some_and(|value| comparison.fulfilled_by(value))
        };
        self.0.iter().any(|all| all.iter().all(fulfils))
    }
}

impl Comparison {
    fn fulfilled_by(&self, value: &str) -> bool {
        let order = match (value.parse::<f64>(), self.literal.parse::<f64>()) {
            (Ok(value), Ok(literal)) => value.partial_cmp(&literal),
            _ => Some(value.cmp(self.literal.as_str())),
        };
        let Some(order) = order else { return false };
        match self.operator {
            Operator::Equal => order == Ordering::Equal,
            Operator::NotEqual => order != Ordering::Equal,
            Operator::Less => order == Ordering::Less,
            Operator::AtMost => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::AtLeast => order != Ordering::Less,
        }
    }
}

/// Parts between a word that stands alone outside quotes.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, character) in text.char_indices() {
        quoted ^= character == '\'';
        let alone = |edge: Option<char>| edge.is_none_or(char::is_whitespace);
        let is_word = !quoted
            && start <= at
            && text[at..].starts_with(word)
            && alone(text[..at].chars().next_back())
            && alone(text[at + word.len()..].chars().next());
        if is_word {
            parts.push(&text[start..at]);
            start = at + word.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

fn comparison(text: &str) -> Result<Comparison, String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is no comparison: write `__name__:value = 'text'` or `__name__:value > 5`");
    let (name, rest) = text.split_once(":value").ok_or_else(wrong)?;
    let variable = name.trim();
    if !is_variable(variable) {
        return Err(format!("`{variable}` is no name of a variable: write `__name__`"));
    }
    let rest = rest.trim_start();
    let (sign, operator) = OPERATORS.into_iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(wrong)?;
    let literal = rest[sign.len()..].trim();
    let literal = match literal.strip_prefix('\'') {
        Some(quoted) => quoted.strip_suffix('\'').filter(|inner| !inner.contains('\'')).ok_or_else(wrong)?,
        None if literal.parse::<f64>().is_ok() || literal == "true" || literal == "false" => literal,
        None => return Err(wrong()),
    };
    Ok(Comparison { variable: variable.to_owned(), operator, literal: literal.to_owned() })
}

/// Whether a name is one of a variable: `__name__`.
pub(super) fn is_variable(name: &str) -> bool {
    let inner = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    inner.is_some_and(|inner| {
        (1..=200).contains(&inner.len())
            && inner.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    })
}

/// Fills values of variables into a text. What has no value stays as it is, and is said.
pub(super) fn filled(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("__") {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let end = from.find(":value").filter(|end| is_variable(&from[..*end]));
        match end {
            Some(end) => {
                let name = &from[..end];
                filled.push_str(values.get(name).ok_or_else(|| name.to_owned())?);
                rest = &from[end + ":value".len()..];
            }
            None => {
                filled.push_str("__");
                rest = &from[2..];
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Names of the variables in a text.
pub(super) fn variables_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(":value") {
        let before = &text[..at];
        let start = before.rfind(|character: char| !(character.is_ascii_alphanumeric() || "_-".contains(character)));
        let name = &before[start.map_or(0, |start| start + 1)..];
        if is_variable(name) {
            names.push(name.to_owned());
        }
    }
    names
}
