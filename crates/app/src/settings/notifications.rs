//! `[notifications]`, `[[notifiers]]` and `[[routes]]`: who is told of what, and how long it is tried.

use std::{collections::BTreeSet, sync::Arc};

use wardline_adapters::notifiers;
use wardline_domain::{FindingKind, NoticeSubject, Notifier, Severity, Span, Timestamp};
use wardline_respond::incident::Class;

use super::reader::Reader;

/// Who is told, and of what.
#[derive(Clone)]
pub(crate) struct NotificationSettings {
    /// Every notifier.
    pub(crate) notifiers: Vec<Arc<dyn Notifier>>,
    /// Who gets what; never empty where there is a notifier.
    pub(crate) routes: Vec<Route>,
    /// Where this server is found by those who are told.
    pub(crate) address: Option<String>,
    /// How long a message is tried before it is given up.
    pub(crate) give_up_after: Span,
    /// How often a message is tried before it is given up.
    pub(crate) most_attempts: u32,
}

/// What some notifiers get. What is empty excludes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Names of notifiers.
    pub(crate) to: Vec<String>,
    /// About alerts, incidents, or both.
    pub(crate) about: BTreeSet<NoticeSubject>,
    /// Of these models.
    pub(crate) models: BTreeSet<String>,
    /// At least as severe.
    pub(crate) least_severity: Severity,
    /// Of these kinds.
    pub(crate) kinds: BTreeSet<FindingKind>,
    /// Of these classes.
    pub(crate) classes: BTreeSet<Class>,
}

impl Route {
    /// Every incident that asks for something: one cause is told once, however many alerts it has.
    fn of_everything(to: Vec<String>) -> Self {
        Self {
            to,
            about: BTreeSet::from([NoticeSubject::Incident]),
            models: BTreeSet::new(),
            least_severity: Severity::Ticket,
            kinds: BTreeSet::new(),
            classes: BTreeSet::new(),
        }
    }
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            notifiers: Vec::new(),
            routes: Vec::new(),
            address: None,
            give_up_after: Timestamp::DAY,
            most_attempts: 200,
        }
    }
}

impl std::fmt::Debug for NotificationSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.notifiers.iter().map(|notifier| notifier.name()).collect();
        let mut shown = f.debug_struct("NotificationSettings");
        shown.field("notifiers", &names).field("routes", &self.routes).field("address", &self.address);
        shown.field("give_up_after", &self.give_up_after).field("most_attempts", &self.most_attempts).finish()
    }
}

impl NotificationSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        let (address, give_up_after, most_attempts) = reader.section("notifications", |section| {
            let address = section.text("address").and_then(|text| read_address(section, text));
            let give_up_after = section.span("give_up_after").unwrap_or(default.give_up_after);
            let most_attempts = section.whole("most_attempts", 1..=100_000).map(|most| most as u32);
            (address, give_up_after, most_attempts.unwrap_or(default.most_attempts))
        });
        let notifiers = read_notifiers(reader);
        let names: Vec<&str> = notifiers.iter().map(|notifier| notifier.name()).collect();
        let mut routes: Vec<Route> = reader.each_item("routes", |item| read_route(item, &names));
        if routes.is_empty() && !notifiers.is_empty() {
            routes.push(Route::of_everything(names.iter().map(|name| (*name).to_owned()).collect()));
        }
        let is_routed = |name: &str| routes.iter().any(|route| route.to.iter().any(|to| to == name));
        for name in names.iter().filter(|name| !is_routed(name)) {
            let what = format!("have none to `{name}`, which would never be told anything");
            reader.problem("routes", what, Some("name it in `to` of a route, or take it out"));
        }
        Self { notifiers, routes, address, give_up_after, most_attempts }
    }

    /// Lines of `wardline check`.
    pub(crate) fn described(&self) -> Vec<String> {
        let route = |route: &Route| {
            let texts = |names: Vec<&str>, all: &str| {
                if names.is_empty() { all.to_owned() } else { names.join(", ") }
            };
            let about = texts(route.about.iter().map(|about| about.name()).collect(), "nothing");
            let models = texts(route.models.iter().map(String::as_str).collect(), "every model");
            let kinds =
                route.kinds.iter().map(|kind| kind.name()).chain(route.classes.iter().map(|class| class.name()));
            let kinds = texts(kinds.collect(), "of every kind");
            let to = route.to.join(", ");
            format!("notifies      {to}: {about} from {} on, {models}, {kinds}", route.least_severity.name())
        };
        self.routes.iter().map(route).collect()
    }
}

