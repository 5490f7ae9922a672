//! What the queries of one client look like, in blocks: how unlikely among the learned traffic, and how systematic.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    clients::{hash_number, mixed},
    queries::{PARTS, Query},
};

/// Queries in a block.
pub(crate) const BLOCK: u32 = 40;
/// What is measured of a block.
pub(crate) const SCORES: usize = 4;
/// Levels of a part.
const LEVELS: usize = 8;
const PAIRS: usize = PARTS * (PARTS - 1) / 2;
/// Differences below these are nothing, however much alike honest blocks are.
const LEAST_SPREAD: [f32; SCORES] = [0.05, 0.08, 0.08, 0.04];
/// Blocks of a client from which its own habit counts.
const LEAST_OWN: u32 = 3;

/// How often two parts of a query have two levels together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PairTable {
    counts: Vec<u32>,
    /// `-ln` of the shares, once learned.
    surprise: Vec<f32>,
    pub(crate) queries: u64,
    /// The latest queries while learning, for what is rare among them.
    latest: VecDeque<Query>,
    /// One in fifty learned queries surprises more.
    rare: f32,
}

impl PairTable {
    const LATEST: usize = 1_024;

    /// Counts a query.
    pub(crate) fn learn(&mut self, query: &Query) {
        if self.counts.is_empty() {
            self.counts = vec![0; PAIRS * LEVELS * LEVELS];
        }
        self.queries += 1;
        if self.latest.len() >= Self::LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back(*query);
        for_pairs(query, |cell| self.counts[cell] = self.counts[cell].saturating_add(1));
    }

    /// Ends learning.
    pub(crate) fn close(&mut self) {
        // A half for every cell, so that what was never seen is unlikely, not impossible.
        let all = self.queries as f64 + 0.5 * (LEVELS * LEVELS) as f64;
        self.surprise = self.counts.iter().map(|&n| -((f64::from(n) + 0.5) / all).ln() as f32).collect();
        self.counts = Vec::new();
        let latest = std::mem::take(&mut self.latest);
        let mut surprises: Vec<f32> = latest.iter().map(|query| self.surprise(query)).collect();
        surprises.sort_unstable_by(f32::total_cmp);
        self.rare = surprises.get(surprises.len() * 49 / 50).copied().unwrap_or(f32::INFINITY);
    }

    /// The mean surprise over the pairs of parts; 0 for queries without places.
    #[inline]
    pub(crate) fn surprise(&self, query: &Query) -> f32 {
        let (mut sum, mut n) = (0.0, 0_u32);
        for_pairs(query, |cell| {
            sum += self.surprise.get(cell).copied().unwrap_or(0.0);
            n += 1;
        });
        if n == 0 { 0.0 } else { sum / n as f32 }
    }
}

#[inline]
fn for_pairs(query: &Query, mut visit: impl FnMut(usize)) {
    let mut levels = [0_usize; PARTS];
    let mut n = 0;
    for (_, level) in query.levels() {
        levels[n] = level.min(LEVELS - 1);
        n += 1;
    }
    let mut pair = 0;
    for second in 1..n {
        for first in 0..second {
            visit((pair * LEVELS + levels[first]) * LEVELS + levels[second]);
            pair += 1;
        }
    }
}

/// A small set of hashes that may err on the side of knowing too much.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Seen(Vec<u64>);

impl Seen {
    const WORDS: usize = 64;

    /// Adds a hash; whether it was there before.
    #[inline]
    fn insert(&mut self, hash: u64) -> bool {
        if self.0.len() != Self::WORDS {
            self.0 = vec![0; Self::WORDS];
        }
        let mut was_there = true;
        for part in [hash, hash >> 32] {
            let (word, bit) = ((part >> 6) as usize % Self::WORDS, 1 << (part & 63));
            was_there &= self.0[word] & bit != 0;
            self.0[word] |= bit;
        }
        was_there
    }
}

/// The queries of one client since its block began, and what it asked in this round of blocks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct QueryStructure {
    last: Option<Query>,
    values: Seen,
    queries: Seen,
    /// Queries since the sets were cleared.
    round: u32,
    n: u32,
    surprise: f32,
    one_changed: u32,
    lattice: u32,
    rare: u32,
    /// Queries in all, those that were new, and the surprise of these.
    pub(crate) seen: u32,
    pub(crate) distinct: u32,
    surprise_in_all: f32,
}

impl QueryStructure {
    /// Sets are cleared after so many queries, before they are full.
    const ROUND: u32 = 240;

