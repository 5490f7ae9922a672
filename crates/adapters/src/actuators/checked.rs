//! What every actuator promises, in one place: nothing is done twice, everything has a time limit, and a change
//! counts as done only once the target shows it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout_at};
use wardline_domain::{Action, ActionError, ActionReceipt, ActionRequest, Actuator};

pub(super) use crate::remote::Fault;
use crate::remote::TimeLimit;

/// Longest pause between two looks at a target that takes its time.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

impl Fault {
    pub(super) fn named(self, target: &str) -> ActionError {
        let target = target.to_owned();
        match self {
            Self::Unreachable(reason) => ActionError::Unreachable { target, reason },
            Self::Refused(reason) => ActionError::Refused { target, reason },
        }
    }
}

/// Another system, as far as it differs from others.
#[async_trait]
pub(super) trait Target: Send + Sync + 'static {
    /// What an action means for it, checked and in its own words.
    type Aim: Send + Sync;
    /// What holds there now.
    type State: Send + Sync;

    /// Whether it can do such a thing.
    fn can(&self, action: &Action) -> bool;

    /// What the action means here.
    async fn aim(&self, action: &Action) -> Result<Self::Aim, Fault>;

    /// Looks at what holds; `None` where the target does not tell.
    async fn observe(&self, aim: &Self::Aim) -> Result<Option<Self::State>, Fault>;

    /// Whether what holds is what is wanted.
    fn holds(&self, aim: &Self::Aim, state: &Self::State) -> bool;

    /// Makes the change, and says what the target answered, where that is worth keeping.
    async fn change(
        &self,
        aim: &Self::Aim,
        before: Option<&Self::State>,
        request: &ActionRequest,
    ) -> Result<Option<String>, Fault>;

    /// What holds, for people.
    fn describe(&self, aim: &Self::Aim, state: &Self::State) -> String;

    /// What is wanted, in the words of [`Target::describe`].
    fn describe_aim(&self, aim: &Self::Aim) -> String;

    /// Whether it answers before the change holds, so that reading back has to wait.
    fn takes_its_time(&self, _aim: &Self::Aim) -> bool {
        false
    }
}

/// A target with the promises around it.
struct Checked<T> {
    name: String,
    limit: Duration,
    target: T,
}

/// An actuator from what is particular to its target.
pub(super) fn checked<T: Target>(name: &str, limit: TimeLimit, target: T) -> Arc<dyn Actuator> {
    Arc::new(Checked { name: name.to_owned(), limit: limit.duration(), target })
}

impl<T: Target> Checked<T> {
    async fn aim(&self, action: &Action) -> Result<T::Aim, ActionError> {
        if !self.target.can(action) {
            let target = self.name.clone();
            return Err(ActionError::Unsupported { target, action: action.to_string() });
        }
        self.target.aim(action).await.map_err(|fault| fault.named(&self.name))
    }

    async fn observe(&self, aim: &T::Aim) -> Result<Option<T::State>, ActionError> {
        self.target.observe(aim).await.map_err(|fault| fault.named(&self.name))
    }

    /// Waits until the target shows what was asked for, and says so.
    async fn read_back(
        &self,
        aim: &T::Aim,
        answer: Option<String>,
        end: Instant,
    ) -> Result<Option<String>, ActionError> {
        let mut pause = Duration::from_millis(2);
        loop {
            let Some(state) = self.observe(aim).await? else { return Ok(answer) };
            let found = self.target.describe(aim, &state);
            if self.target.holds(aim, &state) {
                return Ok(Some(found));
            }
            // The last look comes before the limit, or only the limit would be reported, and not what was seen.
            if !self.target.takes_its_time(aim) || Instant::now() + pause * 2 >= end {
                let (target, expected) = (self.name.clone(), self.target.describe_aim(aim));
                return Err(ActionError::NotDone { target, expected, found });
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn perform(&self, request: &ActionRequest, end: Instant) -> Result<ActionReceipt, ActionError> {
        let aim = self.aim(&request.action).await?;
        let state = self.observe(&aim).await?;
        let before = state.as_ref().map(|state| self.target.describe(&aim, state));
        if state.as_ref().is_some_and(|state| self.target.holds(&aim, state)) {
            return Ok(ActionReceipt { after: before.clone(), before, was_so: true });
        }
        let answer =
            self.target.change(&aim, state.as_ref(), request).await.map_err(|fault| fault.named(&self.name))?;
        let after = self.read_back(&aim, answer, end).await?;
        Ok(ActionReceipt { before, after, was_so: false })
    }

    fn too_slow(&self) -> ActionError {
        ActionError::Unreachable {
            target: self.name.clone(),
            reason: format!(
                "nothing final came within {} ms; asking again does it once, and `time_limit_ms` allows more time",
                self.limit.as_millis()
            ),
        }
    }
}

#[async_trait]
impl<T: Target> Actuator for Checked<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn can(&self, action: &Action) -> bool {
        self.target.can(action)
    }

    async fn read(&self, action: &Action) -> Result<String, ActionError> {
        let look = async {
            let aim = self.aim(action).await?;
            let state = self.observe(&aim).await?.ok_or_else(|| ActionError::Unsupported {
                target: self.name.clone(),
                action: format!("read back: {action}"),
            })?;
            Ok(self.target.describe(&aim, &state))
        };
        timeout_at(Instant::now() + self.limit, look).await.unwrap_or_else(|_| Err(self.too_slow()))
    }

    async fn carry_out(&self, request: &ActionRequest) -> Result<ActionReceipt, ActionError> {
        let end = Instant::now() + self.limit;
        timeout_at(end, self.perform(request, end)).await.unwrap_or_else(|_| Err(self.too_slow()))
    }
}
