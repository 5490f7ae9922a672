//! Channels whose labels disagree with what other channels call such rows.

use serde::{Deserialize, Serialize};

use super::OutsideNeighbours;
use super::between_channels::{Cell, ChannelExcess, channel_excesses};
use crate::multiple::holm;

/// When disagreement is a finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DisagreementSettings {
    /// Chance of any false finding, over both tests, all channels and all pairs of classes.
    pub alpha: f64,
    /// The least excess, as a share of the rows judged, that matters.
    pub least_excess: f64,
    /// The least ratio of rows with the outcome to expected ones that matters.
    pub least_lift: f64,
    /// The fewest rows with the outcome that a finding rests on.
    pub least_hits: u64,
    /// The share of a row's neighbours that must have one class for the row to be judged.
    pub least_agreement: f64,
    /// Of rows with the same class of neighbours, the share that is judged: those farthest from any other class.
    pub judged_share: f64,
}

impl Default for DisagreementSettings {
    /// 1 %, one row in a hundred, twice as many as expected, ten rows, all neighbours of one class, and half of such rows.
    fn default() -> Self {
        Self {
            alpha: 0.01,
            least_excess: 0.01,
            least_lift: 2.0,
            least_hits: 10,
            least_agreement: 1.0,
            judged_share: 0.5,
        }
    }
}

/// Labels of one channel against its neighbours from other channels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelDisagreement {
    /// The channel.
    pub channel: u32,
    /// For a pair: what most neighbours are, and what the row was called.
    pub pair: Option<(u32, u32)>,
    /// Rows judged, rows that disagree, and how unusual that is.
    pub excess: ChannelExcess,
    /// After Holm's correction within its test, times two for the two tests.
    pub adjusted_p: f64,
    /// Whether it is significant, and large enough to matter.
    pub found: bool,
}

impl OutsideNeighbours {
    /// Channels whose labels differ from their neighbours' class more often than channels do, and pairs of classes
    /// where one is called the other; the most unusual first.
    ///
    /// Two tests, each with half of `alpha`: for each channel, how many labels differ from the class of most
    /// neighbours; and for each channel and pair, how many of the rows whose neighbours are `a` are called `b`. The
    /// second finds targeted changes that the first averages away.
    ///
    /// *False alarms.* Honest channels differ in what they send, in how hard it is and in how carefully they label,
    /// so Fisher's test against the rest is far too sure. Rows are compared within strata of neighbours' class and
    /// number of votes, which takes up class mix, and only where all neighbours agree and no other class is near: in
    /// between classes the fair label depends on where a channel's rows lie, and honest channels part by more than any
    /// law of chance. What remains is judged by how much the *other* channels differ from each other, with Student's
    /// law for their small number, and by the exact count; then Holm. The chance of any false finding is at most
    /// `alpha` if honest channels differ as if drawn from one normal law. Pairs seen fewer than `least_hits` times in
    /// all cannot be found and do not count as tested. Simulated honest channels whose classes lie apart by up to a
    /// standard deviation were accused in 0 of 100 sets at 1 %, and in 2 at 5 % (the example `promised`, part
    /// `poisoning`); with all rows judged it was 15.
    ///
    /// *Ranking* needs no threshold: with 1 % of all rows poisoned through one of eight channels, it came first in 98
    /// (random labels) and 99 (one class called another) of 100 sets, and was found in 59 and 91.
    ///
    /// *Not to be trusted* with few channels (fewer than four give nothing; five need a very large excess), with two
    /// or more poisoned channels (they hide each other), or for a channel whose rows are of a kind that no other
    /// channel sends: those have no fair neighbours, and rows with a backdoor's trigger are often such (see
    /// [`OutsideNeighbours::triggers`]). It says that labels differ, not that anyone meant them to.
    ///
    /// Rows of a pair's test are those whose neighbours are mostly `a`. Empty unless `0 < alpha <= 1`.
    /// Cost: `O(rows * classes + (classes + pairs) * channels^2 * k)`.
    ///
    /// Sources: neighbours' labels against poison: Peri et al., "Deep k-NN Defense" (2020); distance to the next class:
    /// Jiang et al., "To Trust Or Not To Trust A Classifier" (2018), section 3; spread: Paule, Mandel,
    /// J. Res. NBS 87 (1982); Student's law for it: Hartung, Knapp, Statist. Med. 20 (2001).
    #[must_use]
    pub fn disagreement(&self, settings: &DisagreementSettings) -> Vec<ChannelDisagreement> {
        if !(0.0 < settings.alpha && settings.alpha <= 1.0) {
            return Vec::new();
        }
        let of_channels = self.judged(&channel_excesses(&self.table_of_channels(settings)), None);
        let mut near = vec![Vec::new(); self.classes.len()];
        self.judged_rows(settings).into_iter().for_each(|row| near[self.nearest_class[row]].push(row));
        let mut of_pairs = Vec::new();
        for pair in self.pairs(settings) {
            let table = self.table_of_pair(&near[pair.0], pair.1);
            of_pairs.extend(self.judged(&channel_excesses(&table), Some(pair)));
        }
        let mut all = adjusted(of_channels, settings);
        all.extend(adjusted(of_pairs, settings));
        all.sort_by(|a, b| {
            let order = b.found.cmp(&a.found).then(a.adjusted_p.total_cmp(&b.adjusted_p));
            order.then(b.excess.deviation.total_cmp(&a.excess.deviation))
        });
        all
    }

