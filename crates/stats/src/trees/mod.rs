//! Tree ensembles of other libraries: read from their files, predicting what they predict.
//!
//! | function | reads |
//! | --- | --- |
//! | [`read_xgboost_json`], [`read_xgboost_ubj`] | XGBoost, `save_model` |
//! | [`read_lightgbm_text`], [`read_lightgbm_json`] | LightGBM, `save_model` and `dump_model` |
//! | [`read_onnx`] | ONNX, as skl2onnx makes it of scikit-learn's trees, forests and boosted trees |
//!
//! Files are not trusted: what is broken, cyclic, too large or unknown is an error that says where.

mod builder;
mod ensemble;
mod error;
mod json;
mod lightgbm;
mod lightgbm_json;
mod lightgbm_text;
mod onnx;
mod protobuf;
mod split;
mod tree;
mod ubjson;
mod xgboost;

pub use ensemble::{Ensemble, Link, Precision, Sum};
pub use error::LoadError;
pub use lightgbm_json::read_lightgbm_json;
pub use lightgbm_text::read_lightgbm_text;
pub use onnx::read_onnx;
pub use split::{Missing, Split};
pub use tree::{Node, Tree};
pub use xgboost::{read_xgboost_json, read_xgboost_ubj};
