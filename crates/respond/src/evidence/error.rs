//! Why a pack cannot be made.

/// Why a pack cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A path that is none, or that means different files on different systems.
    #[error(
        "`{0}` cannot be the path of a file in a pack: use lower-case letters, digits, `.`, `_`, `-` and `/`, \
         at most 200 bytes, no part that starts with a dot, and not the name of the manifest"
    )]
    Path(String),
    /// Two files of one path.
    #[error("two files have the path `{0}`: give each its own")]
    Twice(String),
    /// Too much.
    #[error("the pack would have {has} {what}, and may have {most}: export a shorter stretch of time")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many it has.
        has: usize,
        /// The most.
        most: usize,
    },
    /// A log that is damaged already.
    #[error("`{path}` is no whole log, {damage}: find out what happened to it, or add it as an ordinary file")]
    DamagedLog {
        /// Its path.
        path: String,
        /// What is wrong.
        damage: String,
    },
    /// The manifest has no JSON form, or the archive could not be written.
    #[error("the pack could not be written: {0}")]
    NotWritten(String),
}
