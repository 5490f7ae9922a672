#![no_main]

#[path = "../checks/atlas.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::atlas(bytes));
