//! Everything that speaks to another system: sources and decoders
