//! One instance of a model server: its workers, its queue, its pauses, and the metrics it reports.

use wardline_domain::Timestamp;

use crate::{json_line::JsonLine, random::Random};

/// Repeated stops of an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses {
    /// Since when.
    pub(crate) from: Timestamp,
    /// From one pause to the next, in microseconds.
    pub(crate) every: i64,
    /// Length of a pause, in microseconds.
    pub(crate) length: i64,
}

/// One instance.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    /// Its name.
    pub(crate) name: String,
    /// When each worker is free again, in microseconds.
    free_at: Vec<i64>,
    /// Work done since the last metrics, in microseconds.
    worked: i64,
    /// Slow wandering of processor and memory around their means.
    wander: (f64, f64),
}

/// How long one prediction took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taken {
    /// In the queue, in ms.
    pub(crate) queue_ms: f64,
    /// Altogether, in ms.
    pub(crate) total_ms: f64,
}

impl Replica {
    /// An idle instance.
    pub(crate) fn new(name: String, workers: usize) -> Self {
        Self { name, free_at: vec![0; workers.max(1)], worked: 0, wander: (0.0, 0.0) }
    }

    /// Serves one prediction that arrives at `time` and needs `service_ms` of work.
    pub(crate) fn serve(&mut self, time: Timestamp, service_ms: f64, pauses: Option<Pauses>) -> Taken {
        let arrival = time.micros();
        let work = (service_ms * 1e3) as i64;
        let Some(worker) = self.free_at.iter_mut().min() else { return Taken { queue_ms: 0.0, total_ms: service_ms } };
        let start = (*worker).max(arrival);
        let (start, end) = pauses.map_or((start, start + work), |pauses| pauses.stretch(start, work));
        *worker = end;
        self.worked += work;
        Taken { queue_ms: (start - arrival) as f64 / 1e3, total_ms: (end - arrival) as f64 / 1e3 }
    }

    /// The metrics of the time since the last ones, as lines.
    pub(crate) fn metrics(
        &mut self,
        time: Timestamp,
        since: i64,
        service: &str,
        pauses: Option<Pauses>,
        random: &mut Random,
    ) -> Vec<Vec<u8>> {
        let busy = self.worked as f64 / (since.max(1) as f64 * self.free_at.len() as f64);
        self.worked = 0;
        self.wander.0 = 0.9 * self.wander.0 + 1.2 * random.normal();
        self.wander.1 = 0.97 * self.wander.1 + 0.4 * random.normal();
        let (pause_ms, pressure) = pauses
            .map_or((0.0, 0.0), |pauses| (pauses.length as f64 / 1e3, pauses.length as f64 / pauses.every as f64));
        let processor = 9.0 + 62.0 * busy + 35.0 * pressure + self.wander.0;
        let memory = 58.0 + 34.0 * (pressure * 2.0).min(1.0) + self.wander.1;
        let ordinary_pause_ms = 11.0 * (0.35 * random.normal()).exp();
        let measured = [
            ("process_cpu_percent", processor),
            ("memory_percent", memory),
            ("gc_pause_ms", ordinary_pause_ms + pause_ms * random.between(0.85, 1.1)),
        ];
        measured.iter().map(|(name, value)| metric_line(time, service, &self.name, name, *value)).collect()
    }
}

impl Pauses {
    /// Start and end of work that would start at `start`: nothing starts or goes on during a pause.
    fn stretch(self, start: i64, work: i64) -> (i64, i64) {
        let phase = (start - self.from.micros()).rem_euclid(self.every);
        let start = if phase < self.length { start + self.length - phase } else { start };
        let phase = (start - self.from.micros()).rem_euclid(self.every);
        let met = (phase + work) / self.every;
        (start, start + work + met * self.length)
    }
}

fn metric_line(time: Timestamp, service: &str, instance: &str, name: &str, value: f64) -> Vec<u8> {
    let mut line = JsonLine::new(time);
    line.text("kind", "metric");
    line.text("service", service);
    line.text("instance", instance);
    line.text("name", name);
    let most = if name.ends_with("_percent") { 100.0 } else { f64::MAX };
    line.number("value", value.clamp(0.0, most), 2);
    line.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(1_793_577_600_000_000 + ms * 1_000)
    }

    #[test]
    fn a_busy_instance_queues() {
        let mut replica = Replica::new("api-0".to_owned(), 1);
        assert_eq!(replica.serve(at(0), 40.0, None), Taken { queue_ms: 0.0, total_ms: 40.0 });
        assert_eq!(replica.serve(at(10), 40.0, None), Taken { queue_ms: 30.0, total_ms: 70.0 });
        assert_eq!(replica.serve(at(500), 40.0, None), Taken { queue_ms: 0.0, total_ms: 40.0 });
    }

    #[test]
    fn nothing_moves_during_a_pause() {
        let pauses = Some(Pauses { from: at(0), every: 1_000_000, length: 300_000 });
        let mut replica = Replica::new("api-0".to_owned(), 1);
        // Arrives 100 ms into a pause of 300 ms.
        assert_eq!(replica.serve(at(1_100), 40.0, pauses), Taken { queue_ms: 200.0, total_ms: 240.0 });
        // Starts 20 ms before the next pause.
        assert_eq!(replica.serve(at(1_980), 40.0, pauses), Taken { queue_ms: 0.0, total_ms: 340.0 });
        assert_eq!(replica.serve(at(2_500), 40.0, pauses), Taken { queue_ms: 0.0, total_ms: 40.0 });
    }
}
