//! Pages that are handed over from a PC to a phone.

use super::desk::Desk;
use super::sql::{self, statements};
use super::value::params;
use accord_core::agreement::handover::Handover;
use accord_core::ids::AuthId;
use accord_core::secret::Digest;
use accord_core::store::Stored;
use accord_core::store::handover::{HandoverRows, HandoverTx};

statements! {
    HANDOVER = "SELECT auth_id, session_ends_at, opened_by, opened_at, address, device, number, wrong, taken_by,
        taken_at FROM handovers WHERE bucket = ?1 AND auth_id = ?2";
    PUT_HANDOVER = "INSERT INTO handovers (bucket, auth_id, session_ends_at, opened_by, opened_at, address, device,
        number, wrong, taken_by, taken_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT (bucket, auth_id) DO UPDATE SET session_ends_at = excluded.session_ends_at,
        opened_by = excluded.opened_by, opened_at = excluded.opened_at, address = excluded.address,
        device = excluded.device, number = excluded.number, wrong = excluded.wrong, taken_by = excluded.taken_by,
        taken_at = excluded.taken_at";
    REMOVE_HANDOVER = "DELETE FROM handovers WHERE bucket = ?1 AND auth_id = ?2";
}

impl HandoverRows for Desk<'_> {
    fn handover(&self, id: &AuthId) -> Stored<Option<Handover>> {
        sql::one(self.0, HANDOVER, params![id.bucket().number(), id.as_str()], |row| {
            Ok(Handover {
                auth_id: row.parsed(AuthId::read)?,
                session_ends_at: row.time()?,
                opened_by: row.digest()?,
                opened_at: row.time()?,
                address: row.get()?,
                device: row.get()?,
                number: row.get()?,
                wrong: row.get()?,
                taken_by: row.get::<Option<[u8; 32]>>()?.map(Digest),
                taken_at: row.maybe_time()?,
            })
        })
    }
}

impl HandoverTx for Desk<'_> {
    fn put_handover(&mut self, handover: &Handover) -> Stored<()> {
        let values = params![
            handover.auth_id.bucket().number(),
            handover.auth_id.as_str(),
            handover.session_ends_at.0,
            handover.opened_by.0,
            handover.opened_at.0,
            handover.address,
            handover.device,
            handover.number,
            handover.wrong,
            handover.taken_by.map(|digest| digest.0),
            handover.taken_at.map(|at| at.0),
        ];
        sql::write(self.0, PUT_HANDOVER, values)
    }

    fn remove_handover(&mut self, id: &AuthId) -> Stored<()> {
        sql::write(self.0, REMOVE_HANDOVER, params![id.bucket().number(), id.as_str()])
    }
}
