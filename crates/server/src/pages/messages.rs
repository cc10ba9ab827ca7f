//! What a user is told (Qi prepare, step 17): about debits, refunds, agreements, and what merchants write.

use super::i18n::{Key, Texts};
use super::markup::{clean, clean_line};
use accord_core::agreement::EndedBy;
use accord_core::message::{About, CodePurpose, Message, Plan};
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
    let now = t.time(message.at);
    match &message.about {
        About::Debit { payment, failure, merchant, amount, plan, .. } => {
            let (merchant, amount) = (clean_line(merchant), t.money(amount));
            let args = [("merchant", merchant.as_str()), ("amount", &amount), ("time", &now)];
            let (title, first) = match failure {
                None => {
                    let paid = t.with(Key("message-paid"), &args);
                    (Key("message-paid-title"), format!("{paid}{}", planned(&t, plan)))
                }
                Some(refusal) => {
                    let reason = t.with(reason(*refusal), &[]);
                    let declined = t.with(Key("message-declined"), &args);
                    (Key("message-declined-title"), format!("{declined}\n{reason}"))
                }
            };
            let payment = t.with(Key("message-payment-id"), &[("payment", payment.as_str())]);
            let stop = t.with(Key("message-stop"), &args[..1]);
            Words { title: t.with(title, &args[..2]), text: format!("{first}\n{payment}\n{stop}") }
        }
        About::Refund { payment, merchant, amount, .. } => {
            let (merchant, amount) = (clean_line(merchant), t.money(amount));
            let args = [("merchant", merchant.as_str()), ("amount", &amount), ("time", &now)];
            let payment = t.with(Key("message-payment-id"), &[("payment", payment.as_str())]);
            let text = format!("{}\n{payment}", t.with(Key("message-refund"), &args));
            Words { title: t.with(Key("message-refund-title"), &args[..2]), text }
        }
        About::Upcoming { merchant, amount, due_at, .. } => {
            let (merchant, due) = (clean_line(merchant), t.time(*due_at));
            let amount = amount.as_ref().map(|amount| t.money(amount));
            let key = if amount.is_some() { Key("message-upcoming") } else { Key("message-upcoming-any") };
            let amount = amount.unwrap_or_default();
            let args = [("merchant", merchant.as_str()), ("time", &due), ("amount", &amount)];
            let stop = t.with(Key("message-stop"), &args[..1]);
            let args = if amount.is_empty() { &args[..2] } else { &args[..] };
            Words {
                title: t.with(Key("message-upcoming-title"), &args[..2]),
                text: format!("{}\n{stop}", t.with(key, args)),
            }
        }
        About::Ended { merchant, by, .. } => {
            let merchant = clean_line(merchant);
            let key = match by {
                EndedBy::Merchant => Key("message-ended-merchant"),
                EndedBy::User => Key("message-ended-user"),
                EndedBy::Wallet => Key("message-ended-wallet"),
            };
            let args = [("merchant", merchant.as_str()), ("time", now.as_str())];
            Words { title: t.with(Key("message-ended-title"), &args[..1]), text: t.with(key, &args) }
        }
        About::OneTimeCode { purpose, merchant, code, expires_at, .. } => {
            let (merchant, until) = (clean_line(merchant), t.time(*expires_at));
            let args = [("merchant", merchant.as_str()), ("code", code), ("time", &until)];
            let (title, text) = match purpose {
                CodePurpose::Merchant => (Key("message-code-title"), Key("message-code")),
                CodePurpose::Approval => (Key("message-approval-code-title"), Key("message-approval-code")),
            };
            Words { title: t.with(title, &args[..1]), text: t.with(text, &args) }
        }
        About::FromMerchant { merchant, title, content, .. } => {
            let (merchant, title) = (clean_line(merchant), clean_line(title));
            let args = [("merchant", merchant.as_str()), ("title", &title)];
            Words { title: t.with(Key("message-from-merchant"), &args), text: clean(content) }
        }
    }
}

/// What the merchant says of its plan, a sentence a line; as its words, since the wallet does not hold it to them.
fn planned(t: &Texts, plan: &Plan) -> String {
    let agreed =
        plan.agreed.map(|amount| t.with(Key("message-plan-agreed"), &[("amount", &t.money(&amount))]));
    let next = plan.next.map(|day| t.with(Key("message-plan-next"), &[("day", &t.date(day))]));
    let until = plan.until.map(|day| t.with(Key("message-plan-until"), &[("day", &t.date(day))]));
    [agreed, next, until].into_iter().flatten().map(|line| format!("\n{line}")).collect()
}

