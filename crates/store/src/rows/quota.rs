//! Calls a second of clients.

use super::desk::Desk;
use super::sql::{self, statements};
use super::value::params;
use accord_core::client::keys::bucket_of;
use accord_core::client::quota::CallQuota;
use accord_core::ids::ClientId;
use accord_core::store::Stored;
use accord_core::store::quota::{QuotaRows, QuotaTx};

statements! {
    CALL_QUOTA = "SELECT client, time_window, taken, nodes, nodes_before FROM call_quotas
        WHERE bucket = ?1 AND client = ?2";
    PUT_CALL_QUOTA = "INSERT INTO call_quotas (bucket, client, time_window, taken, nodes, nodes_before)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (bucket, client) DO UPDATE SET time_window = excluded.time_window, taken = excluded.taken,
        nodes = excluded.nodes, nodes_before = excluded.nodes_before";
}

impl QuotaRows for Desk<'_> {
    fn call_quota(&self, client: &ClientId) -> Stored<Option<CallQuota>> {
        sql::one(self.0, CALL_QUOTA, params![bucket_of(client).number(), client.as_str()], |row| {
            Ok(CallQuota {
                client: ClientId::new(row.get::<String>()?),
                window: row.get()?,
                taken: row.get()?,
                nodes: row.get()?,
                nodes_before: row.get()?,
            })
        })
    }
}

impl QuotaTx for Desk<'_> {
    fn put_call_quota(&mut self, quota: &CallQuota) -> Stored<()> {
        let values = params![
            bucket_of(&quota.client).number(),
            quota.client.as_str(),
            quota.window,
            quota.taken,
            quota.nodes,
            quota.nodes_before,
        ];
        sql::write(self.0, PUT_CALL_QUOTA, values)
    }
}
