//! A scenario's settings as Wardline's configuration file.

use std::{collections::BTreeMap, fmt::Write as _};

use wardline_domain::ModelSettings;

use crate::{Options, Scenario};

/// Writes what an operator knows of a scenario's models.
pub(crate) fn toml(scenario: &Scenario, options: &Options, models: &BTreeMap<String, ModelSettings>) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# {}\n\n[learning]\nuntil = \"{}\"", scenario.about, options.learning_until());
    for (name, settings) in models {
        write_model(&mut text, name, settings);
    }
    text
}

fn write_model(text: &mut String, name: &str, settings: &ModelSettings) {
    let _ = writeln!(text, "\n[models.\"{name}\"]");
    if let Some(class) = &settings.positive_class {
        let _ = writeln!(text, "positive_class = \"{class}\"");
    }
    let Some(objectives) = settings.objectives else { return };
    let _ = writeln!(text, "\n[models.\"{name}\".objectives]");
    if let Some(success) = objectives.success {
        let _ = writeln!(text, "success = {success}");
    }
    if let Some(latency_ms) = objectives.latency_p99_ms {
        let _ = writeln!(text, "latency_p99_ms = {latency_ms}");
    }
    let _ = writeln!(text, "latency_budget = {}\nwindow_days = {}", objectives.latency_budget, objectives.window_days);
}

#[cfg(test)]
mod tests {
    use crate::Scenario;

    #[test]
    fn every_scenario_has_a_configuration_that_names_its_models() {
        for scenario in crate::SCENARIOS {
            let text = scenario.configuration(1, &scenario.options);
            assert!(text.contains("\n[learning]\nuntil = \"2026-11-"), "{text}");
            for model in scenario.settings(1, &scenario.options).keys() {
                assert!(text.contains(&format!("[models.\"{model}\"]")), "{text}");
            }
        }
        assert!(Scenario::find("demo").is_some());
        assert!(Scenario::find("dem").is_none());
    }
}
