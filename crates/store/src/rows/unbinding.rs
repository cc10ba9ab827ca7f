//! The ends of agreements: questions to owners that brought no answer.

use super::desk::Desk;
use super::sql::{self, statements};
use super::value::params;
use accord_core::agreement::unbind::Consult;
use accord_core::ids::AgreementId;
use accord_core::moment::Timestamp;
use accord_core::store::Stored;
use accord_core::store::unbinding::{UnbindingRows, UnbindingTx};

statements! {
    CONSULT = "SELECT failed_at FROM consults WHERE bucket = ?1 AND agreement = ?2";
    PUT_CONSULT = "INSERT INTO consults (bucket, agreement, failed_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (bucket, agreement) DO UPDATE SET failed_at = excluded.failed_at";
}

impl UnbindingRows for Desk<'_> {
    fn consult(&self, agreement: &AgreementId) -> Stored<Option<Consult>> {
        sql::one(self.0, CONSULT, params![agreement.bucket().number(), agreement.as_str()], |row| {
            let failed_at =
                row.parsed(|text| text.lines().map(|line| line.parse().ok().map(Timestamp)).collect())?;
            Ok(Consult { agreement: agreement.clone(), failed_at })
        })
    }
}

impl UnbindingTx for Desk<'_> {
    fn put_consult(&mut self, consult: &Consult) -> Stored<()> {
        let times: String = consult.failed_at.iter().map(|time| format!("{}\n", time.0)).collect();
        let id = &consult.agreement;
        sql::write(self.0, PUT_CONSULT, params![id.bucket().number(), id.as_str(), times])
    }
}
