//! What is known of users beside their money: profiles, one-time codes, messages of merchants.

use super::desk::Desk;
use super::sql::{self, read_list, statements, write_list};
use super::value::{Params, params};
use accord_core::ids::{AgreementId, CodeRequestId, CustomerId, MessageId, Owner};
use accord_core::message::Channel;
use accord_core::people::merchant_message::MessageClaim;
use accord_core::people::one_time_code::{CodeBudget, OneTimeCode};
use accord_core::people::{Contact, ContactKind, Gender, PersonName, Profile};
use accord_core::store::Stored;
use accord_core::store::people::{PeopleRows, PeopleTx};

statements! {
    PROFILE = "SELECT customer, name, name_in_arabic, avatar, gender, birth_date, nationality, contacts FROM profiles
        WHERE bucket = ?1 AND customer = ?2";
    PUT_PROFILE = "INSERT INTO profiles (bucket, customer, name, name_in_arabic, avatar, gender,
        birth_date, nationality, contacts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        ON CONFLICT (bucket, customer) DO UPDATE SET name = excluded.name,
        name_in_arabic = excluded.name_in_arabic, avatar = excluded.avatar, gender = excluded.gender,
        birth_date = excluded.birth_date, nationality = excluded.nationality, contacts = excluded.contacts";
    ONE_TIME_CODE = "SELECT id, agreement, channel, salt, digest, wrong, sent_at, expires_at, verified_at
        FROM one_time_codes WHERE bucket = ?1 AND id = ?2";
    pub(crate) CODES_BEFORE = "SELECT id, agreement, channel, salt, digest, wrong, sent_at, expires_at, verified_at
        FROM one_time_codes WHERE expires_at < ?1 ORDER BY expires_at, bucket, id LIMIT ?2";
    INSERT_ONE_TIME_CODE = "INSERT INTO one_time_codes (bucket, id, agreement, channel, salt, digest, wrong, sent_at,
        expires_at, verified_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    UPDATE_ONE_TIME_CODE = "UPDATE one_time_codes SET agreement = ?3, channel = ?4, salt = ?5, digest = ?6, wrong = ?7,
        sent_at = ?8, expires_at = ?9, verified_at = ?10 WHERE bucket = ?1 AND id = ?2";
    CODE_BUDGET = "SELECT agreement, window_started_at, sent, last_sent_at FROM code_budgets
        WHERE bucket = ?1 AND agreement = ?2";
    PUT_CODE_BUDGET = "INSERT INTO code_budgets (bucket, agreement, window_started_at, sent, last_sent_at)
        VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (bucket, agreement) DO UPDATE SET window_started_at = excluded.window_started_at,
        sent = excluded.sent, last_sent_at = excluded.last_sent_at";
    MESSAGE_CLAIM = "SELECT owner, channel, request_id, fingerprint, agreement, message, created_at FROM message_claims
        WHERE bucket = ?1 AND owner = ?2 AND channel = ?3 AND request_id = ?4";
    INSERT_MESSAGE_CLAIM = "INSERT INTO message_claims (bucket, owner, channel, request_id, fingerprint, agreement,
        message, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
}

/// A name as one line. A part that is there stands behind `=`; a missing one is an empty field.
fn write_name(name: &PersonName) -> String {
    let part = |part: &'_ Option<String>| part.clone().map_or(String::new(), |text| format!("={text}"));
    let parts = [&name.first, &name.second, &name.third, &name.last].map(part);
    let mut fields = vec![name.full.as_str()];
    fields.extend(parts.iter().map(String::as_str));
    write_list([fields])
}

fn read_name(text: &str) -> Option<PersonName> {
    let [fields] = <[Vec<String>; 1]>::try_from(read_list(text)?).ok()?;
    let [full, first, second, third, last] = <[String; 5]>::try_from(fields).ok()?;
    let part = |text: String| match text.strip_prefix('=') {
        Some(part) => Some(Some(part.to_owned())),
        None => text.is_empty().then_some(None),
    };
    Some(PersonName {
        full,
        first: part(first)?,
        second: part(second)?,
        third: part(third)?,
        last: part(last)?,
    })
}

fn write_contacts(contacts: &[Contact]) -> String {
    write_list(contacts.iter().map(|contact| vec![contact.kind.as_str(), contact.value.as_str()]))
}

fn read_contacts(text: &str) -> Option<Vec<Contact>> {
    let contact = |fields: Vec<String>| {
        let [kind, value] = <[String; 2]>::try_from(fields).ok()?;
        Some(Contact { kind: ContactKind::parse(&kind)?, value })
    };
    read_list(text)?.into_iter().map(contact).collect()
}

