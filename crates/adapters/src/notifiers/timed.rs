//! What every notifier promises, in one place: it answers within its time limit, and an error carries its name.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use lettre::message::header::{Date, Header as _};
use wardline_domain::{Notice, NoticeError, Notifier, Span, Timestamp};

use crate::remote::{Fault, TimeLimit, web::Answer, web::Web};

/// Longest time that a receiver may ask to be left alone; more would be no answer for a person who waits for a page.
const LONGEST_WAIT: Span = Timestamp::HOUR;

/// Why a receiver did not take a notice, before its name is added.
#[derive(Debug)]
pub(super) struct Trouble {
    fault: Fault,
    /// How long it asks to be left alone.
    wait: Option<Span>,
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self { fault, wait: None }
    }
}

impl Trouble {
    /// What an answer that is no success means.
    pub(super) fn of(web: &Web, answer: &Answer, now: Timestamp) -> Self {
        let wait = answer.retry_after.as_deref().and_then(|text| wait_of(text, now));
        Self { fault: web.fault(answer), wait }
    }
}

/// A receiver, as far as it differs from others.
#[async_trait]
pub(super) trait Receiver: Send + Sync + 'static {
    /// Sends a notice.
    async fn tell(&self, notice: &Notice, now: Timestamp) -> Result<(), Trouble>;

    /// How often it wants to hear that something still goes on.
    fn repeats_every(&self) -> Option<Span> {
        None
    }
}

struct Timed<R> {
    name: String,
    limit: Duration,
    receiver: R,
}

/// A notifier from what is particular to its receiver.
pub(super) fn timed<R: Receiver>(name: &str, limit: TimeLimit, receiver: R) -> Arc<dyn Notifier> {
    Arc::new(Timed { name: name.to_owned(), limit: limit.duration(), receiver })
}

#[async_trait]
impl<R: Receiver> Notifier for Timed<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn repeats_every(&self) -> Option<Span> {
        self.receiver.repeats_every()
    }

    async fn send(&self, notice: &Notice, now: Timestamp) -> Result<(), NoticeError> {
        let receiver = self.name.clone();
        match tokio::time::timeout(self.limit, self.receiver.tell(notice, now)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Trouble { fault: Fault::Unreachable(reason), wait })) => {
                Err(NoticeError::Unreachable { receiver, reason, wait })
            }
            Ok(Err(Trouble { fault: Fault::Refused(reason), .. })) => Err(NoticeError::Refused { receiver, reason }),
            Err(_) => {
                let reason =
                    format!("no answer within {} ms; `time_limit_ms` allows more time", self.limit.as_millis());
                Err(NoticeError::Unreachable { receiver, reason, wait: None })
            }
        }
    }
}

/// How long `Retry-After` asks to wait: it holds seconds or a date.
fn wait_of(text: &str, now: Timestamp) -> Option<Span> {
    let text = text.trim();
    let wait = match text.parse::<i64>() {
        Ok(seconds) => seconds.saturating_mul(Timestamp::SECOND),
        Err(_) => {
            let date = SystemTime::from(Date::parse(text).ok()?);
            let seconds = date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
            Timestamp::from_micros(i64::try_from(seconds).ok()?.checked_mul(Timestamp::SECOND)?).since(now)
        }
    };
    (0 < wait).then(|| wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date() {
        let now = Timestamp::from_micros(784_887_120 * Timestamp::SECOND);
        assert_eq!(wait_of(" 30 ", now), Some(30 * Timestamp::SECOND));
        assert_eq!(wait_of("Tue, 15 Nov 1994 08:12:31 GMT", now), Some(31 * Timestamp::SECOND));
        assert_eq!(wait_of("999999999999999", now), Some(LONGEST_WAIT));
        for nothing in ["0", "-5", "soon", "", "Tue, 15 Nov 1994 08:00:00 GMT"] {
            assert_eq!(wait_of(nothing, now), None, "{nothing}");
        }
    }
}
