//! The journal, the lake, SQL and metadata
