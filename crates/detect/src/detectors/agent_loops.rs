//! An agent that calls with nearly the same input again and again, often with a context that grows.
//!
//! - **Method:** calls of one session that follow each other within ten minutes and are near to one another: the
//!   same words but for two (what comes after the first nine counts as one, so a growing context stays near), or
//!   the same features but for one; where neither is known, an input that is not shorter. Runs of them are counted.
//! - **Fields:** `session`; `prompt`, else `feature_*` or `embedding`, else `input_tokens`; the client's name for
//!   the report.
//! - **False alarms:** a run must be three times as long as the longest of the learning period.
//! - **Least effect:** twenty calls in a row, where honest sessions make at most six.
//! - **Blind spots:** loops over several sessions or through several inputs in turn; calls without a session;
//!   sessions beyond the 1,024 that called most.
//! - **ATLAS:** AML.T0034.002 (agentic resource consumption), AML.T0034 (cost harvesting), AML.T0029 (denial of AI
//!   service).

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Span, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    clients::{ClientTable, Pending},
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    queries::Query,
    repeats::Repeats,
    wording::{number, span},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "agent_loops",
    budget_share: 0.05,
    method: "runs of nearly the same call in one session against the longest honest run",
    atlas: &["AML.T0029", "AML.T0034", "AML.T0034.002"],
    build: |_: &DetectorBudget| Box::new(AgentLoops::default()),
};

const MOST_SESSIONS: usize = 1_024;
/// A longer pause ends a run.
const PAUSE: Span = 10 * Timestamp::MINUTE;
/// The least run that is told, and times the longest honest one.
const LEAST: u32 = 20;
const TIMES_HONEST: u32 = 3;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct AgentLoops {
    sessions: ClientTable<Calls, MOST_SESSIONS>,
    longest_honest: u32,
    pending: Pending,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Calls {
    owner: Option<String>,
    last: Option<(Option<Query>, Timestamp)>,
    length: f64,
    /// The run: calls, when it began, tokens at its start and in all.
    run: u32,
    began: Option<Timestamp>,
    first_length: f64,
    tokens: f64,
    told: Option<Repeats>,
}

impl Detector for AgentLoops {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference || state.phase == Phase::Sampling {
            return;
        }
        let Some(sessions) = rows.sessions() else { return };
        let queries = rows.queries(state);
        let usage = rows.usage();
        let now = state.second.start;
        for row in rows.range.clone() {
            let Some(name) = rows.session(row) else { continue };
            let owner = || rows.client(row).map(|client| client.label());
            let new = || Calls { owner: owner(), ..Calls::default() };
            let Some(session) = self.sessions.ask(state.client_room, sessions, &name, row, now, new) else { continue };
            let query = queries.as_ref().and_then(|queries| queries.query(row));
            let run = session.habit.call(query, usage.input_length(row), now);
            if state.phase != Phase::Watching {
                self.longest_honest = self.longest_honest.max(run);
            } else if run >= LEAST.max(TIMES_HONEST * self.longest_honest) {
                self.pending.add(name.key);
            }
        }
    }

    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        for key in self.pending.take() {
            findings.extend(self.tell(state, key, state.second.start));
        }
    }

    saved_whole!();
}

impl Calls {
    /// Takes a call; the length of the run that it belongs to.
    fn call(&mut self, query: Option<Query>, length: f64, now: Timestamp) -> u32 {
        let is_near = self.last.is_some_and(|(last, time)| {
            let is_alike = match (&query, &last) {
                (Some(query), Some(last)) => query.is_near(last),
                (None, None) => 0.0 < length && self.length <= length,
                _ => false,
            };
            is_alike && now.since(time) <= PAUSE
        });
        if !is_near {
            (self.run, self.began, self.first_length, self.tokens) = (0, Some(now), length, 0.0);
        }
        self.run = self.run.saturating_add(1);
        self.tokens += length;
        (self.last, self.length) = (Some((query, now)), length);
        self.run
    }
}

impl AgentLoops {
    fn tell(&mut self, state: &ModelState, key: u64, now: Timestamp) -> Option<Finding> {
        let session = self.sessions.get_mut(key)?;
        let began = session.habit.began.unwrap_or(now);
        if !Repeats::tell(&mut session.habit.told, now, began, 2 * PAUSE) {
            return None;
        }
        let calls = &session.habit;
        let limit = LEAST.max(TIMES_HONEST * self.longest_honest);
        let mut finding = draft(state, SPEC.name, FindingKind::Cost, "loop", now);
        finding.slice = session.slice();
        let names = calls.owner.clone().into_iter().chain([session.label()]);
        finding.responsible = names.map(|name| Carrier { name, share: 1.0, interval: None }).collect();
        (finding.onset, finding.onset_interval) = (began, (began, began));
        (finding.observed, finding.expected) = (f64::from(calls.run), f64::from(self.longest_honest));
        finding.unit = "calls in a row".to_owned();
        finding.n_observed = u64::from(calls.run);
        (finding.effect, finding.effect_name) = (f64::from(calls.run) / f64::from(limit), "times_the_limit".to_owned());
        finding.severity = Severity::Ticket;
        finding.atlas = ["AML.T0034.002", "AML.T0034", "AML.T0029"].map(str::to_owned).to_vec();
        let grown = if calls.first_length > 0.0 && calls.length > 1.5 * calls.first_length {
            format!(", its context {} times as long by now", number(calls.length / calls.first_length))
        } else {
            String::new()
        };
        finding.title = format!(
            "{} called {} {} times in a row with nearly the same input within {}{grown} (honest sessions at most {})",
            session.words(),
            state.name,
            calls.run,
            span(now.since(began).max(Timestamp::SECOND)),
            self.longest_honest,
        );
        finding.evidence = evidence::usage(&finding);
        Some(sealed(finding))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        client_stream::{Ask, accused, learning, population, usual, watched},
        stream::{Dice, Told, monday},
    };
    use wardline_domain::Timestamp;

    /// A session of so many calls of which each repeats the one before and adds to it.
    fn with_loop(calls: usize) -> Told {
        let mut asks = population(8, 20, 20, 12);
        for (number, ask) in asks.iter_mut().enumerate() {
            ask.features.clear();
            ask.prompt = Some(format!("please sort letter {number} of {} into a folder", ask.client));
            ask.session = Some(format!("{}-{}", ask.client, number / 7));
        }
        let mut dice = Dice(4);
        let mut prompt = "you are an agent that books trips and this is what happened:".to_owned();
        for call in 0..calls {
            let start = monday().plus(251 * Timestamp::HOUR + call as i64 * 5 * Timestamp::SECOND);
            prompt.push_str(" the tool failed, try again");
            let ask: Ask = usual(&mut dice, "key-3", start, 3);
            asks.push(Ask {
                time: start,
                session: Some("looping".to_owned()),
                prompt: Some(prompt.clone()),
                features: Vec::new(),
                input_tokens: prompt.len() as i64 / 4,
                ..ask
            });
        }
        watched(learning(10), &mut asks, 4_000)
    }

    #[test]
    fn alerts_on_the_same_call_again_and_again() {
        assert_eq!(accused(&with_loop(60), "agent_loops"), ["api_key=key-3"]);
    }

    #[test]
    fn stays_quiet_on_a_few_retries() {
        assert_eq!(accused(&with_loop(8), "agent_loops"), [] as [&str; 0]);
    }
}
