//! One line of a selection, `field|modifiers: values`, as a condition over predicates.

use std::{collections::BTreeMap, net::IpAddr};

use rsigma_parser::{DetectionItem, Modifier, SigmaString, SigmaValue};
use wardline_domain::{RecordKind, Timestamp};

use super::{
    condition::Condition,
    encode,
    error::RuleFault,
    field::{Field, FieldType, keyword_columns, resolve, text_column},
    predicate::{Compare, Number, Predicate, Test, TimePart, number_of},
    text_matcher,
    text_pattern::{Piece, Place, TextPattern, folded, pieces},
};

/// Values of placeholders, by name.
pub type Placeholders = BTreeMap<String, Vec<String>>;

/// What a rule's items are compiled for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) kind: RecordKind,
    pub(crate) placeholders: &'a Placeholders,
}

/// A condition over single tests.
pub(crate) type Tests = Condition<Predicate>;

/// What the modifiers of an item say, sorted out.
#[derive(Clone, Copy, Debug)]
struct Modifiers<'a> {
    all: &'a [Modifier],
    place: Place,
    cased: bool,
}

impl Modifiers<'_> {
    fn has(&self, modifier: Modifier) -> bool {
        self.all.contains(&modifier)
    }

    fn first<T>(&self, of: impl Fn(Modifier) -> Option<T>) -> Option<T> {
        self.all.iter().find_map(|&modifier| of(modifier))
    }
}

/// Compiles an item.
pub(crate) fn compile(item: &DetectionItem, setting: Setting<'_>) -> Result<Tests, RuleFault> {
    let modifiers = sorted_out(&item.field.modifiers)?;
    let fields = match &item.field.name {
        Some(name) => vec![resolve(setting.kind, name)?],
        None => keyword_columns(setting.kind).iter().map(|column| text_column(column)).collect(),
    };
    let modifiers = if item.field.name.is_none() && modifiers.place == Place::Whole {
        Modifiers { place: Place::Within, ..modifiers }
    } else {
        modifiers
    };
    let each = |value: &SigmaValue| -> Result<Tests, RuleFault> {
        let tests = fields.iter().map(|field| one_value(field, modifiers, value, setting));
        Ok(any(tests.collect::<Result<Vec<_>, _>>()?))
    };
    let tests = item.values.iter().map(each).collect::<Result<Vec<_>, _>>()?;
    let tests = if modifiers.has(Modifier::All) { Condition::All(tests) } else { any(tests) };
    // Unequal to a list means to be none of it.
    Ok(if modifiers.has(Modifier::Neq) { Condition::Not(Box::new(tests)) } else { tests })
}

/// Compiles keywords.
pub(crate) fn keywords(values: &[SigmaValue], setting: Setting<'_>) -> Result<Tests, RuleFault> {
    let field = rsigma_parser::FieldSpec::new(None, Vec::new());
    compile(&DetectionItem { field, values: values.to_vec() }, setting)
}

fn any(mut tests: Vec<Tests>) -> Tests {
    if tests.len() == 1 { tests.remove(0) } else { Condition::Any(tests) }
}

/// Groups of modifiers of which an item may have one.
const EXCLUSIVE: [&[Modifier]; 3] = [
    &[Modifier::Contains, Modifier::StartsWith, Modifier::EndsWith],
    &[
        Modifier::Re,
        Modifier::Cidr,
        Modifier::Exists,
        Modifier::Gt,
        Modifier::Gte,
        Modifier::Lt,
        Modifier::Lte,
        Modifier::FieldRef,
    ],
    &[Modifier::Minute, Modifier::Hour, Modifier::Day, Modifier::Week, Modifier::Month, Modifier::Year],
];

fn sorted_out(modifiers: &[Modifier]) -> Result<Modifiers<'_>, RuleFault> {
    let clash = || {
        RuleFault::Modifiers(
            modifiers.iter().map(|one| format!("{one:?}").to_lowercase()).collect::<Vec<_>>().join("|"),
        )
    };
    for group in EXCLUSIVE {
        if modifiers.iter().filter(|one| group.contains(one)).count() > 1 {
            return Err(clash());
        }
    }
    let has = |one: Modifier| modifiers.contains(&one);
    let place = match () {
        () if has(Modifier::Contains) => Place::Within,
        () if has(Modifier::StartsWith) => Place::Start,
        () if has(Modifier::EndsWith) => Place::End,
        () => Place::Whole,
    };
    let not_text = [Modifier::Cidr, Modifier::Exists, Modifier::Gt, Modifier::Gte, Modifier::Lt, Modifier::Lte];
    let is_part = EXCLUSIVE[2].iter().any(|&part| has(part));
    if place != Place::Whole && (is_part || has(Modifier::Re) || not_text.into_iter().any(has)) {
        return Err(clash());
    }
    Ok(Modifiers { all: modifiers, place, cased: has(Modifier::Cased) })
}

