//! The ends of agreements: questions to owners that brought no answer. A part of the port.

use crate::agreement::unbind::Consult;
use crate::ids::AgreementId;
use crate::store::Stored;

/// What can be read of it.
pub trait UnbindingRows {
    /// The questions about that agreement that brought no answer.
    fn consult(&self, agreement: &AgreementId) -> Stored<Option<Consult>>;
}

/// What can be written of it.
pub trait UnbindingTx {
    /// Sets the questions about an agreement that brought no answer.
    fn put_consult(&mut self, consult: &Consult) -> Stored<()>;
}
