//! Pages that are handed over from a PC to a phone. A part of the port.

use crate::agreement::handover::Handover;
use crate::ids::AuthId;
use crate::store::Stored;

/// What can be read of it.
pub trait HandoverRows {
    /// The hand-over of that session's page.
    fn handover(&self, id: &AuthId) -> Stored<Option<Handover>>;
}

/// What can be written of it.
pub trait HandoverTx {
    /// Sets the hand-over of a session's page.
    fn put_handover(&mut self, handover: &Handover) -> Stored<()>;
    /// Forgets the hand-over of a session's page, if there is one.
    fn remove_handover(&mut self, id: &AuthId) -> Stored<()>;
}
