//! The same tests in SQL, for history.
//!
//! Every test is made true or false, never null, so that `NOT` means what it means in the stream. Columns
//! that a table lacks are columns without a value.

use std::net::IpAddr;

use arrow::datatypes::{DataType, Schema};
use wardline_domain::{RecordKind, Timestamp, sql_literal};

use super::{
    condition::Condition,
    error::RuleFault,
    field::{Field, FieldType},
    item::Tests,
    predicate::{Predicate, Test},
    rule::{Body, Rule},
    rule_set::RuleSet,
    text_pattern::{Piece, Place, TextPattern},
};

impl RuleSet {
    /// The rows of a table that a rule matches, as a condition for `WHERE`; of a correlation those of the
    /// rules that it joins.
    ///
    /// # Errors
    /// [`RuleFault::NoSql`] where a test has no form in SQL.
    pub fn sql_condition(&self, rule: &Rule, kind: RecordKind, table: &Schema) -> Result<String, RuleFault> {
        match &rule.body {
            Body::Records { tests, .. } if rule.record_kind == kind => condition(tests, table),
            Body::Records { .. } => Ok("false".to_owned()),
            Body::Correlation(correlation) => {
                let each = correlation.rules.iter().map(|&index| self.sql_condition(&self.rules[index], kind, table));
                Ok(format!("({})", each.collect::<Result<Vec<_>, _>>()?.join(" OR ")))
            }
        }
    }

    /// A statement that gives the rows of a table which a rule matches, the newest first.
    ///
    /// # Errors
    /// As [`RuleSet::sql_condition`].
    pub fn sql_query(&self, rule: &Rule, name: &str, table: &Schema) -> Result<String, RuleFault> {
        let condition = self.sql_condition(rule, rule.record_kind, table)?;
        Ok(format!("SELECT * FROM {} WHERE {condition} ORDER BY time DESC", identifier(name)))
    }
}

/// A name in double quotes.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// That a field has a value, as a text; nothing for fields that SQL does not see into.
pub(super) fn field_is(field: &Field, value: &str, table: &Schema) -> Option<String> {
    let column = table.field_with_name(&field.column).ok().filter(|_| field.holds != FieldType::Json)?;
    let name = identifier(column.name());
    Some(match shape(column.data_type()) {
        Shape::Text => format!("{name} = {}", sql_literal(value)),
        _ => format!("CAST({name} AS VARCHAR) = {}", sql_literal(value)),
    })
}

fn condition(tests: &Tests, table: &Schema) -> Result<String, RuleFault> {
    let joined = |parts: &[Tests], joint: &str, none: &str| {
        let parts = parts.iter().map(|part| condition(part, table)).collect::<Result<Vec<_>, _>>()?;
        Ok(match parts.as_slice() {
            [] => none.to_owned(),
            [one] => one.clone(),
            _ => format!("({})", parts.join(joint)),
        })
    };
    match tests {
        Condition::Leaf(predicate) => leaf(predicate, table),
        Condition::All(parts) => joined(parts, " AND ", "true"),
        Condition::Any(parts) => joined(parts, " OR ", "false"),
        Condition::Not(part) => Ok(format!("NOT ({})", condition(part, table)?)),
    }
}

/// What of a column's type matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Integer,
    Float,
    Boolean,
    Time,
    Other,
}

fn shape(data_type: &DataType) -> Shape {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Shape::Text,
        DataType::Dictionary(_, value) => shape(value),
        DataType::Float32 | DataType::Float64 => Shape::Float,
        DataType::Boolean => Shape::Boolean,
        DataType::Timestamp(_, _) => Shape::Time,
        other if other.is_integer() => Shape::Integer,
        _ => Shape::Other,
    }
}

fn leaf(predicate: &Predicate, table: &Schema) -> Result<String, RuleFault> {
    let Predicate { field, test } = predicate;
    if field.holds == FieldType::Json {
        return Err(RuleFault::NoSql(format!("`{}` within `attributes`", field.key.as_deref().unwrap_or_default())));
    }
    let Ok(column) = table.field_with_name(&field.column) else {
        return Ok(if *test == Test::Null { "true" } else { "false" }.to_owned());
    };
    let name = identifier(column.name());
    let shape = shape(column.data_type());
    let missing =
        if shape == Shape::Float { format!("({name} IS NULL OR isnan({name}))") } else { format!("{name} IS NULL") };
    let tested = match test {
        Test::Null => return Ok(missing),
        Test::Exists => return Ok(format!("NOT ({missing})")),
        Test::Same { other, place, cased } => same(&name, shape, other, *place, *cased, table),
        _ => match shape {
            Shape::Text => on_text(&name, test)?,
            Shape::Integer => on_integer(&name, test)?,
            Shape::Float => on_number(&name, test).map(|tested| format!("NOT isnan({name}) AND {tested}")),
            Shape::Boolean => match test {
                Test::Equal { boolean: Some(value), .. } => Some(format!("{name} = {value}")),
                _ => None,
            },
            Shape::Time => on_time(&name, test),
            Shape::Other => None,
        },
    };
    Ok(tested.map_or_else(|| "false".to_owned(), |tested| format!("coalesce({tested}, false)")))
}

