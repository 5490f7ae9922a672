//! The least value of a smooth function of many numbers, by L-BFGS.

use std::collections::VecDeque;

/// Steps whose curvature is remembered.
const MEMORY: usize = 10;
const MOST_STEPS: u32 = 2_000;
/// Tries of a step's length; each halves or doubles it.
const MOST_TRIES: u32 = 60;

/// Minimises a convex, differentiable function from a start; `None` if it is not finite there or no
/// minimum is found in 2,000 steps.
///
/// `function` writes the gradient at a point and returns the value. Ends where the greatest slope is at
/// most `tolerance` times that of the start, or where numbers of 64 bits hold no better point and the
/// slope is below `1e-6` of the start's. Steps obey the weak Wolfe conditions by bisection. Deterministic.
/// Cost: `O(10 * numbers)` a step besides the function; 1 to 3 calls of it a step.
/// Reference: Liu, Nocedal, Mathematical Programming 45 (1989); Lewis, Overton, Mathematical Programming
/// 141 (2013), section 2 for the line search.
pub(crate) fn minimise(
    start: Vec<f64>,
    tolerance: f64,
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Option<Vec<f64>> {
    let mut at = Place { gradient: vec![0.0; start.len()], point: start, value: 0.0 };
    at.value = function(&at.point, &mut at.gradient);
    let first = at.slope();
    if !at.value.is_finite() || !first.is_finite() {
        return None;
    }
    let mut past = VecDeque::with_capacity(MEMORY);
    for _ in 0..MOST_STEPS {
        if at.slope() <= tolerance * first {
            return Some(at.point);
        }
        let direction = direction(&at.gradient, &past);
        let Some(next) = search(&at, &direction, past.is_empty(), &mut function) else {
            if past.is_empty() {
                return (at.slope() <= 1e-6 * first).then_some(at.point);
            }
            // A direction from stale curvature: once more, straight down.
            past.clear();
            continue;
        };
        let step: Vec<f64> = difference(&next.point, &at.point);
        let bend = difference(&next.gradient, &at.gradient);
        let product = dot(&step, &bend);
        if product > 1e-16 * dot(&bend, &bend) {
            if past.len() == MEMORY {
                past.pop_front();
            }
            past.push_back(Curvature { step, bend, product });
        }
        at = next;
    }
    None
}

struct Place {
    point: Vec<f64>,
    gradient: Vec<f64>,
    value: f64,
}

impl Place {
    fn slope(&self) -> f64 {
        self.gradient.iter().fold(0.0, |most: f64, slope| if slope.is_nan() { f64::NAN } else { most.max(slope.abs()) })
    }
}

/// How much the gradient changed over a step.
struct Curvature {
    step: Vec<f64>,
    bend: Vec<f64>,
    product: f64,
}

/// Down the gradient, as the remembered curvature corrects it: the two loops of L-BFGS.
fn direction(gradient: &[f64], past: &VecDeque<Curvature>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut parts = Vec::with_capacity(past.len());
    for curvature in past.iter().rev() {
        let part = dot(&curvature.step, &direction) / curvature.product;
        add(&mut direction, -part, &curvature.bend);
        parts.push(part);
    }
    if let Some(last) = past.back() {
        let scale = last.product / dot(&last.bend, &last.bend);
        direction.iter_mut().for_each(|value| *value *= scale);
    }
    for (curvature, part) in past.iter().zip(parts.into_iter().rev()) {
        let back = dot(&curvature.bend, &direction) / curvature.product;
        add(&mut direction, part - back, &curvature.step);
    }
    direction
}

/// A step that lowers the value and flattens the slope; `None` if there is none.
fn search(
    at: &Place,
    direction: &[f64],
    is_first: bool,
    function: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Option<Place> {
    let slope = dot(&at.gradient, direction);
    if slope.is_nan() || slope >= 0.0 {
        return None;
    }
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut length = if is_first { 1.0 / dot(direction, direction).sqrt().max(1.0) } else { 1.0 };
    let mut next = Place { point: at.point.clone(), gradient: at.gradient.clone(), value: at.value };
    for _ in 0..MOST_TRIES {
        next.point.clone_from(&at.point);
        add(&mut next.point, length, direction);
        next.value = function(&next.point, &mut next.gradient);
        // Near the minimum the value's own rounding hides what is gained; the slope still tells.
        let rounding = 1e-15 * at.value.abs();
        let is_lower = next.value <= at.value + 1e-4 * length * slope + rounding;
        if !is_lower {
            high = length;
        } else if dot(&next.gradient, direction) < 0.9 * slope {
            low = length;
        } else {
            return next.slope().is_finite().then_some(next);
        }
        length = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * low };
    }
    None
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(value, more)| *value += factor * more);
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bowl a million times steeper along one axis than along another.
    #[test]
    fn finds_the_bottom_of_a_long_valley() {
        let steep = [1.0, 1e3, 1e6];
        let found = minimise(vec![1.0, 1.0, 1.0], 1e-12, |point, gradient| {
            for (at, slope) in gradient.iter_mut().enumerate() {
                *slope = steep[at] * (point[at] - at as f64);
            }
            (0..3).map(|at| 0.5 * steep[at] * (point[at] - at as f64).powi(2)).sum()
        });
        for (at, value) in found.unwrap().into_iter().enumerate() {
            assert!((value - at as f64).abs() < 1e-5, "{at}: {value}");
        }
    }

    #[test]
    fn a_function_without_a_minimum_gives_nothing() {
        assert_eq!(minimise(vec![0.0], 1e-9, |_, _| f64::NAN), None);
        let falling = minimise(vec![0.0], 1e-9, |point, gradient| {
            gradient[0] = -1.0;
            -point[0]
        });
        assert_eq!(falling, None);
    }
}
