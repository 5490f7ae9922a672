//! Finds names by the place where they are expected: records of a stream name their fields in one order.

use rustc_hash::FxHashMap;

/// Names in the order of their first arrival.
#[derive(Debug, Default)]
pub(crate) struct Names {
    list: Vec<Box<str>>,
    places: FxHashMap<Box<str>, u32>,
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, place: usize) -> &str {
        &self.list[place]
    }

    /// The place of a name. `expected` is where it will probably be, and then where its successor will.
    #[inline]
    pub(crate) fn find(&self, name: &str, expected: &mut usize) -> Option<usize> {
        let place = match self.list.get(*expected) {
            Some(there) if there.as_ref() == name => *expected,
            _ => *self.places.get(name)? as usize,
        };
        *expected = place + 1;
        Some(place)
    }

    /// Adds a name that is not there yet.
    pub(crate) fn add(&mut self, name: &str) -> usize {
        let place = self.list.len();
        self.list.push(name.into());
        self.places.insert(name.into(), place as u32);
        place
    }

    /// Forgets the names that were added last.
    pub(crate) fn truncate(&mut self, length: usize) {
        for name in self.list.drain(length.min(self.list.len())..) {
            self.places.remove(&name);
        }
    }
}
