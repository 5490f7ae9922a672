//! What training rows are: ratings of items by users, or features with a class; told from the first rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::training_record::{Record, Value};

/// Names of a column that holds what is rated.
const ITEM: [&str; 22] = [
    "item",
    "movie",
    "film",
    "product",
    "sku",
    "isbn",
    "asin",
    "article",
    "track",
    "song",
    "book",
    "listing",
    "video",
    "content",
    "restaurant",
    "business",
    "document",
    "app",
    "game",
    "show",
    "hotel",
    "recipe",
];
/// Names of a column that holds who rated.
const USER: [&str; 11] =
    ["user", "customer", "reviewer", "rater", "account", "member", "visitor", "client", "author", "profile", "viewer"];
/// Names of a column that holds the rating.
const RATING: [&str; 9] = ["rating", "stars", "star", "score", "grade", "feedback", "preference", "review", "overall"];
/// What may stand beside such a name.
const BESIDE: [&str; 7] = ["id", "key", "code", "number", "uid", "uuid", "name"];
/// With so many other numbers a row is a table's row that happens to name an item.
const FEWEST_OTHERS: usize = 4;
/// Labels that praise, and labels that run down.
const PRAISE: [&str; 9] = ["like", "liked", "positive", "good", "up", "yes", "click", "purchase", "true"];
const BLAME: [&str; 7] = ["dislike", "disliked", "negative", "bad", "down", "no", "false"];

/// Where the rating of a row is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum RatingSource {
    Column(String),
    /// The label is a number.
    Label,
    /// The label is a word of praise or blame.
    Words,
    /// That there is a row at all is the praise.
    Presence,
}

/// Which columns make a row a rating.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RatingColumns {
    pub(super) item: String,
    /// Where the user stands if the row's own `user` is empty.
    pub(super) user: Option<String>,
    pub(super) rating: RatingSource,
}

/// Which columns describe a row that has a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LabelColumns {
    pub(super) numbers: Vec<String>,
    pub(super) texts: Vec<String>,
}

/// What the rows are; they can be both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    pub(super) ratings: Option<RatingColumns>,
    pub(super) labels: Option<LabelColumns>,
}

/// Most columns of either type that a labelled row is described by.
const MOST_NUMBERS: usize = 24;
const MOST_TEXTS: usize = 16;
/// More classes are a number, not classes.
const MOST_CLASSES: usize = 64;

#[derive(Default)]
struct Seen<'a> {
    count: usize,
    numbers: usize,
    whole: usize,
    different: BTreeSet<String>,
    name: &'a str,
}

impl Seen<'_> {
    fn is_text(&self) -> bool {
        2 * self.numbers < self.count
    }

    /// Could be an id: texts, or whole numbers.
    fn is_name(&self, rows: usize) -> bool {
        10 * self.count >= 9 * rows && (self.is_text() || self.whole == self.numbers)
    }
}

/// What rows are, told from some hundreds of them.
pub(super) fn shape_of(rows: &[Record]) -> Shape {
    let mut columns: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
    for (name, value) in rows.iter().flat_map(|row| &row.values) {
        let seen = columns.entry(name.as_str()).or_default();
        seen.name = name;
        seen.count += 1;
        match value {
            Value::Number(number) => {
                seen.numbers += 1;
                seen.whole += usize::from(number.fract() == 0.0);
                seen.different.insert(number.to_string());
            }
            Value::Text(text) => {
                seen.different.insert(text.clone());
            }
        }
    }
    let ratings = rating_columns(rows, &columns);
    let labels = label_columns(rows, &columns, ratings.as_ref());
    Shape { ratings, labels }
}

fn rating_columns(rows: &[Record], columns: &BTreeMap<&str, Seen<'_>>) -> Option<RatingColumns> {
    let named = |words: &[&str]| {
        let fits = move |seen: &&Seen<'_>| seen.is_name(rows.len()) && is_named(seen.name, words);
        columns.values().find(fits).map(|seen| seen.name.to_owned())
    };
    let own_users = rows.iter().filter(|row| row.user.is_some()).count();
    let user = named(&USER);
    let item = named(&ITEM).or_else(|| {
        // No such name: then a text that repeats over many rows and many users is what they rate.
        let has_users = user.is_some() || 2 * own_users > rows.len();
        let is_item = |seen: &&Seen<'_>| {
            let different = seen.different.len();
            seen.is_text()
                && seen.is_name(rows.len())
                && Some(seen.name) != user.as_deref()
                && 25 <= different
                && 5 * different <= 4 * rows.len()
        };
        let candidates = columns.values().filter(is_item);
        candidates.max_by_key(|seen| seen.different.len()).filter(|_| has_users).map(|seen| seen.name.to_owned())
    })?;
    let number = |seen: &&Seen<'_>| 10 * seen.numbers >= 9 * rows.len() && is_named(seen.name, &RATING);
    let rating = columns.values().find(number).map(|seen| RatingSource::Column(seen.name.to_owned()));
    let others = columns.values().filter(|seen| {
        !seen.is_text() && seen.name != item && Some(seen.name) != user.as_deref() && !is_named(seen.name, &RATING)
    });
    if rating.is_none() && others.count() >= FEWEST_OTHERS {
        return None;
    }
    let rating = match rating {
        Some(rating) => rating,
        None => label_as_rating(rows)?,
    };
    Some(RatingColumns { item, user, rating })
}

