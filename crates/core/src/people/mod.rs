//! What an owner may learn of a user and send to one: profiles, one-time codes, messages of merchants.
//!
//! Every act here begins with an access token ([`holder`]) and asks for a scope; money is not touched. What a
//! dialect makes of a profile is the dialect's business.

pub mod customer_id;
pub mod merchant_message;
pub mod one_time_code;
pub mod user_info;

use crate::agreement::{Agreement, Scope, Terms};
use crate::ids::CustomerId;
use crate::moment::Timestamp;
use crate::outcome::{Refusal, Ruled};
use crate::policy::Policy;
use crate::secret::Secret;
use crate::store::{Rows, StoreFault};
use crate::token::apply_token::user_may;
use crate::token::live::{self, Bearer};
use crate::user::User;

crate::words! {
    /// What a user ticked as gender.
    Gender {
        /// Male.
        Male = "MALE",
        /// Female.
        Female = "FEMALE",
    }
}

crate::words! {
    /// A way to reach a user outside of the wallet.
    ContactKind {
        /// A mobile phone, in E.164 form.
        MobilePhone = "MOBILE_PHONE",
        /// An e-mail address.
        Email = "EMAIL",
    }
}

impl ContactKind {
    /// The kind that a login id is of: what begins with `+` is a phone, what holds an `@` an address.
    pub fn of_login(login: &str) -> Option<ContactKind> {
        match (login.starts_with('+'), login.contains('@')) {
            (true, false) => Some(ContactKind::MobilePhone),
            (false, true) => Some(ContactKind::Email),
            _ => None,
        }
    }
}

/// A name and its parts, in one script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonName {
    /// The whole, at most 128 characters.
    pub full: String,
    /// Given name, at most 32 characters, as the other parts.
    pub first: Option<String>,
    /// The father's.
    pub second: Option<String>,
    /// The grandfather's.
    pub third: Option<String>,
    /// Family name.
    pub last: Option<String>,
}

/// A way to reach a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// What it is.
    pub kind: ContactKind,
    /// Number or address, at most 64 characters.
    pub value: String,
}

/// What the wallet knows of a person beside money: every part may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Whose.
    pub customer: CustomerId,
    /// In Latin letters.
    pub name: Option<PersonName>,
    /// In Arabic letters.
    pub name_in_arabic: Option<PersonName>,
    /// URL of a picture, at most 256 characters.
    pub avatar: Option<String>,
    /// As ticked.
    pub gender: Option<Gender>,
    /// `yyyy-MM-dd`.
    pub birth_date: Option<String>,
    /// ISO 3166 alpha-2.
    pub nationality: Option<String>,
    /// Contacts beside the login id, at most 8.
    pub contacts: Vec<Contact>,
}

impl Profile {
    /// A profile that says nothing.
    pub fn empty(customer: CustomerId) -> Profile {
        Profile {
            customer,
            name: None,
            name_in_arabic: None,
            avatar: None,
            gender: None,
            birth_date: None,
            nationality: None,
            contacts: Vec::new(),
        }
    }

    /// What is wrong with it, in a sentence for the one who wrote it.
    pub fn check(&self) -> Result<(), String> {
        let fits = |what: &str, text: &str, max: usize| match text.chars().count() {
            0 => Err(format!("{what}: must not be empty")),
            count if count > max => Err(format!("{what}: longer than {max} characters")),
            _ if text.chars().any(char::is_control) => Err(format!("{what}: holds control characters")),
            _ => Ok(()),
        };
        for (what, name) in [("name", &self.name), ("nameInArabic", &self.name_in_arabic)] {
            let Some(name) = name else { continue };
            fits(&format!("{what}.fullName"), &name.full, 128)?;
            for (part, text) in [
                ("firstName", &name.first),
                ("secondName", &name.second),
                ("thirdName", &name.third),
                ("lastName", &name.last),
            ] {
                text.as_ref().map_or(Ok(()), |text| fits(&format!("{what}.{part}"), text, 32))?;
            }
        }
        if let Some(avatar) = &self.avatar {
            fits("avatar", avatar, 256)?;
            if !avatar.starts_with("https://") {
                return Err("avatar: must begin with https://".to_owned());
            }
        }
        if self.birth_date.as_deref().is_some_and(|date| !is_date(date)) {
            return Err("birthDate: must be a day such as 1990-05-17".to_owned());
        }
        let alpha_2 = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if self.nationality.as_deref().is_some_and(|code| !alpha_2(code)) {
            return Err("nationality: must be two capital letters such as IQ".to_owned());
        }
        if self.contacts.len() > 8 {
            return Err("contacts: more than 8".to_owned());
        }
        for contact in &self.contacts {
            fits("contacts", &contact.value, 64)?;
            if ContactKind::of_login(&contact.value) != Some(contact.kind) {
                return Err("contacts: a phone begins with +, an e-mail address holds an @".to_owned());
            }
        }
        Ok(())
    }
}

