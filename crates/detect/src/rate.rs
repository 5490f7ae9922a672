//! Shares of events of which a fact holds (failed, slow): what is normal, and a sequential detector of a
//! rise.
//!
//! Events of real services are not independent: users come in runs, queues build up, replicas pause.
//! So the learning period is cut into blocks, and two numbers are taken from how the blocks differ:
//!
//! - **clumping** `phi = mean of (k - n p)^2 / (n p (1 - p))`, at least 1; each log likelihood ratio is
//!   divided by it;
//! - **wander** `tau`, the spread of the blocks' true shares beyond chance; a rise within three `tau`, or
//!   below the practical effect, is tolerated.
//!
//! The detector is a Shiryaev–Roberts e-detector, one step per second that has events, for three
//! alternatives: `S <- (S + 1) * L`. Its mean run to a false alarm is at least `A` such seconds when it
//! alarms at `S >= A` (Shin, Ramdas, Rinaldo, "E-detectors", 2023).

use serde::{Deserialize, Serialize};

/// A block ends with this many events.
const BLOCK_EVENTS: u32 = 100;
/// The whole's experience counts as this many events of each group.
const PRIOR_EVENTS: f64 = 200.0;

/// What learning sees of one fact in one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RateLearning {
    events: u64,
    yes: u64,
    block: (u32, u32),
    blocks: u64,
    /// Sums over blocks, of which the spread about any mean follows: k^2/n, 1/n.
    k2_over_n: f64,
    k2_over_n2: f64,
    k_over_n: f64,
    one_over_n: f64,
}

impl RateLearning {
    /// Takes one second's counts.
    pub(crate) fn observe(&mut self, events: u32, yes: u32) {
        self.events += u64::from(events);
        self.yes += u64::from(yes);
        self.block.0 += events;
        self.block.1 += yes;
        if self.block.0 >= BLOCK_EVENTS {
            let (n, k) = (f64::from(self.block.0), f64::from(self.block.1));
            self.blocks += 1;
            self.k2_over_n += k * k / n;
            self.k2_over_n2 += (k / n) * (k / n);
            self.k_over_n += k / n;
            self.one_over_n += 1.0 / n;
            self.block = (0, 0);
        }
    }

    /// How many events it rests on.
    pub(crate) const fn events(&self) -> u64 {
        self.events
    }

    /// Of how many the fact held.
    pub(crate) const fn yes(&self) -> u64 {
        self.yes
    }

    /// What is normal; `parent` is the whole model's rate, towards which a small group is drawn.
    pub(crate) fn finish(&self, parent: Option<&Rate>) -> Option<Rate> {
        if self.events < 30 && parent.is_none() {
            return None;
        }
        let (n, k) = (self.events as f64, self.yes as f64);
        let share = match parent {
            Some(parent) => (k + PRIOR_EVENTS * parent.share) / (n + PRIOR_EVENTS),
            None => (k + 0.5) / (n + 1.0),
        };
        let (clumping, wander) = if self.blocks >= 8 {
            self.spread(share)
        } else {
            parent.map_or((1.5, 0.0), |parent| (parent.clumping, parent.wander))
        };
        let weight = n + parent.map_or(0.0, |_| PRIOR_EVENTS);
        // The learned share is itself uncertain: two standard errors, and what three events would add.
        let uncertainty = 2.0 * (clumping * share * (1.0 - share) / weight).sqrt() + 3.0 / weight;
        Some(Rate { share, upper: (share + uncertainty).min(1.0), clumping, wander, events: self.events })
    }

    /// Clumping and wander of the blocks.
    fn spread(&self, share: f64) -> (f64, f64) {
        let blocks = self.blocks as f64;
        let variance = (share * (1.0 - share)).max(1e-12);
        let n_mean = f64::from(BLOCK_EVENTS);
        // Sum of (k - n p)^2 / n over blocks, with n near its mean.
        let squares = self.k2_over_n - 2.0 * share * (self.k_over_n * n_mean) + share * share * blocks * n_mean;
        let clumping = (squares / blocks / variance).clamp(1.0, 50.0);
        let mean = self.k_over_n / blocks;
        let between = self.k2_over_n2 / blocks - mean * mean;
        let chance = variance * self.one_over_n / blocks;
        (clumping, (between - chance).max(0.0).sqrt())
    }
}

/// What is normal for one fact in one group.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rate {
    /// Share of events of which the fact holds.
    pub(crate) share: f64,
    /// What the share may be, as the learning is finite.
    pub(crate) upper: f64,
    /// How much more counts vary than independent events would.
    pub(crate) clumping: f64,
    /// How far the true share wanders between blocks.
    pub(crate) wander: f64,
    /// How many events it rests on.
    pub(crate) events: u64,
}

