//! One fingerprint of 64 bits for a bag of weighted tokens.

use super::mix;

/// The fingerprint of hashed tokens with weights: bit `b` is set if the weights of the tokens whose
/// hash has bit `b` exceed the weights of those that have not. In `O(64 n)`.
///
/// Bags that share most of their weight differ in few bits; bags that share none differ in 32 on
/// average. Order and position are not seen, and a bag of one or two tokens is not robust.
/// `None` if there is no token, or a weight is not finite or not above zero.
/// Reference: Charikar, STOC (2002); Manku, Jain, Das Sarma, WWW (2007).
///
/// ```
/// use wardline_stats::similar::sim_hash;
/// let bag: Vec<(u64, f64)> = (0..100).map(|token| (token, 1.0)).collect();
/// let (whole, most) = (sim_hash(&bag).unwrap(), sim_hash(&bag[1..]).unwrap());
/// assert!((whole ^ most).count_ones() < 12);
/// ```
#[must_use]
pub fn sim_hash(tokens: &[(u64, f64)]) -> Option<u64> {
    if tokens.is_empty() || tokens.iter().any(|&(_, weight)| !weight.is_finite() || weight <= 0.0) {
        return None;
    }
    // Shares of the largest weight cannot overflow when they are added.
    let largest = tokens.iter().fold(0.0_f64, |most, &(_, weight)| most.max(weight));
    let mut balance = [0.0_f64; 64];
    for &(token, weight) in tokens {
        let hash = mix(token);
        for (bit, sum) in balance.iter_mut().enumerate() {
            *sum += if hash >> bit & 1 == 1 { weight / largest } else { -weight / largest };
        }
    }
    Some(balance.iter().enumerate().fold(0, |hash, (bit, sum)| hash | u64::from(*sum > 0.0) << bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_differ_in_half_of_the_bits() {
        let bag = |first: u64| (first..first + 50).map(|token| (token, 1.0)).collect::<Vec<_>>();
        let differing: u32 =
            (1..=200).map(|i| (sim_hash(&bag(0)).unwrap() ^ sim_hash(&bag(i * 1000)).unwrap()).count_ones()).sum();
        assert!((5_800..7_000).contains(&differing), "{differing}");
        assert_eq!(sim_hash(&[(1, 1e308), (1, 1e308)]), sim_hash(&[(1, 1.0)]));
        assert_eq!(sim_hash(&[(1, f64::NAN)]), None);
        assert_eq!(sim_hash(&[]), None);
    }
}
