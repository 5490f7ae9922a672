//! Length of files and functions, and that each module says what it is for.

use super::{
    Complaint, Limits,
    rust_text::{code_of, functions, test_modules},
    tree::Tree,
};

pub(super) fn check(tree: &Tree, limits: &Limits, complaints: &mut Vec<Complaint>) {
    for (path, text) in tree.sources() {
        let mut complain =
            |line: Option<usize>, what: String| complaints.push(Complaint { path: path.to_owned(), line, what });
        if !text.trim_start().starts_with("//!") {
            complain(Some(1), "the module does not say its job: begin with one `//!` line".to_owned());
        }
        let code = code_of(text);
        let tests = test_modules(&code);
        let test_lines: usize = tests.iter().map(|module| code[module.clone()].lines().count()).sum();
        let lines = text.lines().count().saturating_sub(test_lines);
        if lines > limits.file_lines {
            let most = limits.file_lines;
            complain(
                None,
                format!("{lines} lines without tests, and at most {most} are allowed: look for the second subject"),
            );
        }
        for function in functions(&code) {
            let length = function.lines.clone().count();
            let offset = |line: usize| code.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
            let start = offset(*function.lines.start());
            if length > limits.function_lines && !tests.iter().any(|module| module.contains(&start)) {
                let (name, most) = (function.name, limits.function_lines);
                complain(
                    Some(*function.lines.start()),
                    format!("`{name}` has {length} lines, and at most {most} fit a screen"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::LIMITS;

    fn complaints(text: &str) -> Vec<String> {
        let mut complaints = Vec::new();
        check(&Tree::of(&[("crates/stats/src/mean.rs", text)]), &LIMITS, &mut complaints);
        complaints.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_function_of_seventy_lines_fits_and_of_seventy_one_does_not() {
        let function = |lines: usize| format!("//! Job.\nfn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2));
        assert!(complaints(&function(70)).is_empty());
        assert_eq!(
            complaints(&function(71)),
            ["crates/stats/src/mean.rs:2: `long` has 71 lines, and at most 70 fit a screen"]
        );
    }

    #[test]
    fn tests_do_not_count() {
        let text = format!(
            "//! Job.\n#[cfg(test)]\nmod tests {{\n    fn long() {{\n{}    }}\n}}\n",
            "        step();\n".repeat(700)
        );
        assert!(complaints(&text).is_empty());
        assert_eq!(complaints(&format!("//! Job.\n{}", "const A: u8 = 1;\n".repeat(700))).len(), 1);
    }

    #[test]
    fn a_module_says_its_job() {
        assert_eq!(complaints("fn main() {}\n").len(), 1);
    }
}
