//! Texts and lists of outside files, with a bound.
//!
//! A few bytes of YAML can stand for gigabytes, because what was written once may be repeated by its name.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// The longest id, name or version.
const MOST_LETTERS: usize = 200;

/// A short text; a number is taken for its digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Short(pub(super) String);

impl<'de> Deserialize<'de> for Short {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Short;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a short text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Short, E> {
                if text.len() > MOST_LETTERS {
                    return Err(E::custom(format!("a name or id has {} letters", text.len())));
                }
                Ok(Short(text.to_owned()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Short, E> {
                Ok(Short(format!("{number:?}")))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Short, E> {
                Ok(Short(number.to_string()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Short, E> {
                Ok(Short(number.to_string()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A list of at most so many entries. A map in its place is passed over: formats of other years have some.
#[derive(Clone, Debug)]
pub(super) struct Bounded<T, const MOST: usize>(pub(super) Vec<T>);

impl<T, const MOST: usize> Default for Bounded<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Bounded<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T, const MOST: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Reader<T, MOST> {
            type Value = Bounded<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Bounded::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Bounded::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = sequence.next_element()? {
                    if items.len() == MOST {
                        return Err(A::Error::custom(format!("a list has more than {MOST} entries")));
                    }
                    items.push(item);
                }
                Ok(Bounded(items))
            }
        }
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// A link to another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// A bare text: an id, or a word.
    Text(String),
    /// The `id` of an object, which may say more.
    Object(String),
    /// Anything else.
    Other,
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Link;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id, or an object with an id")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Link, E> {
                if text.len() > MOST_LETTERS { Ok(Link::Other) } else { Ok(Link::Text(text.to_owned())) }
            }

            fn visit_unit<E: Error>(self) -> Result<Link, E> {
                Ok(Link::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Link, A::Error> {
                let mut id = None;
                while let Some(key) = map.next_key::<Short>()? {
                    if key.0 == "id" {
                        id = Some(map.next_value::<Short>()?.0);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(id.map_or(Link::Other, Link::Object))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
