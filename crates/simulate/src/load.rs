//! Plain predictions of about 545 bytes, more than a million a second, for benches.
//!
//! Every line has its own id, time, person, session and inputs: a bench that repeats lines would
//! measure how well its store compresses repetition.

use wardline_domain::Timestamp;

use crate::random::{Random, mix};

/// What a load is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadOptions {
    /// Decides every value.
    pub seed: u64,
    /// Time of the first event.
    pub from: Timestamp,
    /// Events in one second of the stream's time.
    pub events_per_second: f64,
    /// Models.
    pub models: usize,
    /// Versions of each model, the last one a canary where there are several.
    pub versions: usize,
    /// Channels of each model.
    pub channels: usize,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            from: Timestamp::from_micros(1_793_577_600_000_000),
            events_per_second: 2_000.0,
            models: 8,
            versions: 2,
            channels: 4,
        }
    }
}

/// Makes predictions without end.
#[derive(Debug)]
pub struct Load {
    random: Random,
    micros: f64,
    step: f64,
    second: i64,
    /// `2026-11-02T06:36:05` of the current second.
    second_text: String,
    keys: Vec<Key>,
    sessions: Vec<Session>,
    people: usize,
    numbers: [Quantiles; 8],
}

/// The text that all events of one model, version and channel share.
#[derive(Debug)]
struct Key {
    served: Vec<u8>,
    failed: Vec<u8>,
    channel: Vec<u8>,
}

/// One person's current session, as it is written.
#[derive(Clone, Debug)]
struct Session {
    text: Vec<u8>,
}

/// A distribution by its quantiles, as whole multiples of the last digit.
#[derive(Debug)]
struct Quantiles {
    scaled: Vec<i64>,
    decimals: usize,
}

/// Sessions that are under way at once.
const SESSIONS: usize = 8_192;
/// Share of events that begin a session: six predictions in each.
const SESSION_BEGINS: u64 = 6;
/// One prediction in so many fails.
const FAILS: u64 = 1_024;
/// Quantiles of a distribution; what lies between is interpolated.
const QUANTILES: usize = 256;

const COUNTRIES: [&str; 16] =
    ["DE", "FR", "IT", "ES", "NL", "PL", "SE", "BE", "AT", "CH", "CZ", "DK", "FI", "PT", "IE", "NO"];
const MERCHANTS: [&str; 12] = [
    "grocery",
    "fuel",
    "online",
    "travel",
    "restaurant",
    "pharmacy",
    "clothing",
    "electronics",
    "books",
    "sports",
    "furniture",
    "games",
];

impl Load {
    /// Prepares a load.
    pub fn new(options: LoadOptions) -> Self {
        let mut random = Random::new(options.seed, "load");
        let people = 50_000;
        let sessions = (0..SESSIONS).map(|_| Session::new(&mut random, people)).collect();
        Self {
            micros: options.from.micros() as f64,
            step: 1e6 / options.events_per_second.max(1e-3),
            second: i64::MIN,
            second_text: String::new(),
            keys: keys(&options),
            sessions,
            people,
            numbers: [
                Quantiles::log_normal(31.0, 0.35, 1),
                Quantiles::log_normal(0.4, 0.8, 1),
                Quantiles::log_normal(38.0, 1.0, 2),
                Quantiles::log_normal(620.0, 0.8, 0),
                Quantiles::log_normal(1.2, 0.7, 0),
                Quantiles::log_normal(6.0, 1.5, 1),
                Quantiles::log_normal(0.21, 0.5, 3),
                Quantiles::log_normal(0.06, 1.0, 4),
            ],
            random,
        }
    }

    /// Appends events as NDJSON, each with its line feed.
    pub fn fill(&mut self, buffer: &mut Vec<u8>, events: usize) {
        buffer.reserve(events * 600);
        for _ in 0..events {
            self.event(buffer);
        }
    }

