//! What one client's queries look like, watched event by event.

use std::collections::{HashSet, VecDeque};

use super::shapiro_wilk;
use crate::random::SplitMix;

/// Counts of distinct queries at which a client is looked at, and compared with honest clients at the same count.
pub const CHECKPOINTS: [usize; 8] = [50, 100, 200, 400, 800, 1600, 3200, 6400];

const KEPT: usize = 256;
const WINDOW: usize = 200;
const LEAST_DISTANCES: usize = 30;
const MOST_HASHES: usize = 1 << 16;

/// What is measured of a client; all grow with suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeScore {
    /// `1 - W` (Shapiro-Wilk) of the least distances to earlier queries of the same class.
    Distances,
    /// Cells of the grid seen, a query.
    Coverage,
    /// Share of queries that change exactly one feature of the one before.
    OneAtATime,
    /// Share of queries that are new, while each of their values was seen before: points of a lattice.
    Lattice,
    /// Length of the longest chain of near queries that ends in another class, as `ln(1 + length)`.
    Chain,
}

impl ProbeScore {
    /// In the order of [`ProbeScores`].
    pub const ALL: [Self; 5] = [Self::Distances, Self::Coverage, Self::OneAtATime, Self::Lattice, Self::Chain];
}

/// One value for each of [`ProbeScore::ALL`].
pub type ProbeScores = [f64; 5];

/// The features' usual ranges, and what is near.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeSettings {
    /// A usual low and a usual high value of each feature, such as the reference's 1 % and 99 % quantiles.
    pub ranges: Vec<(f64, f64)>,
    /// Cells a feature, in its range.
    pub cells: u32,
    /// The Euclidean distance, in ranges, within which a query continues a chain.
    pub near: f64,
}

/// A query was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It has another number of features than there are ranges.
    #[error("another number of features than ranges")]
    Width,
    /// A feature is not finite.
    #[error("a feature is not finite")]
    NotFinite,
}

/// Watches one client's queries to a model of numeric features, in bounded memory.
///
/// An exact repetition of one of the last 65,536 distinct queries (a retry, a nightly batch run again) is counted and
/// otherwise passed over: duplicates are what makes the plain test of distances flag honest clients. Of the others,
/// five scores are kept, see [`ProbeScore`]. At each of [`CHECKPOINTS`] the scores are written down; they mean nothing
/// alone and are ranked among honest clients by [`super::HonestClients`], which states the false-alarm rate.
///
/// Distances are Euclidean with each feature divided by its range, to the last 256 distinct queries, and `W` is that
/// of the last 200 of them within three deviations of their mean (PRADA); if they are all the same, `W` counts as 0.
/// A chain goes from a query to the nearest of those 256, if it is within `near`; its last step is a flip if the class
/// differs.
///
/// Not to be trusted: against queries drawn from the same law as honest ones (natural-query extraction), against who
/// sends fewer distinct queries an account than the first checkpoint (see [`super::account_groups`]), and where
/// features are few whole numbers, all scores of honest clients are high and find little.
/// Cost: `O(256 width)` a query; at most some 3 MB and `256 width` numbers a client.
/// Reference: Juuti, Szyller, Marchal, Asokan, "PRADA", EuroS&P (2019); Chen, Carlini, Wagner, "Stateful Detection of
/// Black-Box Adversarial Attacks", SPAI (2020), for near queries.
///
/// ```
/// use wardline_stats::probing::{ClientProbe, ProbeSettings};
/// let settings = ProbeSettings { ranges: vec![(0.0, 1.0); 2], cells: 8, near: 0.1 };
/// let mut client = ClientProbe::new(&settings).unwrap();
/// for step in 0..100_u32 {
///     let point = [f64::from(step % 10) / 10.0, f64::from(step / 10) / 10.0];
///     client.observe(step / 50, &point).unwrap();
/// }
/// let [distances, _, one_at_a_time, ..] = client.reached()[1];
/// assert!(distances > 0.9 && one_at_a_time > 0.8);
/// ```
#[derive(Clone, Debug)]
pub struct ClientProbe {
    settings: ProbeSettings,
    kept: VecDeque<Kept>,
    distances: VecDeque<f64>,
    cells: HashSet<u64>,
    values: HashSet<u64>,
    seen: HashSet<u64>,
    seen_order: VecDeque<u64>,
    n_events: u64,
    n_distinct: usize,
    n_one_changed: usize,
    n_lattice: usize,
    longest_flip: u32,
    reached: Vec<ProbeScores>,
}

#[derive(Clone, Debug)]
struct Kept {
    class: u32,
    point: Vec<f64>,
    chain: u32,
}

