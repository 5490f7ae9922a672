//! Who asks: the clients of one model, in a bounded table.
//!
//! A client is known by the first of `api_key`, `user` and `client_ip` that its request has.

use arrow::array::Array;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Slice, TextColumn, Timestamp};

/// What a client is known by, the best first; and what its calls in a row are known by.
const DIMENSIONS: [&str; 4] = ["api_key", "user", "client_ip", "session"];

/// The columns of a batch that say who asked.
pub(crate) struct ClientColumns<'a> {
    identities: [Option<TextColumn<'a>>; 4],
    tenant: Option<TextColumn<'a>>,
}

/// Who sent one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientName<'a> {
    pub(crate) key: u64,
    dimension: u8,
    name: &'a str,
    /// Whether it asks often; where there is no room, others are not remembered.
    pub(crate) is_frequent: bool,
}

impl ClientName<'_> {
    /// `api_key=k-1`.
    pub(crate) fn label(&self) -> String {
        format!("{}={}", dimension(self.dimension), cut(self.name))
    }
}

impl<'a> ClientColumns<'a> {
    /// `None` where no row says who asked.
    pub(crate) fn of(batch: &'a EventBatch) -> Option<Self> {
        let [api_key, user, client_ip, _] = DIMENSIONS;
        let [api_key, user, client_ip] = [api_key, user, client_ip].map(|name| filled_text(batch, name));
        let identities = [api_key, user, client_ip, None];
        let is_known = identities.iter().any(Option::is_some);
        is_known.then(|| Self { identities, tenant: filled_text(batch, "tenant") })
    }

    /// Sessions in the place of clients; `None` where no row has one.
    pub(crate) fn sessions(batch: &'a EventBatch) -> Option<Self> {
        let session = filled_text(batch, "session")?;
        Some(Self { identities: [None, None, None, Some(session)], tenant: filled_text(batch, "tenant") })
    }

    /// Who asked in a row.
    #[inline]
    pub(crate) fn client(&self, row: usize) -> Option<ClientName<'a>> {
        (0..=3_u8).zip(&self.identities).find_map(|(dimension, column)| {
            let name = column.as_ref()?.get(row)?;
            Some(ClientName { key: hash_text(name, u64::from(dimension)), dimension, name, is_frequent: true })
        })
    }

    fn tenant(&self, row: usize) -> Option<&'a str> {
        self.tenant.as_ref()?.get(row)
    }
}

/// A text column that has a value in some row.
pub(crate) fn filled_text<'a>(batch: &'a EventBatch, name: &str) -> Option<TextColumn<'a>> {
    let array = batch.column(name)?;
    (array.null_count() < array.len()).then(|| batch.text(name)).flatten()
}

fn dimension(number: u8) -> &'static str {
    DIMENSIONS.get(usize::from(number)).copied().unwrap_or("client")
}

/// As much of a name as is kept.
fn cut(name: &str) -> &str {
    const MOST_BYTES: usize = 256;
    name.get(..name.floor_char_boundary(MOST_BYTES)).unwrap_or_default()
}

/// A hash of a text that stays the same in every version: snapshots hold it.
#[inline]
pub(crate) fn hash_text(text: &str, seed: u64) -> u64 {
    let mut hash = seed ^ (text.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for chunk in text.as_bytes().chunks(8) {
        let mut bytes = [0_u8; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        hash = hash_number(hash, u64::from_le_bytes(bytes));
    }
    mixed(hash)
}

/// One step of a hash over numbers.
#[inline]
pub(crate) const fn hash_number(hash: u64, number: u64) -> u64 {
    (hash ^ number).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29)
}

/// The end of a hash: every bit depends on every other.
#[inline]
pub(crate) const fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// A client, and what a detector keeps of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Client<T> {
    dimension: u8,
    name: String,
    tenant: Option<String>,
    pub(crate) requests: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) habit: T,
}

impl<T> Client<T> {
    /// The client as a part of the traffic.
    pub(crate) fn slice(&self) -> Slice {
        let slice = Slice::of(self.dimension(), &self.name);
        match &self.tenant {
            Some(tenant) => slice.and("tenant", tenant),
            None => slice,
        }
    }

    /// `api_key=k-1`.
    pub(crate) fn label(&self) -> String {
        format!("{}={}", self.dimension(), self.name)
    }

    /// `api_key k-1 (tenant acme)`, for titles.
    pub(crate) fn words(&self) -> String {
        match &self.tenant {
            Some(tenant) => format!("{} {} (tenant {tenant})", self.dimension(), self.name),
            None => format!("{} {}", self.dimension(), self.name),
        }
    }

    fn dimension(&self) -> &'static str {
        dimension(self.dimension)
    }
}

/// Clients to tell of when the second ends, each once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Pending(Vec<u64>);

impl Pending {
    /// Most clients that are told of in one second; of further ones the next second tells.
    const MOST: usize = 64;

    pub(crate) fn add(&mut self, key: u64) {
        if self.0.len() < Self::MOST && !self.0.contains(&key) {
            self.0.push(key);
        }
    }

    pub(crate) fn take(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.0)
    }
}

/// Clients that a detector remembers of one model, where so many models are watched.
pub(crate) fn room(models: usize) -> usize {
    const IN_ALL: usize = 65_536;
    (IN_ALL / models.max(1)).clamp(64, 2_048)
}

