//! Profiles, one-time codes and merchants' keys: what comes back, what is unique.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::handle::Bucket;
use accord_core::ids::CodeRequestId;
use accord_core::message::Channel;
use accord_core::moment::{Moment, Timestamp};
use accord_core::people::merchant_message::MessageClaim;
use accord_core::people::one_time_code::{CodeBudget, OneTimeCode};
use accord_core::people::{Contact, ContactKind, Gender, PersonName, Profile};
use accord_core::store::{Store, StoreFault};

fn profile(number: u32, rich: bool) -> Profile {
    let name = |first: Option<String>| PersonName {
        full: ODD_TEXT.to_owned(),
        first,
        second: maybe(rich),
        third: Some(String::new()),
        last: None,
    };
    let contact = |kind: &ContactKind| Contact { kind: *kind, value: ODD_TEXT.to_owned() };
    Profile {
        customer: customer_id(number),
        name: rich.then(|| name(maybe(true))),
        name_in_arabic: rich.then(|| name(None)),
        avatar: maybe(rich),
        gender: rich.then_some(Gender::Female),
        birth_date: maybe(rich),
        nationality: maybe(rich),
        contacts: if rich { ContactKind::ALL.iter().map(contact).collect() } else { Vec::new() },
    }
}

pub(super) fn code_id(number: u8) -> CodeRequestId {
    let bucket: Bucket = bucket(u32::from(number));
    CodeRequestId::mint(bucket, &mut Moment::new(Timestamp(0), [number; 32]).random("code"))
}

pub(super) fn one_time_code(number: u8, rich: bool) -> OneTimeCode {
    OneTimeCode {
        id: code_id(number),
        agreement: agreement_id(u32::from(number)),
        channel: if rich { ContactKind::Email } else { ContactKind::MobilePhone },
        salt: [if rich { 0xff } else { 0 }; 16],
        digest: digest("one-time code", u32::from(number) + u32::from(rich)),
        wrong: if rich { u32::MAX } else { 0 },
        sent_at: time(rich),
        expires_at: time(rich),
        verified_at: maybe_time(rich),
    }
}

fn budget(number: u32, rich: bool) -> CodeBudget {
    CodeBudget {
        agreement: agreement_id(number),
        window_started_at: time(rich),
        sent: if rich { u32::MAX } else { 0 },
        last_sent_at: time(rich),
    }
}

fn claim(number: u32, channel: Channel) -> MessageClaim {
    MessageClaim {
        owner: owner(number),
        channel,
        request_id: ODD_TEXT.to_owned(),
        fingerprint: digest("message", number),
        agreement: agreement_id(number),
        message: message_id(number),
        created_at: time(number.is_multiple_of(2)),
    }
}

/// Profiles and budgets are replaced whole; a code comes back in every state.
pub fn profiles_codes_and_budgets_come_back_as_they_were(store: &dyn Store) {
    see(store, |rows| {
        assert_eq!(rows.profile(&customer_id(1))?, None);
        assert_eq!(rows.one_time_code(&code_id(1))?, None);
        assert_eq!(rows.code_budget(&agreement_id(1))?, None);
        Ok(())
    });
    for rich in [false, true, false] {
        keep(store, move |tx| {
            tx.put_profile(&profile(1, rich))?;
            tx.put_code_budget(&budget(1, rich))
        });
        see(store, move |rows| {
            assert_eq!(rows.profile(&customer_id(1))?, Some(profile(1, rich)));
            assert_eq!(rows.code_budget(&agreement_id(1))?, Some(budget(1, rich)));
            Ok(())
        });
    }
    keep(store, |tx| {
        tx.insert_one_time_code(&one_time_code(1, false))?;
        assert_eq!(tx.one_time_code(&code_id(1))?, Some(one_time_code(1, false)));
        tx.update_one_time_code(&one_time_code(1, true))
    });
    see(store, |rows| {
        assert_eq!(rows.one_time_code(&code_id(1))?, Some(one_time_code(1, true)));
        assert_eq!(rows.one_time_code(&code_id(5))?, None);
        Ok(())
    });
    let again = end_of(store, |tx| tx.insert_one_time_code(&one_time_code(1, false)));
    assert!(matches!(again, Err(StoreFault::Conflict(_))), "{again:?}");
    let missing = end_of(store, |tx| tx.update_one_time_code(&one_time_code(5, false)));
    assert!(matches!(missing, Err(StoreFault::Corrupt(_))), "{missing:?}");
}

/// A merchant's key is unique for its owner and channel.
pub fn a_merchants_key_is_its_own_in_each_channel(store: &dyn Store) {
    keep(store, |tx| {
        for channel in Channel::ALL {
            tx.insert_message_claim(&claim(1, *channel))?;
            tx.insert_message_claim(&claim(2, *channel))?;
        }
        Ok(())
    });
    see(store, |rows| {
        for channel in Channel::ALL {
            assert_eq!(rows.message_claim(&owner(1), *channel, ODD_TEXT)?, Some(claim(1, *channel)));
            assert_eq!(rows.message_claim(&owner(3), *channel, ODD_TEXT)?, None);
            assert_eq!(rows.message_claim(&owner(1), *channel, "")?, None);
        }
        Ok(())
    });
    let again = end_of(store, |tx| tx.insert_message_claim(&claim(1, Channel::Push)));
    assert!(matches!(again, Err(StoreFault::Conflict(_))), "{again:?}");
}
