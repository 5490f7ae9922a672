//! Weights of destinations in a route object, changed only where they still are what was read.
//!
//! Each rule that sends something to the version is changed, or those that `routes` names. Its patch tests each
//! destination and weight that it replaces, so that a change of somebody else in between makes it fail as a whole.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use wardline_domain::{Action, ActionRequest, Actuator};

use super::{
    super::{
        ActuatorSettingsError,
        checked::{Fault, Target, checked},
        settings::{Ingredients, TimeLimit, Word},
        split::{Names, Split},
    },
    cluster::{Change, ClusterSettings, Object, ObjectSettings, number_at},
};

/// How a kind of route object is built.
pub(super) struct Shape {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    /// The list of rules in the specification.
    pub(super) rules: &'static str,
    /// The list of destinations in a rule.
    pub(super) destinations: &'static str,
    /// What a destination goes by.
    pub(super) name_of: fn(&Value) -> Option<&str>,
    /// Where in a destination that name is.
    pub(super) name_at: fn(&Value) -> &'static str,
    /// The weight of a destination that has none written.
    pub(super) weight_unless_set: u64,
    /// Whether weights have to sum up to 100.
    pub(super) only_whole_percent: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The model whose traffic the object routes.
    model: String,
    namespace: Word,
    /// The object.
    object: Word,
    /// The rules that are meant, by name; without any, all that send something to the version.
    #[serde(default)]
    routes: Vec<String>,
    /// The destination of each version, where it is not called like it.
    #[serde(default)]
    destinations: Names,
    /// The version of the API, where the cluster serves another one.
    api_version: Option<Word>,
    #[serde(default)]
    cluster: ClusterSettings,
    #[serde(default = "TimeLimit::seconds::<10>")]
    time_limit_ms: TimeLimit,
}

/// An actuator for one object of such a shape.
pub(super) fn build(
    ingredients: &Ingredients<'_>,
    shape: &'static Shape,
) -> Result<Arc<dyn Actuator>, ActuatorSettingsError> {
    let settings: Settings = ingredients.read()?;
    let Settings { model, namespace, object: name, routes, destinations, api_version, cluster, time_limit_ms } =
        settings;
    let version = api_version.map_or_else(|| shape.version.to_owned(), |version| version.to_string());
    let object = ObjectSettings { group: shape.group, version, plural: shape.plural, namespace, name };
    let object = Object::new(ingredients, cluster, object, time_limit_ms)?;
    let target = RouteWeights { shape, model, routes, destinations, object };
    Ok(checked(&ingredients.name, time_limit_ms, target))
}

struct RouteWeights {
    shape: &'static Shape,
    model: String,
    routes: Vec<String>,
    destinations: Names,
    object: Object,
}

/// Two destinations, and the weights that they shall have.
struct Aim {
    version: (Word, u64),
    standing: (Word, u64),
}

/// The object, and where in it the two are.
struct State {
    object: Value,
    rules: Vec<Rule>,
}

/// One rule that sends something to the version.
struct Rule {
    version: Place,
    standing: Place,
}

#[derive(Clone)]
struct Place {
    /// Of the destination.
    pointer: String,
    weight: u64,
}

impl RouteWeights {
    fn rules(&self, aim: &Aim, object: &Value) -> Result<Vec<Rule>, Fault> {
        let list = format!("/spec/{}", self.shape.rules);
        let rules = object.pointer(&list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let meant = |rule: &Value| {
            let name = rule.get("name").and_then(Value::as_str);
            self.routes.is_empty() || name.is_some_and(|name| self.routes.iter().any(|route| route == name))
        };
        let mut found = Vec::new();
        for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| meant(rule)) {
            found.extend(self.rule(aim, rule, &format!("{list}/{at}/{}", self.shape.destinations))?);
        }
        if found.is_empty() && aim.version.1 > 0 {
            return Err(Fault::Refused(format!(
                "no rule of it has the destination {}: see `destinations`",
                aim.version.0
            )));
        }
        Ok(found)
    }