impl Rate {
    /// The greatest share that is still tolerated: the practical effect as a ratio of odds, or three
    /// times the learned wander, whichever is more.
    pub(crate) fn tolerated(&self, odds_ratio: f64) -> f64 {
        let practical = with_odds(self.upper, odds_ratio);
        practical.max(self.upper + 3.0 * self.wander).min(0.98)
    }
}

/// A share with its odds multiplied.
pub(crate) fn with_odds(share: f64, ratio: f64) -> f64 {
    let odds = share / (1.0 - share).max(1e-9) * ratio;
    odds / (1.0 + odds)
}

/// Alternatives that the detector weighs, as ratios of odds to the tolerated share.
const ALTERNATIVES: [f64; 3] = [1.5, 4.0, 20.0];

/// Watches one fact in one group for a rise above a tolerated share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RiseDetector {
    evidence: [f64; ALTERNATIVES.len()],
    /// What an event of which the fact holds, and one of which it does not, adds to the logarithm.
    yes: [f64; ALTERNATIVES.len()],
    no: [f64; ALTERNATIVES.len()],
    /// The same as factors, for seconds of few events.
    yes_factor: [f64; ALTERNATIVES.len()],
    no_factor: [f64; ALTERNATIVES.len()],
}

/// Up to so many events, a power is quicker than an exponential and cannot overflow.
const FEW_EVENTS: u32 = 32;

impl RiseDetector {
    /// A detector of shares above the tolerated one; `clumping` as learned.
    pub(crate) fn new(tolerated: f64, clumping: f64) -> Self {
        let tolerated = tolerated.clamp(1e-7, 0.98);
        const NOTHING: [f64; ALTERNATIVES.len()] = [0.0; ALTERNATIVES.len()];
        let mut detector =
            Self { evidence: NOTHING, yes: NOTHING, no: NOTHING, yes_factor: NOTHING, no_factor: NOTHING };
        for (index, &ratio) in ALTERNATIVES.iter().enumerate() {
            let alternative = with_odds(tolerated, ratio);
            detector.yes[index] = (alternative / tolerated).ln() / clumping;
            detector.no[index] = ((1.0 - alternative) / (1.0 - tolerated)).ln() / clumping;
            detector.yes_factor[index] = detector.yes[index].exp();
            detector.no_factor[index] = detector.no[index].exp();
        }
        detector
    }

    /// Takes one second's counts; answers the evidence, to be compared with the mean run length wanted.
    #[inline]
    pub(crate) fn observe(&mut self, events: u32, yes: u32) -> f64 {
        let good = events - yes;
        for index in 0..ALTERNATIVES.len() {
            let ratio = if events <= FEW_EVENTS {
                self.yes_factor[index].powi(yes as i32) * self.no_factor[index].powi(good as i32)
            } else {
                (f64::from(yes) * self.yes[index] + f64::from(good) * self.no[index]).exp()
            };
            self.evidence[index] = ((self.evidence[index] + 1.0) * ratio).min(1e30);
        }
        self.evidence()
    }

    /// The evidence as it is.
    #[inline]
    pub(crate) fn evidence(&self) -> f64 {
        self.evidence.iter().sum::<f64>() / ALTERNATIVES.len() as f64
    }

    /// Forgets all evidence.
    pub(crate) const fn reset(&mut self) {
        self.evidence = [0.0; ALTERNATIVES.len()];
    }
}

/// Cells of counts, fine in the recent and coarse in the distant past, from which onsets are found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RateHistory {
    /// Start of the cell in microseconds, events, yes.
    cells: Vec<(i64, u32, u32)>,
}

/// When a share rose, and to what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rise {
    /// Most likely start, in microseconds, and the range that the data do not exclude at 95 %.
    pub(crate) onset: i64,
    pub(crate) interval: (i64, i64),
    /// Since then: events, and of how many the fact held.
    pub(crate) events: u64,
    pub(crate) yes: u64,
}

impl RateHistory {
    const MOST: usize = 128;

    /// Appends one second's counts.
    pub(crate) fn push(&mut self, start: i64, events: u32, yes: u32) {
        if self.cells.len() >= Self::MOST {
            self.thin(start);
        }
        self.cells.push((start, events, yes));
    }

    /// Merges neighbours as long as a cell stays shorter than a fifth of its age, so that the resolution
    /// is the same at every distance, in proportion.
    fn thin(&mut self, now: i64) {
        let mut thinned: Vec<(i64, u32, u32)> = Vec::with_capacity(Self::MOST);
        for (index, &(start, events, yes)) in self.cells.iter().enumerate() {
            let end = self.cells.get(index + 1).map_or(now, |next| next.0);
            match thinned.last_mut() {
                Some(open) if (end - open.0) * 5 <= now - end => {
                    open.1 = open.1.saturating_add(events);
                    open.2 = open.2.saturating_add(yes);
                }
                _ => thinned.push((start, events, yes)),
            }
        }
        // Whatever the times were, room must be made.
        if thinned.len() >= Self::MOST {
            let (second, first) = (thinned.remove(1), &mut thinned[0]);
            first.1 = first.1.saturating_add(second.1);
            first.2 = first.2.saturating_add(second.2);
        }
        self.cells = thinned;
    }

