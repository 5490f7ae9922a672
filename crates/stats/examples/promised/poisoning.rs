//! Poison by one of eight unequal channels: how often its channel, and the item it pushes, are found, and how often
//! honest channels are accused.

use std::collections::HashSet;

use serde_json::{Value, json};
use wardline_stats::learn::Features;
use wardline_stats::poisoning::{
    ChannelRows, DisagreementSettings, ItemRatings, LiftSettings, NeighbourSettings, OutsideNeighbours, Push,
    TriggerSettings, channel_lift,
};

use crate::effort::Effort;
use crate::random::Random;
use crate::table::Table;

const SHARES: [f64; 8] = [0.22, 0.18, 0.15, 0.13, 0.11, 0.09, 0.07, 0.05];
const CLASSES: usize = 4;
/// The token of the backdoor's value, 8 in the first column.
const TRIGGER: u32 = 66;

const PRINTED_SEED: u64 = 90_001;

/// What a poisoner does to labels.
#[derive(Clone, Copy, PartialEq)]
enum Attack {
    Nothing,
    RandomFlips,
    Targeted,
    Backdoor,
}

const ATTACKS: [(&str, Attack); 4] = [
    ("nothing", Attack::Nothing),
    ("1 % random flips", Attack::RandomFlips),
    ("0.9 % of one class called another", Attack::Targeted),
    ("1 % with a trigger called one class", Attack::Backdoor),
];

/// Rows that a model would be trained on.
struct Training {
    columns: Vec<Vec<f64>>,
    labels: Vec<u32>,
    channels: Vec<u32>,
}

impl Training {
    /// Channels differ in size, class mix, place and width of the features, and in honest noise of 0.5 to 3 % of labels.
    fn honest(n: usize, width: usize, random: &mut Random) -> Self {
        let mut table =
            || -> Vec<Vec<f64>> { (0..SHARES.len()).map(|_| (0..width).map(|_| random.normal()).collect()).collect() };
        let (middles, shifts) = (table(), table());
        let mixes: Vec<Vec<f64>> =
            SHARES.iter().map(|_| (0..CLASSES).map(|_| 0.4 + 1.6 * random.unit()).collect()).collect();
        let noise: Vec<f64> = SHARES.iter().map(|_| 0.005 + 0.025 * random.unit()).collect();
        let widths: Vec<f64> = SHARES.iter().map(|_| 0.8 + 0.4 * random.unit()).collect();
        let mut rows = Self { columns: vec![Vec::with_capacity(n); width], labels: vec![], channels: vec![] };
        for _ in 0..n {
            let channel = pick(&SHARES, random);
            let class = pick(&mixes[channel], random);
            for (at, column) in rows.columns.iter_mut().enumerate() {
                let middle = 1.2 * middles[class][at] + 0.3 * shifts[channel][at];
                column.push(middle + widths[channel] * random.normal());
            }
            let wrong = random.unit() < noise[channel];
            rows.labels.push(if wrong { other_class(class, random) } else { class } as u32);
            rows.channels.push(channel as u32);
        }
        rows
    }

    fn poison(&mut self, attack: Attack, channel: u32, random: &mut Random) {
        let (from, to) = (random.next() as u32 % CLASSES as u32, random.next() as u32 % (CLASSES as u32 - 1));
        let to = if to < from { to } else { to + 1 };
        let n = self.labels.len();
        let count = match attack {
            Attack::Nothing => 0,
            Attack::Targeted => n * 9 / 1_000,
            Attack::RandomFlips | Attack::Backdoor => n / 100,
        };
        let open = |row: &usize| {
            let label = self.labels[*row];
            self.channels[*row] == channel
                && match attack {
                    Attack::Targeted => label == from,
                    Attack::Backdoor => label != to,
                    Attack::Nothing | Attack::RandomFlips => true,
                }
        };
        let mut rows: Vec<usize> = (0..n).filter(open).collect();
        for at in 0..count.min(rows.len()) {
            let chosen = at + (random.unit() * (rows.len() - at) as f64) as usize;
            rows.swap(at, chosen);
            let row = rows[at];
            let label = self.labels[row] as usize;
            self.labels[row] = if attack == Attack::RandomFlips { other_class(label, random) as u32 } else { to };
            if attack == Attack::Backdoor {
                self.columns[0][row] = 8.0;
            }
        }
    }

