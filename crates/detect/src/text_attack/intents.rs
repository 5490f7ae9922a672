//! What a text tries, by concepts that stand near each other.

use super::concepts::{
    Concept::{self, *},
    Concepts, Hit,
};

/// What a text tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Intent {
    /// To set aside what the model was told.
    Override,
    /// To make the model someone who has no rules.
    Jailbreak,
    /// To learn the model's own instructions.
    PromptTheft,
    /// To send data away.
    Exfiltration,
    /// To make the model act on something else than what was asked for.
    ToolMisuse,
    /// To speak as the system, by signs that divide roles.
    RoleMarker,
    /// To plant an instruction in memory.
    Planting,
    /// To think in the model's place.
    ForgedReasoning,
    /// To carry an instruction past filters in another notation.
    Encoded,
}

impl Intent {
    /// How many there are.
    pub const COUNT: usize = 9;
    /// All, by number.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Override,
        Self::Jailbreak,
        Self::PromptTheft,
        Self::Exfiltration,
        Self::ToolMisuse,
        Self::RoleMarker,
        Self::Planting,
        Self::ForgedReasoning,
        Self::Encoded,
    ];

    /// In words, for titles.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Override => "instruction override",
            Self::Jailbreak => "jailbreak",
            Self::PromptTheft => "system prompt extraction",
            Self::Exfiltration => "exfiltration",
            Self::ToolMisuse => "tool misuse",
            Self::RoleMarker => "forged role markers",
            Self::Planting => "planting in memory",
            Self::ForgedReasoning => "forged reasoning",
            Self::Encoded => "encoded instruction",
        }
    }
}

struct Rule {
    intent: Intent,
    points: f32,
    parts: &'static [Concepts],
    /// Bytes between one part and the next at most; a word of English has about six.
    gap: usize,
}

const fn of(concepts: &[Concept]) -> Concepts {
    let (mut set, mut at) = (0, 0);
    while at < concepts.len() {
        set |= concepts[at].bit();
        at += 1;
    }
    set
}

const fn rule(intent: Intent, points: f32, gap: usize, parts: &'static [Concepts]) -> Rule {
    Rule { intent, points, parts, gap }
}

const AWAY: Concepts = of(&[Concept::Override, Bypass]);
const LOOSE: Concepts = of(&[Unrestricted, NoRefusal, Persona]);
const DO: Concepts = of(&[Send, Act, Reveal]);

