//! A model's traffic between two versions: what is asked for, checked, and as whole numbers.

use std::collections::BTreeMap;

use serde::Deserialize;
use wardline_domain::Action;

use super::{checked::Fault, settings::Word};

/// A share that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Split {
    /// The version that is set.
    pub(super) version: String,
    /// The version that gets the rest.
    pub(super) standing: String,
    /// `0 <= percent && percent <= 100`.
    pub(super) percent: f64,
}

impl Split {
    /// Whether the action sets a share of this model.
    pub(super) fn is_of(action: &Action, model: &str) -> bool {
        matches!(action, Action::SetShare { model: asked, .. } if asked == model)
    }

    /// Checks what is asked for.
    pub(super) fn of(action: &Action) -> Result<Self, Fault> {
        let Action::SetShare { version, standing, percent, .. } = action else {
            return Err(Fault::Refused("it only sets shares of traffic".to_owned()));
        };
        if !(0.0 <= *percent && *percent <= 100.0) {
            return Err(Fault::Refused(format!("a share of {percent} % must lie between 0 and 100")));
        }
        if version == standing {
            return Err(Fault::Refused(format!("version {version} cannot get the rest of its own traffic")));
        }
        Ok(Self { version: version.clone(), standing: standing.clone(), percent: *percent })
    }

    /// The share in hundredths of a per cent, which is as fine as most proxies split.
    pub(super) fn hundredths(&self) -> Result<u32, Fault> {
        let hundredths = (self.percent * 100.0).round();
        if (hundredths - self.percent * 100.0).abs() > 1e-6 {
            return Err(Fault::Refused(format!("a share of {} % is finer than 0.01 %: round it", self.percent)));
        }
        Ok(hundredths as u32)
    }

    /// The share in whole per cent, where nothing finer is possible.
    pub(super) fn whole_percent(&self) -> Result<u32, Fault> {
        let hundredths = self.hundredths()?;
        if hundredths % 100 != 0 {
            return Err(Fault::Refused(format!("it takes whole per cent, and not {} %: round it", self.percent)));
        }
        Ok(hundredths / 100)
    }
}

/// What a target calls each version; one that is not listed goes by its own name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Names(BTreeMap<String, Word>);

impl Names {
    /// The target's name of a version.
    pub(super) fn of(&self, version: &str) -> Result<Word, Fault> {
        match self.0.get(version) {
            Some(name) => Ok(name.clone()),
            None => Word::try_from(version.to_owned()).map_err(Fault::Refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(percent: f64, standing: &str) -> Result<Split, String> {
        let action = Action::SetShare {
            model: "fraud".to_owned(),
            version: "2.1".to_owned(),
            standing: standing.to_owned(),
            percent,
        };
        Split::of(&action).map_err(|fault| format!("{fault:?}"))
    }

    #[test]
    fn shares_lie_between_nothing_and_everything() {
        assert!(ask(0.0, "2.0").is_ok() && ask(100.0, "2.0").is_ok());
        for percent in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
            assert!(ask(percent, "2.0").unwrap_err().contains("must lie between 0 and 100"), "{percent}");
        }
        assert!(ask(10.0, "2.1").is_err());
    }

    #[test]
    fn shares_are_not_rounded_silently() {
        assert_eq!(ask(0.07, "2.0").unwrap().hundredths().unwrap(), 7);
        assert_eq!(ask(33.0, "2.0").unwrap().whole_percent().unwrap(), 33);
        assert!(ask(0.005, "2.0").unwrap().hundredths().is_err());
        assert!(ask(0.5, "2.0").unwrap().whole_percent().is_err());
    }

    #[test]
    fn a_version_that_could_be_a_command_is_no_name() {
        let names: Names = serde_json::from_str(r#"{"2.1": "v21"}"#).unwrap();
        assert_eq!(names.of("2.1").unwrap().as_str(), "v21");
        assert_eq!(names.of("2.0").unwrap().as_str(), "2.0");
        assert!(names.of("2.0; shutdown").is_err());
        assert!(serde_json::from_str::<Names>(r#"{"2.1": "v21\nset weight be/v20 0"}"#).is_err());
    }
}
