//! Detectors of change over fixed streams, against river 0.26.1. Indices count from 0.

use wardline_stats::classic::{Adwin, PageHinkley};

use crate::inputs::stream;
use crate::values::{Golden, close, streams};

const STREAMS: [&str; 4] = ["shift", "bits", "long_bits", "jump_bits"];

/// Every stream with its values.
fn each(check: impl Fn(&[f64], &Golden)) {
    let all = streams();
    all.is_from("river", "0.26.1");
    for name in STREAMS {
        let (values, golden) = (stream(name), all.at(&format!("/{name}")));
        close(name, values.iter().sum::<f64>(), golden.number("/sum"), 1e-12);
        check(&values, &golden);
    }
}

fn alarms(values: &[f64], mut observe: impl FnMut(f64) -> bool) -> Vec<f64> {
    values.iter().enumerate().filter(|(_, value)| observe(**value)).map(|(index, _)| index as f64).collect()
}

/// After a change ours keeps the new part of the window, as in the paper; river forgets that too, and so does this test.
#[test]
fn golden_adwin() {
    each(|values, golden| {
        for (path, delta) in [("/adwin", 0.002), ("/adwin_delta_0.05", 0.05)] {
            let mut detector = Adwin::new(delta).unwrap();
            let mut start_anew = false;
            let found = alarms(values, |value| {
                if start_anew {
                    detector = Adwin::new(delta).unwrap();
                }
                start_anew = detector.observe(value);
                start_anew
            });
            assert_eq!(found, golden.numbers(&format!("{path}/alarms")));
            close(path, detector.width(), golden.number(&format!("{path}/width")), 1e-9);
            close(path, detector.mean(), golden.number(&format!("{path}/mean")), 1e-9);
        }
    });
}

/// The form that looks for a rise and a fall.
#[test]
fn golden_page_hinkley() {
    each(|values, golden| {
        let mut detector = PageHinkley::new(0.005, 50.0).unwrap();
        assert_eq!(alarms(values, |value| detector.observe(value)), golden.numbers("/page_hinkley/alarms"));
    });
}
