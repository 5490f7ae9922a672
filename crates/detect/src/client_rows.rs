//! What one request of a client costs, and where it came from.

use arrow::array::{Array, Int64Array};
use wardline_domain::{EventBatch, Prices, TextColumn, column};

use crate::clients::{filled_text, hash_text};

/// The columns of a batch that say what requests use.
pub(crate) struct UsageColumns<'a> {
    input: Option<&'a Int64Array>,
    output: Option<&'a Int64Array>,
    address: Option<TextColumn<'a>>,
    country: Option<TextColumn<'a>>,
}

impl<'a> UsageColumns<'a> {
    pub(crate) fn of(batch: &'a EventBatch) -> Self {
        let country = format!("{}country", column::ATTRIBUTE_PREFIX);
        Self {
            input: filled_integer(batch, "input_tokens"),
            output: filled_integer(batch, "output_tokens"),
            address: filled_text(batch, "client_ip"),
            country: filled_text(batch, &country),
        }
    }

    /// Whether a request says how many tokens it took.
    #[inline]
    pub(crate) fn has_tokens(&self, row: usize) -> bool {
        [self.input, self.output].into_iter().flatten().any(|column| column.is_valid(row))
    }

    /// Money where there are prices, else tokens.
    #[inline]
    pub(crate) fn units(&self, row: usize, prices: Option<&Prices>) -> f64 {
        let (input, output) = (value(self.input, row), value(self.output, row));
        match prices {
            Some(prices) => (input * prices.input_per_1k + output * prices.output_per_1k) / 1_000.0,
            None => input + output,
        }
    }

    /// Tokens of the input; 0 where it is not told.
    #[inline]
    pub(crate) fn input_length(&self, row: usize) -> f64 {
        value(self.input, row)
    }

    /// Tokens of the output; 0 where it is not told.
    #[inline]
    pub(crate) fn output_length(&self, row: usize) -> f64 {
        value(self.output, row)
    }

    /// The network that a request came from, as a hash.
    #[inline]
    pub(crate) fn network(&self, row: usize) -> Option<u64> {
        let address = self.address.as_ref()?.get(row)?;
        Some(hash_text(network_of(address), 3))
    }

    #[inline]
    pub(crate) fn country(&self, row: usize) -> Option<u64> {
        Some(hash_text(self.country.as_ref()?.get(row)?, 4))
    }
}

#[inline]
fn value(column: Option<&Int64Array>, row: usize) -> f64 {
    column.filter(|column| column.is_valid(row)).map_or(0.0, |column| column.value(row).max(0) as f64)
}

fn filled_integer<'a>(batch: &'a EventBatch, name: &str) -> Option<&'a Int64Array> {
    batch.integer(name).filter(|array| array.null_count() < array.len())
}

/// The first three parts of an address: a /24 of IPv4, a /48 of IPv6.
fn network_of(address: &str) -> &str {
    let mark = if address.contains(':') { ':' } else { '.' };
    address.match_indices(mark).nth(2).map_or(address, |(at, _)| &address[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_alike() {
        assert_eq!(network_of("10.48.141.100"), "10.48.141");
        assert_eq!(network_of("2001:db8:1:2::7"), "2001:db8:1");
        assert_eq!(network_of("somewhere"), "somewhere");
    }
}
