//! What a merchant writes to a user: to the wallet's inbox, or as a push (Qi sendInbox, sendPush).
//!
//! A push is a message like any other, kept under its own channel; whoever carries it to the phone reads it from there.

use crate::agreement::Scope;
use crate::handle::Bucket;
use crate::ids::{AgreementId, MessageId, Owner};
use crate::message::{self, About, Channel, Message};
use crate::moment::{Moment, Timestamp};
use crate::outcome::{Refusal, Ruled, Stop};
use crate::people::holder;
use crate::policy::Policy;
use crate::secret::{Digest, Secret};
use crate::store::Tx;
use crate::token::live::{self, Bearer};
use crate::user::Language;

/// The same text in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its language, if it says one that the wallet speaks.
    pub language: Option<Language>,
    /// One line.
    pub title: String,
    /// The text.
    pub content: String,
    /// Where it leads.
    pub url: Option<String>,
}

/// The command.
#[derive(Debug, Clone)]
pub struct SendMessage {
    /// Who writes.
    pub bearer: Bearer,
    /// Names the user.
    pub token: Secret,
    /// Inbox or push.
    pub channel: Channel,
    /// The idempotency key, with owner and channel.
    pub request_id: String,
    /// Digest of what a repeat must share, the agreement apart.
    pub fingerprint: Digest,
    /// At least one; the user's language is picked.
    pub templates: Vec<Template>,
}

/// Which message an idempotency key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageClaim {
    /// Who wrote.
    pub owner: Owner,
    /// By which way.
    pub channel: Channel,
    /// The key that the owner gave.
    pub request_id: String,
    /// Digest of what was written.
    pub fingerprint: Digest,
    /// The agreement it was written under.
    pub agreement: AgreementId,
    /// The message.
    pub message: MessageId,
    /// When.
    pub created_at: Timestamp,
}

impl MessageClaim {
    /// The bucket that the claim of a key is in.
    pub fn bucket_of(owner: &Owner, channel: Channel, request_id: &str) -> Bucket {
        Bucket::of(&["message claim", owner.as_str(), channel.as_str(), request_id])
    }
}

/// Leaves the message once; a repeat with the same content gets the first one's id.
pub fn send(tx: &mut dyn Tx, command: &SendMessage, policy: &Policy, at: &Moment) -> Ruled<MessageId> {
    let SendMessage { bearer, token, channel, request_id, fingerprint, templates } = command;
    if let Some(claim) = tx.message_claim(&bearer.owner, *channel, request_id)? {
        let behind = live::by_access(tx, bearer, token, policy)?;
        let same = behind.is_some_and(|(_, agreement)| agreement.id == claim.agreement);
        if !same || claim.fingerprint != *fingerprint {
            return Err(Refusal::MessageReused.into());
        }
        return Ok(claim.message);
    }
    let scope = match channel {
        Channel::Inbox => Scope::NotificationInbox,
        Channel::Push => Scope::NotificationPush,
    };
    // A user who may not act at present cannot be reached either.
    let holder = match holder(tx, bearer, token, &[scope], policy, at.now) {
        Err(Stop::Refused(Refusal::UserFrozen | Refusal::UserNotFound)) => {
            return Err(Refusal::ChannelMissing.into());
        }
        holder => holder?,
    };
    let user = holder.user;
    let Some(template) = pick(templates, user.language) else { return Err(Refusal::ChannelMissing.into()) };
    let id = MessageId::mint(user.id.bucket(), &mut at.random("merchant message"));
    tx.insert_message_claim(&MessageClaim {
        owner: bearer.owner.clone(),
        channel: *channel,
        request_id: request_id.clone(),
        fingerprint: *fingerprint,
        agreement: holder.agreement.id,
        message: id.clone(),
        created_at: at.now,
    })?;
    let message = Message {
        id: id.clone(),
        customer: user.id.clone(),
        channel: *channel,
        language: template.language.unwrap_or(user.language),
        about: About::FromMerchant {
            // Our own id: two merchants may give one key.
            request: id.to_string(),
            merchant: holder.terms.display_name,
            title: template.title.clone(),
            content: template.content.clone(),
            url: template.url.clone(),
        },
        at: at.now,
    };
    message::leave(tx, &message, &user, None, &policy.messages)?;
    Ok(id)
}

/// The one in the user's language, else the first without a language, else the first.
fn pick(templates: &[Template], language: Language) -> Option<&Template> {
    let of = |sought: Option<Language>| templates.iter().find(|template| template.language == sought);
    of(Some(language)).or_else(|| of(None)).or(templates.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_language_is_picked_then_none_then_the_first() {
        let (english, arabic) = (Language::English, Language::Arabic);
        let template = |language, title: &str| Template {
            language,
            title: title.to_owned(),
            content: String::new(),
            url: None,
        };
        let all = [template(Some(english), "en"), template(None, "any"), template(Some(arabic), "ar")];
        let title = |templates: &[Template], language| pick(templates, language).map(|t| t.title.clone());
        assert_eq!(title(&all, arabic).as_deref(), Some("ar"));
        assert_eq!(title(&all[..2], arabic).as_deref(), Some("any"));
        assert_eq!(title(&all[..1], arabic).as_deref(), Some("en"));
        assert_eq!(title(&[], arabic), None);
    }
}
