//! Just enough Rust to count lines: where comments and strings are, where a block ends.

use std::ops::Range;

/// A function: its name and its lines, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// From the line of `fn` to that of its closing brace.
    pub(crate) lines: std::ops::RangeInclusive<usize>,
}

/// The text with comments, strings and characters blanked out; every line keeps its place.
pub(crate) fn code_of(text: &str) -> String {
    let mut code = text.as_bytes().to_vec();
    let mut at = 0;
    while at < code.len() {
        let end = skipped_until(text.as_bytes(), at);
        for byte in &mut code[at..end.max(at)] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    // Only whole comments and strings were blanked out, so what is left is still UTF-8.
    String::from_utf8_lossy(&code).into_owned()
}

/// Ranges of bytes of `#[cfg(test)]` modules in blanked-out code.
pub(crate) fn test_modules(code: &str) -> Vec<Range<usize>> {
    let mut modules = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        from = start + 12;
        let rest = code[from..].trim_start();
        let is_module = rest.starts_with("mod ") || rest.starts_with("pub(crate) mod ");
        let opens = code[from..].find(['{', ';']).map(|offset| from + offset);
        if let Some(open) = opens.filter(|&open| is_module && code.as_bytes()[open] == b'{') {
            let end = block_end(code, open);
            modules.push(start..end);
            from = end;
        }
    }
    modules
}

/// Functions with a body in blanked-out code.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(offset) = code[from..].find("fn ") {
        let start = from + offset;
        from = start + 3;
        let is_word = start == 0 || !is_name(bytes[start - 1]);
        let name: String = code[from..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !is_word || name.is_empty() {
            continue;
        }
        if let Some(open) = body_of(code, from) {
            let line = |at: usize| code[..at].matches('\n').count() + 1;
            found.push(Function { name, lines: line(start)..=line(block_end(code, open).saturating_sub(1)) });
        }
    }
    found
}

/// Where a function's body opens; `None` where a `;` ends the signature.
fn body_of(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0i32;
    for (offset, byte) in code.as_bytes()[from..].iter().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(from + offset),
            _ => {}
        }
    }
    None
}

/// One past the brace that closes the block opened at `open`.
fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0i32;
    for (offset, byte) in code.as_bytes()[open..].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + offset + 1;
        }
    }
    code.len()
}

/// The end of a comment, a string or a character that starts at `at`; `at` where none does.
fn skipped_until(text: &[u8], at: usize) -> usize {
    let rest = &text[at..];
    let starts_word = at == 0 || !is_name(text[at - 1]);
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'"', ..] => at + quoted(rest),
        [b'r', ..] | [b'b' | b'c', b'r', ..] if starts_word => raw_string(text, at),
        [b'\'', ..] => at + character(rest),
        _ => at,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(text: &[u8], at: usize) -> usize {
    let after_r = at + text[at..].iter().position(|&byte| byte == b'r').map_or(0, |place| place + 1);
    let hashes = text[after_r..].iter().take_while(|&&byte| byte == b'#').count();
    if text.get(after_r + hashes) != Some(&b'"') {
        return at;
    }
    let mut closing = vec![b'"'];
    closing.resize(1 + hashes, b'#');
    let body = after_r + hashes + 1;
    text[body..]
        .windows(closing.len())
        .position(|window| window == closing)
        .map_or(text.len(), |end| body + end + closing.len())
}

/// The length of a character such as `'{'` or `'\n'`; 0 for a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return rest.iter().skip(3).position(|&byte| byte == b'\'').map_or(0, |end| end + 4);
    }
    // A character has at most four bytes, and a lifetime no quote behind its first letter.
    let first = rest.get(1).map_or(1, |&byte| match byte {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    });
    if rest.get(1 + first) == Some(&b'\'') { first + 2 } else { 0 }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r##"//! Module. { "
/* one { /* two */ } */
fn first<'a>(text: &'a str) -> char {
    let brace = '{'; // }
    let quote = '\''; let text = "}\"}"; let raw = r#"} " }"#;
    if text.is_empty() { '}' } else { 'é' }
}
trait Named { fn name(&self) -> [u8; 4]; }

#[cfg(test)]
mod tests {
    fn helper() {
    }
}
"##;

    #[test]
    fn functions_end_where_their_brace_does() {
        let functions = functions(&code_of(TEXT));
        let expected = [("first", 3..=7), ("helper", 12..=13)];
        let expected = expected.map(|(name, lines)| Function { name: name.to_owned(), lines });
        assert_eq!(functions, expected);
    }

    #[test]
    fn blanking_keeps_every_line_where_it_was() {
        let code = code_of(TEXT);
        assert_eq!(code.lines().count(), TEXT.lines().count());
        assert!(!code.contains('"') && !code.contains("Module"), "{code}");
    }

    #[test]
    fn test_modules_are_found_and_declarations_are_none() {
        let code = code_of(TEXT);
        let modules = test_modules(&code);
        assert_eq!(modules.len(), 1);
        assert!(code[modules[0].clone()].contains("helper"));
        assert!(test_modules("#[cfg(test)]\nmod tests;\nfn main() {}\n").is_empty());
    }
}
