//! The squared kernel discrepancy, against numpy 2.4.6.

use wardline_stats::two_sample::{Rows, kernel_discrepancy, median_squared_distance};

use crate::inputs::rows;
use crate::values::{close, tests};

#[test]
fn golden_kernel_discrepancy() {
    let all = tests();
    let (a, b) = rows();
    let (a, b) = (Rows::new(&a, 2).unwrap(), Rows::new(&b, 2).unwrap());
    close("median", median_squared_distance(a, b), all.number("/kernel/median"), 1e-9);
    for name in ["at_median", "at_half", "at_double", "at_one"] {
        let width = all.number(&format!("/kernel/{name}/width"));
        let found = kernel_discrepancy(a, b, width, 0, 1).unwrap().statistic;
        // The statistic is a difference of sums near one.
        close(name, found, all.number(&format!("/kernel/{name}/unbiased")), 1e-9);
    }
}
