//! Qi inquiryUserInfo: what a merchant may know of its user, member by member as the scopes were granted.

use crate::dialect::{Act, Answer, Refused};
use crate::json::Json;
use crate::qi::Qi;
use crate::qi::common::{self, MAX_EXTEND_INFO, MAX_TOKEN};
use accord_core::agreement::Scope;
use accord_core::client::Client;
use accord_core::ids::Owner;
use accord_core::payment::pay::Forced;
use accord_core::people::user_info::{UserInfo, user_info};
use accord_core::people::{Contact, ContactKind, PersonName};
use accord_core::secret::{DerivationKeys, Digest, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::token::live::Bearer;
use accord_core::user::mask_login_id;
use accord_core::{Moment, Ruled};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The scopes that open a member of userInfo.
const SCOPES: &[Scope] = &[
    Scope::AuthBase,
    Scope::UserId,
    Scope::UserLoginId,
    Scope::HashLoginId,
    Scope::AuthUser,
    Scope::UserName,
    Scope::UserAvatar,
    Scope::UserGender,
    Scope::UserBirthday,
    Scope::UserNationality,
    Scope::UserContactInfo,
];

pub(super) struct InquiryUserInfoAct {
    qi: Arc<Qi>,
    bearer: Bearer,
    token: Secret,
}

pub(super) fn read(qi: Arc<Qi>, client: &Client, body: &Json) -> Result<InquiryUserInfoAct, Refused> {
    let fields = common::members(body)?;
    let token = Secret::new(fields.required_text("accessToken", MAX_TOKEN)?);
    fields.optional_text("extendInfo", MAX_EXTEND_INFO)?;
    Ok(InquiryUserInfoAct { qi, bearer: common::bearer_of(client), token })
}

impl Act for InquiryUserInfoAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        self.look(tx, keys, at)
    }

    fn only_reads(&self) -> bool {
        true
    }

    fn look(&mut self, rows: &dyn Rows, _: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let info = user_info(rows, &self.bearer, &self.token, SCOPES, &self.qi.policy, at.now)?;
        Ok(common::success(json!({ "userInfo": members(&info) })))
    }

    fn is_known(&self, _: &dyn Rows) -> Stored<bool> {
        Ok(false)
    }

    fn owner(&self) -> &Owner {
        &self.bearer.owner
    }

    fn force(&mut self, _: Forced) -> bool {
        false
    }
}

/// A member is there if its scope was granted and the wallet knows it.
fn members(info: &UserInfo) -> Value {
    use Scope::*;
    let UserInfo { user, profile, .. } = info;
    let text = |text: &Option<String>| text.clone().map(Value::String);
    let contacts = || {
        let of_login = ContactKind::of_login(user.login_id.as_str());
        let of_login = of_login.map(|kind| Contact { kind, value: user.login_id.as_str().to_owned() });
        let others = profile.contacts.iter().filter(|other| other.value != user.login_id.as_str()).cloned();
        let all: Vec<Value> =
            of_login.into_iter().chain(others).map(|contact| contact_info(&contact)).collect();
        (!all.is_empty()).then_some(Value::Array(all))
    };
    let mut members = Map::new();
    for (scopes, name, value) in [
        (&[AuthBase, UserId][..], "userId", Some(json!(user.id.as_str()))),
        (&[UserLoginId, HashLoginId], "loginIdInfos", Some(json!([login_id_info(info)]))),
        (&[AuthUser, UserName], "userName", profile.name.as_ref().map(user_name)),
        (&[AuthUser, UserName], "userNameInArabic", profile.name_in_arabic.as_ref().map(user_name)),
        (&[AuthUser, UserAvatar], "avatar", text(&profile.avatar)),
        (&[UserGender], "gender", profile.gender.map(|gender| json!(gender.as_str()))),
        (&[UserBirthday], "birthDate", text(&profile.birth_date)),
        (&[UserNationality], "nationality", text(&profile.nationality)),
        (&[UserContactInfo], "contactInfos", contacts()),
    ] {
        if let Some(value) = value.filter(|_| info.may(scopes)) {
            members.insert(name.to_owned(), value);
        }
    }
    Value::Object(members)
}

/// Masked with USER_LOGIN_ID, SHA-256 in lower-case hex with HASH_LOGIN_ID. Both scopes are silent, so nobody was
/// asked: the login id itself is never told.
fn login_id_info(info: &UserInfo) -> Value {
    let login = &info.user.login_id;
    let mut members = Map::new();
    if info.may(&[Scope::HashLoginId]) {
        members.insert("hashLoginId".to_owned(), json!(Digest::of(login.as_str()).hex()));
    }
    if info.may(&[Scope::UserLoginId]) {
        members.insert("maskLoginId".to_owned(), json!(mask_login_id(login)));
    }
    if let Some(kind) = ContactKind::of_login(login.as_str()) {
        members.insert("loginIdType".to_owned(), json!(kind.as_str()));
    }
    Value::Object(members)
}

fn user_name(name: &PersonName) -> Value {
    let parts = [
        ("fullName", Some(&name.full)),
        ("firstName", name.first.as_ref()),
        ("secondName", name.second.as_ref()),
        ("thirdName", name.third.as_ref()),
        ("lastName", name.last.as_ref()),
    ];
    let present = parts.into_iter().filter_map(|(part, text)| Some((part.to_owned(), json!(text?))));
    Value::Object(present.collect())
}

fn contact_info(contact: &Contact) -> Value {
    json!({ "contactType": contact.kind.as_str(), "contactNo": contact.value })
}
