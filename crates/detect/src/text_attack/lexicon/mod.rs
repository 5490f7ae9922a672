//! Words and phrases of attacks and of what is like them, written for this purpose.
//!
//! `|` divides entries, a `*` at the end lets letters follow, and entries are folded as texts are.

use super::concepts::Concept;

mod east_asian;
mod english;
mod germanic;
mod romance;
mod slavic;

/// Entries of one concept.
pub(super) type Entries = (Concept, &'static str);

/// All lists.
pub(super) const ALL: &[&[Entries]] = &[
    english::ENTRIES,
    germanic::GERMAN,
    germanic::DUTCH,
    romance::FRENCH,
    romance::SPANISH,
    romance::ITALIAN,
    romance::PORTUGUESE,
    slavic::POLISH,
    slavic::RUSSIAN,
    east_asian::CHINESE,
    east_asian::JAPANESE,
];
