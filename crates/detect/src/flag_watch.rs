//! Texts that were flagged, against how many usually are: single sure ones, senders with several, and a rise in all.
//!
//! - **Whole:** a Shiryaev–Roberts e-detector of the share of flagged texts, a step each second with texts, against the
//!   upper limit of the learned share: a mean run to a false alarm of at least a week over half the budget.
//! - **Senders:** from a sender's first flagged text on, a binomial tail of its further ones within a day.
//! - **Sure ones:** at once.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, Span, Timestamp};
use wardline_stats::{
    interval::wilson,
    sequential::{Direction, EDetector},
};

use crate::{repeats::Repeats, tails::binomial_at_least};

/// Flagged texts that are kept, for at most a day.
const MOST_KEPT: usize = 512;
const KEPT_FOR: Span = Timestamp::DAY;
/// Senders with a flagged text that are followed, and channels.
const MOST_SENDERS: usize = 2_048;
const MOST_CHANNELS: usize = 64;
/// A sender is told after so many flagged texts.
const LEAST_OF_SENDER: u32 = 3;
/// Usual texts without which nothing is judged.
pub(crate) const LEAST_LEARNED: u64 = 200;
/// Senders that are looked at in a week, as a number to share the budget by.
const SENDERS_A_WEEK: f64 = 200.0;
/// It is over when nothing was flagged for so long.
const QUIET: Span = 2 * Timestamp::HOUR;
const WEEK_SECONDS: f64 = 604_800.0;
/// Carriers that are named, ids that are kept of a finding.
const MOST_NAMED: usize = 5;
const MOST_IDS: usize = 20;

/// A flagged text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flag {
    pub(crate) time: Timestamp,
    pub(crate) sender: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) id: Option<String>,
    /// What it was flagged for: bits with a meaning of the detector's own.
    pub(crate) reasons: u32,
    /// Whether it is told even if it stays alone.
    pub(crate) is_sure: bool,
    /// Whether it had the effect that it was made for.
    pub(crate) had_effect: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    flag: Flag,
    /// Texts that had come before.
    before: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Sender {
    since: Timestamp,
    texts: u32,
    flagged: u32,
}

/// What is known of flags of one kind in one model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FlagWatch {
    weekly_budget: f64,
    learned: (u64, u64),
    learned_channels: BTreeMap<String, u64>,
    detector: Option<EDetector>,
    texts: u64,
    in_second: (u64, u64),
    recent: VecDeque<Kept>,
    senders: BTreeMap<String, Sender>,
    must_tell: bool,
    told: Option<Repeats>,
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FlagReport {
    pub(crate) onset: Timestamp,
    pub(crate) flags: Vec<Flag>,
    /// Texts since the onset, and the usual share of flagged ones.
    pub(crate) texts: u64,
    pub(crate) usual_share: f64,
    pub(crate) learned: u64,
    pub(crate) p_value: f64,
    pub(crate) senders: Vec<Carrier>,
    pub(crate) channels: Vec<Carrier>,
}

impl FlagReport {
    /// Fills a finding with what every detector of flagged texts tells alike; `flagged` names what is counted.
    pub(crate) fn fill(&self, finding: &mut Finding, flagged: &str) {
        let n = self.flags.len() as f64;
        (finding.onset, finding.onset_interval) = (self.onset, (self.onset, self.onset));
        finding.observed = n / self.texts.max(1) as f64;
        (finding.expected, finding.unit) = (self.usual_share, "share".to_owned());
        (finding.n_observed, finding.n_expected) = (self.texts, self.learned);
        (finding.effect, finding.effect_name) = (n, flagged.to_owned());
        finding.p_value = Some(self.p_value);
        finding.responsible = self.senders.iter().chain(&self.channels).cloned().collect();
    }

    /// How many flagged texts so many would usually have.
    pub(crate) fn n_usual(&self) -> f64 {
        self.usual_share * self.texts as f64
    }

    /// Ids of the flagged texts, the latest.
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.flags.iter().rev().filter_map(|flag| flag.id.as_deref()).take(MOST_IDS).collect()
    }

    /// How many had the effect that they were made for.
    pub(crate) fn n_with_effect(&self) -> usize {
        self.flags.iter().filter(|flag| flag.had_effect).count()
    }

    /// How many were flagged for a reason.
    pub(crate) fn n_for(&self, reason: u32) -> usize {
        self.flags.iter().filter(|flag| flag.reasons & reason != 0).count()
    }
}

impl FlagWatch {
    pub(crate) fn new(weekly_budget: f64) -> Self {
        Self {
            weekly_budget,
            learned: (0, 0),
            learned_channels: BTreeMap::new(),
            detector: None,
            texts: 0,
            in_second: (0, 0),
            recent: VecDeque::new(),
            senders: BTreeMap::new(),
            must_tell: false,
            told: None,
        }
    }

