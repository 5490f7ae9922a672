//! What was hashed is nowhere on disk in the clear.

use crate::server::{Server, files_below};

const SECRETS: [&str; 4] =
    ["maria.silva@example.org", "my-prompt-is-very-private", "78123.456789", "output-nobody-may-read"];

/// Goal: no file of the data folder holds a hashed value, whatever the server does with the events.
/// Method: events with marked values, refused ones too, through journal, tables, dead letters and a stop;
/// then every byte on disk is searched, unpacked where it is Parquet.
#[test]
fn hashed_values_are_nowhere_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wardline.toml");
    let rules = "[[privacy.rules]]\nfield = \"user\"\ntreatment = \"hash\"\n[[privacy.rules]]\nfield = \"feature_income\"\ntreatment = \"hmac\"\n";
    std::fs::write(&config, rules).unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, &["--config", config.to_str().unwrap()]);
    let [user, prompt, income, output] = SECRETS;
    for index in 0..300 {
        let time = if index % 3 == 0 { "\"never\"".to_owned() } else { format!("{}", 1_793_601_365 + index) };
        let line = format!(
            "{{\"id\":\"p{index}\",\"time\":{time},\"model\":\"credit\",\"version\":\"1\",\"user\":\"{user}\",\"prompt\":\"{prompt}\",\"output\":\"{output}\",\"features\":{{\"income\":{income}}}}}\n"
        );
        server.send(line);
    }
    let rows = server.query("SELECT count(*) AS n, count(DISTINCT \"user\") AS users, count(DISTINCT feature_income_token) AS incomes FROM \"model.credit\"");
    assert_eq!(
        (rows[0]["n"].as_u64(), rows[0]["users"].as_u64(), rows[0]["incomes"].as_u64()),
        (Some(200), Some(1), Some(1))
    );
    // What waits to be replayed can still be read by those who may.
    let letters = server.get("/v1/dead-letters?limit=1").text().unwrap();
    assert!(letters.contains(user));
    search(&data, false);
    assert!(server.stop().success());
    search(&data, true);
    let server = Server::start(&data, &["--config", config.to_str().unwrap()]);
    let kept = server.query("SELECT * FROM \"model.credit\" LIMIT 200");
    let text = serde_json::to_string(&kept).unwrap();
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "a query shows what was hashed");
}

fn search(data: &std::path::Path, expect_tables: bool) {
    let files = files_below(data);
    assert!(
        !expect_tables || files.iter().any(|file| file.extension().is_some_and(|extension| extension == "parquet"))
    );
    let number = 78_123.456_789_f64;
    let needles: Vec<Vec<u8>> =
        SECRETS.iter().map(|secret| secret.as_bytes().to_vec()).chain([number.to_le_bytes().to_vec()]).collect();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for needle in &needles {
            let found = bytes.windows(needle.len()).any(|window| window == needle.as_slice());
            assert!(!found, "{} holds {}", file.display(), String::from_utf8_lossy(needle));
        }
    }
}
