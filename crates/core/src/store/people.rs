//! What is known of users beside their money: profiles, one-time codes, messages of merchants. A part of the port.

use super::Stored;
use crate::ids::{AgreementId, CodeRequestId, CustomerId, Owner};
use crate::message::Channel;
use crate::people::Profile;
use crate::people::merchant_message::MessageClaim;
use crate::people::one_time_code::{CodeBudget, OneTimeCode};

/// What can be read of it.
pub trait PeopleRows {
    /// The profile of a user.
    fn profile(&self, customer: &CustomerId) -> Stored<Option<Profile>>;
    /// A one-time code.
    fn one_time_code(&self, id: &CodeRequestId) -> Stored<Option<OneTimeCode>>;
    /// How many codes an agreement has had.
    fn code_budget(&self, agreement: &AgreementId) -> Stored<Option<CodeBudget>>;
    /// Which message a merchant's key stands for.
    fn message_claim(
        &self,
        owner: &Owner,
        channel: Channel,
        request_id: &str,
    ) -> Stored<Option<MessageClaim>>;
}

/// What can be written of it.
pub trait PeopleTx {
    /// Sets the profile of a user.
    fn put_profile(&mut self, profile: &Profile) -> Stored<()>;
    /// Creates a one-time code. Unique: id.
    fn insert_one_time_code(&mut self, code: &OneTimeCode) -> Stored<()>;
    /// Replaces a one-time code.
    fn update_one_time_code(&mut self, code: &OneTimeCode) -> Stored<()>;
    /// Sets the budget of an agreement.
    fn put_code_budget(&mut self, budget: &CodeBudget) -> Stored<()>;
    /// Claims a merchant's key. Unique: owner, channel and key.
    fn insert_message_claim(&mut self, claim: &MessageClaim) -> Stored<()>;
}