    /// A text of the learning period.
    pub(crate) fn learn(&mut self, channel: Option<&str>, is_flagged: bool) {
        self.learned.0 += 1;
        self.learned.1 += u64::from(is_flagged);
        let Some(channel) = channel else { return };
        let has_room = self.learned_channels.len() < MOST_CHANNELS;
        match self.learned_channels.get_mut(channel) {
            Some(count) => *count += 1,
            None if has_room => {
                self.learned_channels.insert(channel.to_owned(), 1);
            }
            None => {}
        }
    }

    /// Whether enough was learned to judge.
    pub(crate) const fn can_judge(&self) -> bool {
        self.learned.0 >= LEAST_LEARNED
    }

    /// Whether no usual text was flagged.
    pub(crate) const fn never_learned(&self) -> bool {
        self.learned.1 == 0
    }

    /// The share that is usual, as high as it may be after so few texts.
    pub(crate) fn usual_share(&self) -> f64 {
        wilson(self.learned.1, self.learned.0, 0.99).map_or(0.5, |interval| interval.high).clamp(1e-6, 0.5)
    }

    /// A text that is judged.
    pub(crate) fn observe(&mut self, sender: Option<&str>, flag: Option<Flag>) {
        self.texts += 1;
        self.in_second.0 += 1;
        if let Some(known) = sender.and_then(|sender| self.senders.get_mut(sender)) {
            known.texts += 1;
        }
        let Some(flag) = flag else { return };
        self.in_second.1 += 1;
        self.must_tell |= flag.is_sure;
        if let Some(name) = &flag.sender {
            self.flag_sender(name.clone(), flag.time);
        }
        if self.recent.len() == MOST_KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(Kept { flag, before: self.texts - 1 });
    }

    fn flag_sender(&mut self, name: String, now: Timestamp) {
        if self.senders.len() >= MOST_SENDERS && !self.senders.contains_key(&name) {
            self.senders.retain(|_, sender| now.since(sender.since) < KEPT_FOR && sender.flagged > 1);
        }
        if self.senders.len() >= MOST_SENDERS {
            return;
        }
        let share = self.usual_share();
        let level = self.weekly_budget / 2.0 / SENDERS_A_WEEK;
        let sender = self.senders.entry(name).or_insert(Sender { since: now, texts: 1, flagged: 0 });
        if now.since(sender.since) > KEPT_FOR {
            *sender = Sender { since: now, texts: 1, flagged: 0 };
        }
        sender.flagged += 1;
        // The first text is why the sender is looked at, so it is no evidence.
        let (texts, flagged) = (u64::from(sender.texts) - 1, u64::from(sender.flagged) - 1);
        if sender.flagged >= LEAST_OF_SENDER && binomial_at_least(flagged, texts.max(flagged), share) <= level {
            self.must_tell = true;
        }
    }

    /// A second has ended; what there is to tell.
    pub(crate) fn on_second(&mut self, now: Timestamp) -> Option<FlagReport> {
        let (texts, flagged) = std::mem::take(&mut self.in_second);
        if texts == 0 {
            return None;
        }
        while self.recent.front().is_some_and(|kept| now.since(kept.flag.time) > KEPT_FOR) {
            self.recent.pop_front();
        }
        if self.detector.is_none() {
            self.detector = EDetector::new(self.usual_share(), Direction::Increase);
        }
        let bar = WEEK_SECONDS / (self.weekly_budget / 2.0).max(1e-9);
        if let Some(detector) = &mut self.detector {
            detector.observe_cell(flagged, texts - flagged);
            if flagged > 0 && detector.value() >= bar {
                self.must_tell = true;
                detector.reset();
            }
        }
        if self.told.is_some_and(|told| told.quiet_for(now) > QUIET) {
            self.told = None;
        }
        if flagged == 0 || (!self.must_tell && self.told.is_none()) {
            return None;
        }
        self.must_tell = false;
        self.tell(now)
    }

    fn tell(&mut self, now: Timestamp) -> Option<FlagReport> {
        match &mut self.told {
            Some(told) => {
                if !told.again(now) {
                    return None;
                }
            }
            None => {
                let onset = self.onset().unwrap_or(now);
                self.told = Some(Repeats::begin(now, onset, (onset, onset)));
            }
        }
        let onset = self.told.map_or(now, |told| told.onset);
        let first = self.recent.iter().find(|kept| kept.flag.time >= onset)?;
        let texts = self.texts - first.before;
        let flags: Vec<Flag> =
            self.recent.iter().filter(|kept| kept.flag.time >= onset).map(|kept| kept.flag.clone()).collect();
        let usual_share = self.learned.1 as f64 / self.learned.0.max(1) as f64;
        let p_value = binomial_at_least(flags.len() as u64, texts.max(flags.len() as u64), self.usual_share());
        Some(FlagReport {
            onset,
            texts,
            usual_share,
            learned: self.learned.0,
            p_value,
            senders: self.named_senders(&flags),
            channels: self.named_channels(&flags),
            flags,
        })
    }