    /// Rows whose neighbours agree and, of those with the same class of neighbours, the ones that lie farthest from
    /// any other class.
    fn judged_rows(&self, settings: &DisagreementSettings) -> Vec<usize> {
        let least = settings.least_agreement * self.k as f64;
        let mut near = vec![Vec::new(); self.classes.len()];
        let agree = (0..self.votes.len()).filter(|row| least <= self.votes[*row] as f64);
        agree.for_each(|row| near[self.nearest_class[row]].push(row));
        for rows in &mut near {
            rows.sort_by(|a, b| self.margin[*b].total_cmp(&self.margin[*a]).then(a.cmp(b)));
            let kept = (settings.judged_share * rows.len() as f64).ceil() as usize;
            rows.truncate(kept);
        }
        near.concat()
    }

    /// The pairs of neighbours' class and label that occur often enough to be found.
    fn pairs(&self, settings: &DisagreementSettings) -> Vec<(usize, usize)> {
        let mut seen: Vec<(usize, usize)> = self
            .judged_rows(settings)
            .into_iter()
            .map(|row| (self.nearest_class[row], self.label_of[row]))
            .filter(|(a, b)| a != b)
            .collect();
        seen.sort_unstable();
        let often = seen.chunk_by(|a, b| a == b).filter(|same| same.len() as u64 >= settings.least_hits);
        often.filter_map(|same| same.first().copied()).collect()
    }

    /// Rows and hits by channel and stratum, for all labels that disagree.
    fn table_of_channels(&self, settings: &DisagreementSettings) -> Vec<Vec<Cell>> {
        let mut table = vec![vec![Cell::default(); self.n_strata()]; self.channels.len()];
        for row in self.judged_rows(settings) {
            count(&mut table[self.channel_of[row]][self.stratum(row)], self.nearest_class[row] != self.label_of[row]);
        }
        table
    }

    /// The same for one label among `rows`, which have the same class of neighbours.
    fn table_of_pair(&self, rows: &[usize], label: usize) -> Vec<Vec<Cell>> {
        let mut table = vec![vec![Cell::default(); self.k + 1]; self.channels.len()];
        for row in rows {
            count(&mut table[self.channel_of[*row]][self.votes[*row]], self.label_of[*row] == label);
        }
        table
    }

    fn judged(&self, excesses: &[Option<ChannelExcess>], pair: Option<(usize, usize)>) -> Vec<ChannelDisagreement> {
        let pair = pair.map(|(a, b)| (self.classes[a], self.classes[b]));
        let found = excesses.iter().zip(&self.channels).filter_map(|(excess, channel)| {
            let excess = (*excess)?;
            Some(ChannelDisagreement { channel: *channel, pair, excess, adjusted_p: 1.0, found: false })
        });
        found.collect()
    }
}

fn count(cell: &mut Cell, hit: bool) {
    cell.rows += 1;
    cell.hits += u64::from(hit);
}

fn adjusted(mut tests: Vec<ChannelDisagreement>, settings: &DisagreementSettings) -> Vec<ChannelDisagreement> {
    let p_values: Vec<f64> = tests.iter().map(|test| test.excess.p_value).collect();
    for (test, p) in tests.iter_mut().zip(holm(&p_values).unwrap_or_default()) {
        test.adjusted_p = (2.0 * p).min(1.0);
        let ChannelExcess { hits, expected, excess, .. } = test.excess;
        let matters = settings.least_excess <= excess
            && settings.least_hits <= hits
            && settings.least_lift * expected <= hits as f64;
        test.found = test.adjusted_p <= settings.alpha && matters;
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Features;
    use crate::poisoning::{ChannelRows, NeighbourSettings};
    use crate::random::SplitMix;

    /// Four classes on a line apart, six channels; `poison` rows of class 1 in channel 2 are called 3.
    fn findings(poison: usize) -> Vec<ChannelDisagreement> {
        let mut random = SplitMix::new(8);
        let n = 3_000;
        let classes: Vec<usize> = (0..n).map(|_| random.below(4)).collect();
        let channels: Vec<u32> = (0..n).map(|_| random.below(6) as u32).collect();
        let column: Vec<f64> = classes.iter().map(|class| *class as f64 * 4.0 + random.normal()).collect();
        let mut labels: Vec<u32> = classes.iter().map(|class| *class as u32).collect();
        for row in 0..n {
            if random.unit() < 0.01 + 0.002 * f64::from(channels[row]) {
                labels[row] = random.below(4) as u32;
            }
        }
        let targets: Vec<usize> = (0..n).filter(|row| classes[*row] == 1 && channels[*row] == 2).collect();
        targets.iter().take(poison).for_each(|row| labels[*row] = 3);
        let features = Features::new(vec![&column]).unwrap();
        let rows = ChannelRows { features: &features, labels: &labels, channels: &channels };
        let found = OutsideNeighbours::find(rows, &NeighbourSettings::default()).unwrap();
        found.disagreement(&DisagreementSettings::default())
    }

    #[test]
    fn a_targeted_change_is_found_and_honest_channels_are_not() {
        assert!(findings(0).iter().all(|test| !test.found));
        let found = findings(30);
        assert_eq!((found[0].channel, found[0].pair, found[0].found), (2, Some((1, 3)), true), "{:?}", found[0]);
        assert!(found.iter().filter(|test| test.found).all(|test| test.channel == 2));
    }
}
