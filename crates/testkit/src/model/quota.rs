//! Calls a second of clients.

use super::Books;
use accord_core::client::quota::CallQuota;
use accord_core::ids::ClientId;
use accord_core::store::Stored;
use accord_core::store::quota::{QuotaRows, QuotaTx};

impl QuotaRows for Books {
    fn call_quota(&self, client: &ClientId) -> Stored<Option<CallQuota>> {
        Ok(self.call_quotas.get(client).cloned())
    }
}

impl QuotaTx for Books {
    fn put_call_quota(&mut self, quota: &CallQuota) -> Stored<()> {
        self.call_quotas.put(quota.client.clone(), quota.clone());
        Ok(())
    }
}
