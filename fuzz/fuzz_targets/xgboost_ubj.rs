#![no_main]

#[path = "../checks/models.rs"]
mod models;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| models::model(bytes, wardline_stats::trees::read_xgboost_ubj));
