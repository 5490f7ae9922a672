//! Anything that takes JSON over HTTP, signed as the Standard Webhooks specification says.
//!
//! ```toml
//! [[notifiers]]
//! name = "tickets"
//! kind = "webhook"
//! url = "https://tickets.internal/hooks/wardline"
//! secret = { file = "/etc/wardline/webhook-secret" }
//! ```
//!
//! Three headers come with the body: `webhook-id` (the notice's id, the same at every attempt), `webhook-timestamp`
//! (seconds since 1970, of this attempt) and `webhook-signature`: `v1,` and the base64 of the HMAC-SHA256 of
//! `id.timestamp.body`. The key is the secret; of one that begins with `whsec_`, what follows as base64.

use std::{collections::BTreeMap, path::PathBuf};

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use wardline_domain::{Notice, Timestamp};

use super::{
    NotifierSpec, base64,
    timed::{Receiver, Trouble, timed},
};
use crate::remote::{
    Fault, SecretSource, TimeLimit,
    secret::Secret,
    web::{Web, WebAddress},
};

pub(super) const SPEC: NotifierSpec = NotifierSpec {
    kind: "webhook",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        let secret = ingredients.needed_secret(&settings.secret)?;
        key_of(&secret).map_err(|reason| ingredients.unusable(reason))?;
        let mut headers = BTreeMap::new();
        for (name, source) in &settings.headers {
            reqwest::header::HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| ingredients.unusable(format!("`headers` has `{name}`, which is no name of a header")))?;
            headers.insert(name.clone(), ingredients.needed_secret(source)?);
        }
        let secrets = headers.values().cloned().chain([secret.clone()]).collect();
        let web = Web::new(settings.time_limit_ms, settings.ca_file.as_ref(), secrets)
            .map_err(|reason| ingredients.unusable(reason))?;
        Ok(timed(&ingredients.name, settings.time_limit_ms, Webhook { url: settings.url, web, secret, headers }))
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: WebAddress,
    /// What signs.
    secret: SecretSource,
    /// Further headers, such as `Authorization`: each is a secret.
    #[serde(default)]
    headers: BTreeMap<String, SecretSource>,
    /// Certificates to trust besides those of the system.
    ca_file: Option<PathBuf>,
    #[serde(default = "TimeLimit::seconds::<10>")]
    time_limit_ms: TimeLimit,
}

/// The shortest key, in bytes.
const LEAST_BYTES: usize = 16;

struct Webhook {
    url: WebAddress,
    web: Web,
    secret: Secret,
    headers: BTreeMap<String, Secret>,
}

fn key_of(secret: &Secret) -> Result<Vec<u8>, String> {
    let text = secret.text()?;
    let key = match text.strip_prefix("whsec_") {
        None => text.into_bytes(),
        Some(coded) => base64::decode(coded).ok_or("the secret begins with `whsec_`, and no base64 follows")?,
    };
    if key.len() < LEAST_BYTES {
        return Err(format!("the secret is shorter than {LEAST_BYTES} bytes: make one with `openssl rand -hex 32`"));
    }
    Ok(key)
}

/// The signature of one attempt.
fn signature(key: &[u8], id: &str, seconds: i64, body: &str) -> Result<String, String> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| format!("the secret cannot sign: {error}"))?;
    hmac.update(format!("{id}.{seconds}.").as_bytes());
    hmac.update(body.as_bytes());
    Ok(format!("v1,{}", base64::encode(&hmac.finalize().into_bytes())))
}

#[async_trait]
impl Receiver for Webhook {
    async fn tell(&self, notice: &Notice, now: Timestamp) -> Result<(), Trouble> {
        let kind = format!("{}.{}", notice.subject.name(), notice.change.name());
        let body = json!({"type": kind, "timestamp": notice.time, "data": notice}).to_string();
        let key = key_of(&self.secret).map_err(Fault::Refused)?;
        let seconds = now.micros().div_euclid(Timestamp::SECOND);
        let signature = signature(&key, &notice.id, seconds, &body).map_err(Fault::Refused)?;
        let mut request = self.web.client().post(self.url.0.clone()).header("content-type", "application/json");
        for (name, secret) in &self.headers {
            request = request.header(name, secret.text().map_err(Fault::Refused)?);
        }
        request = request.header("webhook-id", &notice.id).header("webhook-timestamp", seconds);
        let answer = self.web.send(request.header("webhook-signature", signature).body(body)).await?;
        if (200..300).contains(&answer.status) { Ok(()) } else { Err(Trouble::of(&self.web, &answer, now)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn it_signs_as_the_specification_does() {
        let key = base64::decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
