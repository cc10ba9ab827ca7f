//! Messages leave the wallet: a real mail server and a real gateway receive them, refuse them, break off.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

mod gateway;
#[path = "../sandbox/house.rs"]
#[expect(dead_code, reason = "shared with the sandbox's suite")]
mod house;
mod smtp;
#[path = "../../../testkit/tests/stores/mod.rs"]
mod stores;

use accord_core::agreement::EndedBy;
use accord_core::handle::Bucket;
use accord_core::ids::{AgreementId, LoginId, PaymentId};
use accord_core::message::delivery::{self, Delivery, DeliveryState};
use accord_core::message::routes::{Carrier, MessagePolicy, Route, Service};
use accord_core::message::{self, About, CodePurpose, Message, Plan};
use accord_core::money::{Amount, Currency};
use accord_core::people::ContactKind;
use accord_core::user::{Language, User};
use accord_core::{Moment, Ruled, Timestamp};
use accord_server::courier::CourierOptions;
use accord_server::courier::email::{Email, EmailOptions, Security};
use accord_server::courier::probe::probe;
use accord_server::courier::sms::SmsOptions;
use accord_server::outbound::OutboundPolicy;
use gateway::Gateway;
use house::{House, RICH};
use serde_json::json;
use smtp::{End, MailServer, PASSWORD, Speech, USER};
use stores::{Shelf, served_from_every_store};

served_from_every_store!(
    a_letter_arrives_over_tls_and_starttls_with_the_wallet_signed_in,
    without_tls_or_with_a_stranger_s_certificate_nothing_is_said,
    a_letter_in_arabic_decodes_to_what_was_said_right_to_left,
    a_hostile_name_adds_no_header_no_line_and_no_markup,
    a_mail_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not,
    a_wrong_password_or_a_dead_server_kills_no_message_before_a_day_of_tries,
    an_answer_that_is_lost_brings_the_same_letter_again_under_the_same_id,
    a_worker_killed_between_sending_and_writing_is_followed_under_the_same_id,
    an_sms_is_one_documented_request_and_a_repeated_event_is_none,
    a_gateway_that_fails_is_asked_again_and_one_that_refuses_is_not,
    a_code_goes_out_at_once_and_never_after_its_life,
    a_private_address_is_called_only_when_it_is_listed,
    the_control_api_shows_every_channel_with_its_state,
    a_carrier_that_hangs_holds_up_no_other_work,
);

const HOSTILE: &str = "Evil\r\nBcc: all@shop.example\r\n\r\n<script>alert(1)</script>\u{202e}";

fn mail(server: &MailServer, speech: Speech) -> EmailOptions {
    EmailOptions {
        host: "localhost".to_owned(),
        port: server.port,
        security: match speech {
            Speech::Plain => Security::Plain,
            Speech::StartTls | Speech::Stripped => Security::StartTls,
            Speech::Tls => Security::Tls,
        },
        ca: (speech != Speech::Plain).then(|| server.ca.to_path_buf()),
        credentials: Some((USER.to_owned(), PASSWORD.to_owned().into())),
        from: "The wallet <no-reply@wallet.example>".to_owned(),
    }
}

fn sms(url: &str) -> SmsOptions {
    SmsOptions {
        url: url.to_owned(),
        token: Some("a token".to_owned().into()),
        max_segments: 3,
        outbound: OutboundPolicy {
            allow_http: true,
            allow_loopback: true,
            only_loopback: true,
            allowed: vec![],
        },
    }
}

async fn by_mail(shelf: Shelf, server: &MailServer, speech: Speech) -> House {
    House::open_carrying(shelf, CourierOptions { email: Some(mail(server, speech)), sms: None }).await
}

async fn by_sms(shelf: Shelf, gateway: &Gateway) -> House {
    House::open_carrying(shelf, CourierOptions { email: None, sms: Some(sms(&gateway.url)) }).await
}

