//! The public API of the store.

mod lake;
mod many_files;
mod metadata;
mod rows;
mod sql;