    /// The time of the next event.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_micros(self.micros as i64)
    }

    fn event(&mut self, buffer: &mut Vec<u8>) {
        let bits = self.random.bits();
        let (more, inputs, scores) = (self.random.bits(), self.random.bits(), self.random.bits());
        let slot = (bits as usize) % SESSIONS;
        if (bits >> 13).is_multiple_of(SESSION_BEGINS) {
            self.sessions[slot] = Session::new(&mut self.random, self.people);
        }
        self.write_time(buffer);
        write_id(buffer, (self.micros / 1e3) as u64, more, bits);
        self.micros += self.step;

        let key = &self.keys[(bits >> 32) as usize % self.keys.len()];
        let fails = (bits >> 20).is_multiple_of(FAILS);
        let number = |buffer: &mut Vec<u8>, index: usize, bits: u64| self.numbers[index].write(buffer, bits as u16);
        buffer.extend_from_slice(if fails { &key.failed } else { &key.served });
        number(buffer, 0, more);
        buffer.extend_from_slice(b",\"queue_ms\":");
        number(buffer, 1, more >> 16);
        buffer.extend_from_slice(&self.sessions[slot].text);
        buffer.extend_from_slice(&key.channel);
        buffer.extend_from_slice(COUNTRIES[(more >> 32) as usize % COUNTRIES.len()].as_bytes());
        buffer.extend_from_slice(b"\"},\"features\":{\"amount\":");
        number(buffer, 2, inputs);
        buffer.extend_from_slice(b",\"card_age_days\":");
        number(buffer, 3, inputs >> 16);
        buffer.extend_from_slice(b",\"payments_last_hour\":");
        number(buffer, 4, inputs >> 32);
        buffer.extend_from_slice(b",\"distance_km\":");
        number(buffer, 5, inputs >> 48);
        buffer.extend_from_slice(b",\"device_risk\":");
        number(buffer, 6, scores);
        buffer.extend_from_slice(b",\"merchant\":\"");
        buffer.extend_from_slice(MERCHANTS[(more >> 40) as usize % MERCHANTS.len()].as_bytes());
        buffer.extend_from_slice(if more >> 63 == 0 { b"\",\"chip_used\":true" } else { b"\",\"chip_used\":false" });
        buffer.extend_from_slice(if more >> 61 == 0 { b",\"abroad\":true}" } else { b",\"abroad\":false}" });
        if !fails {
            buffer.extend_from_slice(b",\"score\":");
            let score = self.numbers[7].write(buffer, (scores >> 16) as u16);
            buffer.extend_from_slice(if score < 3_500 {
                b",\"decision\":\"legit\""
            } else {
                b",\"decision\":\"fraud\""
            });
        }
        buffer.extend_from_slice(b"}\n");
    }

    fn write_time(&mut self, buffer: &mut Vec<u8>) {
        let micros = self.micros as i64;
        let second = micros.div_euclid(1_000_000);
        if second != self.second {
            self.second = second;
            self.second_text = Timestamp::from_micros(second * 1_000_000).to_string();
            self.second_text.truncate(19);
        }
        buffer.extend_from_slice(b"{\"time\":\"");
        buffer.extend_from_slice(self.second_text.as_bytes());
        let part = micros.rem_euclid(1_000_000);
        let digit = |unit: i64| b'0' + (part / unit % 10) as u8;
        buffer.extend_from_slice(&[b'.', digit(100_000), digit(10_000), digit(1_000), digit(100), digit(10), digit(1)]);
        buffer.extend_from_slice(b"Z\",\"id\":\"");
    }
}

impl Session {
    fn new(random: &mut Random, people: usize) -> Self {
        // The square makes some people come more often than others.
        let person = (random.unit().powi(2) * people as f64) as u64;
        let user = mix(person ^ 0x0075_7365_7200);
        let text = format!(",\"user\":\"{user:016x}\",\"session\":\"{:016x}\"", random.bits());
        Self { text: text.into_bytes() }
    }
}

impl Quantiles {
    fn log_normal(median: f64, spread: f64, decimals: usize) -> Self {
        let unit = 10f64.powi(decimals as i32);
        // Logit over 1.702 is within 0.01 of the normal quantile where it matters here.
        let normal = |share: f64| (share / (1.0 - share)).ln() / 1.702;
        let scaled = (0..=QUANTILES)
            .map(|index| {
                let share = (index as f64 + 0.5) / (QUANTILES as f64 + 1.0);
                (median * (spread * normal(share)).exp() * unit) as i64
            })
            .collect();
        Self { scaled, decimals }
    }

    /// Writes a drawn value, and gives it in units of the last digit.
    fn write(&self, buffer: &mut Vec<u8>, bits: u16) -> i64 {
        let (index, between) = (usize::from(bits >> 8), i64::from(bits & 0xff));
        let (low, high) = (self.scaled[index], self.scaled[index + 1]);
        let value = low + ((high - low) * between) / 256;
        write_decimal(buffer, value, self.decimals);
        value
    }
}

