//! Texts of notices, cut to what a receiver takes.

use wardline_domain::{Notice, NoticeChange, Severity};

/// A text of at most so many characters, on one line and without control characters.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let spaced = text.chars().map(|character| if is_odd(character) { ' ' } else { character }).collect::<String>();
    cut(&spaced.split_whitespace().collect::<Vec<_>>().join(" "), most)
}

/// A text of at most so many characters, whose lines stay lines.
pub(super) fn lines(text: &str, most: usize) -> String {
    let kept = |character: &char| *character == '\n' || !is_odd(*character);
    cut(&text.chars().filter(kept).collect::<String>(), most)
}

/// Characters that show nothing, or turn around what follows them.
fn is_odd(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// A text of at most so many characters; where some are left out, it ends with `…`.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// What happened, in front of the title: `page, opened`.
pub(super) fn heading(notice: &Notice) -> String {
    let change = match notice.change {
        NoticeChange::Opened if !notice.lasts => "told once",
        change => change.name(),
    };
    format!("{} {change}", severity_word(notice.severity))
}

/// The severity, as a person says it.
const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "Page",
        Severity::Ticket => "Ticket",
        Severity::Info => "Info",
    }
}

/// What is known, by name: what every notice has first, then its own fields.
pub(super) fn fields(notice: &Notice) -> Vec<(&str, String)> {
    let mut fields =
        vec![("model", notice.models_text()), ("kind", notice.kind.clone()), ("began", notice.began.to_string())];
    fields.extend(notice.ended.map(|ended| ("ended", ended.to_string())));
    fields.push((notice.subject.name(), notice.subject_id.clone()));
    fields.extend(notice.fields.iter().map(|(name, value)| (name.as_str(), value.clone())));
    fields.retain(|(_, value)| !value.is_empty());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_keeps_no_control_characters() {
        assert_eq!(one_line("a\r\nSubject: x\u{7}\u{202E}  b", 50), "a Subject: x b");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(lines("a\r\nb\u{0}\u{200B}", 10), "a\nb");
    }
}
