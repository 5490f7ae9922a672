//! Why events could not be made durable, and what to do about it.

use std::io;

/// Events could not be journalled; none of them is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// More waits to be written than the queue may hold.
    #[error(
        "{queued_bytes} bytes wait to be written and at most {most_bytes} may: send again in a second, and if it stays so, send slower or give `{location}` a faster disk"
    )]
    Busy {
        /// Bytes that wait.
        queued_bytes: usize,
        /// The limit.
        most_bytes: usize,
        /// Where the journal is.
        location: String,
    },
    /// One append is larger than the journal takes.
    #[error("one append has {bytes} bytes and at most {most_bytes} are taken: send it in smaller parts")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        most_bytes: usize,
    },
    /// No space is left.
    #[error("the disk of `{location}` is full: free space there; intake goes on by itself once there is some")]
    DiskFull {
        /// Where the journal is.
        location: String,
    },
    /// The folder cannot be written.
    #[error(
        "`{location}` cannot be written: {detail}: mount it for writing, or give the user of this process the right to write there; intake goes on by itself after that"
    )]
    ReadOnly {
        /// Where the journal is.
        location: String,
        /// What the system said.
        detail: String,
    },
    /// The disk failed.
    #[error(
        "the disk of `{location}` failed: {detail}: check the disk and the system's log; intake goes on by itself once writing succeeds"
    )]
    Io {
        /// Where the journal is.
        location: String,
        /// What the system said.
        detail: String,
    },
    /// The events have a form that the journal cannot hold.
    #[error("the events cannot be journalled: {detail}: report this with the sender's name")]
    Unencodable {
        /// Why.
        detail: String,
    },
    /// The journal is shut.
    #[error("the journal is shut, as the server is stopping: send again when it is back")]
    Closed,
}

impl AppendError {
    /// What a failed operation of the system means for whoever reads it.
    pub(crate) fn from_io(error: &io::Error, location: String) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { location },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::ReadOnly { location, detail: error.to_string() }
            }
            _ => Self::Io { location, detail: error.to_string() },
        }
    }

    /// Whether sending the same again may succeed.
    pub const fn is_temporary(&self) -> bool {
        !matches!(self, Self::TooLarge { .. } | Self::Unencodable { .. })
    }
}

/// The journal could not be opened: its folder is not there and cannot be made, or cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error(
    "the journal at `{location}` cannot be opened: check that the folder is there and that the user of this process may read and write it"
)]
pub struct OpenError {
    /// Where it should be.
    pub location: String,
    /// What the system said.
    #[source]
    pub source: io::Error,
}
