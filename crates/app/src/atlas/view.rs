//! One way to look at the catalogue: a table for people, a layer for the navigator.

use serde::Deserialize;
use serde_json::Value;
use wardline_domain::atlas::{Atlas, LayerRow, layer};

use super::{AtlasReport, TechniqueReport};
use crate::screen;

/// What is asked of every technique.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum View {
    /// What looks for it.
    #[default]
    Coverage,
    /// Whether it could be seen.
    Visibility,
    /// What was found.
    Fired,
}

impl View {
    const fn name(self) -> &'static str {
        match self {
            Self::Coverage => "coverage",
            Self::Visibility => "visibility",
            Self::Fired => "fired",
        }
    }

    const fn question(self) -> &'static str {
        match self {
            Self::Coverage => "how many detectors, rules and hunts look for each technique",
            Self::Visibility => "which techniques the telemetry has the fields for: 1 it has, 0 it lacks some",
            Self::Fired => "how many findings may be a sign of each technique",
        }
    }

    /// Its score; none where there is nothing to say.
    fn score(self, technique: &TechniqueReport) -> Option<f64> {
        let n_looking = technique.detectors.len() + technique.rules.len() + technique.hunts.len();
        match self {
            Self::Coverage => (n_looking > 0).then_some(n_looking as f64),
            Self::Visibility => technique.visible.map(|visible| if visible { 1.0 } else { 0.0 }),
            Self::Fired => (technique.findings > 0).then_some(technique.findings as f64),
        }
    }

    fn told(self, technique: &TechniqueReport) -> String {
        match self {
            Self::Coverage => looking(technique).join("; "),
            Self::Visibility => match technique.visible {
                Some(true) => technique.shows.join("; "),
                Some(false) => format!("lacks {}", technique.missing.join(", ")),
                None => String::new(),
            },
            Self::Fired => {
                let models: Vec<&str> = technique.models.iter().map(String::as_str).collect();
                let last = technique.last_finding.as_deref().unwrap_or_default();
                format!("{} findings on {}, last {last}", technique.findings, models.join(", "))
            }
        }
    }
}

/// What looks for a technique, by means.
fn looking(technique: &TechniqueReport) -> Vec<String> {
    let means = [("detectors", &technique.detectors), ("rules", &technique.rules), ("hunts", &technique.hunts)];
    let said = means.into_iter().filter(|(_, names)| !names.is_empty());
    said.map(|(means, names)| format!("{means} {}", names.iter().cloned().collect::<Vec<_>>().join(", "))).collect()
}

impl AtlasReport {
    /// A layer for the ATT&CK Navigator.
    pub(crate) fn layer(&self, atlas: &Atlas, view: View) -> Value {
        let rows: Vec<LayerRow> = self
            .techniques
            .iter()
            .filter_map(|technique| {
                let score = Some(view.score(technique)?);
                Some(LayerRow { technique: technique.id.clone(), score, comment: view.told(technique) })
            })
            .collect();
        layer(atlas, &format!("Wardline {}", view.name()), view.question(), &rows)
    }

    /// A table of the techniques of which there is something to say, and how many there are.
    pub(crate) fn table(&self, view: View) -> String {
        let said: Vec<&TechniqueReport> =
            self.techniques.iter().filter(|technique| view.score(technique).is_some()).collect();
        let good = said.iter().filter(|technique| view.score(technique).is_some_and(|score| score > 0.0)).count();
        let rows = said.iter().map(|technique| {
            let tactics = technique.tactics.join(", ");
            vec![technique.id.clone(), technique.name.clone(), tactics, view.told(technique)]
        });
        let table = screen::table(&["technique", "name", "tactics", view.name()], rows);
        let range = match (self.from, self.to) {
            (Some(from), Some(to)) if view != View::Coverage => format!(", between {from} and {to}"),
            _ => String::new(),
        };
        let all = self.techniques.len();
        let sentence = match view {
            View::Coverage => format!("something looks for {good} of {all} techniques of ATLAS {}", self.version),
            View::Visibility => {
                format!("{good} of the {} techniques that leave traces could be seen{range}", said.len())
            }
            View::Fired => format!("findings point to {good} of {all} techniques{range}"),
        };
        let unknown = match self.unknown.as_slice() {
            [] => String::new(),
            unknown => format!("\nnot in this release: {}", unknown.join(", ")),
        };
        format!("{table}{sentence}{unknown}\n")
    }
}

impl TechniqueReport {
    /// All that is known of it.
    pub(crate) fn described(&self, forms: &[&Self]) -> String {
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join("\n            ") };
        let forms: Vec<String> = forms.iter().map(|form| format!("{} {}", form.id, form.name)).collect();
        let seen = match self.visible {
            None => "not known: it leaves no known traces, or no telemetry was looked at".to_owned(),
            Some(true) => list(&self.shows),
            Some(false) => format!("no: telemetry lacks {}", self.missing.join(", ")),
        };
        let found = if self.findings == 0 { "none".to_owned() } else { View::Fired.told(self) };
        let lines = [
            format!("{}  {}", self.id, self.name),
            format!("tactics     {}", self.tactics.join(", ")),
            format!("forms       {}", list(&forms)),
            format!("looked for  {}", list(&looking(self))),
            format!("seen in     {seen}"),
            format!("findings    {found}"),
            format!("helps       {}", list(&self.mitigations)),
        ];
        lines.join("\n") + "\n"
    }
}
