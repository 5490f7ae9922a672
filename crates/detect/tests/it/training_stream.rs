//! Streams of training rows, made from a seed: markets in which users rate items by several channels, and rows that
//! have a class.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, reason = "each side uses its part")]

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::Int32Type,
};
use wardline_detect::{Watch, WatchSettings};
use wardline_domain::{EventBatch, RecordKind, Timestamp};

use crate::stream::{Dice, Told, monday};

/// One row of either kind.
#[derive(Clone, Debug)]
pub struct Row {
    pub time: Timestamp,
    pub channel: usize,
    pub user: String,
    pub label: String,
    /// What is rated.
    pub item: Option<String>,
    pub numbers: [f64; 4],
    pub text: Option<String>,
}

/// A market.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    pub seed: u64,
    pub channels: usize,
    pub items: usize,
    pub users: usize,
    pub rows_a_day: usize,
    pub days: usize,
    /// How much tastes of channels differ: the standard deviation of the logarithm.
    pub taste: f64,
}

impl Default for Market {
    fn default() -> Self {
        Self { seed: 1, channels: 5, items: 400, users: 900, rows_a_day: 500, days: 24, taste: 0.5 }
    }
}

/// Who pushes what.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    pub channel: usize,
    pub from_day: usize,
    /// Profiles a day, and for how many days.
    pub profiles: usize,
    pub days: usize,
    pub targets: usize,
    pub rating: f64,
    /// Popular items that each profile rates too.
    pub fillers: usize,
    /// Old users of the channel do it.
    pub sleepers: bool,
}

impl Default for Attack {
    fn default() -> Self {
        Self { channel: 2, from_day: 15, profiles: 4, days: 6, targets: 3, rating: 5.0, fillers: 6, sleepers: false }
    }
}

/// Ratings of a market, with an attack or without.
pub fn ratings(market: &Market, attack: Option<Attack>) -> Vec<Row> {
    let mut dice = Dice(market.seed.wrapping_mul(0x9E37_79B9));
    let quality: Vec<f64> = (0..market.items).map(|_| 3.6 + 0.6 * dice.normal()).collect();
    // Popularity falls with the rank, and each channel has its own taste of each item.
    let tables: Vec<Vec<f64>> = (0..market.channels)
        .map(|_| {
            let mut sum = 0.0;
            (0..market.items)
                .map(|item| {
                    sum += (market.taste * dice.normal()).exp() / (item as f64 + 5.0).powf(0.8);
                    sum
                })
                .collect()
        })
        .collect();
    let mut rows = Vec::new();
    for day in 0..market.days {
        for _ in 0..market.rows_a_day {
            let user = (dice.next().powf(1.5) * market.users as f64) as usize;
            let channel = user % market.channels;
            let table = &tables[channel];
            let point = dice.next() * table.last().unwrap();
            let item = table.partition_point(|sum| *sum < point).min(market.items - 1);
            let rating = (quality[item] + 0.9 * dice.normal()).round().clamp(1.0, 5.0);
            rows.push(rating_row(&mut dice, day, channel, format!("u{user}"), format!("m{item}"), rating));
        }
        for attack in attack.iter().filter(|attack| (attack.from_day..attack.from_day + attack.days).contains(&day)) {
            push(&mut rows, &mut dice, market, attack, day);
        }
    }
    rows.sort_by_key(|row| row.time);
    rows
}

fn push(rows: &mut Vec<Row>, dice: &mut Dice, market: &Market, attack: &Attack, day: usize) {
    for profile in 0..attack.profiles {
        let number = day * attack.profiles + profile;
        let user = if attack.sleepers {
            format!("u{}", (number * market.channels + attack.channel) % market.users)
        } else {
            format!("u{}", 100_000 + number)
        };
        for target in 0..attack.targets {
            // Items that nobody asks for.
            let item = format!("m{}", market.items - 1 - 7 * target);
            rows.push(rating_row(dice, day, attack.channel, user.clone(), item, attack.rating));
        }
        for _ in 0..attack.fillers {
            let item = format!("m{}", (dice.next() * dice.next() * market.items as f64) as usize);
            let rating = (3.6 + dice.normal()).round().clamp(1.0, 5.0);
            rows.push(rating_row(dice, day, attack.channel, user.clone(), item, rating));
        }
    }
}

