//! YAML files of objectives, read key by key, so that an error can say where it is and what would do.

use std::{cell::RefCell, fmt, rc::Rc};

use serde::Deserialize as _;
use yaml_serde::Value;

/// Something wrong with a file of objectives, or left out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SloFileProblem {
    /// The file, as it was named.
    pub file: String,
    /// The line, where it is known.
    pub line: Option<usize>,
    /// Where in the document, such as `SLO checkout: spec.objectives[0].target`.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for SloFileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if self.path.is_empty() {
            write!(f, ": {}", self.what)?;
        } else {
            write!(f, ": `{}` {}", self.path, self.what)?;
        }
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\n  hint: {}", self.hint) }
    }
}

/// Problems of all documents of an import.
pub(super) type Problems = Rc<RefCell<Vec<SloFileProblem>>>;

/// One document of a file.
struct Document {
    file: String,
    /// Its text and the line before it, from which lines are found.
    text: String,
    lines_before: usize,
    /// What it is, such as `SLO checkout`.
    title: String,
}

/// A place in a document.
#[derive(Clone)]
pub(super) struct Node {
    value: Option<Value>,
    path: String,
    document: Rc<Document>,
    problems: Problems,
}

/// The objects of a file: every document of it, and every item of a document that is a list.
pub(super) fn objects(file: &str, text: &str, problems: &Problems) -> Vec<Node> {
    let mut objects = Vec::new();
    for (lines_before, part) in documents(text) {
        let value = match Value::deserialize(yaml_serde::Deserializer::from_str(&part)) {
            Ok(Value::Null) => continue,
            Ok(value) => value,
            Err(error) => {
                problems.borrow_mut().push(SloFileProblem {
                    file: file.to_owned(),
                    line: error.location().map(|location| lines_before + location.line()),
                    path: String::new(),
                    what: format!("is not YAML: {error}"),
                    hint: "check indentation and quotes; a text with `{` or `: ` needs quotes".to_owned(),
                });
                continue;
            }
        };
        let items = match value {
            Value::Sequence(items) => items,
            other => vec![other],
        };
        for value in items {
            let title = title_of(&value);
            let document = Document { file: file.to_owned(), text: part.clone(), lines_before, title };
            objects.push(Node {
                value: Some(value),
                path: String::new(),
                document: Rc::new(document),
                problems: Rc::clone(problems),
            });
        }
    }
    objects
}

/// Documents of a file with the number of lines before each.
fn documents(text: &str) -> Vec<(usize, String)> {
    let mut parts = vec![(0, String::new())];
    for (index, line) in text.lines().enumerate() {
        let is_end = line == "---" || line.starts_with("--- ") || line == "...";
        match parts.last_mut() {
            Some((_, part)) if !is_end => {
                part.push_str(line);
                part.push('\n');
            }
            _ => parts.push((index + 1, String::new())),
        }
    }
    parts.retain(|(_, part)| !part.trim().is_empty());
    parts
}

fn title_of(value: &Value) -> String {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = text(value.get("kind"));
    let name = text(value.get("metadata").and_then(|metadata| metadata.get("name")));
    format!("{kind} {name}").trim().to_owned()
}

impl Node {
    /// The place below a key.
    pub(super) fn get(&self, key: &str) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        self.at(self.value.as_ref().and_then(|value| value.get(key)).cloned(), path)
    }

    /// The places of a list; a place that is no list but is there is a problem.
    pub(super) fn items(&self) -> Vec<Self> {
        match &self.value {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Sequence(items)) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.at(Some(item.clone()), format!("{}[{index}]", self.path)))
                .collect(),
            Some(_) => {
                self.problem("is no list", "begin each item with `- `");
                Vec::new()
            }
        }
    }

    fn at(&self, value: Option<Value>, path: String) -> Self {
        Self { value, path, document: Rc::clone(&self.document), problems: Rc::clone(&self.problems) }
    }

    /// Whether anything is written here.
    pub(super) const fn is_there(&self) -> bool {
        !matches!(self.value, None | Some(Value::Null))
    }

    /// The text here; numbers and truth values as they are written.
    pub(super) fn text(&self) -> Option<String> {
        match self.value.as_ref()? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null => None,
            _ => {
                self.problem("is no text", "write one value here");
                None
            }
        }
    }

    /// The text here, whose absence is a problem.
    pub(super) fn needed_text(&self, hint: &str) -> Option<String> {
        let text = self.text().filter(|text| !text.is_empty());
        if text.is_none() {
            self.problem("is missing", hint);
        }
        text
    }

    /// The number here, also one in quotes.
    pub(super) fn number(&self) -> Option<f64> {
        let text = self.text()?;
        let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        if number.is_none() {
            self.problem(&format!("is `{text}`, and must be a number"), "write a number such as 0.999");
        }
        number
    }

    /// The truth value here.
    pub(super) fn flag(&self) -> Option<bool> {
        self.value.as_ref().and_then(Value::as_bool)
    }

    /// Keys and texts of the mapping here.
    pub(super) fn texts(&self) -> Vec<(String, String)> {
        let Some(mapping) = self.value.as_ref().and_then(Value::as_mapping) else { return Vec::new() };
        mapping
            .iter()
            .filter_map(|(key, _)| key.as_str())
            .filter_map(|key| Some((key.to_owned(), self.get(key).text()?)))
            .collect()
    }

    /// Notes that something is wrong here.
    pub(super) fn problem(&self, what: &str, hint: &str) {
        let problem = self.noted(what, hint);
        self.problems.borrow_mut().push(problem);
    }

    /// The same as a note.
    pub(super) fn noted(&self, what: &str, hint: &str) -> SloFileProblem {
        let separator = if self.path.is_empty() || self.document.title.is_empty() { "" } else { ": " };
        SloFileProblem {
            file: self.document.file.clone(),
            line: self.line(),
            path: format!("{}{separator}{}", self.document.title, self.path),
            what: what.to_owned(),
            hint: hint.to_owned(),
        }
    }

    /// The line of this place: of its key, or of the nearest one above that is written.
    fn line(&self) -> Option<usize> {
        let lines: Vec<&str> = self.document.text.lines().collect();
        let name = self.document.title.rsplit(' ').next().unwrap_or_default();
        // Where a document is a list, the object begins at its name.
        let mut line =
            lines.iter().position(|line| !name.is_empty() && line.trim() == format!("name: {name}")).unwrap_or(0);
        for segment in self.path.split('.') {
            let (key, index) = match segment.split_once('[') {
                Some((key, index)) => (key, index.trim_end_matches(']').parse::<usize>().unwrap_or(0)),
                None => (segment, 0),
            };
            let begins = |line: &&str| line.trim_start().trim_start_matches("- ").starts_with(&format!("{key}:"));
            let Some(found) = lines.iter().skip(line).position(begins) else { break };
            line += found;
            if segment.contains('[') {
                line = item_line(&lines, line, index).unwrap_or(line);
            }
        }
        Some(self.document.lines_before + line + 1)
    }
}

/// The line of an item of the list below a line.
fn item_line(lines: &[&str], list: usize, index: usize) -> Option<usize> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let first = list + 1 + lines.iter().skip(list + 1).position(|line| line.trim_start().starts_with('-'))?;
    let depth = indent(lines.get(first)?);
    let mut items = lines
        .iter()
        .enumerate()
        .skip(first)
        .filter(|(_, line)| indent(line) == depth && line.trim_start().starts_with('-'));
    items.nth(index).map(|(line, _)| line)
}