fn keys(options: &LoadOptions) -> Vec<Key> {
    let mut keys = Vec::with_capacity(options.models * options.versions * options.channels);
    for model in 0..options.models.max(1) {
        for version in 0..options.versions.max(1) {
            let role = if 0 < version && version + 1 == options.versions { "canary" } else { "stable" };
            for channel in 0..options.channels.max(1) {
                let head = format!(
                    "\",\"model\":\"card-fraud-{model:02}\",\"version\":\"3.{version}\",\"role\":\"{role}\",\
                     \"service\":\"fraud-api\",\"instance\":\"fraud-api-{}\"",
                    channel % 4
                );
                keys.push(Key {
                    served: format!("{head},\"status\":\"ok\",\"http_status\":200,\"latency_ms\":").into_bytes(),
                    failed: format!(
                        "{head},\"status\":\"error\",\"http_status\":503,\"error\":\"UpstreamUnavailable\",\"latency_ms\":"
                    )
                    .into_bytes(),
                    channel: format!(",\"channel\":\"channel-{channel}\",\"attributes\":{{\"country\":\"").into_bytes(),
                });
            }
        }
    }
    keys
}

/// A ULID: 48 bits of time, 80 of randomness, in Crockford's base 32.
fn write_id(buffer: &mut Vec<u8>, millis: u64, high: u64, low: u64) {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut text = [0u8; 26];
    for (place, digit) in text.iter_mut().enumerate() {
        let five = match place {
            0..10 => millis >> (45 - 5 * place),
            // Time and randomness use different bits of the same two draws; mixing parts them.
            10..18 => mix(high) >> (5 * (place - 10)),
            _ => mix(low) >> (5 * (place - 18)),
        };
        *digit = DIGITS[(five & 31) as usize];
    }
    buffer.extend_from_slice(&text);
}

fn write_decimal(buffer: &mut Vec<u8>, value: i64, decimals: usize) {
    let mut digits = [b'0'; 20];
    let mut place = digits.len();
    let mut left = value.unsigned_abs();
    while left > 0 || digits.len() - place <= decimals {
        place -= 1;
        digits[place] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    let point = digits.len() - decimals;
    buffer.extend_from_slice(&digits[place..point]);
    if decimals > 0 {
        buffer.push(b'.');
        buffer.extend_from_slice(&digits[point..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn lines(options: LoadOptions, events: usize) -> Vec<serde_json::Value> {
        let mut buffer = Vec::new();
        Load::new(options).fill(&mut buffer, events);
        buffer
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    #[test]
    fn lines_have_the_size_that_benches_are_about() {
        let mut buffer = Vec::new();
        Load::new(LoadOptions::default()).fill(&mut buffer, 10_000);
        let mean = buffer.len() / 10_000;
        assert!((535..=555).contains(&mean), "{mean} bytes");
    }

    #[test]
    fn every_event_is_its_own_and_later_than_the_one_before() {
        let events = lines(LoadOptions::default(), 20_000);
        let ids: HashSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 20_000);
        let times: Vec<Timestamp> =
            events.iter().map(|event| Timestamp::parse(event["time"].as_str().unwrap()).unwrap()).collect();
        assert!(times.is_sorted());
        assert_eq!(times[19_999].since(times[0]), 9_999_500);
        let inputs: HashSet<String> = events.iter().map(|event| event["features"].to_string()).collect();
        assert!(inputs.len() > 19_990, "{}", inputs.len());
        let failed = events.iter().filter(|event| event["status"] == "error").count();
        assert!((5..50).contains(&failed), "{failed}");
    }

    #[test]
    fn a_thousand_keys_can_be_asked_for() {
        let options = LoadOptions { models: 25, versions: 4, channels: 10, ..LoadOptions::default() };
        let events = lines(options, 40_000);
        let keys: HashSet<String> =
            events.iter().map(|event| format!("{}{}{}", event["model"], event["version"], event["channel"])).collect();
        assert_eq!(keys.len(), 1_000);
    }

    #[test]
    fn the_same_seed_makes_the_same_bytes_however_it_is_cut() {
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        Load::new(LoadOptions::default()).fill(&mut whole, 500);
        let mut load = Load::new(LoadOptions::default());
        load.fill(&mut parts, 123);
        load.fill(&mut parts, 377);
        assert_eq!(whole, parts);
    }

    #[test]
    fn decimals_are_written_as_json_wants_them() {
        let mut text = Vec::new();
        for (value, decimals) in [(0, 0), (0, 2), (5, 3), (1_234, 2), (70, 1)] {
            write_decimal(&mut text, value, decimals);
            text.push(b' ');
        }
        assert_eq!(text, b"0 0.00 0.005 12.34 7.0 ");
    }
}