    /// Takes a query; the scores of a block that is complete. A repetition is passed over.
    pub(crate) fn observe(&mut self, query: &Query, table: &PairTable) -> Option<[f32; SCORES]> {
        if self.round >= Self::ROUND {
            (self.values, self.queries, self.round) = (Seen::default(), Seen::default(), 0);
        }
        self.seen = self.seen.saturating_add(1);
        if self.queries.insert(query.hash()) {
            return None;
        }
        self.round += 1;
        self.distinct = self.distinct.saturating_add(1);
        let mut are_all_known = true;
        for (part, &value) in query.values.iter().take(usize::from(query.width)).enumerate() {
            let place = mixed(hash_number(part as u64 + 1, u64::from(value)));
            are_all_known &= self.values.insert(place);
        }
        self.lattice += u32::from(are_all_known);
        self.one_changed += u32::from(self.last.is_some_and(|last| query.n_changed(&last) == 1));
        self.last = Some(*query);
        let surprise = table.surprise(query);
        self.surprise += surprise;
        self.rare += u32::from(surprise > table.rare);
        self.surprise_in_all += surprise;
        self.n += 1;
        if self.n < BLOCK {
            return None;
        }
        let of_block = |count: f32| count / BLOCK as f32;
        let counts = [self.one_changed, self.lattice, self.rare].map(|count| of_block(count as f32));
        let scores = [of_block(self.surprise), counts[0], counts[1], counts[2]];
        (self.n, self.surprise, self.one_changed, self.lattice, self.rare) = (0, 0.0, 0, 0, 0);
        Some(scores)
    }
}

impl QueryStructure {
    /// The mean surprise of all its queries.
    pub(crate) fn mean_surprise(&self) -> f32 {
        self.surprise_in_all / self.distinct.max(1) as f32
    }
}

/// Where honest blocks lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HonestBlocks {
    median: [f32; SCORES],
    spread: [f32; SCORES],
    /// The spread of a client's blocks about its own mean.
    within: [f32; SCORES],
    /// What a client without a past is allowed for each block.
    slack: f32,
    /// The most that honest clients added up, with room.
    limit: f32,
}

/// How far a client's blocks have been above honest ones, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct BlockSum {
    /// Its own mean in learning, and of how many blocks.
    own: [f32; SCORES],
    blocks: u32,
    sums: [f32; SCORES],
    /// Blocks since the sum was last zero.
    pub(crate) high: u32,
}

impl HonestBlocks {
    /// From the blocks of each client in learning; `None` for fewer than 20 blocks in all.
    pub(crate) fn learn(clients: &[&[[f32; SCORES]]]) -> Option<Self> {
        let all: Vec<&[f32; SCORES]> = clients.iter().flat_map(|blocks| blocks.iter()).collect();
        if all.len() < 20 {
            return None;
        }
        let mut honest =
            Self { median: [0.0; SCORES], spread: LEAST_SPREAD, within: LEAST_SPREAD, slack: 1.0, limit: 4.0 };
        for score in 0..SCORES {
            let mut values: Vec<f32> = all.iter().map(|block| block[score]).collect();
            values.sort_unstable_by(f32::total_cmp);
            honest.median[score] = values[values.len() / 2];
            let high = values[(values.len() * 19 / 20).min(values.len() - 1)];
            honest.spread[score] = (high - honest.median[score]).max(LEAST_SPREAD[score]);
        }
        honest.within = within(clients, honest.spread);
        let means = clients.iter().filter(|blocks| blocks.len() >= 2).map(|blocks| honest.mean(blocks));
        let most = means.flat_map(|mean| mean.into_iter()).fold(0.0_f32, f32::max);
        honest.slack = (1.2 * most).max(1.0);
        let mut reached = 0.0_f32;
        for blocks in clients {
            let mut sum = BlockSum::default();
            let (before, after) = blocks.split_at(blocks.len() / 2);
            before.iter().for_each(|block| sum.learn(block));
            for block in after {
                reached = reached.max(sum.add(&honest, block, &[0.0; SCORES]).1);
            }
        }
        honest.limit = (1.5 * reached).max(4.0);
        Some(honest)
    }

    fn mean(&self, blocks: &[[f32; SCORES]]) -> [f32; SCORES] {
        let mut mean = [0.0; SCORES];
        for block in blocks {
            let excess = self.excess(block);
            (0..SCORES).for_each(|score| mean[score] += excess[score] / blocks.len() as f32);
        }
        mean
    }

    /// A block in spreads above the median.
    pub(crate) fn excess(&self, block: &[f32; SCORES]) -> [f32; SCORES] {
        std::array::from_fn(|score| (block[score] - self.median[score]) / self.spread[score])
    }

    /// Whether a mean surprise is above nineteen of twenty honest blocks.
    pub(crate) fn is_unusual(&self, surprise: f32) -> bool {
        surprise >= self.median[0] + self.spread[0]
    }

    /// The sum from which a client is told.
    pub(crate) const fn limit(&self) -> f32 {
        self.limit
    }