fn one_value(
    field: &Field,
    modifiers: Modifiers<'_>,
    value: &SigmaValue,
    setting: Setting<'_>,
) -> Result<Tests, RuleFault> {
    let leaf = |test: Test| Condition::Leaf(Predicate { field: field.clone(), test });
    Ok(if let Some(compare) = modifiers.first(compare_of) {
        match modifiers.first(part_of) {
            Some(part) => leaf(Test::TimePart(part, compare, whole(field, value)?)),
            None => leaf(Test::Compare(compare, limit(field, value)?)),
        }
    } else if let Some(part) = modifiers.first(part_of) {
        leaf(Test::TimePart(part, Compare::Equal, whole(field, value)?))
    } else if modifiers.has(Modifier::Exists) {
        match value {
            SigmaValue::Bool(true) => leaf(Test::Exists),
            SigmaValue::Bool(false) => leaf(Test::Null),
            other => return Err(unsuited(other, "truth value", "true or false")),
        }
    } else if modifiers.has(Modifier::FieldRef) {
        let other = resolve(setting.kind, &value.to_string())?;
        if field.holds == FieldType::Json || other.holds == FieldType::Json {
            let hint = "compare fixed columns, features or attributes of predictions";
            return Err(RuleFault::Unsupported { what: "`fieldref` into the JSON of `attributes`".to_owned(), hint });
        }
        leaf(Test::Same { other, place: modifiers.place, cased: modifiers.cased })
    } else if modifiers.has(Modifier::Cidr) {
        let (address, prefix) = network(value)?;
        leaf(Test::Network(address, prefix))
    } else if modifiers.has(Modifier::Re) {
        leaf(Test::Regex(expression(modifiers, value)?))
    } else {
        plain(field, modifiers, value, setting)?
    })
}

const fn compare_of(modifier: Modifier) -> Option<Compare> {
    match modifier {
        Modifier::Gt => Some(Compare::Greater),
        Modifier::Gte => Some(Compare::AtLeast),
        Modifier::Lt => Some(Compare::Less),
        Modifier::Lte => Some(Compare::AtMost),
        _ => None,
    }
}

const fn part_of(modifier: Modifier) -> Option<TimePart> {
    match modifier {
        Modifier::Minute => Some(TimePart::Minute),
        Modifier::Hour => Some(TimePart::Hour),
        Modifier::Day => Some(TimePart::Day),
        Modifier::Week => Some(TimePart::Week),
        Modifier::Month => Some(TimePart::Month),
        Modifier::Year => Some(TimePart::Year),
        _ => None,
    }
}

fn unsuited(value: &SigmaValue, expected: &'static str, hint: &'static str) -> RuleFault {
    RuleFault::Value { value: value.to_string(), expected, hint }
}

fn whole(field: &Field, value: &SigmaValue) -> Result<i64, RuleFault> {
    if field.holds != FieldType::Time {
        let hint = "use the parts of a time with `time`, `received` or `committed_at`";
        return Err(RuleFault::Opaque { field: field.column.clone(), what: "no time", hint });
    }
    match value {
        SigmaValue::Integer(number) => Ok(*number),
        other => Err(unsuited(other, "whole number", "a number such as 22")),
    }
}

/// The number that a field is compared with; of a time its microseconds.
fn limit(field: &Field, value: &SigmaValue) -> Result<Number, RuleFault> {
    let number = match value {
        SigmaValue::String(text) if field.holds == FieldType::Time => {
            let time = Timestamp::parse(&text.original);
            return time
                .map(|time| Number::new(time.micros() as f64))
                .map_err(|_| unsuited(value, "time", "RFC 3339 such as 2026-11-02T06:36:05Z"));
        }
        SigmaValue::Integer(number) => Some(*number as f64),
        SigmaValue::Float(number) => Some(*number),
        SigmaValue::String(text) => number_of(&text.original),
        SigmaValue::Bool(_) | SigmaValue::Null => None,
    };
    number
        .filter(|number| number.is_finite())
        .map(Number::new)
        .ok_or_else(|| unsuited(value, "number", "a number such as 5000"))
}

fn network(value: &SigmaValue) -> Result<(IpAddr, u8), RuleFault> {
    let written = value.to_string();
    let read = || {
        let (address, prefix) = written.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= most).then_some((address, prefix))
    };
    read().ok_or_else(|| unsuited(value, "network", "an address and a prefix such as 10.0.0.0/8"))
}

fn expression(modifiers: Modifiers<'_>, value: &SigmaValue) -> Result<String, RuleFault> {
    let SigmaValue::String(text) = value else { return Err(unsuited(value, "regular expression", "a text")) };
    let flags: String = [(Modifier::IgnoreCase, 'i'), (Modifier::Multiline, 'm'), (Modifier::DotAll, 's')]
        .into_iter()
        .filter(|(modifier, _)| modifiers.has(*modifier))
        .map(|(_, flag)| flag)
        .collect();
    let pattern = if flags.is_empty() { text.original.clone() } else { format!("(?{flags}){}", text.original) };
    text_matcher::regex(&pattern)?;
    Ok(pattern)
}