impl ClientProbe {
    /// `None` unless there are 1 to 4096 ranges that are finite and rise, `1 <= cells`, and `near` is finite and above zero.
    #[must_use]
    pub fn new(settings: &ProbeSettings) -> Option<Self> {
        let rises = |&(low, high): &(f64, f64)| low < high && low.is_finite() && (high - low).is_finite();
        let fits = (1..=4096).contains(&settings.ranges.len())
            && settings.ranges.iter().all(rises)
            && settings.cells >= 1
            && settings.near.is_finite()
            && settings.near > 0.0;
        fits.then(|| Self {
            settings: settings.clone(),
            kept: VecDeque::new(),
            distances: VecDeque::new(),
            cells: HashSet::new(),
            values: HashSet::new(),
            seen: HashSet::new(),
            seen_order: VecDeque::new(),
            n_events: 0,
            n_distinct: 0,
            n_one_changed: 0,
            n_lattice: 0,
            longest_flip: 0,
            reached: Vec::new(),
        })
    }

    /// Takes in a query and the class the model answered; true if a checkpoint was reached.
    ///
    /// # Errors
    /// If the number of features differs from the settings', or one is not finite; nothing is changed then.
    pub fn observe(&mut self, class: u32, features: &[f64]) -> Result<bool, ProbeError> {
        if features.len() != self.settings.ranges.len() {
            return Err(ProbeError::Width);
        }
        if features.iter().any(|x| !x.is_finite()) {
            return Err(ProbeError::NotFinite);
        }
        self.n_events += 1;
        // What is compared is also what is hashed: zero has one sign, and far values end at a thousand ranges.
        let point: Vec<f64> = features
            .iter()
            .zip(&self.settings.ranges)
            .map(|(x, (low, high))| (x / (high - low) - low / (high - low)).clamp(-1e3, 1e3) + 0.0)
            .collect();
        if !self.is_new(hash(point.iter().map(|x| x.to_bits()))) {
            return Ok(false);
        }
        self.n_distinct += 1;
        self.count_lattice(&point);
        let cells = f64::from(self.settings.cells);
        let cell = hash(point.iter().map(|x| (x * cells).floor() as i64 as u64));
        insert_bounded(&mut self.cells, cell);
        self.compare(class, point);
        let is_checkpoint = CHECKPOINTS.contains(&self.n_distinct);
        if is_checkpoint {
            self.reached.push(self.scores());
        }
        Ok(is_checkpoint)
    }

    /// The scores at each checkpoint so far.
    #[must_use]
    pub fn reached(&self) -> &[ProbeScores] {
        &self.reached
    }

    /// All events, with repetitions.
    #[must_use]
    pub fn n_events(&self) -> u64 {
        self.n_events
    }

    /// Distinct queries.
    #[must_use]
    pub fn n_distinct(&self) -> usize {
        self.n_distinct
    }

    fn is_new(&mut self, query: u64) -> bool {
        if !self.seen.insert(query) {
            return false;
        }
        self.seen_order.push_back(query);
        if self.seen_order.len() > MOST_HASHES
            && let Some(oldest) = self.seen_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }

    fn count_lattice(&mut self, point: &[f64]) {
        let mut n_old = 0;
        for (column, value) in point.iter().enumerate() {
            let value = hash([column as u64, value.to_bits()].into_iter());
            n_old += usize::from(self.values.contains(&value));
            insert_bounded(&mut self.values, value);
        }
        self.n_lattice += usize::from(n_old == point.len());
        if let Some(before) = self.kept.back() {
            let changed = before.point.iter().zip(point).filter(|(before, now)| before != now).count();
            self.n_one_changed += usize::from(changed == 1);
        }
    }

    fn compare(&mut self, class: u32, point: Vec<f64>) {
        let mut nearest = f64::INFINITY;
        let mut same_class = f64::INFINITY;
        let (mut chain, mut nearest_class) = (0, class);
        for kept in &self.kept {
            let squared: f64 = kept.point.iter().zip(&point).map(|(a, b)| (a - b) * (a - b)).sum();
            if squared < nearest {
                (nearest, chain, nearest_class) = (squared, kept.chain, kept.class);
            }
            if kept.class == class {
                same_class = same_class.min(squared);
            }
        }
        let continues = nearest.sqrt() <= self.settings.near;
        let chain = if continues { chain + 1 } else { 0 };
        if continues && nearest_class != class {
            self.longest_flip = self.longest_flip.max(chain);
        }
        if same_class.is_finite() {
            push_bounded(&mut self.distances, same_class.sqrt(), WINDOW);
        }
        push_bounded(&mut self.kept, Kept { class, point, chain }, KEPT);
    }