    /// What is usual of a score.
    pub(crate) const fn usual(&self, score: usize) -> f32 {
        self.median[score]
    }
}

/// The spread of blocks about the means of their clients; that of all where few clients have several.
fn within(clients: &[&[[f32; SCORES]]], of_all: [f32; SCORES]) -> [f32; SCORES] {
    let several: Vec<&[[f32; SCORES]]> = clients.iter().copied().filter(|blocks| blocks.len() >= 4).collect();
    std::array::from_fn(|score| {
        let mut about: Vec<f32> = several
            .iter()
            .flat_map(|blocks| {
                let mean = blocks.iter().map(|block| block[score]).sum::<f32>() / blocks.len() as f32;
                blocks.iter().map(move |block| block[score] - mean)
            })
            .collect();
        if about.len() < 20 {
            return of_all[score];
        }
        about.sort_unstable_by(f32::total_cmp);
        about[(about.len() * 19 / 20).min(about.len() - 1)].max(LEAST_SPREAD[score])
    })
}

impl BlockSum {
    /// A block of the learning period.
    pub(crate) fn learn(&mut self, block: &[f32; SCORES]) {
        self.blocks += 1;
        for (own, value) in self.own.iter_mut().zip(block) {
            *own += (value - *own) / self.blocks as f32;
        }
    }

    /// Adds a block, less what all clients now have in common; the score that leads, and its sum.
    pub(crate) fn add(&mut self, honest: &HonestBlocks, block: &[f32; SCORES], shared: &[f32; SCORES]) -> (usize, f32) {
        for (score, excess) in honest.excess(block).into_iter().enumerate() {
            let shared = shared[score].max(0.0);
            // Who was unusual all along is judged by his own habit, with its uncertainty.
            let above = if self.blocks >= LEAST_OWN {
                let within = honest.within[score] * (1.0 + 1.0 / self.blocks as f32).sqrt();
                (block[score] - self.own[score] - shared * honest.spread[score]) / within - 1.0
            } else {
                excess - shared - honest.slack
            };
            self.sums[score] = (self.sums[score] + above).max(0.0);
        }
        let leads = (0..SCORES).fold(0, |most, score| if self.sums[score] > self.sums[most] { score } else { most });
        self.high = if self.sums[leads] > 0.0 { self.high + 1 } else { 0 };
        (leads, self.sums[leads])
    }
}

/// The latest block of each of the clients that asked last: what all have in common now is drift, not one client.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LatestBlocks(VecDeque<(u64, [f32; SCORES])>);

impl LatestBlocks {
    const CLIENTS: usize = 15;
    const LEAST: usize = 5;

    /// The medians of the other clients' latest blocks, in spreads; nothing for fewer than five.
    pub(crate) fn shared(&self, client: u64) -> [f32; SCORES] {
        let others: Vec<&[f32; SCORES]> =
            self.0.iter().filter(|(key, _)| *key != client).map(|(_, excess)| excess).collect();
        if others.len() < Self::LEAST {
            return [0.0; SCORES];
        }
        std::array::from_fn(|score| {
            let mut values: Vec<f32> = others.iter().map(|excess| excess[score]).collect();
            values.sort_unstable_by(f32::total_cmp);
            values[values.len() / 2]
        })
    }

    /// Takes a client's block; who asks most has no more weight than others.
    pub(crate) fn insert(&mut self, client: u64, excess: [f32; SCORES]) {
        self.0.retain(|(key, _)| *key != client);
        if self.0.len() >= Self::CLIENTS {
            self.0.pop_front();
        }
        self.0.push_back((client, excess));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(levels: [u8; 4]) -> Query {
        let mut query = Query { width: 4, ..Query::default() };
        for (at, level) in levels.into_iter().enumerate() {
            (query.codes[at], query.values[at]) = (4 * level, u32::from(level) + 1);
        }
        query
    }

    #[test]
    fn what_was_never_together_surprises() {
        let mut table = PairTable::default();
        for turn in 0..1_000_u32 {
            table.learn(&query([(turn % 8) as u8; 4]));
        }
        table.close();
        assert!(table.surprise(&query([3; 4])) < 2.2);
        assert!(table.surprise(&query([0, 7, 2, 5])) > 7.0);
    }

    #[test]
    fn a_grid_is_a_lattice_and_changes_one_part_at_a_time() {
        let (table, mut structure) = (PairTable::default(), QueryStructure::default());
        let mut last = None;
        for turn in 0..160_u8 {
            let grid = query([turn % 8, turn / 8 % 8, turn / 64, 0]);
            last = structure.observe(&grid, &table).or(last);
        }
        let [_, one_changed, lattice, _] = last.unwrap();
        assert!(one_changed > 0.8 && lattice > 0.8, "{one_changed} {lattice}");
    }
}
