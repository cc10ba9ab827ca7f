//! What is known of users beside their money: profiles, one-time codes, messages of merchants.

use super::Books;
use accord_core::ids::{AgreementId, CodeRequestId, CustomerId, Owner};
use accord_core::message::Channel;
use accord_core::people::Profile;
use accord_core::people::merchant_message::MessageClaim;
use accord_core::people::one_time_code::{CodeBudget, OneTimeCode};
use accord_core::store::Stored;
use accord_core::store::people::{PeopleRows, PeopleTx};

impl PeopleRows for Books {
    fn profile(&self, customer: &CustomerId) -> Stored<Option<Profile>> {
        Ok(self.profiles.get(customer).cloned())
    }
    fn one_time_code(&self, id: &CodeRequestId) -> Stored<Option<OneTimeCode>> {
        Ok(self.one_time_codes.get(id).cloned())
    }
    fn code_budget(&self, agreement: &AgreementId) -> Stored<Option<CodeBudget>> {
        Ok(self.code_budgets.get(agreement).cloned())
    }
    fn message_claim(
        &self,
        owner: &Owner,
        channel: Channel,
        request_id: &str,
    ) -> Stored<Option<MessageClaim>> {
        Ok(self.message_claims.get(&(owner.clone(), channel, request_id.to_owned())).cloned())
    }
}

impl PeopleTx for Books {
    fn put_profile(&mut self, profile: &Profile) -> Stored<()> {
        self.profiles.put(profile.customer.clone(), profile.clone());
        Ok(())
    }
    fn insert_one_time_code(&mut self, code: &OneTimeCode) -> Stored<()> {
        self.one_time_codes.insert(code.id.clone(), code.clone())
    }
    fn update_one_time_code(&mut self, code: &OneTimeCode) -> Stored<()> {
        self.one_time_codes.change(code.id.clone(), code.clone())
    }
    fn put_code_budget(&mut self, budget: &CodeBudget) -> Stored<()> {
        self.code_budgets.put(budget.agreement.clone(), budget.clone());
        Ok(())
    }
    fn insert_message_claim(&mut self, claim: &MessageClaim) -> Stored<()> {
        let key = (claim.owner.clone(), claim.channel, claim.request_id.clone());
        self.message_claims.insert(key, claim.clone())
    }
}