fn label_as_rating(rows: &[Record]) -> Option<RatingSource> {
    let labels: Vec<&str> = rows.iter().filter_map(|row| row.label.as_deref()).collect();
    if labels.is_empty() || labels.iter().all(|label| *label == labels[0]) {
        return Some(RatingSource::Presence);
    }
    let count = |fits: &dyn Fn(&str) -> bool| labels.iter().filter(|label| fits(label)).count();
    let all = |n: usize| 10 * n >= 9 * labels.len();
    if all(count(&|label| label.trim().parse::<f64>().is_ok_and(f64::is_finite))) {
        return Some(RatingSource::Label);
    }
    all(count(&|label| word_rating(label).is_some())).then_some(RatingSource::Words)
}

/// 1 for a word of praise, 0 for one of blame.
pub(super) fn word_rating(label: &str) -> Option<f64> {
    let word = label.trim().to_lowercase();
    if PRAISE.contains(&word.as_str()) {
        return Some(1.0);
    }
    BLAME.contains(&word.as_str()).then_some(0.0)
}

fn label_columns(
    rows: &[Record],
    columns: &BTreeMap<&str, Seen<'_>>,
    ratings: Option<&RatingColumns>,
) -> Option<LabelColumns> {
    let classes: BTreeSet<&str> = rows.iter().filter_map(|row| row.label.as_deref()).collect();
    if classes.len() < 2 || classes.len() > MOST_CLASSES {
        return None;
    }
    let is_of_rating = |name: &str| {
        ratings.is_some_and(|ratings| {
            let is_rating = matches!(&ratings.rating, RatingSource::Column(column) if column == name);
            ratings.item == name || ratings.user.as_deref() == Some(name) || is_rating
        })
    };
    // A row's own number says nothing about its class.
    let is_id = |seen: &Seen<'_>| {
        seen.is_name(rows.len()) && 10 * seen.different.len() > 9 * rows.len() && {
            words_of(seen.name).last().is_some_and(|word| BESIDE.contains(&word.as_str()))
        }
    };
    let usable = |seen: &&Seen<'_>| 2 * seen.count >= rows.len() && !is_of_rating(seen.name) && !is_id(seen);
    let of_type = |is_text: bool, most: usize| -> Vec<String> {
        let fits = columns.values().filter(usable).filter(|seen| seen.is_text() == is_text);
        fits.take(most).map(|seen| seen.name.to_owned()).collect()
    };
    let found = LabelColumns { numbers: of_type(false, MOST_NUMBERS), texts: of_type(true, MOST_TEXTS) };
    let has_embedding = rows.iter().any(|row| !row.embedding.is_empty());
    (has_embedding || !found.numbers.is_empty() || !found.texts.is_empty()).then_some(found)
}

/// Whether a column is called by one of these words, and by nothing else but `id` and the like.
fn is_named(column: &str, words: &[&str]) -> bool {
    let parts = words_of(column);
    let is_word = |part: &String| words.contains(&part.as_str());
    parts.iter().any(is_word) && parts.iter().all(|part| is_word(part) || BESIDE.contains(&part.as_str()))
}

/// `feature_movieId` is `movie`, `id`.
fn words_of(column: &str) -> Vec<String> {
    let name = wardline_domain::column::feature_of(column)
        .or_else(|| wardline_domain::column::attribute_of(column))
        .unwrap_or(column);
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && was_small) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        was_small = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_words() {
        for name in ["feature_item", "feature_movieId", "attribute_product_id", "feature_asin", "feature_Item_Code"] {
            assert!(is_named(name, &ITEM), "{name}");
        }
        for name in ["feature_item_popularity", "feature_items_seen", "feature_age", "feature_id"] {
            assert!(!is_named(name, &ITEM), "{name}");
        }
    }
}
