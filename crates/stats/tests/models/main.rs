//! Models that are damaged: a typed error, never a panic, a hang or gigabytes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../../../../fuzz/checks/models.rs"]
mod checks;

use std::path::PathBuf;

use proptest::prelude::*;
use wardline_stats::trees::{
    Ensemble, LoadError, read_lightgbm_json, read_lightgbm_text, read_onnx, read_xgboost_json, read_xgboost_ubj,
};

type Read = fn(&[u8]) -> Result<Ensemble, LoadError>;

/// Each reader, and which files are its own.
const READERS: [(Read, &str, &str); 5] = [
    (read_xgboost_json, "xgboost", "json"),
    (read_xgboost_ubj, "xgboost", "ubj"),
    (read_lightgbm_text, "lightgbm", "txt"),
    (read_lightgbm_json, "lightgbm", "json"),
    (read_onnx, "onnx", "onnx"),
];

/// Whole models, in order of their names.
fn files(prefix: &str, ending: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/models");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let own = |path: &&PathBuf| {
        path.file_name().unwrap().to_str().unwrap().starts_with(prefix) && path.extension().unwrap() == ending
    };
    paths.iter().filter(own).map(|path| std::fs::read(path).unwrap()).collect()
}

/// Goal: every part of a file may be missing. Method: each model cut at some hundred places.
#[test]
fn cut_files_are_errors() {
    for (read, prefix, ending) in READERS {
        let all = files(prefix, ending);
        assert!(!all.is_empty(), "no model of {prefix}");
        for whole in all {
            assert!(read(&whole).is_ok());
            for end in (0..whole.len()).step_by(whole.len() / 100 + 1) {
                checks::model(&whole[..end], read);
            }
        }
    }
}

#[test]
fn files_of_another_kind_are_errors() {
    for (read, _, _) in READERS {
        for (_, prefix, ending) in READERS {
            files(prefix, ending).iter().for_each(|bytes| checks::model(bytes, read));
        }
        for bytes in [&b""[..], b"{}", b"[]", b"null", b"tree\n\nend of trees\n", &[0xff; 64], b"{\"learner\": 1}"] {
            assert!(read(bytes).is_err());
        }
    }
}

/// A small model of XGBoost with one tree, whose columns the tests spoil.
fn xgboost(change: impl Fn(&str) -> String) -> Result<Ensemble, LoadError> {
    let text = r#"{"version": [3, 2, 0], "learner": {"feature_names": [], "objective": {"name": "reg:squarederror"},
        "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2", "num_target": "1"},
        "gradient_booster": {"name": "gbtree", "model": {"tree_info": [0], "trees": [{
            "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [1, 0, 0],
            "split_conditions": [0.5, 1.0, 2.0], "default_left": [0, 0, 0], "sum_hessian": [9, 4, 5],
            "tree_param": {"size_leaf_vector": "1"}}]}}}}"#;
    read_xgboost_json(change(text).as_bytes())
}

/// Goal: each defect has its own words, that say where.
#[test]
fn defects_are_named() {
    assert!(xgboost(str::to_owned).is_ok());
    let said =
        |from: &'static str, to: &'static str| xgboost(|text| text.replacen(from, to, 1)).expect_err(to).to_string();
    let defects = [
        said("\"left_children\": [1,", "\"left_children\": [0,"),
        said("\"right_children\": [2,", "\"right_children\": [1,"),
        said("\"right_children\": [2,", "\"right_children\": [7,"),
        said("\"split_indices\": [1,", "\"split_indices\": [2,"),
        said("[0.5, 1.0, 2.0]", "[0.5, 1.0]"),
        said("[0.5, 1.0, 2.0]", "[0.5, \"a\", 2.0]"),
        said("[9, 4, 5]", "[9, -4, 5]"),
        said("gbtree", "gblinear"),
        said("reg:squarederror", "reg:unheard"),
        said("\"size_leaf_vector\": \"1\"", "\"size_leaf_vector\": \"3\""),
        said("\"5E-1\"", "\"half\""),
        said("\"5E-1\"", "\"[1,2,3]\""),
        said("\"tree_info\": [0]", "\"tree_info\": [0, 0]"),
        said("\"tree_info\": [0]", "\"tree_info\": [5]"),
        said("\"num_feature\": \"2\"", "\"num_feature\": \"-2\""),
    ];
    insta::assert_snapshot!(defects.join("\n"));
}

#[test]
fn depth_is_bounded() {
    // A chain of 5,000 splits: each left child the next node, the right ones leaves behind them.
    let count = 5_000;
    let chain = |each: &dyn Fn(usize) -> String| (0..2 * count + 1).map(each).collect::<Vec<_>>().join(",");
    let left = chain(&|at| if at < count { (at + 1).to_string() } else { "-1".to_owned() });
    let right = chain(&|at| if at < count { (count + 1 + at).to_string() } else { "-1".to_owned() });
    let zeros = chain(&|_| "0".to_owned());
    let deep = xgboost(|text| {
        text.replacen("[1, -1, -1]", &format!("[{left}]"), 1)
            .replacen("[2, -1, -1]", &format!("[{right}]"), 1)
            .replacen("[1, 0, 0]", &format!("[{zeros}]"), 1)
            .replacen("[0.5, 1.0, 2.0]", &format!("[{zeros}]"), 1)
            .replacen("[0, 0, 0]", &format!("[{zeros}]"), 1)
            .replacen("[9, 4, 5]", "[]", 1)
    });
    assert_eq!(deep.unwrap_err().to_string(), "`trees[0]`: it is deeper than 4096 splits");
}

/// UBJSON that promises more than it holds.
#[test]
fn promises_of_gigabytes_are_errors() {
    let mut huge = b"{U\x01a[$d#L".to_vec();
    huge.extend_from_slice(&i64::MAX.to_be_bytes());
    let nothing = b"{U\x01a[$Z#L\x00\x00\x00\x00\x7f\xff\xff\xff".to_vec();
    for bytes in [huge, nothing, b"[".repeat(1_000_000)] {
        assert!(read_xgboost_ubj(&bytes).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Method: a few bytes of a whole model are changed, in the middle of its numbers too.
    #[test]
    fn changed_files_do_no_harm(
        reader in 0..READERS.len(), file in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let (read, prefix, ending) = READERS[reader];
        let all = files(prefix, ending);
        let mut bytes = file.get(&all).clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            // Digits become other digits now and then, so that what is read is wrong rather than unreadable.
            bytes[place] = if bytes[place].is_ascii_digit() { b'0' + byte % 10 } else { byte };
        }
        checks::model(&bytes, read);
    }
}
