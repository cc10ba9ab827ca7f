//! One-time codes of approvals.

use super::Books;
use accord_core::agreement::step_up::StepUp;
use accord_core::ids::AuthId;
use accord_core::store::Stored;
use accord_core::store::step_up::{StepUpRows, StepUpTx};

impl StepUpRows for Books {
    fn step_up(&self, id: &AuthId) -> Stored<Option<StepUp>> {
        Ok(self.step_ups.get(id).cloned())
    }
}

impl StepUpTx for Books {
    fn put_step_up(&mut self, code: &StepUp) -> Stored<()> {
        self.step_ups.put(code.auth_id.clone(), code.clone());
        Ok(())
    }
    fn remove_step_up(&mut self, id: &AuthId) -> Stored<()> {
        self.step_ups.remove(id);
        Ok(())
    }
}
