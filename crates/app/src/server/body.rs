//! Bodies of requests: how many bytes of them are in memory at once, packed and unpacked.

use std::{io::Read, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::StatusCode,
};
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;
use crate::settings::IntakeSettings;

/// How long a body waits for room before its sender is told to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Room is given out in pieces of so many bytes.
const PIECE: usize = 1_024;
/// Bytes that are unpacked before more room is asked for.
const STEP: usize = 1 << 20;

/// The room that all bodies share.
pub(super) struct Bodies {
    room: Arc<Semaphore>,
    /// Most bytes of one body, packed or unpacked.
    most: usize,
    longest_wait: Duration,
}

/// The bytes of a body, and the room that they take until this is dropped.
pub(super) struct Held {
    pub(super) bytes: Bytes,
    room: Room,
}

/// What one body has taken.
struct Room {
    all: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
    /// Bytes that were paid for and not used yet.
    left: usize,
    longest_wait: Duration,
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Bodies {
    pub(super) fn new(settings: &IntakeSettings) -> Self {
        Self {
            room: Arc::new(Semaphore::new(settings.max_bodies_bytes / PIECE)),
            most: settings.max_body_bytes,
            longest_wait: LONGEST_WAIT,
        }
    }

    /// Reads a body, unpacked.
    ///
    /// # Errors
    /// 413 where it is too large, 400 where it breaks off or cannot be unpacked, 503 where other bodies have
    /// taken all room.
    pub(super) async fn read(&self, body: Body, encoding: Encoding) -> Result<Held, ApiError> {
        let mut room = Room { all: Arc::clone(&self.room), taken: None, left: 0, longest_wait: self.longest_wait };
        let packed = self.collect(body, &mut room).await?;
        if encoding == Encoding::Identity {
            return Ok(Held { bytes: packed, room });
        }
        let most = self.most;
        let unpacked = tokio::task::spawn_blocking(move || unpack(encoding, &packed, most, room));
        unpacked.await.map_err(|error| ApiError::internal(&error))?
    }

    async fn collect(&self, body: Body, room: &mut Room) -> Result<Bytes, ApiError> {
        let expected = body.size_hint().upper().unwrap_or(0);
        if expected > self.most as u64 {
            return Err(self.too_large("is"));
        }
        let mut bytes = Vec::new();
        let mut parts = body.into_data_stream();
        while let Some(part) = parts.next().await {
            let part = part.map_err(|error| {
                ApiError::new(StatusCode::BAD_REQUEST, "broken_body", format!("the body breaks off: {error}"))
            })?;
            if bytes.len() + part.len() > self.most {
                return Err(self.too_large("is"));
            }
            if bytes.is_empty() {
                // All at once, where the sender says how much will come: nobody waits with half a body in hand.
                room.wait_for((expected as usize).max(part.len())).await?;
                bytes.reserve_exact(expected as usize);
            } else {
                room.wait_for(part.len()).await?;
            }
            room.left = room.left.saturating_sub(part.len());
            bytes.extend_from_slice(&part);
        }
        Ok(Bytes::from(bytes))
    }

    fn too_large(&self, verb: &str) -> ApiError {
        too_large(verb, self.most)
    }
}

impl Room {
    /// Takes room for so many bytes, beyond what is left.
    async fn wait_for(&mut self, bytes: usize) -> Result<(), ApiError> {
        let Some(pieces) = self.pieces(bytes) else { return Ok(()) };
        let turn = tokio::time::timeout(self.longest_wait, Arc::clone(&self.all).acquire_many_owned(pieces)).await;
        self.keep(turn.ok().and_then(Result::ok), pieces)
    }

    /// As [`Room::wait_for`], at once or not at all.
    fn take(&mut self, bytes: usize) -> Result<(), ApiError> {
        let Some(pieces) = self.pieces(bytes) else { return Ok(()) };
        let taken = Arc::clone(&self.all).try_acquire_many_owned(pieces).ok();
        self.keep(taken, pieces)
    }

    fn pieces(&self, bytes: usize) -> Option<u32> {
        let lacking = bytes.saturating_sub(self.left).div_ceil(PIECE);
        (lacking > 0).then(|| u32::try_from(lacking).unwrap_or(u32::MAX))
    }