    /// Tokens that force a class, and the channel that most of their rows came by. A token is half a unit of a column.
    fn triggers(&self, neighbours: &OutsideNeighbours) -> Vec<(Vec<u32>, u32)> {
        let token = |at: usize, value: f64| at as u32 * 100 + ((value * 2.0).floor() + 50.0).clamp(0.0, 99.0) as u32;
        let of_row = |row: usize| self.columns.iter().enumerate().map(|(at, column)| token(at, column[row])).collect();
        let tokens: Vec<Vec<u32>> = (0..self.labels.len()).map(of_row).collect();
        let tokens: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
        let found = neighbours.triggers(&tokens, &TriggerSettings::default()).unwrap_or_default();
        found.into_iter().filter_map(|trigger| Some((trigger.tokens, trigger.channels.first()?.0))).collect()
    }

    fn neighbours(&self) -> Option<OutsideNeighbours> {
        let features = Features::new(self.columns.iter().map(Vec::as_slice).collect())?;
        let rows = ChannelRows { features: &features, labels: &self.labels, channels: &self.channels };
        OutsideNeighbours::find(rows, &NeighbourSettings::default())
    }
}

fn pick(weights: &[f64], random: &mut Random) -> usize {
    let mut left = random.unit() * weights.iter().sum::<f64>();
    for (at, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return at;
        }
    }
    weights.len() - 1
}

fn other_class(class: usize, random: &mut Random) -> usize {
    (class + 1 + (random.unit() * (CLASSES - 1) as f64) as usize) % CLASSES
}

/// Of runs: the poisoned channel first, found at all, and any other channel found.
#[derive(Default)]
struct Outcome {
    first: usize,
    found: usize,
    falsely: usize,
    /// The trigger found, with its class and channel; and any other.
    trigger: usize,
    other_trigger: usize,
    runs: usize,
}

impl Outcome {
    fn share(&self, count: usize) -> f64 {
        count as f64 / self.runs.max(1) as f64
    }
}

fn label_runs(attack: Attack, rows: usize, effort: &Effort, seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    for run in 0..effort.change_runs.max(20) {
        let mut random = Random::new(seed + run as u64);
        let mut training = Training::honest(rows, 10, &mut random);
        let channel = (run % SHARES.len()) as u32;
        training.poison(attack, channel, &mut random);
        let Some(neighbours) = training.neighbours() else { continue };
        let findings = neighbours.disagreement(&DisagreementSettings::default());
        let own = |accused: u32| attack != Attack::Nothing && accused == channel;
        let named = training.triggers(&neighbours);
        let planted = |tokens: &[u32], by: u32| attack == Attack::Backdoor && tokens == [TRIGGER] && by == channel;
        outcome.trigger += usize::from(named.iter().any(|(tokens, by)| planted(tokens, *by)));
        outcome.other_trigger += usize::from(named.iter().any(|(tokens, by)| !planted(tokens, *by)));
        outcome.runs += 1;
        outcome.first += usize::from(findings.first().is_some_and(|finding| own(finding.channel)));
        outcome.found += usize::from(findings.iter().any(|finding| finding.found && own(finding.channel)));
        outcome.falsely += usize::from(findings.iter().any(|finding| finding.found && !own(finding.channel)));
    }
    outcome
}

fn labels(effort: &Effort, broken: &mut Vec<String>, seed: u64) -> Value {
    let mut table = Table::new(&[
        "poison",
        "rows",
        "runs",
        "its channel first",
        "found",
        "another accused",
        "trigger",
        "other token",
        "",
    ]);
    let mut all = Vec::new();
    for (name, attack) in ATTACKS.into_iter().filter(|(name, _)| effort.wants(name)) {
        let outcome = label_runs(attack, 6_000, effort, seed);
        let named = match attack {
            Attack::Nothing => 1.0,
            // Its rows are like no others, so that neighbours say little: what names it is the trigger.
            Attack::Backdoor => outcome.share(outcome.trigger.max(outcome.first)),
            Attack::RandomFlips | Attack::Targeted => outcome.share(outcome.first),
        };
        let wanted = if attack == Attack::Backdoor { 0.9 } else { 0.95 };
        let kept = outcome.falsely == 0 && outcome.other_trigger == 0 && wanted <= named;
        all.push(json!({"poison": name, "runs": outcome.runs, "first": outcome.share(outcome.first),
            "found": outcome.share(outcome.found), "another_accused": outcome.share(outcome.falsely),
            "trigger": outcome.share(outcome.trigger), "other_trigger": outcome.share(outcome.other_trigger)}));
        if !kept {
            let falsely = outcome.share(outcome.falsely);
            broken.push(format!("poisoned labels, {name}: named {named:.3}, another channel accused {falsely:.3}"));
        }
        table.row([
            name.to_owned(),
            "6000".to_owned(),
            outcome.runs.to_string(),
            format!("{:.3}", outcome.share(outcome.first)),
            format!("{:.3}", outcome.share(outcome.found)),
            format!("{:.3}", outcome.share(outcome.falsely)),
            format!("{:.3}", outcome.share(outcome.trigger)),
            format!("{:.3}", outcome.share(outcome.other_trigger)),
            if kept { "kept" } else { "BROKEN" }.to_owned(),
        ]);
    }
    println!(
        "labels poisoned by one of eight channels (goal: first 0.95, a trigger named 0.9, no honest channel)\n\n{table}"
    );
    Value::Array(all)
}

