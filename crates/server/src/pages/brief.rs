//! A message as an SMS: short words of its own, and no more segments than the operator pays for.
//!
//! A text of GSM letters (3GPP TS 23.038) has 160 in one segment and 153 in each of several; any other text goes as
//! UCS-2, with 70 and 67. What comes first survives a cut: a code, what happened.

use super::i18n::{Key, Texts};
use super::letter::one_way;
use super::markup::{clean, clean_line};
use accord_core::agreement::EndedBy;
use accord_core::message::{About, CodePurpose, Message};

/// A text and what it takes to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sized {
    /// The text.
    pub text: String,
    /// `gsm7` or `ucs2`.
    pub encoding: &'static str,
    /// In how many parts it goes.
    pub segments: usize,
}

/// So many characters of a name are shown.
const NAME: usize = 40;

/// `message` in few words of its language, in at most so many segments.
pub fn brief(message: &Message, max_segments: usize) -> Sized {
    cut(&one_way(&words(message)), max_segments.max(1))
}

fn words(message: &Message) -> String {
    let t = Texts(message.language);
    let name = |merchant: &str| shorten(&clean_line(merchant), NAME);
    match &message.about {
        About::Debit { payment, failure, merchant, amount, .. } => {
            let key = if failure.is_none() { Key("sms-paid") } else { Key("sms-declined") };
            let (merchant, amount) = (name(merchant), t.money(amount));
            let args = [("merchant", merchant.as_str()), ("amount", &amount), ("payment", payment.as_str())];
            t.with(key, &args)
        }
        About::Refund { payment, merchant, amount, .. } => {
            let (merchant, amount) = (name(merchant), t.money(amount));
            let args = [("merchant", merchant.as_str()), ("amount", &amount), ("payment", payment.as_str())];
            t.with(Key("sms-refund"), &args)
        }
        About::Upcoming { merchant, amount, due_at, .. } => {
            let (merchant, due) = (name(merchant), t.time(*due_at));
            match amount.as_ref().map(|amount| t.money(amount)) {
                Some(amount) => {
                    let args = [("merchant", merchant.as_str()), ("time", &due), ("amount", &amount)];
                    t.with(Key("sms-upcoming"), &args)
                }
                None => t.with(Key("sms-upcoming-any"), &[("merchant", merchant.as_str()), ("time", &due)]),
            }
        }
        About::Ended { merchant, by, .. } => {
            let key = match by {
                EndedBy::User => Key("sms-ended-user"),
                EndedBy::Merchant | EndedBy::Wallet => Key("sms-ended"),
            };
            t.with(key, &[("merchant", name(merchant).as_str())])
        }
        About::OneTimeCode { purpose, merchant, code, .. } => {
            let key = match purpose {
                CodePurpose::Merchant => Key("sms-code"),
                CodePurpose::Approval => Key("sms-approval-code"),
            };
            t.with(key, &[("code", code.as_str()), ("merchant", name(merchant).as_str())])
        }
        About::FromMerchant { merchant, title, content, .. } => {
            let title = clean_line(title);
            let args = [("merchant", name(merchant)), ("title", title)];
            let [merchant, title] = &args;
            let head = t.with(
                Key("message-from-merchant"),
                &[(merchant.0, merchant.1.as_str()), (title.0, title.1.as_str())],
            );
            format!("{head}\n{}", clean(content))
        }
    }
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 3).collect();
    format!("{}...", kept.trim_end())
}

/// The text, or as much of it as fits, with dots for the rest.
fn cut(text: &str, max_segments: usize) -> Sized {
    if let Some(units) = gsm_units(text) {
        let segments = segments_of(units, 160, 153);
        if segments <= max_segments {
            return Sized { text: text.to_owned(), encoding: "gsm7", segments };
        }
        let room = if max_segments == 1 { 160 } else { max_segments * 153 };
        let text = fitting(text, room - 3, |letter| gsm_units(letter.encode_utf8(&mut [0; 4])).unwrap_or(2));
        return Sized { text: format!("{text}..."), encoding: "gsm7", segments: max_segments };
    }
    let segments = segments_of(text.encode_utf16().count(), 70, 67);
    if segments <= max_segments {
        return Sized { text: text.to_owned(), encoding: "ucs2", segments };
    }
    let room = if max_segments == 1 { 70 } else { max_segments * 67 };
    let text = fitting(text, room - 1, char::len_utf16);
    Sized { text: format!("{text}…"), encoding: "ucs2", segments: max_segments }
}

fn segments_of(units: usize, alone: usize, joined: usize) -> usize {
    if units <= alone { 1 } else { units.div_ceil(joined) }
}

fn fitting(text: &str, room: usize, size: impl Fn(char) -> usize) -> String {
    let mut used = 0;
    let fits = |letter: &char| {
        used += size(*letter);
        used <= room
    };
    text.chars().take_while(fits).collect()
}

