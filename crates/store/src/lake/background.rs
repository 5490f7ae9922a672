//! Threads for work that can wait: they yield the processor to whoever takes events in.

use std::future::Future;

use thread_priority::{ThreadPriority, ThreadPriorityValue};
use tokio::runtime::{Builder, Runtime};

use super::LakeError;

/// Out of 99, of which 50 is a thread's usual priority; on Linux a niceness of 9. Beside a busy thread of usual
/// priority it is a tenth of a core: enough to end, too little to be felt.
const PRIORITY: u8 = 25;
/// Threads that read and write files: more than [`super::OPEN_CONCURRENCY`], because reading a log holds one while
/// others read its commits. Delta reads all commits of a log at once, and would otherwise start a
/// thread for each of them, every one with some megabytes that the allocator keeps for it.
const FILE_THREADS: usize = 16;

/// The threads. They end, with what they do, when this is dropped.
#[derive(Debug)]
pub(super) struct Background {
    /// Taken only by `drop`.
    runtime: Option<Runtime>,
}

impl Background {
    pub(super) fn start() -> Result<Self, LakeError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(FILE_THREADS)
            .thread_name("lake-background")
            .on_thread_start(lower_priority)
            .enable_all()
            .build()
            .map_err(LakeError::Thread)?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Does the work on these threads.
    ///
    /// # Errors
    /// Those of the work; [`LakeError::Stopped`] where the lake is closed meanwhile.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LakeError>> + Send + 'static,
    ) -> Result<T, LakeError> {
        let Some(runtime) = &self.runtime else { return Err(LakeError::Stopped) };
        runtime.spawn(work).await.unwrap_or(Err(LakeError::Stopped))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn lower_priority() {
    let lowered = ThreadPriorityValue::try_from(PRIORITY)
        .and_then(|value| ThreadPriority::Crossplatform(value).set_for_current().map_err(|error| error.to_string()));
    if let Err(error) = lowered {
        tracing::debug!(%error, "files are merged at the usual priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_and_its_error_is_told() {
        let background = Background::start().unwrap();
        assert_eq!(background.run(async { Ok(7) }).await.unwrap(), 7);
        assert!(background.run(async { Err::<(), _>(LakeError::Stopped) }).await.is_err());
    }

    /// Goal: intake goes first. Linux tells the niceness of a thread as the 19th number of its `stat`.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_yield_to_others() {
        let niceness = || -> i32 {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let (_, numbers) = stat.rsplit_once(')').unwrap();
            numbers.split_whitespace().nth(16).unwrap().parse().unwrap()
        };
        let background = Background::start().unwrap();
        let there = background.run(async move { Ok(niceness()) }).await.unwrap();
        let reader = background.run(async move { Ok(tokio::task::spawn_blocking(niceness).await.unwrap()) });
        assert!(there >= 9, "{there}");
        assert_eq!(reader.await.unwrap(), there);
    }
}
