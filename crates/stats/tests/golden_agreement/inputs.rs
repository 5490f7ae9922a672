//! The inputs of the golden values, as `testdata/golden_inputs.py` makes them.

/// Numbers in `[0, 1)`: `z <- 1103515245 z + 12345 mod 2^31`, from the state `z`.
pub(crate) fn lcg(n: usize, mut z: u64) -> Vec<f64> {
    (0..n)
        .map(|_| {
            z = (1_103_515_245 * z + 12_345) & 0x7fff_ffff;
            z as f64 / 2_147_483_648.0
        })
        .collect()
}

/// Reference and current, both sorted; also unsorted, in the order in which they were made.
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    pub(crate) reference: Vec<f64>,
    pub(crate) current: Vec<f64>,
}

pub(crate) fn samples() -> Vec<Pair> {
    let pair = |name, mut reference: Vec<f64>, mut current: Vec<f64>| {
        reference.sort_by(f64::total_cmp);
        current.sort_by(f64::total_cmp);
        Pair { name, reference, current }
    };
    let over = |values: Vec<f64>, change: fn(f64) -> f64| values.into_iter().map(change).collect::<Vec<f64>>();
    let odds = |u: f64| u / (1.0 - u);
    vec![
        pair(
            "small",
            (0..40).map(|i| f64::from((i * 37) % 101) / 101.0).collect(),
            (0..30).map(|j| f64::from((j * 53 + 7) % 101) / 101.0 * 0.8 + 0.3).collect(),
        ),
        pair("tiny", lcg(5, 3), over(lcg(4, 8), |u| u + 0.25)),
        pair(
            "ties",
            (0..120).map(|i| f64::from((7 * i) % 13)).collect(),
            (0..90).map(|j| f64::from((5 * j) % 11 + 2)).collect(),
        ),
        pair("equal", lcg(300, 21), lcg(250, 23)),
        pair("tail", over(lcg(400, 17), odds), over(lcg(500, 19), |u| u / (1.0 - u) * 1.25)),
        pair("large", lcg(3000, 11), over(lcg(2000, 13), |u| u * 0.96 + 0.03)),
    ]
}

pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) reference: Vec<u64>,
    pub(crate) current: Vec<u64>,
}

pub(crate) fn tables() -> Vec<Table> {
    let table = |name, reference: &[u64], current: &[u64]| Table {
        name,
        reference: reference.to_vec(),
        current: current.to_vec(),
    };
    let cells = |n: u64, least: u64, factor: u64, modulus: u64| -> Vec<u64> {
        (0..n).map(|i| least + (factor * i) % modulus).collect()
    };
    vec![
        table("four", &[50, 30, 15, 5], &[30, 30, 25, 15]),
        table("two", &[450, 550], &[600, 400]),
        table("ten", &cells(10, 20, 37, 41), &cells(10, 15, 29, 31)),
        table("absent", &[100, 50, 3, 1, 0, 2], &[80, 70, 1, 0, 4, 1]),
        table("many", &cells(200, 1, 31, 53), &cells(200, 1, 17, 47)),
    ]
}

/// Rows in the plane, reference and current, laid out flat.
pub(crate) fn rows() -> (Vec<f64>, Vec<f64>) {
    let reference =
        (0..20).flat_map(|i| [f64::from((i * 37) % 101) / 101.0, f64::from((i * 71 + 5) % 103) / 103.0]).collect();
    let current = (0..15)
        .flat_map(|j| [f64::from((j * 53 + 7) % 101) / 101.0 * 0.8 + 0.3, f64::from((j * 29 + 11) % 103) / 103.0])
        .collect();
    (reference, current)
}

pub(crate) fn stream(name: &str) -> Vec<f64> {
    let bits = |n: usize, state, rate: fn(usize) -> f64| -> Vec<f64> {
        lcg(n, state).iter().enumerate().map(|(t, u)| f64::from(u8::from(*u < rate(t)))).collect()
    };
    match name {
        "shift" => lcg(2000, 42).iter().enumerate().map(|(t, u)| if t < 1000 { *u } else { u + 0.4 }).collect(),
        "bits" => bits(2000, 42, |t| if t < 1000 { 0.05 } else { 0.2 }),
        "jump_bits" => bits(3000, 99, |t| if t < 1500 { 0.05 } else { 0.6 }),
        "long_bits" => bits(20_000, 77, |t| match t {
            0..8000 => 0.10,
            8000..15_000 => 0.15,
            _ => 0.08,
        }),
        other => panic!("no stream {other}"),
    }
}

/// The scores and labels of a reference, and the scores of a period without labels.
pub(crate) fn scorer() -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let reference: Vec<f64> = (0..200).map(|i| (f64::from((i * 67) % 200) + 0.5) / 200.0).collect();
    let labels = lcg(200, 7).iter().zip(&reference).map(|(u, p)| *u < p.powf(1.5)).collect();
    let current = (0..150).map(|j| (f64::from((j * 83) % 150) + 0.5) / 150.0 * 0.9).collect();
    (reference, labels, current)
}

/// Three probabilities for each of `n` rows, and the likeliest class.
pub(crate) fn probabilities(n: usize, state: u64) -> (Vec<f64>, Vec<usize>) {
    let columns = [state, state + 1_000_003, state + 5_000_011].map(|state| lcg(n, state));
    let mut scores = Vec::with_capacity(3 * n);
    let mut decisions = Vec::with_capacity(n);
    for ((u, v), w) in columns[0].iter().zip(&columns[1]).zip(&columns[2]) {
        let raw = [0.2 + u, 0.2 + v, 0.2 + w];
        let total = raw[0] + raw[1] + raw[2];
        let row = raw.map(|value| value / total);
        scores.extend(row);
        // The first of the greatest.
        decisions.push((1..3).fold(0, |best, class| if row[class] > row[best] { class } else { best }));
    }
    (scores, decisions)
}

/// The class that an even number draws from three probabilities.
pub(crate) fn class_of(draw: f64, p: &[f64]) -> usize {
    usize::from(draw >= p[0]) + usize::from(draw >= p[0] + p[1])
}