/// A value that is looked for as it is, perhaps after it was encoded.
fn plain(
    field: &Field,
    modifiers: Modifiers<'_>,
    value: &SigmaValue,
    setting: Setting<'_>,
) -> Result<Tests, RuleFault> {
    let leaf = |test: Test| Condition::Leaf(Predicate { field: field.clone(), test });
    let text = match value {
        SigmaValue::Null => return Ok(leaf(Test::Null)),
        SigmaValue::String(text) => text.clone(),
        SigmaValue::Integer(_) | SigmaValue::Float(_) | SigmaValue::Bool(_) => {
            SigmaString::from_raw(&value.to_string())
        }
    };
    let written = expanded(&text, modifiers, setting)?;
    let mut tests = Vec::new();
    for text in written {
        for pieces in encoded(&text, modifiers)? {
            tests.push(leaf(test_of(field, modifiers, pieces)?));
        }
    }
    Ok(any(tests))
}

fn test_of(field: &Field, modifiers: Modifiers<'_>, pieces: Vec<Piece>) -> Result<Test, RuleFault> {
    let cased = modifiers.cased;
    let shown = || match pieces.first() {
        Some(Piece::Plain(text)) => text.clone(),
        _ => "*".to_owned(),
    };
    let refused = |hint| Err(RuleFault::Value { value: shown(), expected: "number", hint });
    match TextPattern::new(pieces.clone(), modifiers.place, true) {
        TextPattern::Anything => Ok(Test::Exists),
        TextPattern::Exact(text) => {
            let number = match field.holds {
                FieldType::Time => Timestamp::parse(&text).ok().map(|time| time.micros() as f64),
                _ => number_of(&text),
            };
            let is_number = matches!(field.holds, FieldType::Integer | FieldType::Float | FieldType::Time);
            if is_number && number.is_none() {
                return refused("a number, or a time for a time");
            }
            let boolean = match text.to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            };
            let text = if cased { text } else { folded(&text) };
            Ok(Test::Equal { text, cased, number: number.map(Number::new), boolean })
        }
        _ if matches!(field.holds, FieldType::Float | FieldType::Time) => {
            refused("`gt`, `gte`, `lt` or `lte` with a number for this field")
        }
        _ => Ok(Test::Text { pattern: TextPattern::new(pieces, modifiers.place, cased), cased }),
    }
}

/// The value with its placeholders replaced, once for each of their values.
fn expanded(text: &SigmaString, modifiers: Modifiers<'_>, setting: Setting<'_>) -> Result<Vec<SigmaString>, RuleFault> {
    if !modifiers.has(Modifier::Expand) {
        return Ok(vec![text.clone()]);
    }
    let mut written = vec![text.original.clone()];
    // A value may have several; each round replaces one.
    for _ in 0..8 {
        let Some(name) =
            written.first().and_then(|text| text.split('%').nth(1)).filter(|_| written[0].matches('%').count() >= 2)
        else {
            break;
        };
        let name = name.to_owned();
        let values = setting.placeholders.get(&name).ok_or_else(|| RuleFault::Placeholder(name.clone()))?;
        written = written
            .iter()
            .flat_map(|text| values.iter().map(|value| text.replacen(&format!("%{name}%"), value, 1)))
            .collect();
    }
    Ok(written.iter().map(|text| SigmaString::new(text)).collect())
}

/// The forms of a value after its encodings.
fn encoded(text: &SigmaString, modifiers: Modifiers<'_>) -> Result<Vec<Vec<Piece>>, RuleFault> {
    let wide = modifiers
        .first(|modifier| matches!(modifier, Modifier::Wide | Modifier::Utf16be | Modifier::Utf16).then_some(modifier));
    let (once, offsets) = (modifiers.has(Modifier::Base64), modifiers.has(Modifier::Base64Offset));
    if modifiers.has(Modifier::WindAsh) {
        if wide.is_some() || once || offsets {
            return Err(RuleFault::Unsupported {
                what: "`windash` together with an encoding".to_owned(),
                hint: "write the encoded forms as values",
            });
        }
        return Ok(encode::windows_dashes(&text.original).iter().map(|form| pieces(&SigmaString::new(form))).collect());
    }
    if wide.is_none() && !once && !offsets {
        return Ok(vec![pieces(text)]);
    }
    let whole = text.as_plain().ok_or_else(|| RuleFault::Unsupported {
        what: "a wildcard in a value that is encoded".to_owned(),
        hint: "leave the wildcard out and use `contains`",
    })?;
    let bytes = match wide {
        Some(Modifier::Utf16be) => encode::utf16_great_first(&whole),
        Some(Modifier::Utf16) => [0xFF, 0xFE].into_iter().chain(encode::utf16_small_first(&whole)).collect(),
        Some(_) => encode::utf16_small_first(&whole),
        None => whole.into_bytes(),
    };
    let plain = |text: String| vec![Piece::Plain(text)];
    if offsets {
        return Ok(encode::base64_offsets(&bytes).into_iter().map(plain).collect());
    }
    if once {
        return Ok(vec![plain(encode::base64(&bytes))]);
    }
    let text = String::from_utf8(bytes).map_err(|_| RuleFault::Unsupported {
        what: "UTF-16 of this value as a text of its own".to_owned(),
        hint: "add `base64offset` behind it, which is where such text is met",
    })?;
    Ok(vec![plain(text)])
}