fn policy() -> MessagePolicy {
    let route = || Route { service: Service::On, ..Route::default() };
    MessagePolicy { email: route(), sms: route() }
}

/// Tells the user of that login id something by that way alone.
async fn tell(house: &House, login: &str, language: Language, way: ContactKind, about: About) {
    let app = house.app();
    let (login, at) = (LoginId::new(login), app.clock.moment());
    let told: Ruled<()> = app
        .transact(move |tx| {
            let customer = tx.customer_of(&login)?.unwrap();
            let user = User { language, ..tx.user(&customer)?.unwrap() };
            Ok(message::tell_by(tx, &at, &user, about.clone(), way, &policy())?)
        })
        .await;
    told.unwrap();
}

async fn deliveries(house: &House, login: &str) -> Vec<Delivery> {
    let login = LoginId::new(login);
    house
        .app()
        .look(move |rows| {
            let customer = rows.customer_of(&login)?.unwrap();
            rows.deliveries_of(&customer, 9)
        })
        .await
        .unwrap()
}

async fn state(house: &House, login: &str, wanted: DeliveryState) -> Delivery {
    for _ in 0..300 {
        if let Some(found) = deliveries(house, login).await.into_iter().find(|row| row.state == wanted) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{wanted} in vain: {:?}", deliveries(house, login).await);
}

/// Waits until the delivery was tried and written down.
async fn tried(house: &House, login: &str) -> Delivery {
    for _ in 0..400 {
        let found = deliveries(house, login).await.into_iter().find(|row| !row.outcome.is_empty());
        if let Some(found) = found {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("never tried: {:?}", deliveries(house, login).await);
}

async fn advance(house: &House, seconds: i64) {
    let (status, answer) = house.post("/sandbox/clock", json!({ "advanceSeconds": seconds })).await;
    assert_eq!(status, 200, "{answer}");
}

fn debit(number: u8, merchant: &str) -> About {
    let mut random = Moment::new(Timestamp(0), [number; 32]).random("test");
    About::Debit {
        payment: PaymentId::mint(Bucket::new(1), &mut random),
        failure: None,
        merchant: merchant.to_owned(),
        amount: Amount::new(Currency::parse("IQD").unwrap(), 25_000_000).unwrap(),
        agreement: AgreementId::mint(Bucket::new(1), &mut random),
        plan: Plan::NOTHING,
    }
}

fn ended(merchant: &str) -> About {
    let mut random = Moment::new(Timestamp(0), [9; 32]).random("test");
    let agreement = AgreementId::mint(Bucket::new(1), &mut random);
    About::Ended { agreement, merchant: merchant.to_owned(), by: EndedBy::Merchant }
}

const MAIL: &str = house::MAIL;

async fn a_letter_arrives_over_tls_and_starttls_with_the_wallet_signed_in(shelf: Shelf) {
    for (speech, encrypted) in [(Speech::Tls, true), (Speech::StartTls, true), (Speech::Plain, false)] {
        let server = MailServer::open(speech).await;
        let house = by_mail(shelf, &server, speech).await;
        let about = debit(1, "Dijla Stream");
        let payment = about.subject();
        tell(&house, MAIL, Language::English, ContactKind::Email, about).await;
        let letter = server.wait(1).await.remove(0);
        assert_eq!((letter.encrypted, letter.signed_in), (encrypted, true), "{speech:?}");
        assert_eq!(letter.to, [format!("RCPT TO:<{MAIL}>")]);
        assert_eq!(letter.fields("from"), ["\"The wallet\" <no-reply@wallet.example>"]);
        assert_eq!(letter.fields("subject"), ["Paid: 25,000 IQD to Dijla Stream"]);
        assert_eq!(letter.fields("auto-submitted"), ["auto-generated"]);
        for (kind, text) in letter.parts() {
            assert!(text.contains(&payment), "{kind}: {text}");
        }
        let sent = state(&house, MAIL, DeliveryState::Sent).await;
        assert_eq!((sent.tries, sent.outcome.as_str()), (1, "250"));
        let id = format!("<{}.email@wallet.example>", sent.message);
        assert_eq!(letter.fields("message-id"), [id]);
        house.close().await;
    }
}

async fn without_tls_or_with_a_stranger_s_certificate_nothing_is_said(shelf: Shelf) {
    let stripped = MailServer::open(Speech::Stripped).await;
    let tls = MailServer::open(Speech::Tls).await;
    let stranger = EmailOptions { ca: Some(stripped.ca.to_path_buf()), ..mail(&tls, Speech::Tls) };
    let remote = EmailOptions { host: "mail.example".to_owned(), ..mail(&tls, Speech::Plain) };
    assert!(Email::new(&remote).is_err_and(|why| why.contains("this machine only")));
    for (options, server) in [(mail(&stripped, Speech::Stripped), &stripped), (stranger, &tls)] {
        let house = House::open_carrying(shelf, CourierOptions { email: Some(options), sms: None }).await;
        tell(&house, MAIL, Language::English, ContactKind::Email, ended("Shop")).await;
        let failed = tried(&house, MAIL).await;
        assert_eq!(failed.state, DeliveryState::Pending, "{failed:?}");
        assert_eq!(server.letters(), []);
        house.close().await;
    }
}

async fn a_letter_in_arabic_decodes_to_what_was_said_right_to_left(shelf: Shelf) {
    let server = MailServer::open(Speech::Plain).await;
    let house = by_mail(shelf, &server, Speech::Plain).await;
    tell(&house, MAIL, Language::Arabic, ContactKind::Email, debit(1, "متجر بغداد")).await;
    let letter = server.wait(1).await.remove(0);
    let subject = letter.fields("subject").remove(0);
    assert!(subject.contains("تمّ الدفع") && subject.contains("متجر بغداد"), "{subject}");
    assert_eq!(letter.fields("content-language"), ["ar-IQ"]);
    let parts = letter.parts();
    assert_eq!(parts.len(), 2);
    assert!(parts[0].0.contains("text/plain") && parts[1].0.contains("text/html"), "{parts:?}");
    for (_, text) in &parts {
        assert!(text.contains("متجر بغداد") && text.contains("٢٥٬٠٠٠"), "{text}");
    }
    assert!(parts[1].1.contains("lang=\"ar-IQ\" dir=\"rtl\"") && parts[1].1.contains("<bdi>"));
    house.close().await;
}

async fn a_hostile_name_adds_no_header_no_line_and_no_markup(shelf: Shelf) {
    let server = MailServer::open(Speech::Plain).await;
    let house = by_mail(shelf, &server, Speech::Plain).await;
    let written = About::FromMerchant {
        request: "r".to_owned(),
        merchant: HOSTILE.to_owned(),
        title: HOSTILE.to_owned(),
        content: format!("{HOSTILE}\r\n.\r\nMAIL FROM:<x@y.example>"),
        url: None,
    };
    tell(&house, MAIL, Language::English, ContactKind::Email, debit(1, HOSTILE)).await;
    tell(&house, MAIL, Language::English, ContactKind::Email, written).await;
    for letter in server.wait(2).await {
        assert_eq!(letter.to, [format!("RCPT TO:<{MAIL}>")]);
        assert_eq!(letter.fields("bcc"), Vec::<String>::new(), "{letter:?}");
        assert_eq!(letter.fields("subject").len(), 1);
        assert_eq!(letter.fields("to"), [MAIL]);
        let parts = letter.parts();
        assert_eq!(parts.len(), 2, "{letter:?}");
        assert!(!parts[1].1.contains("<script"), "{}", parts[1].1);
        assert!(!letter.data.contains('\u{202e}'));
    }
    house.close().await;
}

async fn a_mail_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(shelf: Shelf) {
    let server = MailServer::open(Speech::Plain).await;
    server.then(&[End::Say("451 later"), End::Say("454 later still")]);
    let house = by_mail(shelf, &server, Speech::Plain).await;
    tell(&house, MAIL, Language::English, ContactKind::Email, debit(1, "Shop")).await;
    let failed = tried(&house, MAIL).await;
    assert!(failed.outcome.contains("451") && failed.state == DeliveryState::Pending, "{failed:?}");
    advance(&house, 59).await;
    assert_eq!(server.letters(), []);
    advance(&house, 700).await;
    assert_eq!(server.wait(1).await.len(), 1);
    assert_eq!(state(&house, MAIL, DeliveryState::Sent).await.tries, 3);

    server.then(&[End::Say("550 no such user")]);
    tell(&house, MAIL, Language::English, ContactKind::Email, debit(2, "Shop")).await;
    let refused = state(&house, MAIL, DeliveryState::Failed).await;
    assert!(refused.outcome.contains("550"), "{refused:?}");
    advance(&house, 90_000).await;
    assert_eq!(server.letters().len(), 1);
    house.close().await;
}

async fn a_wrong_password_or_a_dead_server_kills_no_message_before_a_day_of_tries(shelf: Shelf) {
    let server = MailServer::open(Speech::Plain).await;
    let wrong = Some((USER.to_owned(), "wrong".to_owned().into()));
    let locked = EmailOptions { credentials: wrong, ..mail(&server, Speech::Plain) };
    let dead = EmailOptions { port: 1, ..mail(&server, Speech::Plain) };
    for options in [locked, dead] {
        let couriers = CourierOptions { email: Some(options), sms: None };
        assert!(probe(&couriers).await.remove(0).2.is_err());
        let house = House::open_carrying(shelf, couriers).await;
        tell(&house, MAIL, Language::English, ContactKind::Email, debit(1, "Shop")).await;
        assert_eq!(tried(&house, MAIL).await.state, DeliveryState::Pending);
        advance(&house, 2 * 86_400).await;
        let end = state(&house, MAIL, DeliveryState::Dead).await;
        assert_eq!(end.tries as usize, delivery::SCHEDULE.len());
        assert!(!format!("{end:?}").contains("wrong"), "{end:?}");
        house.close().await;
    }
}

async fn an_answer_that_is_lost_brings_the_same_letter_again_under_the_same_id(shelf: Shelf) {
    let server = MailServer::open(Speech::Plain).await;
    server.then(&[End::KeepAndDrop]);
    let house = by_mail(shelf, &server, Speech::Plain).await;
    tell(&house, MAIL, Language::Arabic, ContactKind::Email, debit(1, "متجر")).await;
    assert_eq!(tried(&house, MAIL).await.state, DeliveryState::Pending);
    advance(&house, 61).await;
    let letters = server.wait(2).await;
    assert_eq!(letters[0].fields("message-id").len(), 1);
    assert_eq!(letters[0], letters[1], "byte for byte");
    house.close().await;
}

async fn a_worker_killed_between_sending_and_writing_is_followed_under_the_same_id(shelf: Shelf) {
    let gateway = Gateway::open().await;
    let house = House::open(shelf).await;
    tell(&house, RICH, Language::English, ContactKind::MobilePhone, debit(1, "Shop")).await;
    // A worker that claims, sends, and dies before it writes that down.
    let now = house.app().clock.now();
    let claimed = house
        .app()
        .transact(move |tx| delivery::claim(tx, Carrier::Sms, false, 9, now))
        .await
        .unwrap()
        .remove(0);
    let sender = accord_server::courier::sms::Sms::new(&sms(&gateway.url)).unwrap();
    let said = sender.send(&claimed.delivery, &claimed.message).await;
    assert_eq!(said.carried, delivery::Carried::Sent, "{said:?}");

    let house = house.reopen_carrying(CourierOptions { email: None, sms: Some(sms(&gateway.url)) }).await;
    advance(&house, 59).await;
    assert_eq!(gateway.asked().len(), 1, "the dead worker's lease still holds");
    advance(&house, 2).await;
    let asked = gateway.wait(2).await;
    assert_eq!(asked[0], asked[1]);
    assert_eq!(state(&house, RICH, DeliveryState::Sent).await.tries, 2);
    advance(&house, 90_000).await;
    assert_eq!(gateway.asked().len(), 2);
    house.close().await;
}

async fn an_sms_is_one_documented_request_and_a_repeated_event_is_none(shelf: Shelf) {
    let gateway = Gateway::open().await;
    let house = by_sms(shelf, &gateway).await;
    let about = debit(1, "Shop");
    for _ in 0..3 {
        tell(&house, RICH, Language::English, ContactKind::MobilePhone, about.clone()).await;
    }
    let asked = gateway.wait(1).await.remove(0);
    let sent = state(&house, RICH, DeliveryState::Sent).await;
    let id = format!("{}.sms", sent.message);
    assert_eq!(asked.authorization.as_deref(), Some("Bearer a token"));
    assert_eq!(asked.idempotency_key.as_deref(), Some(id.as_str()));
    let text = format!("Paid 25,000 IQD to Shop. Payment {}", about.subject());
    let expected = json!({
        "id": id, "to": RICH, "text": text, "language": "en-US", "encoding": "gsm7", "segments": 1,
    });
    assert_eq!(asked.body, expected);
    advance(&house, 90_000).await;
    assert_eq!(gateway.asked().len(), 1);
    house.close().await;
}

async fn a_gateway_that_fails_is_asked_again_and_one_that_refuses_is_not(shelf: Shelf) {
    let gateway = Gateway::open().await;
    gateway.then(&[500, 401]);
    let house = by_sms(shelf, &gateway).await;
    tell(&house, RICH, Language::Arabic, ContactKind::MobilePhone, debit(1, "متجر")).await;
    assert_eq!(tried(&house, RICH).await.outcome, "HTTP 500");
    advance(&house, 700).await;
    let asked = gateway.wait(3).await;
    assert!(asked.iter().all(|one| *one == asked[0]), "{asked:?}");
    assert_eq!(asked[0].body["encoding"], "ucs2");
    gateway.then(&[422]);
    tell(&house, RICH, Language::English, ContactKind::MobilePhone, debit(2, "Shop")).await;
    assert_eq!(state(&house, RICH, DeliveryState::Failed).await.outcome, "HTTP 422");
    advance(&house, 90_000).await;
    assert_eq!(gateway.asked().len(), 4);
    house.close().await;
}

async fn a_code_goes_out_at_once_and_never_after_its_life(shelf: Shelf) {
    let gateway = Gateway::open().await;
    gateway.then(&[500; 20]);
    let house = by_sms(shelf, &gateway).await;
    let now = house.app().clock.now();
    let about = About::OneTimeCode {
        purpose: CodePurpose::Merchant,
        request: "r".to_owned(),
        merchant: "Shop".to_owned(),
        code: "483920".to_owned(),
        expires_at: now.plus_millis(120_000),
    };
    tell(&house, RICH, Language::English, ContactKind::MobilePhone, about).await;
    let asked = gateway.wait(1).await.remove(0);
    assert!(asked.body["text"].as_str().unwrap().starts_with("483920"), "{asked:?}");
    assert!(asked.body["expiresAt"].is_string());
    advance(&house, 600).await;
    let dead = state(&house, RICH, DeliveryState::Dead).await;
    assert!(dead.tries > 3, "{dead:?}");
    let count = gateway.asked().len();
    advance(&house, 90_000).await;
    assert_eq!(gateway.asked().len(), count);
    house.close().await;
}

async fn a_private_address_is_called_only_when_it_is_listed(shelf: Shelf) {
    let house = House::open_carrying(
        shelf,
        CourierOptions {
            email: None,
            sms: Some(SmsOptions { outbound: OutboundPolicy::default(), ..sms("https://10.255.255.1/send") }),
        },
    )
    .await;
    tell(&house, RICH, Language::English, ContactKind::MobilePhone, debit(1, "Shop")).await;
    let failed = tried(&house, RICH).await;
    assert!(failed.outcome.contains("10.255.255.1 is not allowed"), "{failed:?}");
    house.close().await;
}

async fn the_control_api_shows_every_channel_with_its_state(shelf: Shelf) {
    let gateway = Gateway::open().await;
    let house = by_sms(shelf, &gateway).await;
    tell(&house, RICH, Language::English, ContactKind::MobilePhone, debit(1, "Shop")).await;
    state(&house, RICH, DeliveryState::Sent).await;
    let (_, answer) = house.get("/sandbox/messages?loginId=%2B9647700000001").await;
    let rows = answer["messages"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{answer}");
    assert_eq!(rows[0]["channel"], "inbox");
    assert_eq!((&rows[1]["channel"], &rows[1]["state"]), (&json!("sms"), &json!("sent")));
    assert_eq!(rows[1]["to"], RICH);
    house.close().await;
}

async fn a_carrier_that_hangs_holds_up_no_other_work(shelf: Shelf) {
    let server = MailServer::open(Speech::Plain).await;
    server.then(&[End::Hang; 8]);
    let house = by_mail(shelf, &server, Speech::Plain).await;
    for number in 0..8 {
        tell(&house, MAIL, Language::English, ContactKind::Email, debit(number, "Shop")).await;
    }
    // Every place for letters is taken by one that hangs. A code has a place of its own, and a read is answered.
    let now = house.app().clock.now();
    let code = About::OneTimeCode {
        purpose: CodePurpose::Merchant,
        request: "r".to_owned(),
        merchant: "Shop".to_owned(),
        code: "483920".to_owned(),
        expires_at: now.plus_millis(120_000),
    };
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    tell(&house, MAIL, Language::English, ContactKind::Email, code).await;
    let letters = server.wait(1).await;
    assert!(letters[0].parts()[0].1.contains("483920"));
    assert_eq!(house.get("/sandbox/clock").await.0, 200);
}

/// What the carriers are given is what was written: nothing is made up on the way.
#[tokio::test]
async fn a_wrong_address_is_refused_without_a_word_to_the_mail_server() {
    let server = MailServer::open(Speech::Plain).await;
    let email = Email::new(&mail(&server, Speech::Plain)).unwrap();
    let mut random = Moment::new(Timestamp(0), [1; 32]).random("test");
    let about = debit(1, "Shop");
    let message = Message {
        id: accord_core::ids::MessageId::mint(Bucket::new(1), &mut random),
        customer: accord_core::ids::CustomerId::mint(Bucket::new(1), &mut random),
        channel: message::Channel::Inbox,
        language: Language::English,
        about: about.clone(),
        at: Timestamp(0),
    };
    for to in
        ["", "a", "a@b\r\nRCPT TO:<c@d.example>", "<a@b.example>", "a b@c.example", "a@b.example,c@d.example"]
    {
        let delivery = Delivery {
            message: message.id.clone(),
            customer: message.customer.clone(),
            kind: about.kind(),
            subject: about.subject(),
            carrier: Carrier::Email,
            to: to.to_owned(),
            state: DeliveryState::Pending,
            tries: 1,
            due_at: Timestamp(0),
            expires_at: None,
            outcome: String::new(),
            created_at: Timestamp(0),
        };
        let said = email.send(&delivery, &message).await;
        assert_eq!(said.carried, delivery::Carried::Refused, "{to:?}: {said:?}");
    }
    assert_eq!(server.letters(), []);
}
