//! One-time codes of approvals. A part of the port.

use crate::agreement::step_up::StepUp;
use crate::ids::AuthId;
use crate::store::Stored;

/// What can be read of it.
pub trait StepUpRows {
    /// The newest code of that session.
    fn step_up(&self, id: &AuthId) -> Stored<Option<StepUp>>;
}

/// What can be written of it.
pub trait StepUpTx {
    /// Sets the code of a session.
    fn put_step_up(&mut self, code: &StepUp) -> Stored<()>;
    /// Forgets the code of a session, if there is one.
    fn remove_step_up(&mut self, id: &AuthId) -> Stored<()>;
}
