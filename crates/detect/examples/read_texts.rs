//! Scores texts from standard input, a JSON string each line; prints score and intents.
//!
//! For measuring on corpora that are not part of this repository.

use std::io::{BufRead, Write};

use wardline_detect::text_attack::Reader;

fn main() -> std::io::Result<()> {
    let mut reader = Reader::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?).map_err(std::io::Error::other)?;
        let reading = reader.read(&text);
        let intents: Vec<&str> = reading.intents().map(|intent| intent.words()).collect();
        writeln!(
            out,
            "{}\t{:.4}\t{:?}\t{}",
            reading.score,
            reading.traces.share(),
            reading.hidden,
            intents.join(", ")
        )?;
    }
    Ok(())
}
