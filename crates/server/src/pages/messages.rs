//! What a user is told about a debit (Qi prepare, step 17): merchant, amount, time, payment id, and how to stop it.

use super::i18n::{Key, Texts};
use super::markup::clean_line;
use accord_core::message::Message;
use accord_core::outcome::Refusal;

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub title: String,
    /// The whole, plain text; a paragraph a line.
    pub text: String,
}

/// `message` in its own language. The payment id stands in the text verbatim; names stand between isolation
/// marks (U+2068, U+2069).
pub fn render(message: &Message) -> Words {
    let t = Texts(message.language);
    let (merchant, amount, time) =
        (clean_line(&message.merchant), t.money(&message.amount), t.time(message.at));
    let args = [("merchant", merchant.as_str()), ("amount", &amount), ("time", &time)];
    let (title, first) = match message.failure {
        None => (Key("message-paid-title"), t.with(Key("message-paid"), &args)),
        Some(refusal) => {
            let reason = t.with(reason(refusal), &[]);
            let declined = t.with(Key("message-declined"), &args);
            (Key("message-declined-title"), format!("{declined}\n{reason}"))
        }
    };
    let payment = t.with(Key("message-payment-id"), &[("payment", message.payment.as_str())]);
    let stop = t.with(Key("message-stop"), &args[..1]);
    Words { title: t.with(title, &args[..2]), text: format!("{first}\n{payment}\n{stop}") }
}

/// Why a debit did not happen, as far as it is the user's business.
fn reason(refusal: Refusal) -> Key {
    match refusal {
        Refusal::BalanceNotEnough => Key("reason-balance"),
        Refusal::AccountMissing => Key("reason-account"),
        Refusal::AmountOverDebitLimit | Refusal::AmountOverPeriodLimit | Refusal::CountOverLimit => {
            Key("reason-limit")
        }
        Refusal::AgreementPaused => Key("reason-paused"),
        Refusal::AccessTokenUnknown
        | Refusal::AccessTokenExpired
        | Refusal::RefreshTokenUnknown
        | Refusal::RefreshTokenUsed
        | Refusal::RefreshTokenExpired
        | Refusal::CodeUnknown
        | Refusal::CodeUsed
        | Refusal::CodeExpired
        | Refusal::ScopeMissing => Key("reason-agreement"),
        Refusal::UserNotFound
        | Refusal::UserFrozen
        | Refusal::UserNotQualified
        | Refusal::VerificationFailed => Key("reason-user"),
        Refusal::RiskRejected => Key("reason-risk"),
        Refusal::OrderExpired | Refusal::OrderClosed => Key("reason-order"),
        Refusal::ReferenceReused
        | Refusal::ProductNotAllowed
        | Refusal::ClientSuspended
        | Refusal::MerchantNotRegistered
        | Refusal::PaymentReused
        | Refusal::PaymentRunning
        | Refusal::PaymentNotFound => Key("reason-merchant"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_core::Timestamp;
    use accord_core::handle::Bucket;
    use accord_core::ids::{AgreementId, CustomerId, MessageId, PaymentId};
    use accord_core::message::Channel;
    use accord_core::moment::Moment;
    use accord_core::money::{Amount, Currency};
    use accord_core::user::Language;

    fn message(language: Language, failure: Option<Refusal>) -> Message {
        let mut random = Moment::new(Timestamp(0), [7; 32]).random("test");
        let bucket = Bucket::new(1);
        Message {
            id: MessageId::mint(bucket, &mut random),
            customer: CustomerId::mint(bucket, &mut random),
            channel: Channel::Inbox,
            language,
            payment: PaymentId::mint(bucket, &mut random),
            failure,
            merchant: "متجر \u{202E}Shop\nof Baghdad".to_owned(),
            amount: Currency::parse("IQD").and_then(|iqd| Amount::new(iqd, 25_000_000)).unwrap(),
            agreement: AgreementId::mint(bucket, &mut random),
            at: Timestamp(1_795_300_080_000),
        }
    }

    #[test]
    fn a_message_names_merchant_amount_time_payment_and_the_way_to_stop_it() {
        for (language, amount, time, stop) in [
            (Language::English, "25,000 IQD", "22 November 2026, 01:28", "end the agreement"),
            (Language::Arabic, "٢٥٬٠٠٠ دينار عراقي (IQD)", "٢٢ تشرين الثاني ٢٠٢٦، ٠١:٢٨", "أنهِ الاتفاق"),
        ] {
            let message = message(language, None);
            let words = render(&message);
            let whole = format!("{}\n{}", words.title, words.text);
            for part in ["متجر Shop of Baghdad", amount, time, message.payment.as_str(), stop] {
                assert!(whole.contains(part), "{part} in {whole}");
            }
        }
    }

    #[test]
    fn every_refusal_has_a_reason_and_is_told_as_no_debit() {
        for language in [Language::English, Language::Arabic] {
            let paid = render(&message(language, None));
            for refusal in Refusal::ALL {
                let message = message(language, Some(*refusal));
                let words = render(&message);
                assert_ne!(words.title, paid.title);
                assert!(words.text.contains(message.payment.as_str()));
                assert!(words.text.contains(&Texts(language).with(reason(*refusal), &[])));
                assert!(!words.text.contains("reason-"), "{refusal}: {}", words.text);
            }
        }
    }
}