    /// When it began: the flagged text from which on they are likeliest to come at a rate of their own.
    fn onset(&self) -> Option<Timestamp> {
        let share = self.usual_share();
        let newest = self.recent.back()?;
        let mut best = (f64::MIN, newest.flag.time);
        for (count, kept) in self.recent.iter().rev().enumerate() {
            let (flagged, texts) = ((count + 1) as f64, (self.texts - kept.before) as f64);
            let expected = share * texts;
            let gain = flagged * (flagged / expected.max(1e-12)).ln() - (flagged - expected);
            if flagged > expected && gain >= best.0 {
                best = (gain, kept.flag.time);
            }
        }
        Some(best.1)
    }

    /// Senders with two flagged texts or more and a tenth of all.
    fn named_senders(&self, flags: &[Flag]) -> Vec<Carrier> {
        let named = counted(flags.iter().filter_map(|flag| flag.sender.as_deref()));
        let n = flags.len() as f64;
        let is_one = flags.len() == 1;
        let carriers = named.into_iter().filter(|(_, count)| is_one || *count >= 2 && *count as f64 >= 0.1 * n);
        carriers.take(MOST_NAMED).map(|(name, count)| carrier(name.to_owned(), count, flags.len())).collect()
    }

    /// Channels with a fifth of the flagged texts and more of them than of the usual ones.
    fn named_channels(&self, flags: &[Flag]) -> Vec<Carrier> {
        let odds = |share: f64| share / (1.0 - share).max(1e-9);
        let named = counted(flags.iter().filter_map(|flag| flag.channel.as_deref()));
        let carriers = named.into_iter().filter(|(name, count)| {
            let usual = self.learned_channels.get(*name).copied().unwrap_or(0) as f64 / self.learned.0.max(1) as f64;
            let share = *count as f64 / flags.len() as f64;
            usual < 1.0 && share >= 0.2 && odds(share) >= 1.5 * odds(usual)
        });
        carriers.take(3).map(|(name, count)| carrier(format!("channel={name}"), count, flags.len())).collect()
    }
}

/// Names with how often they are there, the most frequent first.
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(&'a str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
    counts
}

fn carrier(name: String, count: usize, of: usize) -> Carrier {
    let interval = wilson(count as u64, of as u64, 0.95).map(|interval| (interval.low, interval.high));
    Carrier { name, share: count as f64 / of.max(1) as f64, interval }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(second: i64, sender: &str, is_sure: bool) -> Flag {
        let time = Timestamp::from_micros(second * Timestamp::SECOND);
        Flag { time, sender: Some(sender.into()), channel: None, id: None, reasons: 1, is_sure, had_effect: false }
    }

    /// Reports of a stream with a text each ten seconds after 2,000 usual ones, four of them flagged.
    fn reports(flagged: impl Fn(i64) -> Option<Flag>) -> Vec<FlagReport> {
        let mut watch = FlagWatch::new(0.02);
        (0..2_000).for_each(|text| watch.learn(None, text % 500 == 0));
        (1..3_000)
            .filter_map(|text| {
                let second = 10 * text;
                watch.observe(Some("user=a"), flagged(second));
                watch.on_second(Timestamp::from_micros(second * Timestamp::SECOND))
            })
            .collect()
    }

    #[test]
    fn one_sure_text_a_busy_sender_and_a_rise_are_told() {
        assert_eq!(reports(|second| (second == 9_000).then(|| flag(second, "user=b", true))).len(), 1);
        let sender = reports(|second| (9_000..9_040).contains(&second).then(|| flag(second, "user=b", false)));
        assert_eq!(sender[0].senders[0].name, "user=b");
        let rise = reports(|second| {
            (second >= 9_000 && second % 100 == 0).then(|| flag(second, &format!("user={second}"), false))
        });
        assert!(!rise.is_empty() && rise[0].onset >= Timestamp::from_micros(8_900 * Timestamp::SECOND));
    }

    #[test]
    fn the_usual_share_is_quiet() {
        let usual = reports(|second| (second % 5_000 == 0).then(|| flag(second, &format!("user={second}"), false)));
        assert_eq!(usual, []);
    }
}
