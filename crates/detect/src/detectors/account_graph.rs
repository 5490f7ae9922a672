//! Many new accounts that send the same templates: one client behind many names.
//!
//! - **Method:** the template of a request is its first six words without numbers and its length in words, else all
//!   but the last of its values. Templates of the learning period are everybody's. Of the others, those that the
//!   same accounts use are counted: accounts that came after learning and share a template that nobody used before,
//!   within a day.
//! - **Fields:** `api_key`, else `user`, else `client_ip`; `prompt`, else `feature_*` or `embedding`.
//! - **False alarms:** five accounts that each sent the template five times, and three times the most new accounts
//!   that shared a template which was new in the second half of learning.
//! - **Least effect:** five new accounts of 25 requests.
//! - **Blind spots:** accounts that were known before; templates whose first words vary; a new application that
//!   honest new accounts use looks the same, so it is a ticket that asks; templates beyond the 2,048 used most.
//! - **ATLAS:** AML.T0024.002 (extract AI model), AML.T0021 (establish accounts).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Slice, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    client_gate::ClientGate,
    clients::ClientTable,
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    wording::clock_time,
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "account_graph",
    budget_share: 0.05,
    method: "new accounts that share templates nobody used before",
    atlas: &["AML.T0021", "AML.T0024.002"],
    build: |_: &DetectorBudget| Box::new(AccountGraph::default()),
};

const MOST_ACCOUNTS: usize = 2_048;
const MOST_TEMPLATES: usize = 2_048;
/// Templates of the learning period that are remembered.
const MOST_KNOWN: usize = 16_384;
/// Accounts of a template that are remembered.
const MOST_SHARING: usize = 16;
const LEAST_REQUESTS: u32 = 5;
const LEAST_ACCOUNTS: usize = 5;
const TIMES_HONEST: usize = 3;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct AccountGraph {
    accounts: ClientTable<(), MOST_ACCOUNTS>,
    /// Templates that are everybody's.
    known: FxHashMap<u64, ()>,
    /// Templates that came later.
    templates: FxHashMap<u64, Shared>,
    /// Which of them are asked often enough to be remembered, where there are too many.
    gate: ClientGate,
    is_halved: bool,
    most_honest: usize,
    watching_since: Option<Timestamp>,
    pending: Vec<u64>,
}

/// A template and the new accounts that use it, with their requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shared {
    first: Timestamp,
    last: Timestamp,
    accounts: BTreeMap<u64, u32>,
    told_accounts: usize,
}

impl Shared {
    fn sharing(&self) -> usize {
        self.accounts.values().filter(|&&requests| requests >= LEAST_REQUESTS).count()
    }
}

impl Detector for AccountGraph {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference || state.phase == Phase::Sampling {
            return;
        }
        let Some(columns) = rows.clients() else { return };
        let Some(queries) = rows.queries(state) else { return };
        let now = state.second.start;
        let half = state.started.map(|started| started.plus(state.learning_span(started) / 2));
        for row in rows.range.clone() {
            let (Some(name), Some(template)) = (rows.client(row), queries.template(row)) else { continue };
            let Some(account) = self.accounts.ask(state.client_room, columns, &name, row, now, || ()) else { continue };
            let since = self.watching_since.or(half).unwrap_or(now);
            let is_new = account.first > since;
            if !self.is_halved {
                if self.known.len() < MOST_KNOWN {
                    self.known.insert(template, ());
                }
            } else if is_new && !self.known.contains_key(&template) {
                self.take(template, name.key, now);
            }
        }
    }

    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        for template in std::mem::take(&mut self.pending) {
            findings.extend(self.tell(state, template, state.second.start));
        }
    }

    fn on_time(&mut self, state: &ModelState, now: Timestamp, _findings: &mut Vec<Finding>) {
        let Some(started) = state.started else { return };
        self.is_halved |= now.since(started) >= state.learning_span(started) / 2;
        if state.phase == Phase::Watching && self.watching_since.is_none() {
            self.watching_since = Some(now);
            for template in std::mem::take(&mut self.templates).into_keys().take(MOST_KNOWN) {
                self.known.insert(template, ());
            }
        }
    }

    saved_whole!();
}