/// A day that exists, 1800 to 2999, as `yyyy-MM-dd`.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok()
    };
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return false;
    }
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(5, 7), number(8, 10)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1800..3000).contains(&year) && (1..=days).contains(&day)
}

/// Who is behind a token, what was granted, and to whom.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The agreement.
    pub agreement: Agreement,
    /// What was granted.
    pub terms: Terms,
    /// The user, who may act.
    pub user: User,
}

/// The user behind an access token that lives, if one of these scopes was granted with it (decision 32): unknown,
/// dead or another's token, then expired, then scope, then user.
pub fn holder(
    rows: &dyn Rows,
    bearer: &Bearer,
    token: &Secret,
    scopes: &[Scope],
    policy: &Policy,
    now: Timestamp,
) -> Ruled<Holder> {
    let (set, agreement) =
        live::by_access(rows, bearer, token, policy)?.ok_or(Refusal::AccessTokenUnknown)?;
    if live::over(rows, &agreement, now)? {
        return Err(Refusal::AccessTokenUnknown.into());
    }
    live::judge(&set, &agreement, policy, now)?;
    let terms = rows
        .terms(&agreement.auth_id)?
        .ok_or_else(|| StoreFault::Corrupt(format!("agreement {} has no terms", agreement.id)))?;
    if !scopes.iter().any(|scope| terms.scopes.contains(scope)) {
        return Err(Refusal::ScopeMissing.into());
    }
    user_may(rows, &agreement)??;
    let user = rows.user(&agreement.customer)?.ok_or(Refusal::UserNotFound)?;
    Ok(Holder { agreement, terms, user })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::Bucket;
    use crate::moment::Moment;

    #[test]
    fn a_day_must_exist() {
        for day in ["1990-05-17", "2000-02-29", "1999-12-31"] {
            assert!(is_date(day), "{day}");
        }
        for day in
            ["1990-5-17", "1900-02-29", "2001-02-29", "1990-13-01", "1990-04-31", "1990-00-10", "١٩٩٠-٠٥-١٧"]
        {
            assert!(!is_date(day), "{day}");
        }
    }

    #[test]
    fn a_profile_that_a_merchant_could_not_read_is_refused() {
        let customer =
            CustomerId::mint(Bucket::new(1), &mut Moment::new(Timestamp(0), [1; 32]).random("test"));
        let empty = || Profile::empty(customer.clone());
        assert_eq!(empty().check(), Ok(()));
        let name = |full: &str| Some(PersonName { full: full.to_owned(), ..PersonName::default() });
        let contact = |kind, value: &str| vec![Contact { kind, value: value.to_owned() }];
        for (named, profile) in [
            ("name.fullName", Profile { name: name(""), ..empty() }),
            ("nameInArabic.fullName", Profile { name_in_arabic: name(&"ا".repeat(129)), ..empty() }),
            ("avatar", Profile { avatar: Some("http://a.example/".to_owned()), ..empty() }),
            ("birthDate", Profile { birth_date: Some("17.5.1990".to_owned()), ..empty() }),
            ("nationality", Profile { nationality: Some("Iraq".to_owned()), ..empty() }),
            ("contacts", Profile { contacts: contact(ContactKind::Email, "+9647700000001"), ..empty() }),
        ] {
            assert!(profile.check().is_err_and(|why| why.starts_with(named)), "{named}");
        }
    }
}
