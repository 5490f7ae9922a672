//! `wardline serve`: the live data plane, until it is told to stop.

use std::{pin::pin, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Outcome;
use crate::{
    cli::ServeArguments,
    pipeline::Pipeline,
    server::{Server, Shared},
    settings::Settings,
};

/// How long requests under way may take once the server was told to stop.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);

pub(super) async fn run(arguments: &ServeArguments, mut settings: Settings) -> anyhow::Result<Outcome> {
    if let Some(listen) = &arguments.listen {
        let address =
            listen.parse().with_context(|| format!("`{listen}` is no address: write one such as 127.0.0.1:7430"))?;
        settings.server.listen = address;
        if settings.server.tokens.is_empty() && !settings.server.listen.ip().is_loopback() {
            anyhow::bail!(
                "{listen} can be reached by others and there is no token: add [[server.tokens]] to the settings, or listen on 127.0.0.1"
            );
        }
    }
    if let Some(data) = &arguments.data {
        settings.data.clone_from(data);
    }
    let data = settings.data.display().to_string();
    let pipeline = Pipeline::open(&settings).await?;
    let shared = Arc::new(Shared::open(pipeline, settings).await?);
    let server = Server::bind(Arc::clone(&shared)).await?;
    tracing::info!(address = %server.address()?, %data, "ready");
    let stop = CancellationToken::new();
    let answering = server.run(stop.clone().cancelled_owned());
    let mut told = pin!(told_to_stop()?);
    let mut answering = pin!(answering);
    tokio::select! {
        ended = &mut answering => ended?,
        () = &mut told => {
            tracing::info!("stopping: what is under way is finished and committed");
            stop.cancel();
            // A request that never ends must not keep the server from its end.
            tokio::time::timeout(LONGEST_FAREWELL, answering).await.unwrap_or(Ok(()))?;
        }
    }
    shared.pipeline.close().await?;
    tracing::info!("stopped");
    Ok(Outcome::Good)
}

/// Resolves on SIGTERM or SIGINT.
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