fn read_address(reader: &mut Reader<'_>, text: String) -> Option<String> {
    let is_good = text.starts_with("http://") || text.starts_with("https://");
    if !is_good {
        let hint = "write what people open, such as https://wardline.example.org";
        reader.problem("address", format!("is `{text}`, and must be a web address"), Some(hint));
    }
    is_good.then(|| text.trim_end_matches('/').to_owned())
}

fn read_notifiers(reader: &mut Reader<'_>) -> Vec<Arc<dyn Notifier>> {
    let mut built: Vec<Arc<dyn Notifier>> = Vec::new();
    for (key, table) in reader.raw_items("notifiers") {
        let made = serde_json::to_value(table).map_err(|error| error.to_string()).and_then(|table| {
            notifiers::build(&table, &|name| std::env::var(name).ok()).map_err(|error| error.to_string())
        });
        match made {
            Ok(notifier) if built.iter().any(|known| known.name() == notifier.name()) => {
                let what = format!("is named `{}`, as another one is", notifier.name());
                reader.problem(&key, what, Some("give each notifier a name of its own"));
            }
            Ok(notifier) => built.push(notifier),
            Err(error) => reader.problem(&key, format!("cannot be used: {error}"), None),
        }
    }
    built
}

fn read_route(reader: &mut Reader<'_>, known: &[&str]) -> Route {
    let to = reader.texts("to").unwrap_or_default();
    if to.is_empty() {
        reader.problem("to", "is missing", Some("name notifiers, such as [\"on-call\"]"));
    }
    for name in to.iter().filter(|name| !known.contains(&name.as_str())) {
        let names = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint = if names.is_empty() {
            "add [[notifiers]] with this name".to_owned()
        } else {
            format!("use one of {names}")
        };
        reader.problem("to", format!("names `{name}`, and there is no such notifier"), Some(&hint));
    }
    let default = Route::of_everything(to);
    let about = named(reader, "about", &[NoticeSubject::Alert, NoticeSubject::Incident], NoticeSubject::name);
    let severities = [Severity::Info, Severity::Ticket, Severity::Page];
    let least = reader.text("least_severity").and_then(|text| {
        let found = severities.into_iter().find(|severity| severity.name() == text);
        if found.is_none() {
            reader.problem("least_severity", format!("is `{text}`, and is none"), Some("write info, ticket or page"));
        }
        found
    });
    let classes = [Class::Performance, Class::Security, Class::Fairness, Class::Misuse];
    Route {
        about: if about.is_empty() { default.about } else { about },
        models: reader.texts("models").unwrap_or_default().into_iter().collect(),
        least_severity: least.unwrap_or(default.least_severity),
        kinds: read_kinds(reader),
        classes: named(reader, "classes", &classes, Class::name),
        to: default.to,
    }
}

/// Values of a closed set, by their names.
fn named<T: Copy + Ord>(
    reader: &mut Reader<'_>,
    key: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> BTreeSet<T> {
    let mut found = BTreeSet::new();
    for text in reader.texts(key).unwrap_or_default() {
        match all.iter().find(|value| name_of(**value) == text) {
            Some(value) => {
                found.insert(*value);
            }
            None => {
                let names: Vec<&str> = all.iter().map(|value| name_of(*value)).collect();
                let hint = format!("write {}", names.join(", "));
                reader.problem(key, format!("has `{text}`, which is none"), Some(&hint));
            }
        }
    }
    found
}

fn read_kinds(reader: &mut Reader<'_>) -> BTreeSet<FindingKind> {
    let mut kinds = BTreeSet::new();
    for text in reader.texts("kinds").unwrap_or_default() {
        match serde_json::from_value(serde_json::Value::String(text.clone())) {
            Ok(kind) => {
                kinds.insert(kind);
            }
            Err(_) => {
                let hint = "write some such as latency, data_drift or injection";
                reader.problem("kinds", format!("has `{text}`, which is none"), Some(hint));
            }
        }
    }
    kinds
}