pub(crate) fn read_code(row: &mut sql::Columns<'_>) -> Stored<OneTimeCode> {
    Ok(OneTimeCode {
        id: row.parsed(CodeRequestId::read)?,
        agreement: row.parsed(AgreementId::read)?,
        channel: row.parsed(ContactKind::parse)?,
        salt: row.get()?,
        digest: row.digest()?,
        wrong: row.get()?,
        sent_at: row.time()?,
        expires_at: row.time()?,
        verified_at: row.maybe_time()?,
    })
}

fn with_code(code: &OneTimeCode, run: impl Fn(Params<'_>) -> Stored<()>) -> Stored<()> {
    run(params![
        code.id.bucket().number(),
        code.id.as_str(),
        code.agreement.as_str(),
        code.channel.as_str(),
        code.salt,
        code.digest.0,
        code.wrong,
        code.sent_at.0,
        code.expires_at.0,
        code.verified_at.map(|at| at.0),
    ])
}

impl PeopleRows for Desk<'_> {
    fn profile(&self, customer: &CustomerId) -> Stored<Option<Profile>> {
        sql::one(self.0, PROFILE, params![customer.bucket().number(), customer.as_str()], |row| {
            Ok(Profile {
                customer: row.parsed(CustomerId::read)?,
                name: row.maybe(read_name)?,
                name_in_arabic: row.maybe(read_name)?,
                avatar: row.get()?,
                gender: row.maybe(Gender::parse)?,
                birth_date: row.get()?,
                nationality: row.get()?,
                contacts: row.parsed(read_contacts)?,
            })
        })
    }

    fn one_time_code(&self, id: &CodeRequestId) -> Stored<Option<OneTimeCode>> {
        sql::one(self.0, ONE_TIME_CODE, params![id.bucket().number(), id.as_str()], read_code)
    }

    fn code_budget(&self, agreement: &AgreementId) -> Stored<Option<CodeBudget>> {
        sql::one(self.0, CODE_BUDGET, params![agreement.bucket().number(), agreement.as_str()], |row| {
            Ok(CodeBudget {
                agreement: row.parsed(AgreementId::read)?,
                window_started_at: row.time()?,
                sent: row.get()?,
                last_sent_at: row.time()?,
            })
        })
    }

    fn message_claim(
        &self,
        owner: &Owner,
        channel: Channel,
        request_id: &str,
    ) -> Stored<Option<MessageClaim>> {
        let bucket = MessageClaim::bucket_of(owner, channel, request_id);
        let values = params![bucket.number(), owner.as_str(), channel.as_str(), request_id];
        sql::one(self.0, MESSAGE_CLAIM, values, |row| {
            Ok(MessageClaim {
                owner: Owner::from_row(row.get::<String>()?),
                channel: row.parsed(Channel::parse)?,
                request_id: row.get()?,
                fingerprint: row.digest()?,
                agreement: row.parsed(AgreementId::read)?,
                message: row.parsed(MessageId::read)?,
                created_at: row.time()?,
            })
        })
    }
}

impl PeopleTx for Desk<'_> {
    fn put_profile(&mut self, profile: &Profile) -> Stored<()> {
        let values = params![
            profile.customer.bucket().number(),
            profile.customer.as_str(),
            profile.name.as_ref().map(write_name),
            profile.name_in_arabic.as_ref().map(write_name),
            profile.avatar,
            profile.gender.map(Gender::as_str),
            profile.birth_date,
            profile.nationality,
            write_contacts(&profile.contacts),
        ];
        sql::write(self.0, PUT_PROFILE, values)
    }

    fn insert_one_time_code(&mut self, code: &OneTimeCode) -> Stored<()> {
        with_code(code, |values| sql::write(self.0, INSERT_ONE_TIME_CODE, values))
    }

    fn update_one_time_code(&mut self, code: &OneTimeCode) -> Stored<()> {
        with_code(code, |values| sql::change(self.0, UPDATE_ONE_TIME_CODE, values, "the one-time code"))
    }

    fn put_code_budget(&mut self, budget: &CodeBudget) -> Stored<()> {
        let values = params![
            budget.agreement.bucket().number(),
            budget.agreement.as_str(),
            budget.window_started_at.0,
            budget.sent,
            budget.last_sent_at.0,
        ];
        sql::write(self.0, PUT_CODE_BUDGET, values)
    }

    fn insert_message_claim(&mut self, claim: &MessageClaim) -> Stored<()> {
        let values = params![
            MessageClaim::bucket_of(&claim.owner, claim.channel, &claim.request_id).number(),
            claim.owner.as_str(),
            claim.channel.as_str(),
            claim.request_id,
            claim.fingerprint.0,
            claim.agreement.as_str(),
            claim.message.as_str(),
            claim.created_at.0,
        ];
        sql::write(self.0, INSERT_MESSAGE_CLAIM, values)
    }
}
