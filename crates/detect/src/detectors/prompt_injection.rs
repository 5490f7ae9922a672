//! Texts that instruct the model against its operator: prompt injection, jailbreaks, extraction of the system prompt.
//!
//! - **Method:** each prompt is scored by [`crate::text_attack`] (an open lexicon and grammar of intents in eleven
//!   languages, after disguises and other notations are taken off). The score is ranked among
//!   the usual texts of the model and channel (a conformal p-value of at most one per cent flags a text, given at least 2.5
//!   points). Flags are judged as [`crate::flag_watch`] says: a single text that no usual one comes near, a sender with
//!   several, a rise in all.
//! - **Fields:** `prompt` as far as the privacy policy leaves it (tokens say nothing); `user`, `api_key` or `client_ip`;
//!   `channel`; `id`; `output` for what the model did.
//! - **False alarms:** the flagged share is measured on the learning period, of at least 200 texts; half the budget is for
//!   a rise, half for senders. A single text needs two points more than any usual text, so that its rate is below one in
//!   the number of texts that were learned.
//! - **Least effect:** one plain instruction override; three or more flagged texts of one sender.
//! - **Blind spots:** instructions that read like any request of the service; languages and notations beyond the
//!   lexicon; texts in pictures and files; attacks that were as frequent while the model was learned; of a model with more than
//!   256 KiB of prompts a second, what comes after them in that second.
//! - **ATLAS:** AML.T0051.000 and AML.T0051.001 (direct and indirect prompt injection), AML.T0054 (jailbreak), AML.T0056
//!   (extract the system prompt), AML.T0068 (prompt obfuscation).

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, RecordKind, Severity};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    draft::{draft, sealed},
    evidence,
    flag_watch::{Flag, FlagReport, FlagWatch, LEAST_LEARNED},
    model_state::{ModelState, Phase},
    refusal::is_refusal,
    secrets::secrets_in,
    text_attack::{Intent, Reader, Reading},
    text_rows::{Allowance, TextRows},
    usual_scores::UsualScores,
    wording::{carried_by, clock_time, number},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "prompt_injection",
    budget_share: 0.1,
    method: "scores of intents, ranked among the usual texts of the model and channel",
    atlas: &["AML.T0051.000", "AML.T0051.001", "AML.T0054", "AML.T0056", "AML.T0068"],
    build: |budget: &DetectorBudget| {
        Box::new(PromptInjection {
            usual: UsualScores::default(),
            flags: FlagWatch::new(budget.weekly),
            allowance: Allowance::default(),
            reader: Reader::default(),
        })
    },
};

/// Usual texts at least this unusual are flagged.
const LEVEL: f64 = 0.01;
/// Points that a flagged text has at least, and a single one that is told.
const LEAST_POINTS: f32 = 2.5;
const SURE_POINTS: f32 = 5.0;
/// So many more than any usual text.
const SURE_ABOVE_USUAL: f32 = 2.0;
/// Usual texts without which a single text is not sure.
const LEAST_FOR_SURE: u64 = 1_000;
/// Prompts of a model that are read in a second.
const MOST_BYTES_A_SECOND: usize = 262_144;
/// Flags that are acute together.
const MANY: usize = 20;
/// Bits of reasons above those of intents.
const INDIRECT: u32 = 1 << 16;
const HIDDEN: u32 = 1 << 17;

#[derive(Serialize, Deserialize)]
struct PromptInjection {
    usual: UsualScores,
    flags: FlagWatch,
    allowance: Allowance,
    #[serde(skip)]
    reader: Reader,
}

impl Detector for PromptInjection {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference {
            return;
        }
        let Some(texts) = rows.texts().filter(|texts| texts.prompt.is_some()) else { return };
        let is_watching = state.phase == Phase::Watching && self.usual.whole().count() >= LEAST_LEARNED;
        for row in rows.range.clone() {
            let Some(prompt) = texts.prompt(row) else { continue };
            if !self.allowance.takes(state.second.start, prompt, MOST_BYTES_A_SECOND) {
                continue;
            }
            let reading = self.reader.read(prompt);
            let channel = texts.channel(row);
            if is_watching {
                self.judge(state, texts, row, &reading);
            } else {
                self.usual.learn(channel, reading.score);
                self.flags.learn(channel, reading.score >= LEAST_POINTS);
            }
        }
    }

    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        if let Some(report) = self.flags.on_second(state.second.start) {
            findings.push(self.finding(state, &report));
        }
    }

    saved_whole!();
}