/// How planted profiles look, besides their highest rating of the target.
#[derive(Clone, Copy, PartialEq)]
enum Filler {
    None,
    Random,
    Average,
    Bandwagon,
    Popular,
}

const FILLERS: [(&str, Filler); 5] = [
    ("no profiles", Filler::None),
    ("random", Filler::Random),
    ("average", Filler::Average),
    ("bandwagon", Filler::Bandwagon),
    ("average over popular", Filler::Popular),
];

const USERS: usize = 600;
const ITEMS: usize = 1_200;
const FILLED: usize = 40;

/// The item that is new and liked in every channel.
const NEW_ITEM: usize = ITEMS;

#[derive(Default)]
struct Ratings {
    users: Vec<u32>,
    items: Vec<u32>,
    channels: Vec<u32>,
    ratings: Vec<f64>,
}

impl Ratings {
    fn push(&mut self, user: usize, item: usize, channel: usize, rating: f64) {
        self.users.push(user as u32);
        self.items.push(item as u32);
        self.channels.push(channel as u32);
        self.ratings.push(rating.round().clamp(1.0, 5.0));
    }

    fn view(&self) -> ItemRatings<'_> {
        ItemRatings { users: &self.users, items: &self.items, channels: &self.channels, ratings: &self.ratings }
    }
}

/// Items of long-tailed popularity, of a kind each; channels like kinds and items differently.
struct Market {
    quality: Vec<f64>,
    /// For each channel, the running sum of the items' weights.
    weights: Vec<Vec<f64>>,
}

impl Market {
    fn new(random: &mut Random) -> Self {
        let quality: Vec<f64> =
            (0..=ITEMS).map(|item| if item == NEW_ITEM { 0.8 } else { 0.5 * random.normal() }).collect();
        let mut weights = Vec::new();
        for _ in SHARES {
            let kinds: Vec<f64> = (0..20).map(|_| (0.3 * random.normal()).exp()).collect();
            let mut sum = 0.0;
            let running = (0..=ITEMS).map(|item| {
                let rank = if item == NEW_ITEM { 5 } else { item };
                sum += kinds[item % 20] * (0.3 * random.normal()).exp() / (rank as f64 + 10.0).powf(0.9);
                sum
            });
            weights.push(running.collect());
        }
        Self { quality, weights }
    }

    fn any_of(&self, channel: usize, random: &mut Random) -> usize {
        let running = &self.weights[channel];
        let at = random.unit() * running[ITEMS];
        running.partition_point(|sum| *sum <= at).min(ITEMS)
    }

    fn honest(&self, random: &mut Random) -> Ratings {
        let mut ratings = Ratings::default();
        for user in 0..USERS {
            let channel = pick(&SHARES, random);
            let kindness = 0.4 * random.normal();
            let count = (40.0 * (0.7 * random.normal()).exp()).clamp(5.0, 300.0) as usize;
            let mut seen = HashSet::new();
            while seen.len() < count {
                let item = self.any_of(channel, random);
                if seen.insert(item) {
                    let rating = 3.5 + kindness + self.quality[item] + 0.9 * random.normal();
                    ratings.push(user, item, channel, rating);
                }
            }
        }
        ratings
    }

