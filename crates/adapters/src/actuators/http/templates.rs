//! Templates whose values are escaped for where they go.
//!
//! In an address and in a form, a value is percent-encoded; in JSON, it is written as JSON with its own quotes; in a
//! header, it may hold no control character. `| safe` turns that off for one value. A value that is not there is an error,
//! never an empty text.

use std::fmt::Write;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, value::Serde};

/// Where a template's values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escaping {
    None,
    Url,
    Json,
    Header,
}

const URL: &str = "url";
const JSON: &str = "json";
const HEADER: &str = "header";

/// Compiled templates by name.
pub(super) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name.split_once('\u{1f}') {
            Some((URL, _)) => AutoEscape::Custom(URL.into()),
            Some((JSON, _)) => AutoEscape::Custom(JSON.into()),
            Some((HEADER, _)) => AutoEscape::Custom(HEADER.into()),
            _ => AutoEscape::None,
        });
        environment.set_formatter(write_escaped);
        Self { environment }
    }

    /// Compiles a template.
    pub(super) fn add(&mut self, name: &str, source: &str, escaping: Escaping) -> Result<(), String> {
        let marked = marked(name, escaping);
        self.environment
            .add_template_owned(marked, source.to_owned())
            .map_err(|error| format!("`{name}` is no template: {}", without_mark(&error)))
    }

    /// Compiles the template of an address, whose host must not come from a value.
    pub(super) fn add_url(&mut self, name: &str, source: &str) -> Result<(), String> {
        let after_scheme = source.strip_prefix("http://").or_else(|| source.strip_prefix("https://"));
        let host = after_scheme.and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
        if host.is_empty() || host.contains(['{', '}', '@']) {
            return Err(format!(
                "`{name}` must begin with `http://HOST/` or `https://HOST/`, and a host that is written out"
            ));
        }
        self.add(name, source, Escaping::Url)
    }

    /// Renders a template.
    pub(super) fn render(&self, name: &str, values: &serde_json::Value) -> Result<String, String> {
        let values = Value::from(Serde(values));
        let escapings = [Escaping::Url, Escaping::Json, Escaping::Header, Escaping::None];
        let template =
            escapings.iter().find_map(|escaping| self.environment.get_template(&marked(name, *escaping)).ok());
        let template = template.ok_or_else(|| format!("there is no template `{name}`"))?;
        template.render(values).map_err(|error| format!("`{name}` cannot be filled in: {}", without_mark(&error)))
    }
}

/// The name of a template says how it escapes.
fn marked(name: &str, escaping: Escaping) -> String {
    let mark = match escaping {
        Escaping::None => "text",
        Escaping::Url => URL,
        Escaping::Json => JSON,
        Escaping::Header => HEADER,
    };
    format!("{mark}\u{1f}{name}")
}

fn without_mark(error: &Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
    error.line().map_or(what.clone(), |line| format!("{what}, in line {line}"))
}

fn write_escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "it uses a value that is not there"));
    }
    let text = plain(value);
    let escaped = match state.auto_escape() {
        _ if value.is_safe() => text,
        AutoEscape::Custom(kind) if kind == URL => url_text(&text)?,
        AutoEscape::Custom(kind) if kind == JSON => json_text(value)?,
        AutoEscape::Custom(kind) if kind == HEADER => {
            header_text(&text).map_err(|reason| Error::new(ErrorKind::InvalidOperation, reason))?
        }
        _ => text,
    };
    out.write_str(&escaped).map_err(|_| Error::new(ErrorKind::WriteFailure, "it cannot be written"))
}

/// A value as text; a whole number has no `.0`, which many an interface would refuse.
fn plain(value: &Value) -> String {
    whole(value).map_or_else(|| value.to_string(), |number| number.to_string())
}

fn whole(value: &Value) -> Option<i64> {
    let number = f64::try_from(value.clone()).ok()?;
    (value.as_str().is_none() && number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}

fn url_text(text: &str) -> Result<String, Error> {
    if text == "." || text == ".." {
        return Err(Error::new(ErrorKind::InvalidOperation, "a value of `.` or `..` would be another address"));
    }
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    Ok(escaped)
}

fn json_text(value: &Value) -> Result<String, Error> {
    let written = match whole(value) {
        Some(number) => serde_json::to_string(&number),
        None => serde_json::to_string(value),
    };
    written.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// A text that may be a header.
pub(super) fn header_text(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("a value for a header holds a control character".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn render(source: &str, escaping: Escaping, values: serde_json::Value) -> Result<String, String> {
        let mut templates = Templates::new();
        templates.add("t", source, escaping)?;
        templates.render("t", &values)
    }

    #[test]
    fn a_value_is_escaped_for_where_it_goes() {
        let hostile = json!({"channel": "a/b?c=\"d\"\r\n", "percent": 0.0, "share": 0.5});
        assert_eq!(
            render("http://h/{{ channel }}/x", Escaping::Url, hostile.clone()).unwrap(),
            "http://h/a%2Fb%3Fc%3D%22d%22%0D%0A/x"
        );
        assert_eq!(
            render(r#"{"c": {{ channel }}, "p": {{ percent }}, "s": {{ share }} }"#, Escaping::Json, hostile.clone())
                .unwrap(),
            r#"{"c": "a/b?c=\"d\"\r\n", "p": 0, "s": 0.5 }"#
        );
        assert!(render("{{ channel }}", Escaping::Header, hostile).unwrap_err().contains("control character"));
    }

    #[test]
    fn what_is_missing_or_would_be_another_address_is_an_error() {
        let missing = render("http://h/{{ parameters.key }}", Escaping::Url, json!({"parameters": {}})).unwrap_err();
        assert!(missing.starts_with("`t` cannot be filled in"), "{missing}");
        assert!(render("http://h/{{ key }}/revoke", Escaping::Url, json!({"key": ".."})).is_err());
    }

    #[test]
    fn the_host_is_written_out() {
        let mut templates = Templates::new();
        assert!(templates.add_url("t", "https://host:1/{{ a }}").is_ok());
        for wrong in ["https://{{ host }}/a", "{{ url }}", "ftp://host/", "https:///a", "https://user@host/"] {
            assert!(templates.add_url("t", wrong).is_err(), "{wrong}");
        }
        let error = templates.add("t", "{{ open", Escaping::None).unwrap_err();
        assert!(error.starts_with("`t` is no template: "), "{error}");
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_place(value in ".*") {
            let values = json!({"value": value});
            let body = render(r#"{"a": {{ value }}, "b": 1}"#, Escaping::Json, values.clone()).unwrap();
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(body, json!({"a": value, "b": 1}));
            if let Ok(url) = render("http://host/a/{{ value }}/b?c={{ value }}", Escaping::Url, values) {
                let url = reqwest::Url::parse(&url).unwrap();
                prop_assert_eq!(url.host_str(), Some("host"));
                prop_assert_eq!(url.path_segments().unwrap().count(), 3);
                prop_assert_eq!(url.query_pairs().next().unwrap().1.into_owned(), value);
            }
        }
    }
}