impl AccountGraph {
    fn take(&mut self, template: u64, account: u64, now: Timestamp) {
        let is_frequent = self.gate.ask(template);
        if self.templates.len() >= MOST_TEMPLATES && !self.templates.contains_key(&template) {
            if !is_frequent {
                return;
            }
            self.forget();
        }
        let new = || Shared { first: now, last: now, accounts: BTreeMap::new(), told_accounts: 0 };
        let shared = self.templates.entry(template).or_insert_with(new);
        if now.since(shared.last) > Timestamp::DAY {
            *shared = new();
        }
        shared.last = now;
        let is_kept = shared.accounts.len() < MOST_SHARING || shared.accounts.contains_key(&account);
        if !is_kept {
            return;
        }
        let requests = shared.accounts.entry(account).or_default();
        *requests = requests.saturating_add(1);
        if *requests != LEAST_REQUESTS {
            return;
        }
        let sharing = shared.sharing();
        if self.watching_since.is_none() {
            self.most_honest = self.most_honest.max(sharing);
        } else if sharing >= LEAST_ACCOUNTS.max(TIMES_HONEST * self.most_honest) && self.pending.len() < 64 {
            self.pending.push(template);
        }
    }

    /// Forgets the quarter of templates with the fewest accounts and the oldest requests.
    fn forget(&mut self) {
        let mut order: Vec<(usize, Timestamp, u64)> =
            self.templates.iter().map(|(&template, shared)| (shared.accounts.len(), shared.last, template)).collect();
        order.sort_unstable();
        for &(_, _, template) in order.iter().take(MOST_TEMPLATES / 4) {
            self.templates.remove(&template);
        }
    }

    fn tell(&mut self, state: &ModelState, template: u64, now: Timestamp) -> Option<Finding> {
        let shared = self.templates.get_mut(&template)?;
        let sharing = shared.sharing();
        if sharing < 2 * shared.told_accounts {
            return None;
        }
        shared.told_accounts = sharing;
        let all: u32 = shared.accounts.values().sum();
        let mut named: Vec<(u32, String)> = shared
            .accounts
            .iter()
            .filter_map(|(&key, &requests)| Some((requests, self.accounts.get(key)?.label())))
            .collect();
        named.sort_by(|left, right| right.0.cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
        let mut finding = draft(state, SPEC.name, FindingKind::Extraction, "shared_template", now);
        finding.slice = Slice::whole();
        let carrier = |(requests, name): &(u32, String)| Carrier {
            name: name.clone(),
            share: f64::from(*requests) / f64::from(all.max(1)),
            interval: None,
        };
        finding.responsible = named.iter().take(10).map(carrier).collect();
        (finding.onset, finding.onset_interval) = (shared.first, (shared.first, shared.first));
        (finding.observed, finding.expected) = (sharing as f64, self.most_honest as f64);
        finding.unit = "accounts".to_owned();
        finding.n_observed = u64::from(all);
        finding.effect = sharing as f64 / LEAST_ACCOUNTS.max(TIMES_HONEST * self.most_honest) as f64;
        finding.effect_name = "times_the_limit".to_owned();
        finding.severity = Severity::Ticket;
        finding.atlas = ["AML.T0024.002", "AML.T0021"].map(str::to_owned).to_vec();
        finding.title = format!(
            "{sharing} new accounts of {} share a template that nobody used before, since {} ({all} requests; {} first): they may be one client",
            state.name,
            clock_time(shared.first, now),
            named.first().map_or("", |(_, name)| name.as_str()),
        );
        finding.evidence = evidence::queries(&finding);
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

    /// So many new accounts that each fill one new template ten times.
    fn with_accounts(accounts: usize) -> Told {
        let mut asks = population(8, 20, 20, 12);
        for (number, ask) in asks.iter_mut().enumerate() {
            ask.features.clear();
            ask.prompt = Some(format!("please sort letter {number} of {} into a folder", ask.client));
        }
        let mut dice = Dice(4);
        for turn in 0..10 * accounts {
            let start = monday().plus(251 * Timestamp::HOUR + turn as i64 * 20 * Timestamp::SECOND);
            let ask: Ask = usual(&mut dice, &format!("new-{}", turn % accounts), start, 3);
            let prompt = format!("Write one word that says whether number {turn} is liked");
            asks.push(Ask { time: start, prompt: Some(prompt), features: Vec::new(), ..ask });
        }
        watched(learning(10), &mut asks, 4_000)
    }

    #[test]
    fn alerts_on_new_accounts_that_share_a_template() {
        assert!(accused(&with_accounts(9), "account_graph").iter().all(|name| name.starts_with("api_key=new-")));
        assert!(!accused(&with_accounts(9), "account_graph").is_empty());
    }

    #[test]
    fn stays_quiet_on_a_few_new_accounts() {
        assert_eq!(accused(&with_accounts(3), "account_graph"), [] as [&str; 0]);
    }
}
