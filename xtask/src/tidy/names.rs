//! Names of files and modules that say nothing.

use super::{Complaint, Limits, rust_text::code_of, tree::Tree};

pub(super) fn check(tree: &Tree, limits: &Limits, complaints: &mut Vec<Complaint>) {
    for (path, text) in tree.rust() {
        let mut complain = |line: Option<usize>, name: &str| {
            let what = format!("`{name}` says nothing: a thing without a better name has no job yet");
            complaints.push(Complaint { path: path.to_owned(), line, what });
        };
        for part in path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part)) {
            if is_forbidden(part, limits) {
                complain(None, part);
            }
        }
        for (index, line) in code_of(text).lines().enumerate() {
            let declared = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let name: Option<String> = declared
                .strip_prefix("mod ")
                .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            if let Some(name) = name.filter(|name| is_forbidden(name, limits)) {
                complain(Some(index + 1), &name);
            }
        }
    }
}

/// `manager` and `session_manager` alike.
fn is_forbidden(name: &str, limits: &Limits) -> bool {
    name.split('_').any(|word| limits.forbidden_names.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::LIMITS;

    fn count(path: &str, text: &str) -> usize {
        let mut complaints = Vec::new();
        check(&Tree::of(&[(path, text)]), &LIMITS, &mut complaints);
        complaints.len()
    }

    #[test]
    fn names_that_say_nothing_are_found_in_paths_and_modules() {
        assert_eq!(count("crates/app/src/utils.rs", "//! x"), 1);
        assert_eq!(count("crates/app/src/session_manager/mod.rs", "//! x"), 1);
        assert_eq!(count("crates/app/src/a.rs", "pub(crate) mod helpers {\n}\n"), 1);
        assert_eq!(count("crates/app/src/commonly.rs", "// mod utils {}\nmod management;\n"), 0);
    }
}
