//! Profiles of users: a JSON file as people write it, and the row it becomes.

use crate::exit::{Exit, usage};
use accord_core::ids::CustomerId;
use accord_core::people::{Contact, ContactKind, Gender, PersonName, Profile};
use anyhow::anyhow;
use serde::Deserialize;
use std::path::Path;

/// A profile as a file has it, in the words of Qi's userInfo. Everything may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Written {
    name: Option<WrittenName>,
    name_in_arabic: Option<WrittenName>,
    avatar: Option<String>,
    gender: Option<String>,
    birth_date: Option<String>,
    nationality: Option<String>,
    contacts: Vec<WrittenContact>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenName {
    full_name: String,
    first_name: Option<String>,
    second_name: Option<String>,
    third_name: Option<String>,
    last_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenContact {
    contact_type: String,
    contact_no: String,
}

impl Written {
    /// Reads a profile's text.
    pub fn parse(text: &str) -> Result<Written, String> {
        // serde_json would let the last of two members of one name win.
        accord_wire::json::parse(text.as_bytes()).map_err(|fault| format!("not a JSON object: {fault}"))?;
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|fault| format!("not a JSON object: {fault}"))?;
        serde_json::from_value(object.into()).map_err(|fault| fault.to_string())
    }

    /// The row of that user.
    pub fn of(self, customer: CustomerId) -> Result<Profile, String> {
        let name = |name: WrittenName| PersonName {
            full: name.full_name,
            first: name.first_name,
            second: name.second_name,
            third: name.third_name,
            last: name.last_name,
        };
        let gender = match self.gender.as_deref() {
            Some(word) => Some(Gender::parse(word).ok_or("gender: MALE or FEMALE")?),
            None => None,
        };
        let contact = |written: WrittenContact| {
            let kind = ContactKind::parse(&written.contact_type);
            Ok(Contact {
                kind: kind.ok_or("contacts: contactType is MOBILE_PHONE or EMAIL")?,
                value: written.contact_no,
            })
        };
        let contacts: Result<Vec<Contact>, String> = self.contacts.into_iter().map(contact).collect();
        let profile = Profile {
            customer,
            name: self.name.map(name),
            name_in_arabic: self.name_in_arabic.map(name),
            avatar: self.avatar,
            gender,
            birth_date: self.birth_date,
            nationality: self.nationality,
            contacts: contacts?,
        };
        profile.check().map(|()| profile)
    }
}

/// Reads a profile's file and judges it.
pub fn read(path: &Path) -> anyhow::Result<Written> {
    let text = std::fs::read_to_string(path).map_err(|fault| anyhow!("{}: {fault}", path.display()))?;
    let written = Written::parse(&text).map_err(|fault| usage(format!("{}: {fault}", path.display())))?;
    let nobody = CustomerId::mint(
        accord_core::handle::Bucket::new(0),
        &mut accord_core::Moment::new(accord_core::Timestamp(0), [0; 32]).random("nobody"),
    );
    written.clone().of(nobody).map_err(|fault| usage(format!("{}: {fault}", path.display())))?;
    Ok(written)
}

/// `accord user profile LOGIN FILE`: sets the whole profile.
pub fn set(args: &super::users::NameArgs, file: &Path) -> anyhow::Result<Exit> {
    let (login, written) = (super::users::read_login(&args.login_id)?, read(file)?);
    args.place.open()?.transact(move |tx, at| {
        let id = super::users::known(tx, &login)?.id;
        let profile = written.clone().of(id.clone()).map_err(super::clients::sentence)?;
        tx.put_profile(&profile)?;
        Ok(accord_core::journal::append(tx, at, id.bucket(), "user.profile", id.as_str(), "operator", "")?)
    })?;
    println!("user {}: profile set", args.login_id);
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_and_its_faults_are_named() {
        let id = || {
            CustomerId::mint(
                accord_core::handle::Bucket::new(1),
                &mut accord_core::Moment::new(accord_core::Timestamp(0), [1; 32]).random("test"),
            )
        };
        let said = |text: &str| Written::parse(text).and_then(|written| written.of(id()));
        let whole = r#"{"name": {"fullName": "Sara Ahmed", "firstName": "Sara"}, "nameInArabic": {"fullName": "سارة"},
            "avatar": "https://w.example/a.png", "gender": "FEMALE", "birthDate": "1992-02-29", "nationality": "IQ",
            "contacts": [{"contactType": "EMAIL", "contactNo": "sara@example.iq"}]}"#;
        assert_eq!(said(whole).map(|profile| profile.contacts.len()), Ok(1));
        assert_eq!(said("{}"), Ok(Profile::empty(id())));
        for (text, named) in [
            (r#"{"nick": "s"}"#, "nick"),
            (r#"{"gender": "X"}"#, "gender"),
            (r#"{"birthDate": "1993-02-29"}"#, "birthDate"),
            (r#"{"contacts": [{"contactType": "FAX", "contactNo": "1"}]}"#, "contactType"),
            ("[]", "not a JSON object"),
        ] {
            assert!(said(text).is_err_and(|why| why.contains(named)), "{text}");
        }
    }
}