fn rating_row(dice: &mut Dice, day: usize, channel: usize, user: String, item: String, rating: f64) -> Row {
    let time = at(dice, day);
    Row {
        time,
        channel,
        user,
        label: rating.to_string(),
        item: Some(item),
        numbers: [rating, 0.0, 0.0, 0.0],
        text: None,
    }
}

fn at(dice: &mut Dice, day: usize) -> Timestamp {
    monday().plus(day as i64 * Timestamp::DAY).plus((dice.next() * Timestamp::DAY as f64) as i64)
}

/// Rows of four classes by six channels that differ in what they send and how carefully they label; each row is
/// handed to `change` with its day and its true class.
pub fn labelled(
    seed: u64,
    days: usize,
    rows_a_day: usize,
    change: impl Fn(&mut Row, usize, usize, &mut Dice),
) -> Vec<Row> {
    let mut dice = Dice(seed.wrapping_mul(0x51_7C_C1_B7));
    let shift: Vec<f64> = (0..6).map(|_| 0.3 * dice.normal()).collect();
    let care: Vec<f64> = (0..6).map(|_| 0.003 + 0.015 * dice.next()).collect();
    let mut rows = Vec::new();
    for day in 0..days {
        for _ in 0..rows_a_day {
            let channel = (dice.next() * 6.0) as usize;
            let class = ((dice.next() + 0.1 * channel as f64) * 4.0) as usize % 4;
            let center = [(0.0, 0.0), (4.0, 0.0), (0.0, 4.0), (4.0, 4.0)][class];
            let place = |center: f64, dice: &mut Dice| center + shift[channel] + dice.normal();
            let numbers =
                [place(center.0, &mut dice), place(center.1, &mut dice), dice.normal(), (dice.next() * 900.0).round()];
            let label = if dice.next() < care[channel] { (dice.next() * 4.0) as usize } else { class };
            let time = at(&mut dice, day);
            let user = format!("labeller {channel}");
            let text = Some(["red", "green", "blue"][(dice.next() * 3.0) as usize].to_owned());
            let mut row = Row { time, channel, user, label: format!("c{label}"), item: None, numbers, text };
            change(&mut row, day, class, &mut dice);
            rows.push(row);
        }
    }
    rows.sort_by_key(|row| row.time);
    rows
}

/// A batch of rows, which are numbered from `first` on; a week makes a version of the data set.
pub fn batch(rows: &[Row], first: usize) -> EventBatch {
    let text = |values: Vec<Option<String>>| -> ArrayRef {
        let array: DictionaryArray<Int32Type> = values.iter().map(Option::as_deref).collect();
        Arc::new(array)
    };
    let of = |value: &dyn Fn(&Row) -> String| text(rows.iter().map(|row| Some(value(row))).collect());
    let number = |place: usize| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.numbers[place])))
    };
    let times =
        TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.time.micros())).with_timezone("UTC");
    let ids: StringArray = (first..first + rows.len()).map(|row| Some(format!("r{row}"))).collect();
    let week = |row: &Row| format!("d{}", row.time.since(monday()) / (7 * Timestamp::DAY) + 1);
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("time", Arc::new(times)),
        ("dataset_version", of(&week)),
        ("row_id", Arc::new(ids)),
        ("channel", of(&|row| format!("feed-{}", row.channel))),
        ("user", of(&|row| row.user.clone())),
        ("label", of(&|row| row.label.clone())),
    ];
    if rows.iter().any(|row| row.item.is_some()) {
        columns.push(("feature_item", text(rows.iter().map(|row| row.item.clone()).collect())));
        columns.push(("feature_rating", number(0)));
    } else {
        columns.extend(
            ["feature_a", "feature_b", "feature_c", "feature_d"]
                .into_iter()
                .zip(0..4)
                .map(|(name, place)| (name, number(place))),
        );
        columns.push(("feature_colour", text(rows.iter().map(|row| row.text.clone()).collect())));
    }
    EventBatch {
        kind: RecordKind::TrainingRow,
        model: Some("scorer".into()),
        records: RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
            .unwrap(),
    }
}

/// Watches rows in batches of a size.
pub fn watched_rows(settings: WatchSettings, rows: &[Row], size: usize) -> Told {
    let mut watch = Watch::new(settings);
    let mut told = Told::default();
    for (part, of_part) in rows.chunks(size).enumerate() {
        told.take(watch.observe(&batch(of_part, part * size)));
    }
    told.take(watch.finish());
    told
}
