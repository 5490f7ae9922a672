//! The index on disk: in one order, whatever the order in memory.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Kept, MOST_KEPT, MOST_WAITING, Model, OutcomeIndex, Told};

type Saved<M, K, W> = (M, K, W, u64);

impl Serialize for OutcomeIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut kept: Vec<(u64, &Kept)> = self.kept.iter().map(|(&hash, kept)| (hash, kept)).collect();
        kept.sort_unstable_by_key(|&(hash, _)| hash);
        let waiting: Vec<(u64, Option<&Told>)> =
            self.waiting_order.iter().map(|hash| (*hash, self.waiting.get(hash))).collect();
        let saved: Saved<&Vec<Model>, _, _> = (&self.models, kept, waiting, self.unknown);
        saved.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OutcomeIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut models, kept, waiting, unknown) =
            Saved::<Vec<Model>, Vec<(u64, Kept)>, Vec<(u64, Option<Told>)>>::deserialize(deserializer)?;
        models.truncate(usize::from(u16::MAX) + 1);
        models.iter_mut().for_each(|model| model.kept = 0);
        let mut index = Self { unknown, ..Self::default() };
        for (hash, one) in kept.into_iter().take(MOST_KEPT) {
            if let Some(model) = models.get_mut(usize::from(one.model))
                && index.kept.insert(hash, one).is_none()
            {
                model.kept += 1;
            }
        }
        for (hash, told) in waiting.into_iter().take(MOST_WAITING) {
            index.waiting_order.push_back(hash);
            if let Some(told) = told {
                index.waiting.insert(hash, told);
            }
        }
        index.by_name = models.iter().map(|model| model.name.clone()).zip(0..=u16::MAX).collect();
        index.models = models;
        Ok(index)
    }
}