    fn scores(&self) -> ProbeScores {
        let n = self.n_distinct.max(1) as f64;
        [
            lack_of_normality(&self.distances),
            self.cells.len() as f64 / n,
            self.n_one_changed as f64 / n,
            self.n_lattice as f64 / n,
            f64::from(self.longest_flip).ln_1p(),
        ]
    }
}

/// `1 - W`; zero while there are too few distances.
fn lack_of_normality(distances: &VecDeque<f64>) -> f64 {
    if distances.len() < LEAST_DISTANCES {
        return 0.0;
    }
    let n = distances.len() as f64;
    let mean = distances.iter().sum::<f64>() / n;
    let deviation = (distances.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
    // Equal but for rounding is equal.
    if deviation <= 1e-9 * mean {
        return 1.0;
    }
    let usual: Vec<f64> = distances.iter().copied().filter(|x| (x - mean).abs() <= 3.0 * deviation).collect();
    let middle = usual.iter().sum::<f64>() / usual.len().max(1) as f64;
    if usual.iter().all(|x| (x - middle).abs() <= 1e-9 * middle) {
        return 1.0;
    }
    shapiro_wilk(&usual).map_or(1.0, |test| 1.0 - test.statistic)
}

pub(super) fn hash(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0, |hash, part| SplitMix::new(hash ^ part).next())
}

fn insert_bounded(set: &mut HashSet<u64>, value: u64) {
    if set.len() < MOST_HASHES {
        set.insert(value);
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(width: usize) -> ClientProbe {
        let settings = ProbeSettings { ranges: vec![(0.0, 1.0); width], cells: 4, near: 0.1 };
        ClientProbe::new(&settings).unwrap()
    }

    /// Repetitions change no score, in whatever number.
    #[test]
    fn repetitions_are_passed_over() {
        let mut random = SplitMix::new(1);
        let (mut once, mut often) = (client(3), client(3));
        for _ in 0..200 {
            let point = [random.unit(), random.unit(), random.unit()];
            once.observe(0, &point).unwrap();
            for _ in 0..=random.below(4) {
                often.observe(0, &point).unwrap();
            }
        }
        assert_eq!(once.reached().len(), 3);
        assert_eq!(once.reached(), often.reached());
        assert!(often.n_events() > once.n_events() && often.n_distinct() == 200);
    }

    #[test]
    fn each_way_of_probing_has_its_score() {
        let mut random = SplitMix::new(2);
        let (mut usual, mut lattice, mut walk) = (client(3), client(3), client(3));
        let mut at = [0.2; 3];
        for step in 0..400 {
            let point = [random.unit(), random.unit(), random.unit()];
            usual.observe(u32::from(point[0] > 0.5), &point).unwrap();
            lattice.observe(0, &point.map(|x| (x * 9.0).round() / 9.0)).unwrap();
            at[step % 3] += 0.002;
            walk.observe(u32::from(at[0] > 0.4), &at).unwrap();
        }
        let last = |client: &ClientProbe| *client.reached().last().unwrap();
        let [_, _, usual_one, usual_lattice, usual_chain] = last(&usual);
        assert!(usual_one == 0.0 && usual_lattice == 0.0 && usual_chain < 2.0, "{usual_chain}");
        assert!(last(&lattice)[3] > 0.8);
        let [distances, coverage, one, _, chain] = last(&walk);
        assert!(distances == 1.0 && coverage < 0.1 && one > 0.9 && chain > 4.0, "{distances} {coverage} {one} {chain}");
    }

    #[test]
    fn bad_queries_change_nothing() {
        let mut client = client(2);
        assert_eq!(client.observe(0, &[1.0]), Err(ProbeError::Width));
        assert_eq!(client.observe(0, &[1.0, f64::NAN]), Err(ProbeError::NotFinite));
        assert_eq!(client.n_events(), 0);
        for step in 0..300 {
            client.observe(step, &[f64::MAX, -f64::MAX / f64::from(step + 1)]).unwrap();
        }
        assert!(client.reached().iter().flatten().all(|score| score.is_finite()));
        let settings = ProbeSettings { ranges: vec![(1.0, 1.0)], cells: 4, near: 0.1 };
        assert!(ClientProbe::new(&settings).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let mut client = client(1);
        for step in 0..70_000 {
            client.observe(0, &[f64::from(step) / 1e3]).unwrap();
        }
        assert!(client.kept.len() == KEPT && client.distances.len() == WINDOW);
        assert!(client.seen.len() <= MOST_HASHES && client.seen_order.len() <= MOST_HASHES);
        assert!(client.values.len() <= MOST_HASHES && client.cells.len() <= MOST_HASHES);
        assert_eq!(client.reached().len(), CHECKPOINTS.len());
    }
}
