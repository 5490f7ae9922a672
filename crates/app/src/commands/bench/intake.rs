//! Intake: events over HTTP until they are synced to the disk and seen by every detector.

use std::time::Duration;

use wardline_simulate::LoadOptions;

use super::{
    Bench,
    body::Templates,
    client_runtime,
    figure::{Figures, Goal},
    offer::{Offer, Offered, offer},
    served::Served,
};

const PART: &str = "intake";
/// Different bodies: some fifty megabytes, far more than any compressor looks back.
const TEMPLATES: usize = 64;
/// Load before anything is measured: tables and models are new to the server only once.
const WARM_UP: Duration = Duration::from_secs(2);
/// The rate at which latency is measured where none was asked for, as a share of the highest.
const STEADY_SHARE: f64 = 0.8;
/// How often memory is shown in one run.
const LOOKS: u32 = 10;

const CHANNELS: usize = 10;
const VERSIONS: usize = 4;
const MIB: f64 = 1024.0 * 1024.0;

pub(super) fn measure(bench: &Bench<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    let arguments = bench.arguments;
    let models = arguments.keys.div_ceil(VERSIONS * CHANNELS).max(1);
    let options = LoadOptions { models, versions: VERSIONS, channels: CHANNELS, ..LoadOptions::default() };
    let templates = Templates::new(options, TEMPLATES, arguments.batch.max(1))?;
    let data = tempfile::tempdir_in(&bench.folder)?;
    let served = Served::start(data.path(), None)?;
    client_runtime()?.block_on(async {
        let mut run = Run { served: &served, templates: &templates, connections: arguments.connections, bodies: 0 };
        run.load(WARM_UP, None).await?;
        let length = Duration::from_secs(arguments.seconds.max(1));
        let rate = match arguments.rate {
            Some(rate) => rate,
            None => STEADY_SHARE * run.highest(length, figures).await?,
        };
        run.steady(length, rate, figures).await
    })?;
    figures.note(PART, "told to stop until everything is committed", served.stop()?.as_secs_f64(), "s");
    Ok(())
}

struct Run<'a> {
    served: &'a Served,
    templates: &'a Templates,
    connections: usize,
    /// Bodies that were sent so far.
    bodies: u64,
}

impl Run<'_> {
    async fn load(&mut self, length: Duration, rate: Option<f64>) -> anyhow::Result<Offered> {
        let request = Offer { connections: self.connections, length, rate, first_body: self.bodies };
        let offered = offer(&self.served.api, self.templates, request).await?;
        self.bodies += offered.bodies;
        Ok(offered)
    }

    /// As much as the server takes; returns events a second.
    async fn highest(&mut self, length: Duration, figures: &mut Figures) -> anyhow::Result<f64> {
        let before = self.served.processor_seconds()?;
        let offered = self.load(length, None).await?;
        let lag = self.served.caught_up().await?;
        let processor = self.served.processor_seconds()? - before;
        let rate = offered.acknowledged as f64 / offered.seconds;
        figures.judge(
            PART,
            "acknowledged, which is synced to the disk, at most",
            rate,
            "events/s",
            Goal::AtLeast(150_000.0),
        );
        figures.note(PART, "the same in bytes", offered.bytes as f64 / offered.seconds / MIB, "MiB/s");
        figures.note(PART, "server: events per processor second", offered.acknowledged as f64 / processor, "events/s");
        figures.note(PART, "server: cores busy", processor / offered.seconds, "cores");
        figures.note(PART, "acknowledgement, median, at most load", offered.latencies.quantile_ms(0.5), "ms");
        figures.note(PART, "acknowledgement, 99 %, at most load", offered.latencies.quantile_ms(0.99), "ms");
        figures.note(PART, "detectors behind at the end of most load", lag.as_secs_f64(), "s");
        put_off(&offered, figures);
        Ok(rate)
    }

    /// A steady rate, at which latency and memory count.
    async fn steady(&mut self, length: Duration, rate: f64, figures: &mut Figures) -> anyhow::Result<()> {
        let before = self.served.processor_seconds()?;
        let served = self.served;
        let stretch = length / LOOKS;
        let watch = async {
            let mut residents = Vec::new();
            for look in 1..=LOOKS {
                tokio::time::sleep(stretch).await;
                let memory = served.memory()?;
                eprintln!(
                    "{PART}: after {:.0} s: {:.0} MiB resident",
                    (stretch * look).as_secs_f64(),
                    memory.resident / MIB
                );
                residents.push(memory.resident);
            }
            anyhow::Ok(residents)
        };
        let (offered, residents) = tokio::try_join!(self.load(length, Some(rate)), watch)?;
        let lag = served.caught_up().await?;
        let processor = served.processor_seconds()? - before;
        figures.note(PART, "steady rate", offered.acknowledged as f64 / offered.seconds, "events/s");
        figures.note(PART, "acknowledgement, median", offered.latencies.quantile_ms(0.5), "ms");
        figures.judge(PART, "acknowledgement, 99 %", offered.latencies.quantile_ms(0.99), "ms", Goal::AtMost(50.0));
        figures.note(PART, "acknowledgement, longest", offered.latencies.quantile_ms(1.0), "ms");
        figures.note(PART, "server: cores busy at the steady rate", processor / offered.seconds, "cores");
        figures.note(PART, "detectors behind at the end", lag.as_secs_f64(), "s");
        put_off(&offered, figures);
        figures.judge(PART, "memory of the server, most", served.memory()?.peak / MIB, "MiB", Goal::AtMost(400.0));
        // The first half holds the filling of buffers; growth after it would go on.
        let (half, end) = (residents.get(residents.len() / 2), residents.last());
        if let (Some(half), Some(end)) = (half, end) {
            figures.note(PART, "memory at the end against half-way", (end - half) / MIB, "MiB");
        }
        Ok(())
    }
}

fn put_off(offered: &Offered, figures: &mut Figures) {
    if offered.put_off > 0 {
        figures.note(PART, "requests put off with 503", offered.put_off as f64, "requests");
    }
}
