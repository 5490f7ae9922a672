//! Which words and phrases stand for which concept, in any of the languages of the lexicon.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::lexicon;

/// What words of many languages have in common, as far as attacks are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Concept {
    /// To ignore, forget, set aside, as it is asked for.
    Override,
    /// To delete, skip, switch off.
    Drop,
    /// To get around something that protects.
    Bypass,
    /// What came before.
    Prior,
    /// All of it.
    Everything,
    /// Instructions, rules, restrictions.
    Instructions,
    /// Of the assistant: `your`, `you were given`.
    Yours,
    /// Filters, safety, guardrails, policies.
    Safety,
    /// The assistant's own instructions.
    SystemPrompt,
    /// Text that stands above.
    Above,
    /// To show, repeat, print.
    Reveal,
    /// Word for word.
    Verbatim,
    /// To be someone else from now on.
    Role,
    /// From now on.
    FromNowOn,
    /// Without rules.
    Unrestricted,
    /// Names and modes that stand for being without rules.
    Persona,
    /// Never to refuse, warn or apologise.
    NoRefusal,
    /// To send away.
    Send,
    /// Passwords, keys, personal data, conversations.
    Secret,
    /// What else can be sent.
    Content,
    /// An address to send to: `http://`, `@`.
    Address,
    /// To run, delete, pay.
    Act,
    /// What is acted on: files, databases, accounts, money.
    Asset,
    /// Signs that divide roles in prompts.
    Marker,
    /// An assistant, a language model.
    Machine,
    /// Important, urgent, new.
    Urgent,
    /// New instructions.
    NewTask,
    /// First do this, before what was asked.
    BeforeTask,
    /// Not to tell the user.
    Conceal,
    /// The speaker has authority.
    Authority,
    /// Fiction.
    Fiction,
    /// What nobody should be taught.
    Harm,
    /// Another notation.
    Notation,
    /// To read another notation.
    Decode,
    /// Forms of answers that suppress a refusal.
    AnswerForm,
    /// To keep for later conversations.
    Remember,
    /// The assistant's thoughts.
    Reasoning,
    /// Talk about attacks, rather than one.
    Mention,
    /// Talk about code and tools.
    Software,
}

/// Sets of concepts, as bits.
pub(super) type Concepts = u64;

impl Concept {
    pub(super) const fn bit(self) -> Concepts {
        1 << self as u8
    }
}

/// A word or phrase that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) concept: Concept,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Hits that are kept of one text.
const MOST_HITS: usize = 600;

struct Entry {
    concept: Concept,
    /// Whether letters may follow.
    is_stem: bool,
    is_bounded: (bool, bool),
}

struct Automaton {
    search: AhoCorasick,
    entries: Vec<Vec<Entry>>,
}

static AUTOMATON: LazyLock<Option<Automaton>> = LazyLock::new(build);

fn build() -> Option<Automaton> {
    let mut patterns: Vec<String> = Vec::new();
    let mut entries: Vec<Vec<Entry>> = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for (concept, words) in lexicon::ALL.iter().flat_map(|lists| lists.iter()) {
        for written in words.split('|').map(str::trim).filter(|word| !word.is_empty()) {
            let (word, is_stem) = written.strip_suffix('*').map_or((written, false), |stem| (stem, true));
            // A stroke within an entry is written as a broken one.
            let word = super::fold::fold(&word.replace('¦', "|")).text;
            // Scripts without spaces have no bounds of words.
            let is_bounded =
                (word.chars().next().is_some_and(is_spaced_letter), word.chars().last().is_some_and(is_spaced_letter));
            let place = *places.entry(word.clone()).or_insert_with(|| {
                patterns.push(word);
                entries.push(Vec::new());
                patterns.len() - 1
            });
            entries[place].push(Entry { concept: *concept, is_stem, is_bounded });
        }
    }
    let search = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .match_kind(MatchKind::Standard)
        .build(&patterns)
        .ok()?;
    Some(Automaton { search, entries })
}

fn is_spaced_letter(letter: char) -> bool {
    letter.is_alphanumeric() && u32::from(letter) < 0x2E80
}

/// All hits in a folded text, by place. Where words are not divided, as in what was spaced out, bounds do not count.
pub(super) fn hits(text: &str, is_divided: bool, hits: &mut Vec<Hit>) {
    hits.clear();
    let Some(automaton) = AUTOMATON.as_ref() else { return };
    for found in automaton.search.find_overlapping_iter(text) {
        let (start, end) = (found.start(), found.end());
        for entry in &automaton.entries[found.pattern().as_usize()] {
            let before = !entry.is_bounded.0 || !text[..start].ends_with(is_spaced_letter);
            let after = entry.is_stem || !entry.is_bounded.1 || !text[end..].starts_with(is_spaced_letter);
            if (before && after || !is_divided && end - start >= 5) && hits.len() < MOST_HITS {
                hits.push(Hit { concept: entry.concept, start, end });
            }
        }
    }
    hits.sort_by_key(|hit| (hit.start, hit.end, hit.concept as u8));
}