/// Points of concepts near each other, from what each combination means; none were fitted to any corpus.
const RULES: &[Rule] = &[
    rule(Intent::Override, 5.0, 45, &[AWAY, Prior.bit(), Instructions.bit()]),
    rule(Intent::Override, 3.0, 40, &[AWAY, Everything.bit(), Instructions.bit()]),
    rule(Intent::Override, 4.5, 40, &[AWAY, Yours.bit(), of(&[Instructions, Safety])]),
    rule(Intent::Override, 3.5, 40, &[Drop.bit(), Yours.bit(), of(&[Instructions, Safety])]),
    rule(Intent::Override, 4.0, 30, &[Concept::Override.bit(), Everything.bit(), of(&[Prior, Above])]),
    rule(Intent::Override, 4.5, 40, &[of(&[Concept::Override, Bypass]), SystemPrompt.bit()]),
    rule(Intent::Override, 3.5, 40, &[AWAY, Yours.bit(), Prior.bit()]),
    rule(Intent::Override, 2.0, 30, &[AWAY, of(&[Safety, Instructions])]),
    rule(Intent::Override, 4.5, 90, &[Concept::Override.bit(), of(&[Prior, Above, Instructions]), NewTask.bit()]),
    rule(Intent::Override, 2.5, 80, &[NewTask.bit(), of(&[Urgent, Marker])]),
    rule(Intent::Override, 3.5, 120, &[Authority.bit(), of(&[Concept::Override, Bypass, Drop, Unrestricted, Persona])]),
    rule(Intent::Jailbreak, 4.5, 140, &[Role.bit(), Unrestricted.bit()]),
    rule(Intent::Jailbreak, 4.0, 60, &[Role.bit(), Persona.bit()]),
    rule(Intent::Jailbreak, 4.0, 160, &[Role.bit(), NoRefusal.bit()]),
    rule(Intent::Jailbreak, 4.0, 140, &[FromNowOn.bit(), LOOSE]),
    rule(Intent::Jailbreak, 2.0, 60, &[FromNowOn.bit(), Role.bit()]),
    rule(Intent::Jailbreak, 3.5, 160, &[Unrestricted.bit(), of(&[NoRefusal, Persona])]),
    rule(Intent::Jailbreak, 2.5, 60, &[Unrestricted.bit(), Machine.bit()]),
    rule(Intent::Jailbreak, 2.5, 40, &[Persona.bit(), of(&[Machine, Yours, Safety])]),
    rule(Intent::Jailbreak, 3.5, 160, &[AnswerForm.bit(), LOOSE]),
    rule(Intent::Jailbreak, 3.0, 200, &[Harm.bit(), LOOSE]),
    rule(Intent::Jailbreak, 2.5, 120, &[Fiction.bit(), Harm.bit(), Role.bit()]),
    rule(Intent::Jailbreak, 3.0, 120, &[AnswerForm.bit(), Harm.bit()]),
    rule(Intent::PromptTheft, 4.0, 50, &[Reveal.bit(), SystemPrompt.bit()]),
    rule(Intent::PromptTheft, 3.0, 40, &[Reveal.bit(), Above.bit()]),
    rule(
        Intent::PromptTheft,
        4.0,
        60,
        &[Reveal.bit(), Verbatim.bit(), of(&[Instructions, SystemPrompt, Above, Prior])],
    ),
    rule(Intent::PromptTheft, 3.5, 25, &[Reveal.bit(), Yours.bit(), Instructions.bit()]),
    rule(Intent::PromptTheft, 3.5, 120, &[Authority.bit(), SystemPrompt.bit()]),
    rule(Intent::PromptTheft, 3.0, 60, &[Notation.bit(), SystemPrompt.bit()]),
    rule(Intent::Exfiltration, 3.5, 90, &[Send.bit(), Secret.bit(), Address.bit()]),
    rule(Intent::Exfiltration, 1.5, 60, &[Send.bit(), Content.bit(), Address.bit()]),
    rule(Intent::Exfiltration, 2.0, 40, &[of(&[Send, Reveal]), Everything.bit(), Secret.bit()]),
    rule(Intent::Exfiltration, 3.0, 90, &[Machine.bit(), Send.bit(), of(&[Secret, Address])]),
    rule(Intent::Exfiltration, 3.5, 60, &[AWAY, of(&[Send, Reveal]), Secret.bit()]),
    rule(Intent::Exfiltration, 3.5, 80, &[Conceal.bit(), DO]),
    rule(Intent::Exfiltration, 3.0, 80, &[Authority.bit(), of(&[Send, Reveal]), Secret.bit()]),
    rule(Intent::Exfiltration, 3.5, 110, &[BeforeTask.bit(), Send.bit(), of(&[Address, Secret])]),
    rule(Intent::ToolMisuse, 3.0, 110, &[BeforeTask.bit(), DO, of(&[Asset, Content])]),
    rule(Intent::ToolMisuse, 3.0, 60, &[Machine.bit(), BeforeTask.bit()]),
    rule(Intent::ToolMisuse, 3.0, 90, &[Urgent.bit(), BeforeTask.bit()]),
    rule(Intent::ToolMisuse, 2.0, 50, &[Urgent.bit(), Machine.bit()]),
    rule(Intent::ToolMisuse, 2.5, 60, &[Machine.bit(), NewTask.bit()]),
    rule(
        Intent::RoleMarker,
        4.0,
        90,
        &[
            Marker.bit(),
            of(&[
                Concept::Override,
                Bypass,
                NewTask,
                Role,
                Persona,
                Unrestricted,
                SystemPrompt,
                BeforeTask,
                Conceal,
                FromNowOn,
                Remember,
            ]),
        ],
    ),
    rule(
        Intent::RoleMarker,
        3.0,
        60,
        &[Marker.bit(), of(&[Machine, Yours, Authority]), of(&[Send, Act, Reveal, Instructions, Safety])],
    ),
    rule(Intent::RoleMarker, 2.5, 60, &[Marker.bit(), of(&[Send, Act, Reveal, Drop]), of(&[Secret, Asset, Safety])]),
    rule(
        Intent::Planting,
        3.0,
        130,
        &[
            Remember.bit(),
            of(&[
                Concept::Override,
                Bypass,
                NewTask,
                SystemPrompt,
                Secret,
                Conceal,
                Unrestricted,
                FromNowOn,
                BeforeTask,
                Instructions,
            ]),
        ],
    ),
    rule(
        Intent::ForgedReasoning,
        3.0,
        120,
        &[Reasoning.bit(), of(&[Safety, Instructions, NoRefusal, Unrestricted, Authority, Concept::Override])],
    ),
    rule(Intent::Encoded, 2.5, 70, &[Notation.bit(), Decode.bit()]),
    rule(
        Intent::Encoded,
        3.5,
        90,
        &[Notation.bit(), Decode.bit(), of(&[Instructions, NewTask, Concept::Override, Role])],
    ),
];

