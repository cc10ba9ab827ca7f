//! The ends of agreements: questions to owners that brought no answer.

use super::Books;
use accord_core::agreement::unbind::Consult;
use accord_core::ids::AgreementId;
use accord_core::store::Stored;
use accord_core::store::unbinding::{UnbindingRows, UnbindingTx};

impl UnbindingRows for Books {
    fn consult(&self, agreement: &AgreementId) -> Stored<Option<Consult>> {
        Ok(self.consults.get(agreement).cloned())
    }
}

impl UnbindingTx for Books {
    fn put_consult(&mut self, consult: &Consult) -> Stored<()> {
        self.consults.put(consult.agreement.clone(), consult.clone());
        Ok(())
    }
}
