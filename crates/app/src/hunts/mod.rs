//! Saved hunts: questions for signs of known attacks, each a file of SQL with a heading that says what it looks for.
//!
//! A hunt is asked when somebody wants to know; what is always looked for is a detector's work. The files are in
//! `hunts/` and are built in.

mod bind;
mod columns;
mod heading;

use std::sync::OnceLock;

pub(crate) use self::{
    bind::{Question, Value, identifier},
    columns::{Presence, TableColumns, presence_sql},
    heading::read,
};

/// One saved hunt.
#[derive(Clone, Debug)]
pub(crate) struct Hunt {
    /// What it says of itself.
    pub(crate) heading: heading::Heading,
    /// Its SQL, with `$name` where a parameter goes.
    pub(crate) sql: &'static str,
}

const FILES: &[&str] = &[
    include_str!("../../../../hunts/adversarial_search.sql"),
    include_str!("../../../../hunts/backdoor_trigger.sql"),
    include_str!("../../../../hunts/canary_segment.sql"),
    include_str!("../../../../hunts/chaff_flood.sql"),
    include_str!("../../../../hunts/cost_harvest.sql"),
    include_str!("../../../../hunts/credential_documents.sql"),
    include_str!("../../../../hunts/delayed_instruction.sql"),
    include_str!("../../../../hunts/evasion_near_duplicates.sql"),
    include_str!("../../../../hunts/extraction_boundary.sql"),
    include_str!("../../../../hunts/extraction_distributed.sql"),
    include_str!("../../../../hunts/extraction_sweep.sql"),
    include_str!("../../../../hunts/feedback_sources.sql"),
    include_str!("../../../../hunts/indirect_injection.sql"),
    include_str!("../../../../hunts/injection_phrases.sql"),
    include_str!("../../../../hunts/insider_errors.sql"),
    include_str!("../../../../hunts/inversion_climb.sql"),
    include_str!("../../../../hunts/jailbreak_retries.sql"),
    include_str!("../../../../hunts/label_enumeration.sql"),
    include_str!("../../../../hunts/membership_replay.sql"),
    include_str!("../../../../hunts/memory_poison.sql"),
    include_str!("../../../../hunts/obfuscated_prompts.sql"),
    include_str!("../../../../hunts/rejection_gap.sql"),
    include_str!("../../../../hunts/secrets_in_outputs.sql"),
    include_str!("../../../../hunts/silent_swap.sql"),
    include_str!("../../../../hunts/slow_erosion.sql"),
    include_str!("../../../../hunts/slow_inputs.sql"),
    include_str!("../../../../hunts/stolen_key.sql"),
    include_str!("../../../../hunts/system_prompt_leak.sql"),
    include_str!("../../../../hunts/telemetry_gap.sql"),
    include_str!("../../../../hunts/tool_after_deploy.sql"),
    include_str!("../../../../hunts/tool_exfiltration.sql"),
    include_str!("../../../../hunts/training_channel_poison.sql"),
];

/// Every hunt, by name.
pub(crate) fn all() -> &'static [Hunt] {
    static ALL: OnceLock<Vec<Hunt>> = OnceLock::new();
    ALL.get_or_init(|| {
        // A file that is not read is found by the tests.
        let mut hunts: Vec<Hunt> = FILES.iter().filter_map(|file| read(file).ok()).collect();
        hunts.sort_by(|left, right| left.heading.name.cmp(&right.heading.name));
        hunts
    })
}

/// The hunt of a name.
pub(crate) fn named(name: &str) -> Option<&'static Hunt> {
    all().iter().find(|hunt| hunt.heading.name == name)
}

#[cfg(test)]
mod tests;