fn on_number(name: &str, test: &Test) -> Option<String> {
    match test {
        Test::Equal { number: Some(number), .. } => Some(format!("{name} = {}", digits(number.get()))),
        Test::Compare(compare, number) => Some(format!("{name} {} {}", compare.sign(), digits(number.get()))),
        _ => None,
    }
}

fn digits(number: f64) -> String {
    format!("CAST('{number:?}' AS DOUBLE)")
}

fn on_integer(name: &str, test: &Test) -> Result<Option<String>, RuleFault> {
    match test {
        Test::Text { .. } | Test::Regex(_) => on_text(&format!("CAST({name} AS VARCHAR)"), test),
        _ => Ok(on_number(name, test)),
    }
}

fn on_time(name: &str, test: &Test) -> Option<String> {
    let moment = |micros: f64| format!("TIMESTAMP '{}'", Timestamp::from_micros(micros as i64));
    match test {
        Test::Equal { number: Some(number), .. } => Some(format!("{name} = {}", moment(number.get()))),
        Test::Compare(compare, number) => Some(format!("{name} {} {}", compare.sign(), moment(number.get()))),
        Test::TimePart(part, compare, value) => {
            Some(format!("date_part('{}', {name}) {} {value}", part.name(), compare.sign()))
        }
        _ => None,
    }
}

fn on_text(name: &str, test: &Test) -> Result<Option<String>, RuleFault> {
    let of = |cased: bool| if cased { name.to_owned() } else { format!("lower({name})") };
    Ok(match test {
        Test::Equal { text, cased, .. } => Some(format!("{} = {}", of(*cased), sql_literal(text))),
        Test::Text { pattern, cased } => Some(like(&of(*cased), pattern)),
        Test::Regex(pattern) => Some(format!("regexp_like({name}, {})", sql_literal(pattern))),
        Test::Compare(compare, number) => Some(format!(
            "(regexp_like({name}, '^[-+.0-9eE]+$') AND TRY_CAST({name} AS DOUBLE) {} {})",
            compare.sign(),
            digits(number.get())
        )),
        Test::Network(IpAddr::V4(address), prefix) => {
            Some(format!("regexp_like({name}, {})", sql_literal(&network_pattern(address.octets(), *prefix))))
        }
        Test::Network(IpAddr::V6(_), _) => return Err(RuleFault::NoSql("a network of IPv6".to_owned())),
        Test::TimePart(..) | Test::Null | Test::Exists | Test::Same { .. } => None,
    })
}

fn like(text: &str, pattern: &TextPattern) -> String {
    match pattern {
        TextPattern::Anything => "true".to_owned(),
        TextPattern::Exact(whole) => format!("{text} = {}", sql_literal(whole)),
        TextPattern::Starts(start) => format!("starts_with({text}, {})", sql_literal(start)),
        TextPattern::Ends(end) => format!("ends_with({text}, {})", sql_literal(end)),
        TextPattern::Contains(part) => format!("strpos({text}, {}) > 0", sql_literal(part)),
        TextPattern::Wildcard(pieces) => {
            let body: String = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Plain(plain) => regex::escape(plain),
                    Piece::One => ".".to_owned(),
                    Piece::Any => ".*".to_owned(),
                })
                .collect();
            format!("regexp_like({text}, {})", sql_literal(&format!("^(?s:{body})$")))
        }
    }
}

/// An expression that addresses of an IPv4 network match.
fn network_pattern(octets: [u8; 4], prefix: u8) -> String {
    let parts = octets.iter().enumerate().map(|(place, &octet)| {
        let fixed = u32::from(prefix).saturating_sub(8 * place as u32).min(8);
        match fixed {
            8 => octet.to_string(),
            0 => "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])".to_owned(),
            _ => {
                let width = 1_u32 << (8 - fixed);
                let from = u32::from(octet) / width * width;
                let all: Vec<String> = (from..from + width).map(|octet| octet.to_string()).collect();
                format!("({})", all.join("|"))
            }
        }
    });
    format!("^{}$", parts.collect::<Vec<_>>().join(r"\."))
}

fn same(name: &str, left: Shape, other: &Field, place: Place, cased: bool, table: &Schema) -> Option<String> {
    let column = table.field_with_name(&other.column).ok()?;
    let other = identifier(column.name());
    let right = shape(column.data_type());
    let is_number = |shape| matches!(shape, Shape::Integer | Shape::Float | Shape::Time);
    match (left, right) {
        (Shape::Text, Shape::Text) => {
            let of = |name: &str| if cased { name.to_owned() } else { format!("lower({name})") };
            let (name, other) = (of(name), of(&other));
            Some(match place {
                Place::Whole => format!("{name} = {other}"),
                Place::Start => format!("starts_with({name}, {other})"),
                Place::End => format!("ends_with({name}, {other})"),
                Place::Within => format!("(strpos({name}, {other}) > 0 OR {other} = '')"),
            })
        }
        (Shape::Boolean, Shape::Boolean) => Some(format!("{name} = {other}")),
        _ if is_number(left) && is_number(right) && place == Place::Whole => Some(format!("{name} = {other}")),
        _ => None,
    }
}
