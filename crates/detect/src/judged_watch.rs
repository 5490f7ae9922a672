//! Watches one fact about judged predictions (wrong, far off, not liked) in the whole model and in every entity.
//!
//! What is normal is learned from predictions of the learning period, whenever their outcomes come, for each length of
//! delay: labels that come soon are often those of the hard cases. After it, every judged prediction is a step of a
//! Shiryaev-Roberts e-detector with its own limit; the detector begins once for each day that has labels, so that its run to
//! a false alarm is counted in days, however many labels a day brings.
//! Source: Shin, Ramdas, Rinaldo, "E-detectors", NEJSDS 2 (2024).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use crate::{
    blame::{Blamed, Culprit},
    entities::{EntityIds, MOST_VALUES, SLOTS},
    outcomes::JudgedPrediction,
    tails::binomial_at_least,
    thinned::Thinned,
};

/// Alternatives: so many times the odds of the limit. Their values are averaged.
const ODDS: [f64; 6] = [1.2, 1.4, 1.7, 2.2, 3.5, 8.0];
/// Judged predictions that what is normal rests on at least.
const LEAST_REFERENCE: usize = 100;
const MOST_REFERENCE: usize = 2_048;
/// Delays are told apart by so many classes: below six hours, then by doubling.
const DELAYS: usize = 9;
/// A class of delay, and an entity, counts as so many predictions of the whole before its own say more.
const PRIOR_OF_DELAY: f64 = 60.0;
const PRIOR_OF_ENTITY: f64 = 60.0;
/// Standard errors of what was learned that are allowed for.
const ALLOWED_ERRORS: f64 = 0.5;
/// The share of outcomes that count as bad where the fact is a number.
const SHARE_BAD: f64 = 0.2;
const LEAST_SHARE_BAD: f64 = 0.05;
/// Judged predictions that are remembered to say since when, and who carries it.
const MOST_RECENT: usize = 512;
/// Three quarters of the budget are the whole's, a quarter is shared by all entities.
const BAR_OF_WHOLE: f64 = 4.0 / 3.0;
const BAR_OF_ENTITIES: f64 = 4.0;
/// An alarm rests on so many judged predictions at least.
const LEAST_SINCE: usize = 10;
/// An entity with this part of the evidence that an alarm needs is named with the one that alarms.
const SUSPECT: f64 = 0.1;
/// A pattern at an entity is as unlikely as this, were it like all others, of which there are so many at least.
const STANDS_OUT: f64 = 1e-3;
const LEAST_REST: f64 = 20.0;
/// Days that may pass until what goes on is told again.
const MOST_QUIET_DAYS: u8 = 3;
/// Weight of the last prediction in the share of late.
const LATELY: f64 = 0.002;
/// Keeps products finite.
const CEILING: f32 = 1e30;

/// What is normal of an entity, and the evidence that it changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct EntityWatch {
    reference: (u32, u32),
    evidence: Evidence,
    /// Since there was no evidence: predictions, bad ones, how many of these would be normal, and the first one.
    n: u32,
    bad: u32,
    expected: f32,
    /// In microseconds.
    since: i64,
    /// Predictions and bad ones of the whole at that moment.
    began: (u32, u32),
    quiet: Quiet,
}

/// How long nothing is told again of what was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Quiet {
    until_day: u32,
    days: u8,
}

impl Quiet {
    const fn is_over(self, day: u32) -> bool {
        self.until_day <= day
    }

    /// A day the first time, then longer, but never so long that the alert would close.
    fn begin(&mut self, day: u32) {
        self.days = (self.days + 1).min(MOST_QUIET_DAYS);
        self.until_day = day + u32::from(self.days);
    }
}

impl EntityWatch {
    fn observe(&mut self, day: u32, row: &Recent, limit: f64, totals: (u32, u32)) {
        if self.n == 0 {
            self.since = row.predicted.micros();
            self.began = totals;
        }
        self.evidence.observe(day, row.bad, limit);
        self.n = self.n.saturating_add(1);
        self.bad = self.bad.saturating_add(u32::from(row.bad));
        self.expected += row.expected;
        if self.evidence.value() < 1.0 {
            (self.n, self.bad, self.expected) = (0, 0, 0.0);
        }
    }