/// At most `MOST` clients, and no more than there is room for. Where there are more, only frequent ones come in, and those that asked least are forgotten, a
/// quarter at a time.
///
/// What it holds depends on the requests and their order alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored<T>", into = "Stored<T>", bound(serialize = "T: Clone + Serialize"))]
pub(crate) struct ClientTable<T, const MOST: usize> {
    clients: FxHashMap<u64, Client<T>>,
    /// Clients that were forgotten for want of room.
    pub(crate) left_out: u64,
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    clients: Vec<(u64, Client<T>)>,
    left_out: u64,
}

impl<T, const MOST: usize> Default for ClientTable<T, MOST> {
    fn default() -> Self {
        Self { clients: FxHashMap::default(), left_out: 0 }
    }
}

impl<T, const MOST: usize> ClientTable<T, MOST> {
    /// Counts a request; the client, a new one where it was not known. `None` where there is no room for it.
    #[inline]
    pub(crate) fn ask(
        &mut self,
        room: usize,
        columns: &ClientColumns<'_>,
        name: &ClientName<'_>,
        row: usize,
        now: Timestamp,
        new: impl FnOnce() -> T,
    ) -> Option<&mut Client<T>> {
        let room = room.min(MOST);
        if self.clients.len() >= room && !self.clients.contains_key(&name.key) {
            if !name.is_frequent {
                self.left_out += 1;
                return None;
            }
            self.forget(room - room.div_ceil(4));
        }
        let client = self.clients.entry(name.key).or_insert_with(|| Client {
            dimension: name.dimension,
            name: cut(name.name).to_owned(),
            tenant: columns.tenant(row).map(|tenant| cut(tenant).to_owned()),
            requests: 0,
            first: now,
            last: now,
            habit: new(),
        });
        client.requests += 1;
        client.last = now;
        Some(client)
    }

    pub(crate) fn get(&self, key: u64) -> Option<&Client<T>> {
        self.clients.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut Client<T>> {
        self.clients.get_mut(&key)
    }

    /// All clients, in the order of their keys.
    pub(crate) fn sorted(&self) -> Vec<(u64, &Client<T>)> {
        let mut all: Vec<(u64, &Client<T>)> = self.clients.iter().map(|(&key, client)| (key, client)).collect();
        all.sort_unstable_by_key(|&(key, _)| key);
        all
    }

    /// Changes every client; the order does not matter.
    pub(crate) fn each(&mut self, mut change: impl FnMut(&mut Client<T>)) {
        self.clients.values_mut().for_each(&mut change);
    }

    /// Leaves so many clients, those that asked most.
    fn forget(&mut self, left: usize) {
        let mut order: Vec<(u64, Timestamp, u64)> =
            self.clients.iter().map(|(&key, client)| (client.requests, client.last, key)).collect();
        let gone = order.len().saturating_sub(left);
        if 0 < gone && gone < order.len() {
            order.select_nth_unstable(gone);
        }
        for &(_, _, key) in order.iter().take(gone) {
            self.clients.remove(&key);
            self.left_out += 1;
        }
    }
}

impl<T, const MOST: usize> From<ClientTable<T, MOST>> for Stored<T> {
    fn from(table: ClientTable<T, MOST>) -> Self {
        let mut clients: Vec<(u64, Client<T>)> = table.clients.into_iter().collect();
        clients.sort_unstable_by_key(|&(key, _)| key);
        Self { clients, left_out: table.left_out }
    }
}

impl<T, const MOST: usize> TryFrom<Stored<T>> for ClientTable<T, MOST> {
    type Error = &'static str;

    fn try_from(stored: Stored<T>) -> Result<Self, Self::Error> {
        if stored.clients.len() > MOST {
            return Err("more clients than there is room for");
        }
        Ok(Self { clients: stored.clients.into_iter().collect(), left_out: stored.left_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(table: &mut ClientTable<u8, 8>, key: u64, second: i64) {
        let columns = ClientColumns { identities: [None; 4], tenant: None };
        let name = ClientName { key, dimension: 0, name: "k", is_frequent: true };
        table.ask(64, &columns, &name, 0, Timestamp::from_micros(second * Timestamp::SECOND), || 0);
    }

    #[test]
    fn the_busiest_clients_stay() {
        let mut table = ClientTable::<u8, 8>::default();
        for second in 0..100 {
            ask(&mut table, 1, second);
            ask(&mut table, 100 + second as u64, second);
        }
        assert!(table.clients.len() <= 8 && table.get(1).unwrap().requests == 100);
        assert!(table.left_out > 80);
        let bytes = postcard::to_stdvec(&table).unwrap();
        let read: ClientTable<u8, 8> = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_stdvec(&read).unwrap(), bytes);
        assert!(postcard::from_bytes::<ClientTable<u8, 2>>(&bytes).is_err());
    }

    #[test]
    fn names_have_one_hash_each() {
        assert_ne!(hash_text("a", 0), hash_text("a", 1));
        assert_ne!(hash_text("", 0), hash_text("\0", 0));
        assert_eq!(hash_text("key-1", 0), hash_text("key-1", 0));
    }
}
