//! Requests to other systems over HTTP: bounded in time and size, and without secrets in what is said about them.

use std::{path::PathBuf, time::Duration};

use reqwest::{Certificate, Client, RequestBuilder, header, redirect};
use serde_json::Value;

use super::{
    fault::Fault,
    secret::{self, Secret},
    time_limit::TimeLimit,
};

/// Longest answer that is read.
const MOST_BYTES: usize = 1 << 20;

/// A client for one target.
pub(crate) struct Web {
    client: Client,
    secrets: Vec<Secret>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// When to come back, as the answer says it: seconds, or a date.
    pub(crate) retry_after: Option<String>,
}

impl Web {
    /// A client that waits no longer than the limit; `ca_file` holds further certificates to trust, as PEM.
    pub(crate) fn new(limit: TimeLimit, ca_file: Option<&PathBuf>, secrets: Vec<Secret>) -> Result<Self, String> {
        // A redirect would carry secrets to wherever an answer points, and a proxy of the environment is nobody's choice.
        let mut builder = Client::builder().redirect(redirect::Policy::none()).no_proxy().timeout(limit.duration());
        builder = builder.connect_timeout(limit.duration().min(Duration::from_secs(5))).user_agent("wardline");
        if let Some(path) = ca_file {
            let unreadable = |error: String| format!("`ca_file` ({}) cannot be used: {error}", path.display());
            let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(error.to_string()))?;
            builder = certificates.into_iter().fold(builder, |builder, each| builder.add_root_certificate(each));
        }
        let client = builder.build().map_err(|error| format!("no HTTP client can be made: {error}"))?;
        Ok(Self { client, secrets })
    }

    /// For building requests.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// A text of the target as it may be shown: short, and without secrets.
    pub(crate) fn quoted(&self, text: &str) -> String {
        secret::quoted(text, &self.secrets)
    }

    /// Sends a request, and reads the answer, whatever its status.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Fault> {
        let mut response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(Fault::Refused(format!("its answer is longer than {MOST_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned(), retry_after })
    }

    /// Sends a request whose answer has to be a success.
    pub(crate) async fn send_well(&self, request: RequestBuilder) -> Result<Answer, Fault> {
        let answer = self.send(request).await?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.fault(&answer)) }
    }

    /// What a failing status means: whether it may be tried again.
    pub(crate) fn fault(&self, answer: &Answer) -> Fault {
        let said = format!("it answered {}: {}", answer.status, self.quoted(&answer.body));
        match answer.status {
            408 | 425 | 429 | 500..=599 => Fault::Unreachable(said),
            401 | 403 => Fault::Refused(format!("{said}; check the secret and its rights")),
            300..=399 => Fault::Refused(format!("{said}; redirects are not followed, so set the final address")),
            _ => Fault::Refused(said),
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Fault {
        let slow = if error.is_timeout() { "it took too long" } else { "it does not answer" };
        // The address may hold a secret, and is in the settings anyway.
        let error = error.without_url();
        let mut reasons = vec![error.to_string()];
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            reasons.push(inner.to_string());
            cause = inner.source();
        }
        Fault::Unreachable(format!(
            "{slow} ({}): see that it runs at the address of the settings",
            self.quoted(&reasons.join(": "))
        ))
    }
}

impl Answer {
    /// The answer as JSON.
    pub(crate) fn json(&self) -> Result<Value, Fault> {
        serde_json::from_str(&self.body).map_err(|error| {
            Fault::Refused(format!("its answer is not JSON ({error}): see the address of the settings"))
        })
    }
}

/// The address of a base and further parts of a path, each escaped.
pub(crate) fn below(base: &reqwest::Url, parts: &[&str]) -> reqwest::Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

/// An address as it is written in settings.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct WebAddress(pub(crate) reqwest::Url);

impl TryFrom<String> for WebAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match reqwest::Url::parse(&text) {
            Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() && url.password().is_none() => {
                Ok(Self(url))
            }
            Ok(url) if url.password().is_some() => Err("an address holds a password: set it as a secret".to_owned()),
            Ok(_) => Err(format!("`{text}` is no web address: write `http://host:port` or `https://host`")),
            Err(error) => Err(format!("`{text}` is no web address ({error}): write `http://host:port`")),
        }
    }
}