    /// Whether it is worse than all others were in the same time: what happens to all is no pattern at one.
    fn stands_out(&self, totals: (u32, u32)) -> bool {
        let rest = |all: u32, began: u32, own: u32| f64::from(all.saturating_sub(began).saturating_sub(own));
        let (n, bad) = (rest(totals.0, self.began.0, self.n), rest(totals.1, self.began.1, self.bad));
        if n < LEAST_REST {
            return false;
        }
        let normal = ((bad + 1.0) / (n + 1.0)).max(f64::from(self.expected) / f64::from(self.n.max(1)));
        binomial_at_least(u64::from(self.bad), u64::from(self.n), normal.min(0.99)) <= STANDS_OUT
    }

    const fn reset(&mut self) {
        self.evidence.reset();
        (self.n, self.bad, self.expected) = (0, 0, 0.0);
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Evidence {
    day: u32,
    values: [f32; ODDS.len()],
}

impl Evidence {
    /// Takes a prediction of a day.
    fn observe(&mut self, day: u32, bad: bool, limit: f64) {
        let begins = self.day < day;
        self.day = self.day.max(day);
        for (value, odds) in self.values.iter_mut().zip(ODDS) {
            let normal = 1.0 + limit * (odds - 1.0);
            let ratio = if bad { odds / normal } else { 1.0 / normal };
            *value = ((*value + f32::from(u8::from(begins))) * ratio as f32).min(CEILING);
        }
    }

    fn value(&self) -> f64 {
        self.values.iter().map(|&value| f64::from(value)).sum::<f64>() / ODDS.len() as f64
    }

    const fn reset(&mut self) {
        self.values = [0.0; ODDS.len()];
    }
}

/// A judged prediction of the time when what is normal is not yet known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Learned {
    loss: f32,
    delay: u8,
    entities: EntityIds,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Recent {
    predicted: Timestamp,
    time: Timestamp,
    entities: EntityIds,
    bad: bool,
    expected: f32,
}

/// What is normal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Normal {
    /// A greater loss is bad.
    threshold: f64,
    /// Judged predictions and bad ones, by class of delay.
    by_delay: [(u32, u32); DELAYS],
}

impl Normal {
    fn total(&self) -> (f64, f64) {
        self.by_delay.iter().fold((0.0, 0.0), |(n, bad), one| (n + f64::from(one.0), bad + f64::from(one.1)))
    }

    fn share(&self) -> f64 {
        let (n, bad) = self.total();
        (bad + 0.5) / (n + 1.0)
    }

    /// The expected share of bad ones after a delay.
    fn expected(&self, delay: u8) -> f64 {
        let (n, bad) = self.by_delay.get(usize::from(delay)).copied().unwrap_or_default();
        (f64::from(bad) + PRIOR_OF_DELAY * self.share()) / (f64::from(n) + PRIOR_OF_DELAY)
    }
}

/// Who a change was seen in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JudgedAlarm {
    /// The entity, where it shows in one alone.
    pub(crate) entity: Option<(usize, u16)>,
    /// Evidence: by chance, once in so many days with labels at most.
    pub(crate) evidence: f64,
    pub(crate) time: Timestamp,
    pub(crate) onset: Timestamp,
    /// Judged predictions since then, bad ones, and how many would be normal.
    pub(crate) n: u64,
    pub(crate) bad: u64,
    pub(crate) expected: f64,
    /// Judged predictions of the reference, and its share of bad ones.
    pub(crate) reference: (u64, f64),
    /// A greater loss counts as bad.
    pub(crate) threshold: f64,
    /// The predictions since the onset, to say who carries it.
    pub(crate) rows: Vec<Blamed>,
    /// Or who carries it, where only what is concentrated counts.
    pub(crate) suspects: Vec<Culprit>,
}

