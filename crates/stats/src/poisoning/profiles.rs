//! How unlike the others each user rates: the classic marks of planted profiles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ItemRatings;

/// Marks of one user's ratings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileMarks {
    /// The user.
    pub user: u32,
    /// Items rated.
    pub items: u64,
    /// Rating deviation from mean agreement: the mean over the user's items of `|rating - item's mean| / item's raters`.
    pub mean_deviation: f64,
    /// Weighted degree of agreement: the sum of the same, not divided by the user's items.
    pub sum_of_deviations: f64,
    /// `|items - mean items| / sum over users of (items - mean items)^2`; zero if all users rate as many.
    pub length_variance: f64,
}

/// The marks of each user, in order of user.
///
/// They describe and raise no alarm: a fixed limit would accuse people with rare taste, and attackers that rate
/// popular items look usual by all three. Find target items with [`super::channel_lift`] and use the marks to sort
/// the users it names. Of several ratings of one item by one user, all count.
///
/// `None` if lengths are uneven, there is no rating, or one is not finite. Cost: `O(n log n)`.
///
/// Sources: Chirita, Nejdl, Zamfir, "Preventing Shilling Attacks in Online Recommender Systems" (2005); Burke,
/// Mobasher, Williams, Bhaumik, "Classification Features for Attack Detection in Collaborative Recommender
/// Systems" (2006), section 3.
#[must_use]
pub fn profile_marks(ratings: ItemRatings<'_>) -> Option<Vec<ProfileMarks>> {
    let n = ratings.users.len();
    let even = ratings.items.len() == n && ratings.ratings.len() == n;
    if n == 0 || !even || ratings.ratings.iter().any(|rating| !rating.is_finite()) {
        return None;
    }
    let mut of_items: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for (item, rating) in ratings.items.iter().zip(ratings.ratings) {
        let sums = of_items.entry(*item).or_default();
        *sums = (sums.0 + rating, sums.1 + 1.0);
    }
    let mut of_users: BTreeMap<u32, (f64, u64)> = BTreeMap::new();
    for ((user, item), rating) in ratings.users.iter().zip(ratings.items).zip(ratings.ratings) {
        let (sum, raters) = of_items.get(item).copied()?;
        let sums = of_users.entry(*user).or_default();
        *sums = (sums.0 + (rating - sum / raters).abs() / raters, sums.1 + 1);
    }
    let mean = n as f64 / of_users.len() as f64;
    let squares: f64 = of_users.values().map(|(_, items)| (*items as f64 - mean).powi(2)).sum();
    let marks = of_users.into_iter().map(|(user, (deviations, items))| ProfileMarks {
        user,
        items,
        mean_deviation: deviations / items as f64,
        sum_of_deviations: deviations,
        length_variance: if squares > 0.0 { (items as f64 - mean).abs() / squares } else { 0.0 },
    });
    Some(marks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: item 0 has mean 3 of three raters, item 1 mean 4 of one; users rate 2, 1 and 1 items.
    #[test]
    fn marks_are_those_of_the_formulas() {
        let rows = ItemRatings {
            users: &[5, 5, 6, 7],
            items: &[0, 1, 0, 0],
            channels: &[0; 4],
            ratings: &[1.0, 4.0, 3.0, 5.0],
        };
        let marks = profile_marks(rows).unwrap();
        assert_eq!(marks.iter().map(|mark| (mark.user, mark.items)).collect::<Vec<_>>(), [(5, 2), (6, 1), (7, 1)]);
        assert!((marks[0].mean_deviation - 1.0 / 3.0).abs() < 1e-12);
        assert!((marks[0].sum_of_deviations - 2.0 / 3.0).abs() < 1e-12);
        assert!(marks[1].mean_deviation.abs() < 1e-12);
        // Mean length 4/3, squares (4 + 1 + 1) / 9.
        assert!((marks[0].length_variance - (2.0 / 3.0) / (6.0 / 9.0)).abs() < 1e-12);
        assert!(profile_marks(ItemRatings { users: &[], items: &[], channels: &[], ratings: &[] }).is_none());
        assert!(profile_marks(ItemRatings { items: &[0], ..rows }).is_none());
    }
}
