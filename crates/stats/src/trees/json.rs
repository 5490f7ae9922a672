//! JSON of models: numbers to the last bit, and lists within lists only so far.

use serde_json::Value;

use super::LoadError;

/// Objects and lists within each other, at most: LightGBM's trees nest, and a reader must not run out of stack.
const DEEPEST: usize = 512;

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Value, LoadError> {
    let wrong = |what: String| LoadError::Format { format: "JSON", what };
    if depth(bytes) > DEEPEST {
        return Err(wrong(format!("more than {DEEPEST} lists and objects within each other")));
    }
    // It is read in place.
    let mut bytes = bytes.to_vec();
    simd_json::serde::from_slice(&mut bytes).map_err(|error| wrong(error.to_string()))
}

/// The most brackets that are open at once.
fn depth(bytes: &[u8]) -> usize {
    let (mut open, mut most, mut in_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                open += 1;
                most = most.max(open);
            }
            b']' | b'}' if !in_text => open = open.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_last_bit() {
        for number in [-2.256_080_865_859_985_4_f64, 0.1, 0.119_944_079_778_098_48] {
            let read = read(format!("[{number:e}, {number}]").as_bytes()).unwrap();
            assert_eq!(read[0].as_f64(), Some(number));
            assert_eq!(read[1].as_f64(), Some(number));
        }
    }

    #[test]
    fn what_nests_too_far_is_refused() {
        assert!(read("[".repeat(2_000_000).as_bytes()).is_err());
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(DEEPEST).as_bytes()).is_ok());
        assert!(read(nested(DEEPEST + 1).as_bytes()).is_err());
        assert!(read(br#"{"[[": "]]\"[[["}"#).is_ok());
    }
}