impl PromptInjection {
    fn judge(&mut self, state: &ModelState, texts: &TextRows<'_>, row: usize, reading: &Reading) {
        let channel = texts.channel(row);
        let usual = self.usual.of(channel);
        let sender = texts.sender(row);
        let is_flagged = reading.score >= LEAST_POINTS && usual.p_value(reading.score) <= LEVEL;
        let flag = is_flagged.then(|| {
            let is_sure = reading.score >= SURE_POINTS.max(usual.greatest() + SURE_ABOVE_USUAL);
            Flag {
                time: state.second.start,
                sender: sender.clone(),
                channel: channel.map(str::to_owned),
                id: texts.id(row).map(str::to_owned),
                reasons: reasons(reading, channel),
                is_sure: is_sure && usual.count() >= LEAST_FOR_SURE,
                had_effect: texts.output(row).is_some_and(|output| had_effect(reading, output)),
            }
        });
        self.flags.observe(sender.as_deref(), flag);
    }

    fn finding(&self, state: &ModelState, report: &FlagReport) -> Finding {
        let now = state.second.start;
        let n = report.flags.len();
        let mut finding = draft(state, SPEC.name, FindingKind::Injection, "prompt", now);
        report.fill(&mut finding, "flagged texts");
        let n_effects = report.n_with_effect();
        finding.severity = if n >= MANY || n_effects > 0 { Severity::Page } else { Severity::Ticket };
        finding.atlas = atlas(report);
        let effects = if n_effects > 0 { format!("; {n_effects} answers gave out a secret") } else { String::new() };
        finding.title = format!(
            "{n} of {} texts to {} since {} read as attacks: {} ({} usual){}{effects}{}",
            report.texts,
            state.name,
            clock_time(report.onset, now),
            intents_in_words(report),
            number(report.n_usual()),
            carried_by(&finding.responsible),
            self.allowance.words(),
        );
        finding.evidence = evidence::texts(&finding, &report.ids());
        sealed(finding)
    }
}

/// Bits of the intents, of an indirect way in, and of hiding.
fn reasons(reading: &Reading, channel: Option<&str>) -> u32 {
    let intents = reading.intents().fold(0, |set, intent| set | 1 << intent as u32);
    let is_indirect = channel.is_some_and(|channel| {
        const WAYS: [&str; 14] = [
            "mail",
            "connector",
            "doc",
            "rag",
            "retriev",
            "web",
            "tool",
            "file",
            "upload",
            "crawl",
            "search",
            "ticket",
            "import",
            "memory",
        ];
        let channel = channel.to_lowercase();
        WAYS.iter().any(|way| channel.contains(way))
    });
    let hidden = if reading.hidden.is_some() { HIDDEN } else { 0 };
    intents | hidden | if is_indirect { INDIRECT } else { 0 }
}

/// Whether the model did what it was told: it gave out a key.
fn had_effect(reading: &Reading, output: &str) -> bool {
    if is_refusal(output) {
        return false;
    }
    let wants_data = reading.points(Intent::Exfiltration) > 0.0 || reading.points(Intent::PromptTheft) > 0.0;
    wants_data && secrets_in(output).has_key()
}

fn atlas(report: &FlagReport) -> Vec<String> {
    let n_indirect = report.n_for(INDIRECT);
    let any = |intent: Intent| report.n_for(1 << intent as u32) > 0;
    let named = [
        (n_indirect < report.flags.len(), "AML.T0051.000"),
        (n_indirect > 0, "AML.T0051.001"),
        (any(Intent::Jailbreak), "AML.T0054"),
        (any(Intent::PromptTheft), "AML.T0056"),
        (report.n_for(HIDDEN) > 0, "AML.T0068"),
    ];
    named.into_iter().filter(|(is_named, _)| *is_named).map(|(_, id)| id.to_owned()).collect()
}

/// `instruction override (12), jailbreak (4)`, at most three.
fn intents_in_words(report: &FlagReport) -> String {
    let mut counts: Vec<(usize, Intent)> =
        Intent::ALL.into_iter().map(|intent| (report.n_for(1 << intent as u32), intent)).collect();
    counts.retain(|(count, _)| *count > 0);
    counts.sort_by(|left, right| right.0.cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
    let named: Vec<String> =
        counts.iter().take(3).map(|(count, intent)| format!("{} ({count})", intent.words())).collect();
    if named.is_empty() { "several weak signs".to_owned() } else { named.join(", ") }
}

#[cfg(test)]
mod tests;
