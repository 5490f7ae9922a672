//! Reads a TOML table key by key and keeps every problem, so that a person sees all of them at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
};

use wardline_domain::{Span, Timestamp};

/// One thing wrong with the settings: which key, what was written, and what would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The key's full path, such as `objectives.success`.
    pub(crate) key: String,
    /// What is wrong.
    pub(crate) what: String,
    /// What would do.
    pub(crate) hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.key, self.what)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Reads one table; the problems of all its readers end up in one list.
pub(super) struct Reader<'a> {
    table: Option<&'a toml::Table>,
    path: String,
    known: BTreeSet<String>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(table: &'a toml::Table, problems: &'a mut Vec<Problem>) -> Self {
        Self { table: Some(table), path: String::new(), known: BTreeSet::new(), problems }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn problem(&mut self, key: &str, what: impl Into<String>, hint: Option<&str>) {
        let key = self.path_of(key);
        self.problems.push(Problem { key, what: what.into(), hint: hint.map(ToOwned::to_owned) });
    }

    fn value(&mut self, key: &str) -> Option<&'a toml::Value> {
        self.known.insert(key.to_owned());
        self.table.and_then(|table| table.get(key))
    }

    /// Whether the table itself was written.
    pub(super) const fn is_written(&self) -> bool {
        self.table.is_some()
    }

    /// A table below this one; one that is absent reads as empty.
    pub(super) fn section<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let table = match self.value(key) {
            None => None,
            Some(toml::Value::Table(table)) => Some(table),
            Some(other) => {
                self.problem(key, format!("is {}, and must be a table", described(other)), None);
                None
            }
        };
        let path = self.path_of(key);
        let mut section = Reader { table, path, known: BTreeSet::new(), problems: self.problems };
        let read = read(&mut section);
        section.finish();
        read
    }

    /// Every table of a table of tables, such as `[models."name"]`.
    pub(super) fn each_section<T>(&mut self, key: &str, mut read: impl FnMut(&str, &mut Reader<'_>) -> T) -> Vec<T> {
        let names: Vec<String> = match self.value(key) {
            Some(toml::Value::Table(table)) => table.keys().cloned().collect(),
            _ => Vec::new(),
        };
        self.section(key, |section| names.iter().map(|name| section.section(name, |table| read(name, table))).collect())
    }

    /// Every table of an array of tables, such as `[[privacy.rules]]`.
    pub(super) fn each_item<T>(&mut self, key: &str, mut read: impl FnMut(&mut Reader<'_>) -> T) -> Vec<T> {
        let items = match self.value(key) {
            None => return Vec::new(),
            Some(toml::Value::Array(items)) => items,
            Some(other) => {
                let what = format!("is {}, and must be an array of tables", described(other));
                self.problem(key, what, Some(&format!("write [[{}]]", self.path_of(key))));
                return Vec::new();
            }
        };
        let mut read_items = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let Some(table) = item.as_table() else {
                self.problem(key, format!("holds {}, and must hold tables", described(item)), None);
                continue;
            };
            let path = format!("{}[{index}]", self.path_of(key));
            let mut reader = Reader { table: Some(table), path, known: BTreeSet::new(), problems: self.problems };
            read_items.push(read(&mut reader));
            reader.finish();
        }
        read_items
    }

    /// Tables of an array of tables that something else reads, such as an actuator's, each with its path.
    pub(super) fn raw_items(&mut self, key: &str) -> Vec<(String, toml::Table)> {
        let items = match self.value(key) {
            None => return Vec::new(),
            Some(toml::Value::Array(items)) => items.clone(),
            Some(other) => {
                let what = format!("is {}, and must be an array of tables", described(other));
                self.problem(key, what, Some(&format!("write [[{}]]", self.path_of(key))));
                return Vec::new();
            }
        };
        let tables = items.into_iter().enumerate().filter_map(|(index, item)| match item {
            toml::Value::Table(table) => Some((format!("{key}[{index}]"), table)),
            _ => None,
        });
        tables.collect()
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.value(key)? {
            toml::Value::String(text) if !text.is_empty() => Some(text.clone()),
            toml::Value::String(_) => {
                self.problem(key, "is empty", Some("write a text, or leave the key out"));
                None
            }
            // TOML knows dates of its own, and `until = 2026-03-01T00:00:00Z` is what one would write.
            toml::Value::Datetime(time) => Some(time.to_string()),
            other => {
                self.problem(key, format!("is {}, and must be text", described(other)), None);
                None
            }
        }
    }

    pub(super) fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        let value = self.value(key)?;
        let items: Option<Vec<String>> =
            value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(ToOwned::to_owned)).collect());
        if items.is_none() {
            self.problem(
                key,
                format!("is {}, and must be a list of texts", described(value)),
                Some("write [\"a\", \"b\"]"),
            );
        }
        items
    }

    /// A truth value.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        if value.as_bool().is_none() {
            self.problem(key, format!("is {}, and must be true or false", described(value)), None);
        }
        value.as_bool()
    }

    /// Texts, by name.
    pub(super) fn texts_by_name(&mut self, key: &str) -> BTreeMap<String, String> {
        let names: Vec<String> = match self.value(key) {
            Some(toml::Value::Table(table)) => table.keys().cloned().collect(),
            _ => Vec::new(),
        };
        self.section(key, |section| {
            names.iter().filter_map(|name| section.text(name).map(|text| (name.clone(), text))).collect()
        })
    }

    /// Lists of texts, by name.
    pub(super) fn lists(&mut self, key: &str) -> BTreeMap<String, Vec<String>> {
        let names: Vec<String> = match self.value(key) {
            Some(toml::Value::Table(table)) => table.keys().cloned().collect(),
            _ => Vec::new(),
        };
        self.section(key, |section| {
            names.iter().filter_map(|name| section.texts(name).map(|texts| (name.clone(), texts))).collect()
        })
    }

    /// A number within a range, both ends included.
    pub(super) fn number(&mut self, key: &str, range: RangeInclusive<f64>, hint: Option<&str>) -> Option<f64> {
        let value = self.value(key)?;
        let number = value.as_float().or_else(|| value.as_integer().map(|integer| integer as f64));
        match number {
            Some(number) if range.contains(&number) => Some(number),
            Some(number) => {
                self.problem(
                    key,
                    format!("is {number}, and must lie between {} and {}", range.start(), range.end()),
                    hint,
                );
                None
            }
            None => {
                self.problem(key, format!("is {}, and must be a number", described(value)), hint);
                None
            }
        }
    }

    /// A whole number within a range.
    pub(super) fn whole(&mut self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let number = self.number(key, *range.start() as f64..=*range.end() as f64, None)?;
        if number.fract() == 0.0 {
            return Some(number as u64);
        }
        self.problem(key, format!("is {number}, and must be a whole number"), None);
        None
    }

    /// A length of time such as `90s`, `5m`, `12h`, `7d`.
    pub(super) fn span(&mut self, key: &str) -> Option<Span> {
        let text = self.text(key)?;
        let span = parse_span(&text);
        if span.is_none() {
            self.problem(key, format!("is `{text}`, and must be a length of time"), Some("write 90s, 5m, 12h or 7d"));
        }
        span
    }

    /// A moment in RFC 3339.
    pub(super) fn moment(&mut self, key: &str) -> Option<Timestamp> {
        let text = self.text(key)?;
        match Timestamp::parse(&text) {
            Ok(moment) => Some(moment),
            Err(error) => {
                self.problem(key, format!("is `{text}`, and must be a time"), Some(&error.to_string()));
                None
            }
        }
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(&mut self) {
        let Some(table) = self.table else { return };
        let unknown: Vec<String> = table.keys().filter(|key| !self.known.contains(*key)).cloned().collect();
        for key in unknown {
            let nearest = self.known.iter().min_by_key(|known| distance(known, &key)).cloned();
            let hint = match nearest {
                Some(nearest) if distance(&nearest, &key) <= 3 => format!("did you mean `{nearest}`?"),
                _ => format!("known keys here: {}", self.known.iter().cloned().collect::<Vec<_>>().join(", ")),
            };
            self.problem(&key, "is not a setting", Some(&hint));
        }
    }
}

/// `90s`, `5m`, `12h`, `7d` as microseconds.
pub(crate) fn parse_span(text: &str) -> Option<Span> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit() && character != '.')?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let unit = match unit.trim() {
        "ms" => Timestamp::SECOND / 1_000,
        "s" => Timestamp::SECOND,
        "m" | "min" => Timestamp::MINUTE,
        "h" => Timestamp::HOUR,
        "d" => Timestamp::DAY,
        "w" => 7 * Timestamp::DAY,
        _ => return None,
    };
    let span = number * unit as f64;
    (span > 0.0 && span < 1e18).then_some(span as Span)
}

fn described(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("the text `{text}`"),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(time) => format!("the time {time}"),
        toml::Value::Array(_) => "a list".to_owned(),
        toml::Value::Table(_) => "a table".to_owned(),
    }
}

/// Levenshtein distance, for "did you mean".
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, left_char) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right_char) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(left_char != *right_char);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
