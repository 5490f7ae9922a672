//! `wardline baseline MODEL`: what is normal for a model.

use super::{Outcome, client::Api};
use crate::cli::BaselineArguments;

pub(super) async fn run(arguments: &BaselineArguments) -> anyhow::Result<Outcome> {
    let api = Api::new(&arguments.remote)?;
    let model: String = percent_encoded(&arguments.model);
    let path = format!("/v1/models/{model}/baseline");
    if arguments.json {
        let baseline: serde_json::Value = api.get(&path, &[]).await?;
        println!("{}", serde_json::to_string_pretty(&baseline)?);
    } else {
        print!("{}", api.get_text(&path).await?);
    }
    Ok(Outcome::Good)
}

/// A name as one segment of a path.
fn percent_encoded(name: &str) -> String {
    name.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn a_name_with_a_slash_stays_one_segment() {
        assert_eq!(percent_encoded("team/model v2.1"), "team%2Fmodel%20v2.1");
    }
}