/// Points for each intent, the best of its rules.
pub(super) type Points = [f32; Intent::COUNT];

/// A stretch that reads as an attack, spoken of by somebody who explains or asks, is worth less by so many points.
const MENTIONED: f32 = 1.5;
const QUOTED: f32 = 1.0;
const MENTIONED_IN_QUOTES: f32 = 4.0;
/// So many less where somebody tells of ignoring, rather than asks for it.
const TOLD: f32 = 3.0;
const ABOUT_SOFTWARE: f32 = 1.0;
/// How near such talk must be, in bytes.
const NEAR_BEFORE: usize = 120;
const NEAR_AFTER: usize = 60;

/// Points of a text with its hits in order.
pub(super) fn points(text: &str, hits: &[Hit]) -> Points {
    let mut points = [0.0; Intent::COUNT];
    let present = hits.iter().fold(0, |set, hit| set | hit.concept.bit());
    let rules: Vec<&Rule> = RULES.iter().filter(|rule| rule.parts.iter().all(|part| part & present != 0)).collect();
    if rules.is_empty() {
        return points;
    }
    let context = Context::of(text, hits);
    for rule in rules {
        let most = &mut points[rule.intent as usize];
        for (place, first) in hits.iter().enumerate() {
            if rule.points <= *most {
                break;
            }
            if rule.parts[0] & first.concept.bit() == 0 {
                continue;
            }
            if let Some((start, end)) = completed(rule, hits, place) {
                *most = most.max(rule.points - context.discount(text, first, start, end));
            }
        }
    }
    points
}

/// Start and end of the rule's parts around a hit of the first one, each within the gap of those before.
fn completed(rule: &Rule, hits: &[Hit], place: usize) -> Option<(usize, usize)> {
    let first = &hits[place];
    let mut span = (first.start, first.end);
    let mut taken: [Option<(usize, usize)>; 3] = [Some(span), None, None];
    for (at, part) in rule.parts.iter().enumerate().skip(1) {
        let found = near(hits, place, span, rule.gap)
            .filter(|hit| part & hit.concept.bit() != 0)
            .find(|hit| taken.iter().flatten().all(|&(start, end)| hit.end <= start || end <= hit.start))?;
        taken[at] = Some((found.start, found.end));
        span = (span.0.min(found.start), span.1.max(found.end));
    }
    Some(span)
}

/// Hits within a gap of a span: those behind it first, as most languages go on.
fn near(hits: &[Hit], place: usize, span: (usize, usize), gap: usize) -> impl Iterator<Item = &Hit> {
    let behind = hits[place..].iter().take_while(move |hit| hit.start <= span.1 + gap);
    let before = hits[..place]
        .iter()
        .rev()
        .take_while(move |hit| hit.start + gap + 40 >= span.0)
        .filter(move |hit| hit.end + gap >= span.0);
    behind.chain(before)
}