/// The watch over one fact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct JudgedWatch {
    learning: Thinned<Learned, MOST_REFERENCE>,
    normal: Option<Normal>,
    whole: Evidence,
    quiet: Quiet,
    entities: Vec<Vec<EntityWatch>>,
    recent: VecDeque<Recent>,
    /// Predictions and bad ones of the whole that were judged.
    totals: (u32, u32),
    /// Share of bad ones of late, where only what is concentrated counts.
    lately: Option<f64>,
}

/// What counts as news.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rule {
    /// Until when predictions show what is normal.
    pub(crate) learning_ends: Timestamp,
    /// The run to a false alarm that is allowed.
    pub(crate) days: f64,
    /// Only what shows in some entities beyond what the whole shows of late.
    pub(crate) is_concentrated: bool,
}

/// How a fact is turned into bad or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// 0 or 1.
    Wrong,
    /// A number, where more is worse.
    Number,
}

impl JudgedWatch {
    /// Takes a judged prediction with its loss.
    pub(crate) fn observe(
        &mut self,
        judged: &JudgedPrediction,
        (loss, kind): (f64, Loss),
        rule: &Rule,
    ) -> Option<JudgedAlarm> {
        let delay = delay_class(judged.time.since(judged.predicted));
        let is_reference = judged.predicted < rule.learning_ends;
        if self.normal.is_none() {
            if !loss.is_finite() {
                return None;
            }
            if is_reference || self.learning.kept().len() < LEAST_REFERENCE {
                self.learning.push(|| Learned { loss: loss as f32, delay, entities: judged.entities });
                return None;
            }
            self.finish_learning(kind);
        }
        let Some(normal) = &mut self.normal else { return None };
        let bad = loss > normal.threshold;
        if is_reference {
            count(&mut normal.by_delay[usize::from(delay)], bad);
            for (slot, &id) in judged.entities.iter().enumerate() {
                if let Some(entity) = watch_of(&mut self.entities, slot, id) {
                    count(&mut entity.reference, bad);
                }
            }
            return None;
        }
        self.judge(judged, bad, delay, rule)
    }

    fn finish_learning(&mut self, kind: Loss) {
        let threshold = match kind {
            Loss::Wrong => 0.5,
            Loss::Number => threshold_of(self.learning.kept().iter().map(|one| f64::from(one.loss)).collect()),
        };
        let mut normal = Normal { threshold, by_delay: [(0, 0); DELAYS] };
        let learned = std::mem::take(&mut self.learning);
        for one in learned.kept() {
            let bad = f64::from(one.loss) > threshold;
            count(&mut normal.by_delay[usize::from(one.delay).min(DELAYS - 1)], bad);
            for (slot, &id) in one.entities.iter().enumerate() {
                if let Some(entity) = watch_of(&mut self.entities, slot, id) {
                    count(&mut entity.reference, bad);
                }
            }
        }
        self.normal = Some(normal);
    }

