//! Sends what waits, to each receiver one message at a time and in order, also what waited when the program stopped.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};
use wardline_domain::{NoticeError, Notifier, Span, Timestamp};
use wardline_store::metadata::{Message, MessageStatus, MetadataError};

use super::{
    desk::{Letter, NotificationDesk},
    retry,
};
use crate::pipeline::{self, Delivery};

/// Messages of a receiver that are looked at together.
const MOST_AT_ONCE: u32 = 1_000;
/// How long a message is kept after it was sent or given up; what comes again later is told again.
const KEPT: Span = 366 * Timestamp::DAY;
/// How often old messages are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// Longest time without a look at what waits.
const LONGEST_REST: Span = Timestamp::MINUTE;
/// Longest time that a receiver is left alone because of a failure, unless it asks for more.
const LONGEST_PAUSE: Span = 30 * Timestamp::SECOND;

/// What a receiver needs next.
enum Next {
    /// This message is due. `ended` are messages that it takes the place of.
    Send { message: Message, letter: Box<Letter>, ended: Vec<Message> },
    /// This one cannot be read.
    Unreadable(Message),
    /// Nothing before then.
    At(Timestamp),
}

/// How a receiver has answered lately.
#[derive(Default)]
struct Health {
    failures: u32,
    /// It is left alone until then.
    until: Timestamp,
}