    fn rule(&self, aim: &Aim, rule: &Value, pointer: &str) -> Result<Option<Rule>, Fault> {
        let list = rule.get(self.shape.destinations).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let place = |name: &Word| {
            let at = list.iter().position(|destination| (self.shape.name_of)(destination) == Some(name.as_str()))?;
            let weight = number_at(list.get(at)?, "/weight").unwrap_or(self.shape.weight_unless_set);
            Some((at, Place { pointer: format!("{pointer}/{at}"), weight }))
        };
        let Some((version_at, version)) = place(&aim.version.0) else { return Ok(None) };
        let Some((standing_at, standing)) = place(&aim.standing.0) else {
            return Err(Fault::Refused(format!(
                "the rule at `{pointer}` has {} and not {}, which shall get the rest",
                aim.version.0, aim.standing.0
            )));
        };
        let others = list.iter().enumerate().filter(|(at, _)| *at != version_at && *at != standing_at);
        let others: u64 = others
            .map(|(_, other)| number_at(other, "/weight").unwrap_or(self.shape.weight_unless_set))
            .fold(0, u64::saturating_add);
        if others > 0 {
            return Err(Fault::Refused(format!(
                "the rule at `{pointer}` splits between more than two destinations, so a share of one is not defined"
            )));
        }
        Ok(Some(Rule { version, standing }))
    }

    fn operations(&self, aim: &Aim, state: &State) -> Vec<Value> {
        let mut operations = Vec::new();
        for rule in &state.rules {
            for (place, (name, weight)) in [(&rule.version, &aim.version), (&rule.standing, &aim.standing)] {
                let destination = state.object.pointer(&place.pointer).unwrap_or(&Value::Null);
                let name_at = format!("{}{}", place.pointer, (self.shape.name_at)(destination));
                operations.push(json!({"op": "test", "path": name_at, "value": name.as_str()}));
                let weight_at = format!("{}/weight", place.pointer);
                if destination.get("weight").is_some() {
                    operations.push(json!({"op": "test", "path": weight_at, "value": place.weight}));
                }
                // `add` also replaces.
                operations.push(json!({"op": "add", "path": weight_at, "value": weight}));
            }
        }
        operations
    }
}

/// Whether every controller that said what it has seen has seen this state of the object.
fn is_taken_up(object: &Value) -> bool {
    let Some(generation) = number_at(object, "/metadata/generation") else { return true };
    let parents = object.pointer("/status/parents").and_then(Value::as_array).into_iter().flatten();
    let conditions = parents.filter_map(|parent| parent.get("conditions")?.as_array()).flatten();
    let mut seen = conditions.filter_map(|condition| number_at(condition, "/observedGeneration"));
    seen.all(|seen| seen >= generation)
}

#[async_trait]
impl Target for RouteWeights {
    type Aim = Aim;
    type State = State;

    fn can(&self, action: &Action) -> bool {
        Split::is_of(action, &self.model)
    }

    async fn aim(&self, action: &Action) -> Result<Aim, Fault> {
        let split = Split::of(action)?;
        let (weight, total) = match (split.whole_percent(), self.shape.only_whole_percent) {
            (Ok(percent), _) => (percent, 100),
            (Err(fault), true) => return Err(fault),
            (Err(_), false) => (split.hundredths()?, 10_000),
        };
        let destination = |version: &str| self.destinations.of(version);
        Ok(Aim {
            version: (destination(&split.version)?, weight.into()),
            standing: (destination(&split.standing)?, (total - weight).into()),
        })
    }

    async fn observe(&self, aim: &Aim) -> Result<Option<State>, Fault> {
        let object = self.object.get().await?;
        Ok(Some(State { rules: self.rules(aim, &object)?, object }))
    }

    fn holds(&self, aim: &Aim, state: &State) -> bool {
        let is_split = |rule: &Rule| {
            let (version, standing) = (u128::from(rule.version.weight), u128::from(rule.standing.weight));
            version * u128::from(aim.standing.1) == standing * u128::from(aim.version.1) && version + standing > 0
        };
        state.rules.iter().all(is_split) && is_taken_up(&state.object)
    }

    async fn change(
        &self,
        aim: &Aim,
        before: Option<&State>,
        request: &ActionRequest,
    ) -> Result<Option<String>, Fault> {
        let Some(state) = before else { return Ok(None) };
        let change = Change::Operations(self.operations(aim, state));
        self.object.change(None, change, request, &state.object).await.map(|()| None)
    }

    fn describe(&self, aim: &Aim, state: &State) -> String {
        if state.rules.is_empty() {
            return format!("no rule for {}", aim.version.0);
        }
        let rule = |rule: &Rule| {
            format!("{}={} {}={}", aim.version.0, rule.version.weight, aim.standing.0, rule.standing.weight)
        };
        let taken_up = if is_taken_up(&state.object) { "" } else { " (not yet taken up)" };
        format!("{}{taken_up}", state.rules.iter().map(rule).collect::<Vec<_>>().join(", "))
    }

    fn describe_aim(&self, aim: &Aim) -> String {
        format!("{}={} {}={}", aim.version.0, aim.version.1, aim.standing.0, aim.standing.1)
    }

    fn takes_its_time(&self, _aim: &Aim) -> bool {
        true
    }
}
