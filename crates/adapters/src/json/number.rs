//! JSON numbers: whole ones as `i64` where they fit, the others as the nearest `f64`.

use super::Shape;

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The largest whole number below which every whole number is a double.
const MOST_EXACT: u64 = 1 << 53;

/// Why a number could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberProblem {
    /// It breaks the grammar at this byte, counted from its start.
    Malformed(usize),
    /// No double is so large.
    TooLarge,
}

/// Reads the number at the start of `bytes`; gives what it is and how many bytes it has.
///
/// # Errors
/// [`NumberProblem`].
#[inline]
pub(super) fn read(text: &str, start: usize) -> Result<(Shape, usize), NumberProblem> {
    let bytes = &text.as_bytes()[start..];
    let negative = bytes.first() == Some(&b'-');
    let first = usize::from(negative);
    let mut mantissa = 0u64;
    let mut at = digits(bytes, first, &mut mantissa);
    let whole_digits = at - first;
    if whole_digits == 0 || (whole_digits > 1 && bytes[first] == b'0') {
        return Err(NumberProblem::Malformed(at));
    }
    let mut fraction_digits = 0;
    let mut is_whole = true;
    if bytes.get(at) == Some(&b'.') {
        is_whole = false;
        let from = at + 1;
        at = digits(bytes, from, &mut mantissa);
        fraction_digits = at - from;
        if fraction_digits == 0 {
            return Err(NumberProblem::Malformed(at));
        }
    }
    let mut exponent = 0i64;
    if let Some(b'e' | b'E') = bytes.get(at) {
        is_whole = false;
        (exponent, at) = read_exponent(bytes, at + 1)?;
    }
    // Eighteen digits fit into 64 bits; the sum of more of them has wrapped around.
    let n_digits = whole_digits + fraction_digits;
    if is_whole && n_digits <= 18 && !(negative && mantissa == 0) {
        let value = mantissa as i64;
        return Ok((Shape::Integer(if negative { -value } else { value }), at));
    }
    let power = exponent - fraction_digits as i64;
    if n_digits <= 18 && mantissa <= MOST_EXACT && power.unsigned_abs() <= 22 {
        // Both operands are exact, so one rounding gives the nearest double (Clinger, PLDI 1990).
        let scale = EXACT_POWERS[power.unsigned_abs() as usize];
        let value = if power < 0 { mantissa as f64 / scale } else { mantissa as f64 * scale };
        return Ok((Shape::Number(if negative { -value } else { value }), at));
    }
    let written = &text[start..start + at];
    if is_whole
        && let Ok(value) = written.parse()
        && !(negative && value == 0)
    {
        return Ok((Shape::Integer(value), at));
    }
    match written.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Shape::Number(value), at)),
        _ => Err(NumberProblem::TooLarge),
    }
}

#[inline]
fn digits(bytes: &[u8], from: usize, sum: &mut u64) -> usize {
    let mut at = from;
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        *sum = sum.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    at
}

fn read_exponent(bytes: &[u8], from: usize) -> Result<(i64, usize), NumberProblem> {
    let negative = bytes.get(from) == Some(&b'-');
    let first = from + usize::from(matches!(bytes.get(from), Some(b'-' | b'+')));
    let mut sum = 0;
    let at = digits(bytes, first, &mut sum);
    if at == first {
        return Err(NumberProblem::Malformed(at));
    }
    // An exponent of nine digits is beyond every double, and so is one whose sum has wrapped around.
    let size = if at - first > 9 { 1_000_000_000 } else { sum as i64 };
    Ok((if negative { -size } else { size }, at))
}
