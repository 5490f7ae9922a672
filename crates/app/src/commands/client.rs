//! Talks to a server, and says plainly why it could not.

use anyhow::{Context as _, bail};
use reqwest::{Client, RequestBuilder, Response};
use serde::{Serialize, de::DeserializeOwned};

use crate::cli::Remote;

/// A server's API.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    base: String,
    token: Option<String>,
}

#[derive(serde::Deserialize)]
struct Refusal {
    error: Detail,
}

#[derive(serde::Deserialize)]
struct Detail {
    code: String,
    message: String,
}

impl Api {
    pub(super) fn new(remote: &Remote) -> anyhow::Result<Self> {
        let client = Client::builder().no_proxy().tcp_nodelay(true).build()?;
        Ok(Self { client, base: remote.url.trim_end_matches('/').to_owned(), token: remote.token.clone() })
    }

    /// Whether a server answers at all.
    pub(super) async fn answers(&self) -> bool {
        let request = self.client.get(format!("{}/healthz", self.base)).timeout(std::time::Duration::from_secs(3));
        request.send().await.is_ok_and(|response| response.status().is_success())
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(super) async fn get<A: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<A> {
        let request = self.authorized(self.client.get(format!("{}{path}", self.base)).query(query));
        Ok(self.answer(request).await?.json().await?)
    }

    pub(super) async fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let request = self.client.get(format!("{}{path}", self.base)).header("accept", "text/plain");
        Ok(self.answer(self.authorized(request)).await?.text().await?)
    }

    /// Gets a text as it comes.
    pub(super) async fn text(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<String> {
        let request = self.authorized(self.client.get(format!("{}{path}", self.base)).query(query));
        Ok(self.answer(request).await?.text().await?)
    }

    pub(super) async fn get_bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let request = self.authorized(self.client.get(format!("{}{path}", self.base)));
        Ok(self.answer(request).await?.bytes().await?.to_vec())
    }

    pub(super) async fn post<A: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<A> {
        let request = self.authorized(self.client.post(format!("{}{path}", self.base)).query(query));
        Ok(self.answer(request).await?.json().await?)
    }

    /// Posts a file.
    pub(super) async fn post_file<A: DeserializeOwned>(&self, path: &str, file: Vec<u8>) -> anyhow::Result<A> {
        let request = self.authorized(self.client.post(format!("{}{path}", self.base)).body(file));
        Ok(self.answer(request).await?.json().await?)
    }

    /// Deletes one of a list.
    pub(super) async fn delete(&self, list: &str, name: &str) -> anyhow::Result<()> {
        let mut url = reqwest::Url::parse(&format!("{}{list}", self.base))?;
        // A name with a slash in it must stay one name.
        url.path_segments_mut().map_err(|()| anyhow::anyhow!("`{}` is no base URL", self.base))?.push(name);
        self.answer(self.authorized(self.client.delete(url))).await?;
        Ok(())
    }

    /// Posts JSON and gives the answer as it comes.
    pub(super) async fn ask(&self, path: &str, body: &impl Serialize, accept: &str) -> anyhow::Result<Response> {
        let request = self.client.post(format!("{}{path}", self.base)).header("accept", accept).json(body);
        self.answer(self.authorized(request)).await
    }

    /// Sends one body of events. Any status is an answer here: the caller decides what to try again.
    pub(super) async fn send_events(&self, body: Vec<u8>, encoding: Option<&str>) -> Result<Response, reqwest::Error> {
        let mut request = self
            .client
            .post(format!("{}/v1/events", self.base))
            .header("content-type", "application/x-ndjson")
            .body(body);
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        self.authorized(request).send().await
    }

    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let unreachable = || {
            format!("no wardline answers at {}: start one with `wardline serve`, or name another with --url", self.base)
        };
        let response = request.send().await.with_context(unreachable)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        match response.json::<Refusal>().await {
            Ok(Refusal { error }) => bail!("{} ({})", error.message, error.code),
            Err(_) => bail!("the server at {} answered {status}", self.base),
        }
    }
}
