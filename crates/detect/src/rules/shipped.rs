//! The rules that come with the product, each with the events that test it.

use std::sync::{Arc, LazyLock};

use super::{
    item::Placeholders,
    rule_set::{RuleSet, RuleSource},
};

macro_rules! shipped_rules {
    ($($name:literal),* $(,)?) => {
        /// The rules that are shipped: their file and its text.
        pub const SHIPPED: &[(&str, &str)] =
            &[$((concat!($name, ".yml"), include_str!(concat!("../../../../rules/", $name, ".yml")))),*];
        /// The events that test them, in the same order.
        pub const SHIPPED_TESTS: &[&str] = &[$(include_str!(concat!("../../../../rules/", $name, ".test.yml"))),*];
    };
}

shipped_rules![
    "artifact_not_recorded",
    "asks_for_internals",
    "dataset_not_recorded",
    "deployed_without_origin",
    "document_tops_everything",
    "encoded_override",
    "feedback_flood",
    "hidden_characters",
    "image_link_in_output",
    "instructions_in_documents",
    "jailbreak_persona",
    "key_from_many_addresses",
    "key_in_two_countries",
    "keys_are_tried",
    "many_different_inputs",
    "memory_write_from_outside",
    "mixed_scripts",
    "model_file_unsafe",
    "model_loads_fail",
    "probe_then_use",
    "prompt_override",
    "queue_is_flooded",
    "reaches_most_classes",
    "read_then_send",
    "refusal_then_persona",
    "relabelled_row",
    "retrieved_text_override",
    "rows_without_labels",
    "same_input_again",
    "same_prompt_from_many_users",
    "same_tool_call_again",
    "secret_in_output",
    "self_copying_text",
    "short_question_long_answer",
    "small_regular_calls",
    "system_prompt_request",
    "tokens_of_one_key",
    "tool_refused",
    "training_record_asked_for",
];

/// The shipped rules as files.
pub(crate) fn shipped_sources() -> Vec<RuleSource> {
    SHIPPED.iter().map(|(file, text)| RuleSource { file: (*file).to_owned(), text: (*text).to_owned() }).collect()
}

/// The shipped rules, compiled once.
pub fn shipped() -> Arc<RuleSet> {
    static RULES: LazyLock<Arc<RuleSet>> =
        LazyLock::new(|| Arc::new(RuleSet::compile(&shipped_sources(), &Placeholders::new()).0));
    Arc::clone(&RULES)
}