    /// The most likely moment at which the share rose above `normal`, by the likelihood ratio
    /// `sup over onset, p of L(p) / L(normal)` of all cells from the onset on; the interval holds every
    /// onset within 1.92 of its logarithm.
    pub(crate) fn rise(&self, normal: f64) -> Option<Rise> {
        let normal = normal.clamp(1e-7, 1.0 - 1e-7);
        let mut best: Option<(f64, usize, u64, u64)> = None;
        let mut ratios = vec![0.0; self.cells.len()];
        let (mut events, mut yes) = (0_u64, 0_u64);
        for (index, &(_, n, k)) in self.cells.iter().enumerate().rev() {
            events += u64::from(n);
            yes += u64::from(k);
            let ratio = log_likelihood_ratio(events, yes, normal);
            ratios[index] = ratio;
            if best.is_none_or(|(found, ..)| ratio > found) {
                best = Some((ratio, index, events, yes));
            }
        }
        let (top, index, events, yes) = best?;
        if top <= 0.0 {
            return None;
        }
        let within = |ratio: &f64| *ratio >= top - 1.92;
        let first = ratios.iter().position(within).unwrap_or(index);
        let last = ratios.iter().rposition(within).unwrap_or(index);
        let start = |index: usize| self.cells[index].0;
        Some(Rise { onset: start(index), interval: (start(first), start(last)), events, yes })
    }

    /// Counts since a moment.
    pub(crate) fn since(&self, onset: i64) -> (u64, u64) {
        self.cells
            .iter()
            .rev()
            .take_while(|(start, ..)| *start >= onset)
            .fold((0, 0), |(events, yes), &(_, n, k)| (events + u64::from(n), yes + u64::from(k)))
    }
}

fn log_likelihood_ratio(events: u64, yes: u64, normal: f64) -> f64 {
    if events == 0 {
        return 0.0;
    }
    let (n, k) = (events as f64, yes as f64);
    let share = k / n;
    if share <= normal {
        return 0.0;
    }
    let term = |count: f64, ratio: f64| if count > 0.0 { count * ratio.ln() } else { 0.0 };
    term(k, share / normal) + term(n - k, (1.0 - share) / (1.0 - normal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(yes_in_100: u32) -> Rate {
        let mut learning = RateLearning::default();
        for _ in 0..1_000 {
            learning.observe(100, yes_in_100);
        }
        learning.finish(None).unwrap()
    }

    /// Goal: a share that stays below the tolerated one never piles evidence up; one that doubles does.
    #[test]
    fn evidence_grows_only_beyond_what_is_tolerated() {
        let rate = learned(1);
        let tolerated = rate.tolerated(1.5);
        let mut quiet = RiseDetector::new(tolerated, 1.0);
        let most = (0..100_000).map(|_| quiet.observe(100, 1)).fold(0.0, f64::max);
        assert!(most < 20.0, "{most}");
        let mut loud = RiseDetector::new(tolerated, 1.0);
        let seconds = (0..1_000).position(|_| loud.observe(100, 5) > 1e7).unwrap();
        assert!(seconds < 20, "{seconds}");
    }

    #[test]
    fn blocks_that_differ_raise_what_is_tolerated() {
        let mut learning = RateLearning::default();
        for block in 0..1_000 {
            learning.observe(100, if block % 2 == 0 { 0 } else { 20 });
        }
        let rate = learning.finish(None).unwrap();
        assert!(rate.wander > 0.08 && rate.clumping > 5.0, "{rate:?}");
        assert!(rate.tolerated(1.5) > 0.3);
    }

    #[test]
    fn the_onset_is_where_the_share_rose() {
        let mut history = RateHistory::default();
        for second in 0..100 {
            history.push(second, 50, if second < 70 { 0 } else { 5 });
        }
        let rise = history.rise(0.001).unwrap();
        assert_eq!((rise.onset, rise.events, rise.yes), (70, 1_500, 150));
        assert!(rise.interval.0 <= 70 && 70 <= rise.interval.1);
    }

    #[test]
    fn an_onset_an_hour_ago_is_found_to_within_a_fifth() {
        let mut history = RateHistory::default();
        for second in 0..40_000 {
            history.push(second * 1_000_000, 7, u32::from(second >= 36_400 && second % 20 == 0));
        }
        let rise = history.rise(0.0001).unwrap();
        let age = 40_000 - rise.onset / 1_000_000;
        assert!((3_000..=4_320).contains(&age), "{age}");
    }

    #[test]
    fn history_stays_bounded_and_loses_no_count() {
        let mut history = RateHistory::default();
        (0..10_000).for_each(|second| history.push(second, 1, 1));
        assert!(history.cells.len() <= RateHistory::MOST);
        assert_eq!(history.since(0), (10_000, 10_000));
    }
}
