use wardline_domain::{Learning, Timestamp};

use super::course::{Course, Shift};
use crate::stream::{Dice, monday};

/// How a simulated series goes on: memory of neighbouring hours, and the law of what is new.
#[derive(Clone, Copy, Debug)]
struct Law {
    memory: f64,
    shape: Shape,
    season: f64,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Normal,
    Skewed,
    HeavyTailed,
    Discrete,
}

impl Law {
    /// An hour's value: season of the day and the week, and what is remembered; standard deviation one around it.
    fn series(self, seed: u64, hours: usize, shift: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut dice = Dice(seed);
        let mut state = 0.0;
        (0..hours)
            .map(|hour| {
                let fresh = match self.shape {
                    Shape::Normal => dice.normal(),
                    Shape::Skewed => ((0.8 * dice.normal()).exp() - 1.377) / 1.303,
                    Shape::HeavyTailed => dice.normal() / ((0..3).map(|_| dice.normal().powi(2)).sum::<f64>()).sqrt(),
                    Shape::Discrete => (dice.next() < 0.2) as u8 as f64 * 2.5 - 0.5,
                };
                state = self.memory * state + (1.0 - self.memory * self.memory).sqrt() * fresh;
                let day = (std::f64::consts::TAU * hour as f64 / 24.0).sin();
                let weekend = if hour / 24 % 7 >= 5 { 0.5 } else { 0.0 };
                20.0 + self.season * (day + weekend) + state + shift(hour)
            })
            .collect()
    }
}

/// What is told of a series with a value an hour.
fn told(values: &[f64], learn_days: i64) -> Vec<(usize, Shift)> {
    let mut course = Course::default();
    let learning = Learning::Until(monday().plus(learn_days * Timestamp::DAY));
    let observe = |(hour, value): (usize, &f64)| {
        let time = monday().plus(hour as i64 * Timestamp::HOUR + 59 * Timestamp::MINUTE);
        course.observe(time, *value, learning).map(|shift| (hour, shift))
    };
    values.iter().enumerate().filter_map(observe).collect()
}

#[test]
#[ignore]
fn survey() {
    for shape in [Shape::Normal, Shape::Skewed, Shape::HeavyTailed, Shape::Discrete] {
        for memory in [0.0, 0.5, 0.9] {
            for days in [7, 14, 28] {
                let law = Law { memory, shape, season: 3.0 };
                let (mut n, mut years) = (0, 0.0);
                let mut delays = vec![Vec::new(); 3];
                for seed in 0..60 {
                    let values = law.series(seed * 7919 + 1, 24 * 365, |_| 0.0);
                    let t = told(&values, days);
                    n += t.len();
                    years += 1.0;
                    for (i, size) in [1.5, 2.0, 4.0].into_iter().enumerate() {
                        let start = 24 * 35 + 5;
                        let values = law.series(seed * 7919 + 1, 24 * 63, |hour| if hour >= start { size } else { 0.0 });
                        let t = told(&values, days);
                        if let Some((hour, shift)) = t.iter().find(|(hour, _)| *hour >= start) {
                            let _ = shift;
                            delays[i].push(hour - start);
                        }
                    }
                }
                let line: Vec<String> = delays.iter_mut().map(|d| { d.sort(); format!("{}/60 med {:?} p90 {:?}", d.len(), d.get(d.len()/2), d.get(d.len()*9/10)) }).collect();
                println!("{shape:?} {memory} {days}d: {n} in {years} years; {line:?}");
            }
        }
    }
}
