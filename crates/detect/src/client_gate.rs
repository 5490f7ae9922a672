//! Which clients, sessions or templates are asked for often enough to be remembered, where there are more than there is
//! room for.
//!
//! Counts of hashed clients in two rows (a count-min sketch: Cormode, Muthukrishnan, 2005), halved again and again, in
//! front of the tables of clients (as in TinyLFU: Einziger, Friedman, Manes, 2017): without it, where most requests are of
//! clients that come once, each of them would drive another one out of every table. 8 KiB a model.

use serde::{Deserialize, Serialize};

/// Counters in a row; a power of two.
const WIDTH: usize = 4_096;
/// After so many requests all counts are halved.
const HALVED_EVERY: u32 = 4 * WIDTH as u32;
/// Requests since counts were halved that make a client frequent: one in 1,400, and three times what a counter holds of others.
const FREQUENT: u8 = 12;

/// Counts of clients, approximately and lately.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClientGate {
    /// Two rows; empty until somebody asks.
    counts: Vec<u8>,
    requests: u32,
}

impl ClientGate {
    /// Counts a request of a client; whether the client asks often.
    #[inline]
    pub(crate) fn ask(&mut self, key: u64) -> bool {
        if self.counts.len() != 2 * WIDTH {
            self.counts = vec![0; 2 * WIDTH];
        }
        let places = [key as usize % WIDTH, WIDTH + (key >> 32) as usize % WIDTH];
        let count = places.iter().map(|&place| self.counts[place]).min().unwrap_or(0).saturating_add(1);
        for place in places {
            self.counts[place] = self.counts[place].max(count);
        }
        self.requests += 1;
        if self.requests >= HALVED_EVERY {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.requests = 0;
        }
        count >= FREQUENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::mixed;

    /// Goal: one in a hundred requests is enough to be let in soon, and clients that come once never are.
    #[test]
    fn frequent_clients_are_told_from_a_crowd() {
        let mut gate = ClientGate::default();
        let mut let_in = (0, 0);
        for request in 0..200_000_u64 {
            if request % 100 == 0 {
                let_in.0 += u32::from(gate.ask(mixed(7)));
            } else {
                let_in.1 += u32::from(gate.ask(mixed(1_000_000 + request)));
            }
        }
        assert!(let_in.0 > 1_900, "{let_in:?}");
        assert!(let_in.1 < 2_000, "{let_in:?}");
        assert_eq!(gate.counts.len(), 2 * WIDTH);
    }
}
