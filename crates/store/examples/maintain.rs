//! Maintains a lake as the server does, and prints what each step took.
//!
//! `cargo run --release --example maintain -- FOLDER`, on a folder that no server has open. Linux only: the
//! most memory is read from `/proc`.

use std::time::Instant;

use wardline_domain::Timestamp;
use wardline_store::{Lake, LakeSettings};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let lake = Lake::open(LakeSettings::at(folder)).await?;
    println!("opened {} tables: {}", lake.table_names().len(), memory()?);
    let begun = Instant::now();
    let merged = lake.compact().await?;
    println!("{merged:?} in {:.2} s: {}", begun.elapsed().as_secs_f64(), memory()?);
    let begun = Instant::now();
    let now = Timestamp::from_micros(chrono::Utc::now().timestamp_micros());
    let report = lake.maintain(now).await;
    println!("{report:?} in {:.2} s: {}", begun.elapsed().as_secs_f64(), memory()?);
    lake.close().await?;
    Ok(())
}

fn memory() -> Result<String, std::io::Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let lines = status
        .lines()
        .filter(|line| ["VmHWM", "VmRSS", "RssAnon", "Threads"].iter().any(|name| line.starts_with(name)));
    Ok(lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", "))
}
