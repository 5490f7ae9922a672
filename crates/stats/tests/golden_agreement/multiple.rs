//! Many p-values, against scipy 1.17.1.

use wardline_stats::multiple::{benjamini_hochberg, benjamini_yekutieli, holm};

use crate::values::{close, tests};

#[test]
fn golden_adjusted_p_values() {
    for case in tests().items("/multiplicity") {
        let p = case.numbers("/p");
        for (found, path) in [(benjamini_hochberg(&p), "/bh"), (benjamini_yekutieli(&p), "/by"), (holm(&p), "/holm")] {
            for (found, expected) in found.unwrap().iter().zip(case.numbers(path)) {
                close(path, *found, expected, 1e-9);
            }
        }
    }
}
