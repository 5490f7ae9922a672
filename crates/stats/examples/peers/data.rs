//! Reads the columns that `benches/peers/data.py` wrote.

use std::fs;
use std::io;
use std::path::Path;

/// Doubles, little-endian.
pub(crate) fn numbers(folder: &Path, name: &str) -> io::Result<Vec<f64>> {
    let bytes = fs::read(folder.join(format!("{name}.f64")))?;
    let (chunks, _) = bytes.as_chunks::<8>();
    Ok(chunks.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect())
}

/// Codes of 32 bits, little-endian.
pub(crate) fn codes(folder: &Path, name: &str) -> io::Result<Vec<u32>> {
    let bytes = fs::read(folder.join(format!("{name}.u32")))?;
    let (chunks, _) = bytes.as_chunks::<4>();
    Ok(chunks.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect())
}

/// The 20 numeric columns of a side.
pub(crate) fn numeric(folder: &Path, side: &str) -> io::Result<Vec<Vec<f64>>> {
    (0..20).map(|index| numbers(folder, &format!("{side}-n{index:02}"))).collect()
}

/// The 5 categorical columns of a side, as codes of [`words`].
pub(crate) fn categories(folder: &Path, side: &str) -> io::Result<Vec<Vec<u32>>> {
    (0..5).map(|index| codes(folder, &format!("{side}-c{index}"))).collect()
}

/// What the categories are called: the peers get the same text.
pub(crate) fn words() -> Vec<String> {
    (0..1_000).map(|code| format!("v{code}")).collect()
}

/// Columns of text, each word kept once.
pub(crate) fn labels<'a>(categories: &[Vec<u32>], words: &'a [String]) -> Vec<Vec<&'a str>> {
    let spell = |codes: &Vec<u32>| codes.iter().map(|code| words[*code as usize].as_str()).collect();
    categories.iter().map(spell).collect()
}
