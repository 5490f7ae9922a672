//! Why a file is no catalogue.

/// Why a file could not be read as a release of MITRE ATLAS.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AtlasError {
    /// No release is as large.
    #[error("the file has {bytes} bytes, and at most {most} are read: take ATLAS.yaml or stix-atlas.json of a release")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// Not UTF-8.
    #[error("the file is no UTF-8 text: take ATLAS.yaml or stix-atlas.json of a release")]
    NotText,
    /// Neither the YAML of a release nor anything like it.
    #[error("the file is no ATLAS YAML: {message}")]
    Yaml {
        /// What the reader met.
        message: String,
    },
    /// No STIX bundle.
    #[error("the file is no STIX bundle: {message}")]
    Stix {
        /// What the reader met.
        message: String,
    },
    /// A format that came after the ones that are known.
    #[error(
        "the file has format version `{version}`, which is not known: take a release 4.x or 5.x, or its STIX bundle"
    )]
    Format {
        /// What it says of itself.
        version: String,
    },
    /// Nothing of ATLAS in it.
    #[error("the file holds no ATLAS {what}: take ATLAS.yaml or stix-atlas.json of a release")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// An id that is none.
    #[error("`{id}` is no id of {what}: they look like {like}")]
    Id {
        /// What was written.
        id: String,
        /// Of what it should be one.
        what: &'static str,
        /// How they look.
        like: &'static str,
    },
    /// An id that is there twice with different facts.
    #[error("`{id}` is there twice, and the two differ")]
    Twice {
        /// The id.
        id: String,
    },
    /// A reference that leads nowhere.
    #[error("`{from}` refers to `{to}`, which the file does not hold")]
    Unknown {
        /// What refers.
        from: String,
        /// To what.
        to: String,
    },
    /// A sub-technique of a sub-technique.
    #[error("`{id}` is a form of `{parent}`, which is a form of another technique itself")]
    Nested {
        /// The sub-technique.
        id: String,
        /// What it calls its parent.
        parent: String,
    },
}