    fn judge(&mut self, judged: &JudgedPrediction, bad: bool, delay: u8, rule: &Rule) -> Option<JudgedAlarm> {
        let normal = self.normal.as_ref()?;
        let day = (judged.time.micros().max(0) / Timestamp::DAY) as u32 + 1;
        let (n, _) = normal.total();
        let share = normal.share();
        let lately = self.lately.get_or_insert(share);
        count(&mut self.totals, bad);
        let totals = self.totals;
        let floor = if rule.is_concentrated { *lately } else { 0.0 };
        *lately += LATELY * (f64::from(u8::from(bad)) - *lately);
        let expected = normal.expected(delay).max(floor);
        let limit = upper(expected, n);
        let row = Recent {
            predicted: judged.predicted,
            time: judged.time,
            entities: judged.entities,
            bad,
            expected: expected as f32,
        };
        // Dimensions share what entities have, and the values of each share that.
        let of_entities = if rule.is_concentrated { 1.0 } else { BAR_OF_ENTITIES };
        let n_dimensions = self.entities.iter().filter(|entities| !entities.is_empty()).count();
        let bar = of_entities * rule.days * n_dimensions.max(1) as f64;
        let mut most: Option<(f64, (usize, u16))> = None;
        for (slot, &id) in judged.entities.iter().enumerate() {
            let Some(entity) = watch_of(&mut self.entities, slot, id) else { continue };
            entity.observe(day, &row, entity_limit(entity.reference, expected, share), totals);
            let margin = entity.evidence.value();
            let own = *entity;
            let margin = margin / (bar * self.entities[slot].len() as f64);
            let may_be_told =
                margin >= 1.0 && own.quiet.is_over(day) && (!rule.is_concentrated || own.stands_out(totals));
            if may_be_told && most.is_none_or(|(other, _)| margin > other) {
                most = Some((margin, (slot, id)));
            }
        }
        if rule.is_concentrated {
            let (margin, entity) = most?;
            return self.concentrated_alarm(entity, margin * rule.days, bar, (judged.time, day));
        }
        self.whole.observe(day, bad, limit);
        if self.recent.len() >= MOST_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(row);
        let whole = self.whole.value() / (BAR_OF_WHOLE * rule.days);
        if (whole < 1.0 && most.is_none()) || !self.quiet.is_over(day) {
            return None;
        }
        let entity = most.filter(|&(margin, _)| margin > whole).map(|(_, entity)| entity);
        let evidence = whole.max(most.map_or(0.0, |(margin, _)| margin)) * rule.days;
        let alarm = self.alarm(entity, evidence, judged.time);
        if alarm.is_some() {
            self.quiet.begin(day);
            self.whole.reset();
            self.entities.iter_mut().flatten().for_each(EntityWatch::reset);
        }
        alarm
    }

    /// An entity stands out; others that nearly do are named with it.
    fn concentrated_alarm(
        &mut self,
        (slot, id): (usize, u16),
        evidence: f64,
        bar: f64,
        (time, day): (Timestamp, u32),
    ) -> Option<JudgedAlarm> {
        let reference = self.normal.as_ref().map(|normal| (normal.total().0 as u64, normal.share()))?;
        let threshold = self.normal.as_ref()?.threshold;
        let mut suspects = Vec::new();
        for (slot, entities) in self.entities.iter().enumerate() {
            let excess = |entity: &EntityWatch| (f64::from(entity.bad) - f64::from(entity.expected)).max(0.0);
            let all: f64 = entities.iter().map(excess).sum();
            let bar = bar * entities.len() as f64;
            for (entity, id) in entities.iter().zip(1_u16..) {
                let value = entity.evidence.value();
                if value >= SUSPECT * bar && entity.n > 0 && entity.stands_out(self.totals) {
                    suspects.push(Culprit {
                        members: vec![(slot, id)],
                        n: u64::from(entity.n),
                        bad: u64::from(entity.bad),
                        expected: f64::from(entity.expected),
                        share: (excess(entity) / all.max(1e-9)).min(1.0),
                        p_value: (1.0 / value.max(1.0)).min(1.0),
                    });
                }
            }
        }
        suspects.sort_by(|left, right| left.p_value.total_cmp(&right.p_value).then(left.members.cmp(&right.members)));
        let entity = self.entities.get(slot)?.get(usize::from(id).checked_sub(1)?)?;
        let alarm = JudgedAlarm {
            entity: Some((slot, id)),
            evidence,
            time,
            onset: Timestamp::from_micros(entity.since),
            n: u64::from(entity.n),
            bad: u64::from(entity.bad),
            expected: f64::from(entity.expected),
            reference,
            threshold,
            rows: Vec::new(),
            suspects,
        };
        // What has the same rows is another name for the same thing, as an employee and their user name.
        let told = *entity;
        for other in self.entities.iter_mut().flatten() {
            if (other.n, other.bad, other.since) == (told.n, told.bad, told.since) {
                other.reset();
                other.quiet.begin(day);
            }
        }
        Some(alarm)
    }