/// Why a debit did not happen, as far as it is the user's business.
pub(super) fn reason(refusal: Refusal) -> Key {
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
        | Refusal::PaymentNotFound
        | Refusal::PaymentNotRefundable
        | Refusal::RefundReused
        | Refusal::RefundRunning
        | Refusal::RefundOverPayment
        | Refusal::RefundCurrency
        | Refusal::RefundTooLate
        | Refusal::RefundNotFound
        | Refusal::CancelTooLate
        | Refusal::OneTimeCodeWrong
        | Refusal::OneTimeCodeExpired
        | Refusal::OneTimeCodeLimit
        | Refusal::ChannelMissing
        | Refusal::MessageReused => Key("reason-merchant"),
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

    fn message(language: Language, failure: Option<Refusal>) -> (Message, PaymentId) {
        let mut random = Moment::new(Timestamp(0), [7; 32]).random("test");
        let bucket = Bucket::new(1);
        let payment = PaymentId::mint(bucket, &mut random);
        let message = Message {
            id: MessageId::mint(bucket, &mut random),
            customer: CustomerId::mint(bucket, &mut random),
            channel: Channel::Inbox,
            language,
            about: About::Debit {
                payment: payment.clone(),
                failure,
                merchant: "متجر \u{202E}Shop\nof Baghdad".to_owned(),
                amount: Currency::parse("IQD").and_then(|iqd| Amount::new(iqd, 25_000_000)).unwrap(),
                agreement: AgreementId::mint(bucket, &mut random),
                plan: Plan::NOTHING,
            },
            at: Timestamp(1_795_300_080_000),
        };
        (message, payment)
    }

    #[test]
    fn a_message_names_merchant_amount_time_payment_and_the_way_to_stop_it() {
        for (language, amount, time, stop) in [
            (Language::English, "25,000 IQD", "22 November 2026, 01:28", "end the agreement"),
            (Language::Arabic, "٢٥٬٠٠٠ دينار عراقي", "٢٢ تشرين الثاني ٢٠٢٦، ٠١:٢٨", "أنهِ الاتفاق"),
        ] {
            let (message, payment) = message(language, None);
            let words = render(&message);
            let whole = format!("{}\n{}", words.title, words.text);
            for part in ["متجر Shop of Baghdad", amount, time, payment.as_str(), stop] {
                assert!(whole.contains(part), "{part} in {whole}");
            }
        }
    }

    #[test]
    fn a_merchants_plan_is_told_with_a_debit_and_not_with_a_refusal() {
        use accord_core::calendar::Date;
        let day = |month| Date::new(2026, month, 1);
        let agreed = Currency::parse("IQD").and_then(|iqd| Amount::new(iqd, 25_000_000));
        for (language, parts) in [
            (Language::English, ["25,000 IQD", "next payment: 1 December 2026", "until 1 January 2026"]),
            (Language::Arabic, ["٢٥٬٠٠٠ دينار عراقي", "١ كانون الأول ٢٠٢٦", "١ كانون الثاني ٢٠٢٦"]),
        ] {
            let said = |failure| {
                let (mut message, _) = message(language, failure);
                let About::Debit { plan, .. } = &mut message.about else { unreachable!("a debit") };
                *plan = Plan { agreed, next: day(12), until: day(1) };
                render(&message).text.replace(['\u{2068}', '\u{2069}'], "")
            };
            let text = said(None);
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
            assert_eq!(text.lines().count(), 6, "{text}");
            assert!(!said(Some(Refusal::BalanceNotEnough)).contains(parts[1]));
        }
    }

    #[test]
    fn every_refusal_has_a_reason_and_is_told_as_no_debit() {
        for language in [Language::English, Language::Arabic] {
            let paid = render(&message(language, None).0);
            for refusal in Refusal::ALL {
                let (message, payment) = message(language, Some(*refusal));
                let words = render(&message);
                assert_ne!(words.title, paid.title);
                assert!(words.text.contains(payment.as_str()));
                assert!(words.text.contains(&Texts(language).with(reason(*refusal), &[])));
                assert!(!words.text.contains("reason-"), "{refusal}: {}", words.text);
            }
        }
    }
}