    fn keep(&mut self, taken: Option<OwnedSemaphorePermit>, pieces: u32) -> Result<(), ApiError> {
        let Some(taken) = taken else {
            let message = "too many bytes of other bodies are under way: send again in some seconds, send fewer at once, or raise `intake.max_bodies_mib`";
            return Err(ApiError::unavailable("busy", message));
        };
        self.left += pieces as usize * PIECE;
        match &mut self.taken {
            Some(all) => all.merge(taken),
            None => self.taken = Some(taken),
        }
        Ok(())
    }
}

impl Held {
    /// Gives the bytes away, and keeps the room.
    pub(super) fn split(self) -> (Bytes, impl Send) {
        (self.bytes, self.room)
    }
}

impl Encoding {
    pub(super) fn of(name: &str) -> Result<Self, ApiError> {
        match name {
            "identity" | "" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            other => {
                let message = format!("content encoding `{other}` is not known: send identity, gzip or zstd");
                Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown_encoding", message))
            }
        }
    }
}

/// Unpacks a body, and gives up as soon as it exceeds its limit: a small body can hold a very large one.
fn unpack(encoding: Encoding, packed: &[u8], most: usize, mut room: Room) -> Result<Held, ApiError> {
    let bad = |error: std::io::Error| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_encoding", format!("the body cannot be unpacked: {error}"))
    };
    let mut reader: Box<dyn Read + '_> = match encoding {
        Encoding::Identity => Box::new(packed),
        Encoding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
        Encoding::Zstd => Box::new(zstd::stream::read::Decoder::new(packed).map_err(bad)?),
    };
    let mut unpacked = Vec::new();
    loop {
        room.take(STEP)?;
        unpacked.reserve(STEP);
        let came = reader.by_ref().take(STEP as u64).read_to_end(&mut unpacked).map_err(bad)?;
        room.left = room.left.saturating_sub(came);
        if unpacked.len() > most {
            return Err(too_large("unpacks to", most));
        }
        if came < STEP {
            return Ok(Held { bytes: Bytes::from(unpacked), room });
        }
    }
}

fn too_large(verb: &str, most: usize) -> ApiError {
    let message =
        format!("the body {verb} more than {most} bytes: send smaller batches, or raise `intake.max_body_mib`");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn bodies(most: usize, all: usize) -> Bodies {
        Bodies { room: Arc::new(Semaphore::new(all / PIECE)), most, longest_wait: Duration::ZERO }
    }

    fn zipped(bytes: usize) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(&vec![b'x'; bytes]).unwrap();
        writer.finish().unwrap()
    }

    #[tokio::test]
    async fn room_is_taken_while_a_body_is_held_and_given_back() {
        let bodies = bodies(4 << 20, 8 << 20);
        let held = bodies.read(Body::from(vec![1; 3 << 20]), Encoding::Identity).await.unwrap();
        assert_eq!(bodies.room.available_permits(), (5 << 20) / PIECE);
        let zipped = bodies.read(Body::from(zipped(3 << 20)), Encoding::Gzip).await.unwrap();
        assert_eq!((held.bytes.len(), zipped.bytes.len()), (3 << 20, 3 << 20));
        assert!(bodies.room.available_permits() <= (2 << 20) / PIECE);
        drop((held, zipped));
        assert_eq!(bodies.room.available_permits(), (8 << 20) / PIECE);
    }

    /// Goal: whoever sends much at once is told to wait, and takes nothing from those who come later.
    #[tokio::test]
    async fn who_finds_no_room_is_told_to_come_back() {
        let bodies = bodies(4 << 20, 4 << 20);
        let held = bodies.read(Body::from(vec![1; 3 << 20]), Encoding::Identity).await.unwrap();
        for (body, encoding) in [(vec![1; 2 << 20], Encoding::Identity), (zipped(2 << 20), Encoding::Gzip)] {
            let refused = bodies.read(Body::from(body), encoding).await.err().unwrap();
            assert_eq!(refused.code(), "busy");
        }
        drop(held);
        assert_eq!(bodies.room.available_permits(), (4 << 20) / PIECE);
    }

    #[tokio::test]
    async fn a_body_that_is_or_unpacks_to_too_much_is_refused() {
        let bodies = bodies(1 << 20, 8 << 20);
        for (body, encoding) in [(vec![1; (1 << 20) + 1], Encoding::Identity), (zipped(500 << 20), Encoding::Gzip)] {
            assert_eq!(bodies.read(Body::from(body), encoding).await.err().unwrap().code(), "body_too_large");
        }
        assert_eq!(bodies.room.available_permits(), (8 << 20) / PIECE);
        let exact = bodies.read(Body::from(zipped(1 << 20)), Encoding::Gzip).await.unwrap();
        assert_eq!(exact.bytes.len(), 1 << 20);
    }
}