/// How many septets a text of GSM letters takes; nothing when it holds another letter.
fn gsm_units(text: &str) -> Option<usize> {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENDED: &str = "^{}\\[~]|€";
    text.chars()
        .map(|letter| match letter {
            letter if BASIC.contains(letter) => Some(1),
            letter if EXTENDED.contains(letter) => Some(2),
            _ => None,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_core::handle::Bucket;
    use accord_core::ids::{CustomerId, MessageId};
    use accord_core::message::Channel;
    use accord_core::moment::{Moment, Timestamp};
    use accord_core::user::Language;

    fn message(language: Language, about: About) -> Message {
        let mut random = Moment::new(Timestamp(0), [7; 32]).random("test");
        let bucket = Bucket::new(1);
        Message {
            id: MessageId::mint(bucket, &mut random),
            customer: CustomerId::mint(bucket, &mut random),
            channel: Channel::Inbox,
            language,
            about,
            at: Timestamp(1_795_300_080_000),
        }
    }

    fn code(merchant: &str) -> About {
        About::OneTimeCode {
            purpose: CodePurpose::Merchant,
            request: "r".to_owned(),
            merchant: merchant.to_owned(),
            code: "483920".to_owned(),
            expires_at: Timestamp(1_795_300_380_000),
        }
    }

    #[test]
    fn a_code_fits_one_segment_and_comes_first() {
        let english = brief(&message(Language::English, code("Shop of Baghdad")), 3);
        assert!(english.text.starts_with("483920"), "{english:?}");
        assert_eq!((english.encoding, english.segments), ("gsm7", 1), "{english:?}");
        let arabic = brief(&message(Language::Arabic, code("متجر بغداد")), 3);
        assert!(arabic.text.contains("483920"), "{arabic:?}");
        assert_eq!(arabic.encoding, "ucs2");
        assert!(arabic.segments <= 2, "{arabic:?}");
    }

    #[test]
    fn a_code_that_agrees_is_for_the_wallet_s_page_and_not_for_the_merchant() {
        let approval = |merchant: &str| match code(merchant) {
            About::OneTimeCode { request, merchant, code, expires_at, .. } => {
                About::OneTimeCode { purpose: CodePurpose::Approval, request, merchant, code, expires_at }
            }
            other => other,
        };
        let english = brief(&message(Language::English, approval("Shop of Baghdad")), 3);
        assert!(english.text.starts_with("483920 lets Shop of Baghdad take payments"), "{english:?}");
        assert!(english.text.ends_with("only on the wallet's page, give it to nobody."), "{english:?}");
        assert_eq!(english.segments, 1);
        let arabic = brief(&message(Language::Arabic, approval("متجر بغداد")), 3);
        assert!(arabic.text.contains("483920") && arabic.text.contains("صفحة المحفظة فقط"), "{arabic:?}");
        assert!(!arabic.text.contains("غيره") && arabic.segments <= 2, "{arabic:?}");
    }

    #[test]
    fn a_hostile_name_neither_breaks_the_line_nor_pushes_the_code_out() {
        let hostile = format!("Evil\r\n\u{202e}Bcc: x{}", "م".repeat(400));
        let sized = brief(&message(Language::English, code(&hostile)), 1);
        assert!(sized.text.contains("483920") && !sized.text.contains(['\n', '\r', '\u{202e}']), "{sized:?}");
        assert_eq!(sized.segments, 1);
    }

    #[test]
    fn a_text_is_counted_and_cut_as_phones_do() {
        for (text, most, encoding, segments) in [
            ("a".repeat(160), 9, "gsm7", 1),
            ("a".repeat(161), 9, "gsm7", 2),
            ("a".repeat(306), 9, "gsm7", 2),
            ("a".repeat(307), 9, "gsm7", 3),
            ("€".repeat(80), 9, "gsm7", 1),
            ("€".repeat(81), 9, "gsm7", 2),
            ("م".repeat(70), 9, "ucs2", 1),
            ("م".repeat(71), 9, "ucs2", 2),
            ("🦀".repeat(36), 9, "ucs2", 2),
            ("a".repeat(999), 2, "gsm7", 2),
            ("م".repeat(999), 3, "ucs2", 3),
            ("🦀".repeat(999), 1, "ucs2", 1),
            ("€".repeat(999), 1, "gsm7", 1),
        ] {
            let sized = cut(&text, most);
            assert_eq!((sized.encoding, sized.segments), (encoding, segments), "{text}");
            let units = gsm_units(&sized.text).unwrap_or_else(|| sized.text.encode_utf16().count());
            let (alone, joined) = if encoding == "gsm7" { (160, 153) } else { (70, 67) };
            assert!(segments_of(units, alone, joined) <= segments, "{units} units in {segments}");
        }
    }
}
