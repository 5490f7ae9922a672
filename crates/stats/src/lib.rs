//! Numbers in, numbers out: sketches, tests and sequential tests for watching models