    fn alarm(&self, entity: Option<(usize, u16)>, evidence: f64, time: Timestamp) -> Option<JudgedAlarm> {
        let normal = self.normal.as_ref()?;
        let is_part = |row: &&Recent| entity.is_none_or(|(slot, id)| row.entities.get(slot) == Some(&id));
        let own: Vec<&Recent> = self.recent.iter().filter(is_part).collect();
        let first = onset(&own)?;
        let since = &own[first..];
        let onset = since.iter().map(|row| row.predicted).min()?;
        let came = since.first()?.time;
        let rows = self
            .recent
            .iter()
            .filter(|row| row.time >= came)
            .map(|row| Blamed { entities: row.entities, bad: row.bad, expected: f64::from(row.expected) })
            .collect();
        Some(JudgedAlarm {
            entity,
            evidence,
            time,
            onset,
            n: since.len() as u64,
            bad: since.iter().filter(|row| row.bad).count() as u64,
            expected: since.iter().map(|row| f64::from(row.expected)).sum(),
            reference: (normal.total().0 as u64, normal.share()),
            threshold: normal.threshold,
            rows,
            suspects: Vec::new(),
        })
    }
}

/// The loss above which a fifth is, or where values are few, the next below it: of thumbs, the ones up.
fn threshold_of(mut losses: Vec<f64>) -> f64 {
    losses.sort_by(f64::total_cmp);
    let place = ((1.0 - SHARE_BAD) * losses.len() as f64) as usize;
    let Some(&quantile) = losses.get(place) else { return f64::INFINITY };
    let above = losses.len() - losses.partition_point(|loss| *loss <= quantile);
    if above as f64 >= LEAST_SHARE_BAD * losses.len() as f64 {
        return quantile;
    }
    let below = losses.partition_point(|loss| *loss < quantile);
    below.checked_sub(1).and_then(|place| losses.get(place)).copied().unwrap_or(quantile)
}

fn count(counts: &mut (u32, u32), bad: bool) {
    counts.0 = counts.0.saturating_add(1);
    counts.1 = counts.1.saturating_add(u32::from(bad));
}

/// The limit of a share that was learned from so many.
fn upper(share: f64, n: f64) -> f64 {
    (share + ALLOWED_ERRORS * (share * (1.0 - share) / n.max(1.0)).sqrt()).clamp(1e-4, 0.95)
}

/// The limit of an entity: what it was itself, as far as it is known, and not below what the whole is.
fn entity_limit((n, bad): (u32, u32), expected: f64, whole: f64) -> f64 {
    let (n, bad) = (f64::from(n) + PRIOR_OF_ENTITY, f64::from(bad) + PRIOR_OF_ENTITY * whole);
    let own = (bad / n / whole.max(1e-9)).max(1.0) * expected;
    upper(own.min(0.95), n)
}

fn watch_of(entities: &mut Vec<Vec<EntityWatch>>, slot: usize, id: u16) -> Option<&mut EntityWatch> {
    let place = usize::from(id).checked_sub(1)?;
    if slot >= SLOTS || place >= MOST_VALUES {
        return None;
    }
    if entities.len() <= slot {
        entities.resize_with(slot + 1, Vec::new);
    }
    let of_slot = &mut entities[slot];
    if of_slot.len() <= place {
        of_slot.resize(place + 1, EntityWatch::default());
    }
    of_slot.get_mut(place)
}

fn delay_class(delay: Span) -> u8 {
    let quarters = delay.max(0) / (6 * Timestamp::HOUR);
    (64 - quarters.leading_zeros()).min(DELAYS as u32 - 1) as u8
}

/// The row since which the excess of bad ones is the most unlikely.
fn onset(rows: &[&Recent]) -> Option<usize> {
    let least = LEAST_SINCE.min(rows.len()).max(1);
    let (mut excess, mut variance, mut best) = (0.0, 0.0, None);
    for (index, row) in rows.iter().enumerate().rev() {
        let expected = f64::from(row.expected);
        excess += f64::from(u8::from(row.bad)) - expected;
        variance += expected * (1.0 - expected);
        let z = excess / f64::sqrt(variance).max(1e-9);
        if rows.len() - index >= least && best.is_none_or(|(most, _)| z > most) {
            best = Some((z, index));
        }
    }
    best.map(|(_, index)| index)
}

#[cfg(test)]
mod tests;
