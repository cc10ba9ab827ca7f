//! Pages that are handed over from a PC to a phone.

use super::Books;
use accord_core::agreement::handover::Handover;
use accord_core::ids::AuthId;
use accord_core::store::Stored;
use accord_core::store::handover::{HandoverRows, HandoverTx};

impl HandoverRows for Books {
    fn handover(&self, id: &AuthId) -> Stored<Option<Handover>> {
        Ok(self.handovers.get(id).cloned())
    }
}

impl HandoverTx for Books {
    fn put_handover(&mut self, handover: &Handover) -> Stored<()> {
        self.handovers.put(handover.auth_id.clone(), handover.clone());
        Ok(())
    }
    fn remove_handover(&mut self, id: &AuthId) -> Stored<()> {
        self.handovers.remove(id);
        Ok(())
    }
}
