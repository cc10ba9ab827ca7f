//! Qi sendInbox and sendPush: a merchant writes to its user, once for each requestId.

use crate::dialect::{Act, Answer, Refused};
use crate::fields::{FieldFault, Fields, Strictness, UrlRule};
use crate::json::Json;
use crate::qi::Qi;
use crate::qi::common::{self, MAX_EXTEND_INFO, MAX_TOKEN};
use accord_core::client::Client;
use accord_core::ids::Owner;
use accord_core::message::Channel;
use accord_core::payment::pay::Forced;
use accord_core::people::merchant_message::{self, SendMessage, Template};
use accord_core::secret::{DerivationKeys, Digest, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::user::Language;
use accord_core::{Moment, Refusal, Ruled};
use serde_json::json;
use std::sync::Arc;

/// Longest requestId (Qi sendInbox).
const MAX_REQUEST_ID: usize = 128;
/// Longest templateCode (Qi sendInbox).
const MAX_TEMPLATE_CODE: usize = 256;
/// Most templates (platform V2 sendInbox).
const MAX_TEMPLATES: usize = 5;
/// Longest Title and language tag; the paper is silent, so as every title of its dictionary.
const MAX_TITLE: usize = 256;
/// Longest Content; the paper is silent, so half an extendInfo.
const MAX_CONTENT: usize = 2048;
/// Longest Url; the paper is silent, so as paymentNotifyUrl.
const MAX_URL: usize = 1024;

pub(super) struct SendMessageAct {
    qi: Arc<Qi>,
    command: SendMessage,
}

pub(super) fn read(
    qi: Arc<Qi>,
    client: &Client,
    body: &Json,
    channel: Channel,
) -> Result<SendMessageAct, Refused> {
    let fields = common::members(body)?;
    let token = Secret::new(fields.required_text("accessToken", MAX_TOKEN)?);
    let request_id = fields.required_id("requestId", MAX_REQUEST_ID)?.to_owned();
    let template_code = match channel {
        Channel::Inbox => "MINI_APP_COMMON_INBOX",
        Channel::Push => "MINI_APP_COMMON_PUSH",
    };
    if fields.required_text("templateCode", MAX_TEMPLATE_CODE)? != template_code {
        return Err(fields.fault("templateCode", format!("must be {template_code}")).into());
    }
    let templates = templates(&qi, &fields)?;
    fields.optional_text("extendInfo", MAX_EXTEND_INFO)?;
    let command = SendMessage {
        bearer: common::bearer_of(client),
        token,
        channel,
        request_id,
        fingerprint: fingerprint(&templates),
        templates,
    };
    Ok(SendMessageAct { qi, command })
}

fn templates(qi: &Qi, fields: &Fields<'_>) -> Result<Vec<Template>, FieldFault> {
    const NAME: &str = "templates";
    let items = match fields.optional_raw(NAME) {
        Some(Json::Array(items)) => items,
        Some(_) => return Err(fields.fault(NAME, "must be an array")),
        None => return Err(fields.fault(NAME, "required, but missing")),
    };
    if items.is_empty() || items.len() > MAX_TEMPLATES {
        return Err(fields.fault(NAME, format!("must have 1 to {MAX_TEMPLATES} items")));
    }
    // The wallet's own links are `mini://…`; a merchant may lead to the web or to its app as well.
    let schemes = ["mini".to_owned()];
    let rule = UrlRule::redirect(qi.config.allow_http, &schemes);
    let template = |(index, item): (usize, &Json)| {
        let item = Fields::at(item, &fields.path_of(&format!("{NAME}[{index}]")), Strictness::QI)?;
        let parameters = item.required_object("templateParameters")?;
        let title = parameters.required_text("Title", MAX_TITLE)?.to_owned();
        let content = parameters.required_text("Content", MAX_CONTENT)?.to_owned();
        let url = parameters.optional_url("Url", MAX_URL, rule)?.map(|url| url.text);
        let language = item.optional_id("language", MAX_TITLE)?;
        let language = language.and_then(|tag| language_of(tag, &qi.config.languages));
        Ok(Template { language, title, content, url })
    };
    items.iter().enumerate().map(template).collect()
}

/// The wallet's language of a tag: `ar`, `ar-IQ` and `ar_EG` are Arabic to it; nothing for one that it does not speak.
fn language_of(tag: &str, spoken: &[Language]) -> Option<Language> {
    let primary = tag.split(['-', '_']).next().unwrap_or(tag);
    spoken.iter().copied().find(|language| primary.eq_ignore_ascii_case(language.primary()))
}

/// What a repeat must share.
fn fingerprint(templates: &[Template]) -> Digest {
    let mut parts = vec!["qi message"];
    for template in templates {
        let Template { language, title, content, url } = template;
        parts.push(language.as_ref().map_or("", Language::as_str));
        parts.extend([title, content, url.as_deref().unwrap_or_default()]);
    }
    Digest::of_parts(&parts)
}

impl Act for SendMessageAct {
    fn run(&mut self, tx: &mut dyn Tx, _: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let id = merchant_message::send(tx, &self.command, &self.qi.policy, at)?;
        Ok(common::success(json!({ "messageId": id.as_str() })))
    }

    fn is_known(&self, rows: &dyn Rows) -> Stored<bool> {
        let SendMessage { bearer, channel, request_id, .. } = &self.command;
        Ok(rows.message_claim(&bearer.owner, *channel, request_id)?.is_some())
    }

    fn explain(&self, rows: &dyn Rows, refusal: Refusal) -> Stored<Option<String>> {
        if refusal != Refusal::MessageReused {
            return Ok(None);
        }
        let SendMessage { bearer, channel, request_id, fingerprint, .. } = &self.command;
        let claim = rows.message_claim(&bearer.owner, *channel, request_id)?;
        Ok(claim.map(|claim| {
            let same = claim.fingerprint == *fingerprint;
            let names = if same { "accessToken (its agreement)" } else { "templates" };
            format!("{names}: not as in the first request of this requestId")
        }))
    }

    fn owner(&self) -> &Owner {
        &self.command.bearer.owner
    }

    fn force(&mut self, _: Forced) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_the_wallets_language_by_its_first_part() {
        for (tag, language) in [
            ("ar", Some(Language::Arabic)),
            ("ar_EG", Some(Language::Arabic)),
            ("EN-us", Some(Language::English)),
            ("fr", None),
            ("arabic", None),
            ("", None),
        ] {
            assert_eq!(language_of(tag, Language::BUILT_IN), language, "{tag}");
        }
    }
}
