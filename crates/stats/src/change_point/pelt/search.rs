//! The segmentation of least cost, by dynamic programming with pruning.

/// The ends of the segments in order, and their cost with `penalty` for each change.
///
/// For each end the best last segment is found among the starts that may still be best: a start
/// that a later one beats by now, without the penalty, is beaten for ever, once the later
/// segment may be as short as `least`. `cost` must not grow when a stretch is cut.
pub(super) fn least_cost(
    n: usize,
    least: usize,
    penalty: f64,
    cost: impl Fn(usize, usize) -> f64,
) -> (Vec<usize>, f64) {
    // The least cost of the first cells, a penalty for each segment, and the start of the last.
    let mut best = vec![f64::INFINITY; n + 1];
    let mut start_of_last = vec![0_usize; n + 1];
    best[0] = -penalty;
    // Starts, each with the first end for which it is out of the question.
    let mut starts: Vec<(usize, usize)> = Vec::new();
    let mut costs: Vec<f64> = Vec::new();
    for end in least..=n {
        let newest = end - least;
        if best[newest].is_finite() {
            starts.push((newest, usize::MAX));
        }
        starts.retain(|(_, until)| end < *until);
        costs.clear();
        costs.extend(starts.iter().map(|(start, _)| best[*start] + cost(*start, end)));
        for ((start, _), cost) in starts.iter().zip(&costs) {
            if cost + penalty < best[end] {
                best[end] = cost + penalty;
                start_of_last[end] = *start;
            }
        }
        for ((_, until), cost) in starts.iter_mut().zip(&costs) {
            if *cost >= best[end] {
                *until = (*until).min(end + least);
            }
        }
    }
    if best[n].is_infinite() {
        return (vec![n], cost(0, n));
    }
    let mut ends = vec![n];
    while let Some(start) = ends.last().map(|end| start_of_last[*end]).filter(|start| *start > 0) {
        ends.push(start);
    }
    ends.reverse();
    (ends, best[n])
}