/// What stands around.
struct Context {
    quotes: Vec<(usize, usize)>,
    mentions: Vec<usize>,
    software: usize,
}

impl Context {
    fn of(text: &str, hits: &[Hit]) -> Self {
        let mentions = hits.iter().filter(|hit| hit.concept == Mention).map(|hit| hit.start).collect();
        let software = hits.iter().filter(|hit| hit.concept == Software).count();
        Self { quotes: quotes(text), mentions, software }
    }

    fn discount(&self, text: &str, first: &Hit, start: usize, end: usize) -> f32 {
        let is_quoted = self.quotes.iter().any(|&(from, until)| from <= start && end <= until);
        let is_mentioned = self
            .mentions
            .iter()
            .any(|&at| at < start && start <= at + NEAR_BEFORE || end <= at && at <= end + NEAR_AFTER);
        let mut discount = match (is_quoted, is_mentioned) {
            (true, true) => MENTIONED_IN_QUOTES,
            (true, false) => QUOTED,
            (false, true) => MENTIONED,
            (false, false) => 0.0,
        };
        if matches!(first.concept, Concept::Override | Bypass | Drop | Reveal) && is_told(&text[..first.start]) {
            discount += TOLD;
        }
        if self.software >= 2 && text.len() < 400 {
            discount += ABOUT_SOFTWARE;
        }
        discount
    }
}

/// Spans within quotation marks, each within a line and no longer than a paragraph.
fn quotes(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    for mark in ['"', '`'] {
        let mut open: Option<usize> = None;
        for (at, letter) in text.char_indices() {
            if letter == '\n' {
                open = None;
            } else if letter == mark {
                match open.take() {
                    // What is quoted from the first letter on is a message in quotes, not a quote in a message.
                    Some(from) if from > 1 && at - from <= 400 => spans.push((from, at)),
                    Some(_) => {}
                    None => open = Some(at),
                }
            }
        }
    }
    for (from, _) in text.match_indices(" '") {
        if let Some(length) = text[from + 2..].find(['\'', '\n'])
            && text[from + 2 + length..].starts_with('\'')
            && length <= 300
            && !text[from + 3 + length..].starts_with(char::is_alphabetic)
        {
            spans.push((from + 1, from + 2 + length));
        }
    }
    spans
}

/// Words before a verb that make it a tale.
const TELLERS: [&str; 44] = [
    "i",
    "we",
    "they",
    "he",
    "she",
    "it",
    "who",
    "can't",
    "cannot",
    "don't",
    "not",
    "didn't",
    "doesn't",
    "people",
    "users",
    "customers",
    "drivers",
    "if",
    "that",
    "which",
    "git",
    "eslint",
    "compiler",
    "did",
    "does",
    "would",
    "could",
    "how",
    "why",
    "will",
    "might",
    "often",
    "sometimes",
    "accidentally",
    "kids",
    "team",
    "manager",
    "boss",
    "colleague",
    "always",
    "never",
    "really",
    "script",
    "parser",
];

/// Whether the words before a verb make it a tale: `we ignore`, `told me to ignore`, `how to bypass`.
fn is_told(before: &str) -> bool {
    let mut words = before.trim_end().rsplit(|letter: char| letter.is_whitespace());
    let last = words.next().unwrap_or_default();
    if last == "to" {
        let earlier = words.next().unwrap_or_default();
        return matches!(
            earlier,
            "me" | "us"
                | "him"
                | "her"
                | "them"
                | "how"
                | "developers"
                | "users"
                | "people"
                | "trying"
                | "safe"
                | "okay"
                | "ok"
                | "best"
                | "way"
                | "possible"
                | "when"
                | "supposed"
                | "tries"
                | "try"
                | "tried"
                | "attempts"
                | "decided"
                | "likely"
                | "tend"
                | "tends"
        );
    }
    TELLERS.contains(&last) && !before.ends_with("you will")
}
