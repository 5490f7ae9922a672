//! Reads the golden values.

use serde_json::Value;

pub(crate) struct Golden(Value);

pub(crate) fn tests() -> Golden {
    Golden::read(include_str!("../../testdata/golden_tests.json"))
}

pub(crate) fn streams() -> Golden {
    Golden::read(include_str!("../../testdata/golden_streams.json"))
}

pub(crate) fn metrics() -> Golden {
    Golden::read(include_str!("../../testdata/golden_metrics.json"))
}

pub(crate) fn outliers() -> Golden {
    Golden::read(include_str!("../../testdata/golden_outliers.json"))
}

pub(crate) fn trees() -> Golden {
    Golden::read(include_str!("../../testdata/golden_trees.json"))
}

pub(crate) fn evidently() -> Golden {
    Golden::read(include_str!("../../testdata/golden_evidently.json"))
}

pub(crate) fn nannyml() -> Golden {
    Golden::read(include_str!("../../testdata/golden_nannyml.json"))
}

pub(crate) fn alibi() -> Golden {
    Golden::read(include_str!("../../testdata/golden_alibi.json"))
}

impl Golden {
    fn read(text: &str) -> Self {
        // This reader keeps the last bit of a number.
        Self(simd_json::serde::from_slice(&mut text.as_bytes().to_vec()).expect("golden values are JSON"))
    }

    /// The part at a path such as `/numeric/small`.
    #[track_caller]
    pub(crate) fn at(&self, path: &str) -> Self {
        Self(self.0.pointer(path).unwrap_or_else(|| panic!("no golden value at {path}")).clone())
    }

    /// One number.
    #[track_caller]
    pub(crate) fn number(&self, path: &str) -> f64 {
        self.at(path).0.as_f64().unwrap_or_else(|| panic!("no number at {path}"))
    }

    /// A list of numbers.
    #[track_caller]
    pub(crate) fn numbers(&self, path: &str) -> Vec<f64> {
        self.items(path).iter().map(|item| item.0.as_f64().expect("a number")).collect()
    }

    /// All numbers of lists within lists, in order; NaN for null.
    #[track_caller]
    pub(crate) fn flat(&self, path: &str) -> Vec<f64> {
        fn add(value: &Value, to: &mut Vec<f64>) {
            match value {
                Value::Array(items) => items.iter().for_each(|item| add(item, to)),
                Value::Null => to.push(f64::NAN),
                number => to.push(number.as_f64().expect("a number")),
            }
        }
        let mut all = Vec::new();
        add(&self.at(path).0, &mut all);
        all
    }

    /// Rows of numbers; NaN for null.
    #[track_caller]
    pub(crate) fn table(&self, path: &str) -> Vec<Vec<f64>> {
        self.items(path).iter().map(|row| row.flat("")).collect()
    }

    /// The parts of a list.
    #[track_caller]
    pub(crate) fn items(&self, path: &str) -> Vec<Self> {
        let list = self.at(path).0;
        list.as_array().unwrap_or_else(|| panic!("no list at {path}")).iter().cloned().map(Self).collect()
    }

    /// A word.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        self.at(path).0.as_str().unwrap_or_else(|| panic!("no text at {path}")).to_owned()
    }

    /// The version of a library the values are from.
    #[track_caller]
    pub(crate) fn is_from(&self, library: &str, version: &str) {
        assert_eq!(self.text(&format!("/versions/{library}")), version);
    }

    /// Whether there is a value.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.pointer(path).is_some_and(|value| !value.is_null())
    }
}

/// Checks a number to `tolerance`, relative to what is expected.
#[track_caller]
pub(crate) fn close(what: &str, found: impl Into<Option<f64>>, expected: f64, tolerance: f64) {
    let found = found.into().unwrap_or_else(|| panic!("{what}: nothing where {expected:e} is expected"));
    let near = (found - expected).abs() <= tolerance * expected.abs() + 1e-15;
    assert!(near, "{what}: {found:e} where {expected:e} is expected, off by {:e}", found / expected - 1.0);
}