impl NotificationDesk {
    /// Starts sending.
    pub(crate) fn run(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let desk = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = desk.give_up_unknown().await {
                tracing::error!(error = %error, "messages to notifiers that are not in the settings could not be looked at");
            }
            let mut receivers = JoinSet::new();
            for notifier in desk.notifiers.values() {
                receivers.spawn(Arc::clone(&desk).serve(Arc::clone(notifier), desk.news.subscribe()));
            }
            loop {
                let before = pipeline::now().plus(-KEPT);
                if let Err(error) = desk.metadata.forget_messages(before).await {
                    tracing::error!(error = %error, "old messages could not be forgotten");
                }
                tokio::time::sleep(FORGET_EVERY).await;
            }
        })
    }

    /// Gives up what would wait for ever: messages to notifiers that were taken out of the settings.
    async fn give_up_unknown(&self) -> Result<(), MetadataError> {
        for status in [MessageStatus::Waiting, MessageStatus::Standing] {
            let mut messages = self.metadata.messages(status, u32::MAX >> 1).await?;
            messages.retain(|message| !self.notifiers.contains_key(&message.receiver));
            for message in &mut messages {
                message.status = MessageStatus::Dead;
                message.trouble = format!("there is no notifier `{}` in the settings any more", message.receiver);
            }
            self.metadata.update_messages(&messages).await?;
        }
        Ok(())
    }

    /// Sends to one receiver, for ever.
    async fn serve(self: Arc<Self>, notifier: Arc<dyn Notifier>, mut news: watch::Receiver<u64>) {
        let mut health = Health::default();
        loop {
            news.borrow_and_update();
            let now = pipeline::now();
            if now < health.until {
                rest(&mut news, health.until.since(now)).await;
                continue;
            }
            match self.next(&*notifier, now).await {
                Ok(Next::At(then)) => rest(&mut news, then.since(now).min(LONGEST_REST)).await,
                Ok(next) => {
                    if let Err(error) = self.deal_with(next, &*notifier, &mut health).await {
                        tracing::error!(error = %error, notifier = notifier.name(), "what became of a message could not be written down");
                        health.until = pipeline::now().plus(LONGEST_PAUSE);
                    }
                }
                Err(error) => {
                    tracing::error!(error = %error, notifier = notifier.name(), "messages could not be read");
                    health.until = now.plus(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn next(&self, notifier: &dyn Notifier, now: Timestamp) -> Result<Next, MetadataError> {
        let outbox = self.metadata.outbox(notifier.name(), MOST_AT_ONCE).await?;
        Ok(choose(outbox, now))
    }

    async fn deal_with(&self, next: Next, notifier: &dyn Notifier, health: &mut Health) -> Result<(), MetadataError> {
        let (mut message, letter, mut ended) = match next {
            Next::At(_) => return Ok(()),
            Next::Unreadable(mut message) => {
                message.status = MessageStatus::Dead;
                message.trouble = "it was written by another version and cannot be read".to_owned();
                return self.metadata.update_messages(&[message]).await;
            }
            Next::Send { message, letter, ended } => (message, letter, ended),
        };
        if !self.is_wanted(&letter).await? {
            message.status = MessageStatus::Sent;
            message.trouble = "not sent: the receiver was never told of what it is about".to_owned();
            return self.metadata.update_messages(&[message]).await;
        }
        let sent = notifier.send(&letter.notice, pipeline::now()).await;
        let now = pipeline::now();
        message.attempts = message.attempts.saturating_add(1);
        match sent {
            Ok(()) => {
                *health = Health::default();
                message.trouble.clear();
                let every = notifier.repeats_every().filter(|_| letter.notice.goes_on());
                message.status = if every.is_some() { MessageStatus::Standing } else { MessageStatus::Sent };
                message.due = now.plus(every.unwrap_or(0));
                for other in &mut ended {
                    other.status = MessageStatus::Sent;
                }
            }
            Err(error) => {
                ended.clear();
                self.failed(&mut message, &error, health, now);
            }
        }
        self.count(&message);
        ended.push(message);
        self.metadata.update_messages(&ended).await
    }

    fn count(&self, message: &Message) {
        let outcome = match message.status {
            MessageStatus::Dead => "dead",
            _ if message.trouble.is_empty() => "sent",
            _ => "failed",
        };
        self.metrics.notifications.get_or_create(&Delivery { receiver: message.receiver.clone(), outcome }).inc();
    }

    /// Whether the receiver knows of what a letter is about.
    async fn is_wanted(&self, letter: &Letter) -> Result<bool, MetadataError> {
        for id in &letter.only_after {
            let earlier = self.metadata.message(id).await?;
            let arrived = |message: &Message| matches!(message.status, MessageStatus::Sent | MessageStatus::Standing);
            if earlier.as_ref().is_some_and(arrived) {
                return Ok(true);
            }
        }
        Ok(letter.only_after.is_empty())
    }

    fn failed(&self, message: &mut Message, error: &NoticeError, health: &mut Health, now: Timestamp) {
        message.trouble = error.to_string();
        if !error.is_temporary() {
            message.status = MessageStatus::Dead;
            tracing::error!(error = %error, message = %message.id, "a notification was refused and is given up: `wardline notifications retry` sends it again");
            return;
        }
        let pause = retry::pause(message.attempts, rand::random());
        message.due = now.plus(error.wait().unwrap_or(pause).max(pause));
        health.failures = health.failures.saturating_add(1);
        let rest = retry::pause(health.failures, rand::random()).min(LONGEST_PAUSE);
        health.until = now.plus(error.wait().unwrap_or(rest).max(rest));
        let is_old = now.since(message.time) > self.give_up_after || message.attempts >= self.most_attempts;
        // What stands has arrived, and is told for as long as it goes on.
        if is_old && message.status == MessageStatus::Waiting {
            message.status = MessageStatus::Dead;
            tracing::error!(error = %error, message = %message.id, attempts = message.attempts, "a notification is given up: `wardline notifications retry` sends it again");
        } else {
            tracing::warn!(error = %error, message = %message.id, attempts = message.attempts, "a notification did not arrive and is tried again");
        }
    }
}

/// The first message that is due. What is told of one thing is told in its order, so nothing overtakes what waits.
fn choose(outbox: Vec<Message>, now: Timestamp) -> Next {
    let mut letters = Vec::with_capacity(outbox.len());
    for message in outbox {
        match Letter::of(&message) {
            Some(letter) => letters.push((message, letter)),
            None => return Next::Unreadable(message),
        }
    }
    let is_waiting = |message: &Message| message.status == MessageStatus::Waiting;
    let changing: BTreeSet<&str> = letters
        .iter()
        .filter(|(message, _)| is_waiting(message))
        .map(|(_, letter)| letter.notice.key.as_str())
        .collect();
    let mut passed: BTreeSet<&str> = BTreeSet::new();
    let mut soonest = now.plus(LONGEST_REST);
    let mut chosen = None;
    for (place, (message, letter)) in letters.iter().enumerate() {
        let key = letter.notice.key.as_str();
        let is_next = if is_waiting(message) { passed.insert(key) } else { !changing.contains(key) };
        if is_next && message.due <= now {
            chosen = Some(place);
            break;
        }
        if is_next {
            soonest = soonest.min(message.due);
        }
    }
    let Some(place) = chosen else { return Next::At(soonest) };
    let (message, letter) = letters.swap_remove(place);
    let ends = |(other, its): &(Message, Letter)| {
        its.notice.key == letter.notice.key && other.status == MessageStatus::Standing && other.time <= message.time
    };
    let ended = letters.into_iter().filter(ends).map(|(other, _)| other).collect();
    Next::Send { message, letter: Box::new(letter), ended }
}

async fn rest(news: &mut watch::Receiver<u64>, span: Span) {
    let span = Duration::from_micros(span.max(1).unsigned_abs());
    tokio::select! {
        // A desk that is gone has no news, and this must not spin until it is stopped.
        changed = news.changed() => if changed.is_err() { tokio::time::sleep(span).await },
        () = tokio::time::sleep(span) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wardline_domain::{Notice, NoticeChange, NoticeSubject, Severity};

    use super::*;

    fn message(place: usize, key: u8, status: MessageStatus, due: i64) -> Message {
        let notice = Notice {
            id: format!("{key}/{place}"),
            key: key.to_string(),
            subject: NoticeSubject::Alert,
            subject_id: key.to_string(),
            change: NoticeChange::Opened,
            severity: Severity::Page,
            kind: "latency".to_owned(),
            models: Vec::new(),
            title: String::new(),
            text: String::new(),
            time: Timestamp::from_micros(0),
            began: Timestamp::from_micros(0),
            ended: None,
            lasts: true,
            links: Vec::new(),
            fields: Vec::new(),
        };
        Message {
            id: format!("n-{place}"),
            time: Timestamp::from_micros(place as i64),
            receiver: "pager".to_owned(),
            status,
            due: Timestamp::from_micros(due),
            attempts: 0,
            trouble: String::new(),
            body: serde_json::to_string(&Letter { notice, only_after: Vec::new() }).unwrap(),
        }
    }

    #[test]
    fn what_cannot_be_read_comes_first_and_nothing_is_due_before_its_time() {
        let unreadable = Message { body: "{}".to_owned(), ..message(1, 1, MessageStatus::Waiting, 0) };
        let now = Timestamp::from_micros(100);
        assert!(matches!(choose(vec![unreadable], now), Next::Unreadable(_)));
        let later = message(0, 1, MessageStatus::Waiting, 900);
        assert!(matches!(choose(vec![later], now), Next::At(then) if then.micros() == 900));
        assert!(matches!(choose(Vec::new(), now), Next::At(then) if then == now.plus(LONGEST_REST)));
    }

    #[test]
    fn what_stands_ends_with_what_comes_after_it() {
        let outbox = vec![
            message(0, 1, MessageStatus::Standing, 0),
            message(1, 2, MessageStatus::Standing, 500),
            message(2, 1, MessageStatus::Waiting, 0),
        ];
        let Next::Send { message, ended, .. } = choose(outbox, Timestamp::from_micros(100)) else {
            panic!("something is due");
        };
        assert_eq!(message.id, "n-2");
        assert_eq!(ended.iter().map(|message| message.id.as_str()).collect::<Vec<_>>(), ["n-0"]);
    }

    proptest! {
        /// Goal: whatever waits, what is told of one thing is told in its order, all of it, and nothing too early.
        #[test]
        fn nothing_overtakes(rows in prop::collection::vec((0_u8..4, 0_i64..50), 1..20)) {
            let mut outbox: Vec<Message> = rows
                .iter()
                .enumerate()
                .map(|(place, (key, due))| message(place, *key, MessageStatus::Waiting, *due))
                .collect();
            let mut now = Timestamp::from_micros(0);
            let mut sent: Vec<String> = Vec::new();
            while !outbox.is_empty() {
                match choose(outbox.clone(), now) {
                    Next::Send { message, letter, .. } => {
                        prop_assert!(message.due <= now);
                        outbox.retain(|other| other.id != message.id);
                        sent.push(letter.notice.id);
                    }
                    Next::At(then) => {
                        prop_assert!(then > now);
                        now = then;
                    }
                    Next::Unreadable(_) => prop_assert!(false, "all can be read"),
                }
            }
            for key in 0..4 {
                let of_key = |id: &&String| id.starts_with(&format!("{key}/"));
                let places: Vec<usize> =
                    sent.iter().filter(of_key).filter_map(|id| id.split_once('/')?.1.parse().ok()).collect();
                prop_assert!(places.is_sorted());
            }
            prop_assert_eq!(sent.len(), rows.len());
        }
    }
}