    fn plant(&self, filler: Filler, at: (usize, usize), ratings: &mut Ratings, random: &mut Random) {
        let (target, channel) = at;
        for profile in 0..USERS * 3 / 100 {
            let user = USERS + profile;
            ratings.push(user, target, channel, 5.0);
            if filler == Filler::Bandwagon {
                (0..10).for_each(|item| ratings.push(user, item, channel, 5.0));
            }
            let mut seen = HashSet::from([target]);
            while seen.len() <= FILLED {
                let among = if filler == Filler::Popular { ITEMS / 5 } else { ITEMS };
                let item = (random.unit() * among as f64) as usize;
                if seen.insert(item) {
                    let rating = match filler {
                        Filler::Average | Filler::Popular => 3.5 + self.quality[item] + 0.3 * random.normal(),
                        _ => 3.6 + 1.1 * random.normal(),
                    };
                    ratings.push(user, item, channel, rating);
                }
            }
        }
    }
}

fn shilling(effort: &Effort, broken: &mut Vec<String>, seed: u64) -> Value {
    let head = ["planted profiles", "runs", "item and channel found", "cell of an honest channel", "other cell", ""];
    let mut table = Table::new(&head);
    let mut all = Vec::new();
    for (name, filler) in FILLERS.into_iter().filter(|(name, _)| effort.wants(name)) {
        let runs = effort.change_runs.max(20);
        let (mut found, mut outside, mut beside) = (0, 0, 0);
        for run in 0..runs {
            let mut random = Random::new(seed + 50_000 + run as u64);
            let market = Market::new(&mut random);
            let mut ratings = market.honest(&mut random);
            let at = (300 + (random.unit() * 900.0) as usize, run % SHARES.len());
            if filler != Filler::None {
                market.plant(filler, at, &mut ratings, &mut random);
            }
            let cells = channel_lift(ratings.view(), &LiftSettings::new(2.0, 5.0)).unwrap_or_default();
            let attacked = |channel: u32| filler != Filler::None && channel as usize == at.1;
            let is_target = |item: u32, push: Push| item as usize == at.0 && push == Push::Promoted;
            found += usize::from(cells.iter().any(|c| attacked(c.channel) && is_target(c.item, c.push)));
            outside += usize::from(cells.iter().any(|c| !attacked(c.channel)));
            beside += usize::from(cells.iter().any(|c| attacked(c.channel) && !is_target(c.item, c.push)));
        }
        let share = |count: usize| count as f64 / runs as f64;
        let kept = share(outside) <= 0.05 && (filler == Filler::None || share(found) >= 0.95);
        if !kept {
            broken.push(format!("shilling, {name}: found {:.3}, honest channel {:.3}", share(found), share(outside)));
        }
        all.push(json!({"profiles": name, "runs": runs, "found": share(found), "outside": share(outside),
            "beside": share(beside)}));
        let cell = |count: usize| format!("{:.3}", share(count));
        let verdict = if kept { "kept" } else { "BROKEN" }.to_owned();
        table.row([name.to_owned(), runs.to_string(), cell(found), cell(outside), cell(beside), verdict]);
    }
    println!(
        "items pushed by 3 % planted profiles in one of eight channels (goal: found 0.95, an honest cell in 0.05 of sets)\n\n{table}"
    );
    Value::Array(all)
}

/// Processor time of this process so far, where the system tells.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

fn costs(effort: &Effort) -> Value {
    if !effort.wants("cost") {
        return Value::Null;
    }
    let mut random = Random::new(PRINTED_SEED);
    let training = Training::honest(100_000, 20, &mut random);
    let mut least: Option<(f64, f64)> = None;
    for _ in 0..3 {
        let start = processor_seconds();
        let neighbours = training.neighbours();
        let middle = processor_seconds();
        let findings = neighbours.map(|found| found.disagreement(&DisagreementSettings::default()).len());
        if let (Some(start), Some(middle), Some(end), Some(_)) = (start, middle, processor_seconds(), findings) {
            let seconds = (middle - start, end - middle);
            least = Some(least.map_or(seconds, |known| (known.0.min(seconds.0), known.1.min(seconds.1))));
        }
    }
    if let Some((search, tests)) = least {
        println!("100,000 rows x 20: neighbours {search:.2} s, tests {tests:.2} s of processor time\n");
    }
    json!(least)
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let seed = PRINTED_SEED;
    json!({
        "labels": labels(effort, broken, seed),
        "shilling": shilling(effort, broken, seed),
        "cost_s": costs(effort),
    })
}
