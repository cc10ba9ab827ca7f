//! prepare: the papers' own samples, references, fields.

use super::{BOTH, Case, PLUS, QI};
use crate::conformance::fixture::RICH;
use crate::conformance::speech::Speech;
use crate::vectors::play::{Play, S};
use accord_core::Refusal;
use accord_core::client::ClientStatus;
use accord_core::policy::MINUTE;
use accord_wire::dialect::Fault;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    Case {
        operation: "prepare",
        name: "sample-of-the-paper",
        about: "The sample request of the paper, byte for byte, line breaks and indents included.",
        speeches: BOTH,
        tell: sample,
    },
    Case {
        operation: "prepare",
        name: "each-call-is-a-new-draft",
        about: "Qi knows no reference: each call opens a session of its own.",
        speeches: QI,
        tell: new_drafts,
    },
    Case {
        operation: "prepare",
        name: "languages",
        about: "The contract may be in Arabic or English; no language means English; another is refused.",
        speeches: QI,
        tell: languages,
    },
    Case {
        operation: "prepare",
        name: "fields",
        about: "What a field must be: there, of its type, not too long, one of its values.",
        speeches: QI,
        tell: qi_fields,
    },
    Case {
        operation: "prepare",
        name: "contract-dates",
        about: "A contract that is over already is refused, and so is a date that people could not be shown.",
        speeches: QI,
        tell: contract_dates,
    },
    Case {
        operation: "prepare",
        name: "fields",
        about: "What a field must be: there, of its type, not too long, one of its values.",
        speeches: PLUS,
        tell: plus_fields,
    },
    Case {
        operation: "prepare",
        name: "same-reference-same-terms",
        about: "The same reference with the same terms gets the same body, byte for byte; scopes are a set.",
        speeches: PLUS,
        tell: same_terms,
    },
    Case {
        operation: "prepare",
        name: "same-reference-other-terms",
        about: "The same reference with another name, shop, redirect URL or scopes is refused.",
        speeches: PLUS,
        tell: other_terms,
    },
    Case {
        operation: "prepare",
        name: "another-reference",
        about: "Another reference, auth client or acquirer is another call.",
        speeches: PLUS,
        tell: another_reference,
    },
    Case {
        operation: "prepare",
        name: "terminals",
        about: "Each terminalType gets its three URLs and the content of a QR code.",
        speeches: PLUS,
        tell: terminals,
    },
    Case {
        operation: "prepare",
        name: "parties",
        about: "pspId must be ours, and acquirerId one that the client may name.",
        speeches: PLUS,
        tell: parties,
    },
    Case {
        operation: "prepare",
        name: "expired-session",
        about: "After fifteen minutes nobody can decide. Alipay+: the same call opens the session again.",
        speeches: BOTH,
        tell: expired,
    },
    Case {
        operation: "prepare",
        name: "decided-once",
        about: "A session is decided once; a refusal gives no code.",
        speeches: BOTH,
        tell: decided_once,
    },
    Case {
        operation: "prepare",
        name: "scope-unknown",
        about: "A scope that is not offered.",
        speeches: BOTH,
        tell: scope_unknown,
    },
    Case {
        operation: "prepare",
        name: "product-not-allowed",
        about: "A client without agreement payments may not ask for one.",
        speeches: BOTH,
        tell: product_not_allowed,
    },
];

fn sample(play: &mut Play) {
    let body: &[u8] = match play.speech {
        Speech::Qi => include_bytes!("../../../../../vectors/envelope/seed-qi-prepare.json"),
        Speech::AlipayPlus => include_bytes!("../../../../../vectors/envelope/seed-alipay-plus-prepare.json"),
    };
    let request = play.who().request(&play.speech.target("prepare"), body, &play.time());
    play.send(request, S);
}

/// The good body with one member set, or removed.
fn but(play: &Play, member: &str, value: Option<Value>) -> Value {
    let mut body = play.speech.prepare("agreement-1");
    if let Value::Object(members) = &mut body {
        match value {
            Some(value) => {
                members.insert(member.to_owned(), value);
            }
            None => {
                members.remove(member);
            }
        }
    }
    body
}

fn new_drafts(play: &mut Play) {
    let body = play.speech.prepare("");
    let first = play.call("prepare", &body, S);
    let second = play.call("prepare", &body, S);
    assert_ne!(first, second);
}

fn languages(play: &mut Play) {
    let info =
        |language: Value| json!({ "language": language, "contractDesc": "عقد النادي الرياضي" }).to_string();
    for language in [json!("en-US"), json!("ar-IQ"), json!(null), json!("")] {
        let body = but(play, "extendInfo", Some(info(language).into()));
        play.call("prepare", &body, S);
    }
    for language in [json!("fr-FR"), json!("EN-us"), json!(1)] {
        let body = but(play, "extendInfo", Some(info(language).into()));
        play.call("prepare", &body, Fault::Field);
    }
}

fn contract_dates(play: &mut Play) {
    let asked = |play: &Play, member: &str, day: &str| {
        let mut body = play.speech.prepare("agreement-1");
        body["extendInfo"] = json!({ "contractDesc": "Gym plan", member: day }).to_string().into();
        body
    };
    // The last day belongs to the contract: today is 15 January.
    let body = asked(play, "validTo", "2026-01-14");
    play.call("prepare", &body, Fault::Field);
    let body = asked(play, "validTo", "2026-01-15");
    play.call("prepare", &body, S);
    for (member, day) in [("validTo", "9999-12-31"), ("startTime", "0001-01-01")] {
        let body = asked(play, member, day);
        play.call("prepare", &body, Fault::Field);
    }
}

fn qi_fields(play: &mut Play) {
    let long = json!({ "contractDesc": "x".repeat(4096) }).to_string();
    for (member, value) in [
        ("scopes", None),
        ("scopes", Some(json!(""))),
        ("scopes", Some(json!(null))),
        ("scopes", Some(json!(["AGREEMENT_PAY"]))),
        ("scopes", Some(json!("AGREEMENT_PAY____"))),
        ("extendInfo", None),
        ("extendInfo", Some(json!({ "contractDesc": "not in a text" }))),
        ("extendInfo", Some(json!("not JSON"))),
        ("extendInfo", Some(json!("{\"contractDesc\":\"a\",\"contractDesc\":\"b\"}"))),
        ("extendInfo", Some(json!("{\"language\":\"en-US\"}"))),
        ("extendInfo", Some(json!("{\"contractDesc\":\"  \"}"))),
        ("extendInfo", Some(json!(long))),
        ("referenceClientId", Some(json!("12345678901234567"))),
    ] {
        let body = but(play, member, value);
        play.call("prepare", &body, Fault::Field);
    }
    let body = but(play, "unknownMember", Some(json!({ "is": ["ignored"] })));
    play.call("prepare", &body, S);
}

fn plus_fields(play: &mut Play) {
    for (member, value) in [
        ("pspId", None),
        ("acquirerId", Some(json!(""))),
        ("authClientId", Some(json!(2_188_123_412_341_234_i64))),
        ("authClientName", Some(json!(null))),
        ("authClientDisplayName", Some(json!("x".repeat(65)))),
        ("authRedirectUrl", Some(json!("javascript:alert(1)"))),
        ("authRedirectUrl", Some(json!("https://user@www.merchant.com/"))),
        ("authRedirectUrl", Some(json!("https:///path"))),
        ("authRedirectUrl", Some(json!("http://www.merchant.com/"))),
        ("scopes", Some(json!("AGREEMENT_PAY"))),
        ("scopes", Some(json!([]))),
        ("customerBelongsTo", Some(json!("ANOTHER_WALLET"))),
        ("authState", Some(json!("x".repeat(257)))),
        ("terminalType", Some(json!("PHONE"))),
        ("osType", Some(json!("SYMBIAN"))),
        ("osVersion", Some(json!(""))),
        ("referenceAgreementId", None),
        ("authNotifyUrl", Some(json!("ftp://www.alipayplus.com/"))),
        ("referenceMerchantId", Some(json!("x".repeat(33)))),
        ("passThroughInfo", Some(json!(true))),
    ] {
        let body = but(play, member, value);
        play.call("prepare", &body, Fault::Field);
    }
    for (member, value) in
        [("osType", None), ("osVersion", Some(json!(null))), ("unknownMember", Some(json!([1, { "a": 2 }])))]
    {
        let body = but(play, member, value);
        play.call("prepare", &body, S);
    }
}

fn same_terms(play: &mut Play) {
    let body = play.speech.prepare("agreement-1");
    let first = play.call("prepare", &body, S);
    assert_eq!(play.call("prepare", &body, S), first);
    for (member, value) in [
        ("scopes", json!(["BASE_USER_INFO", "AGREEMENT_PAY", "BASE_USER_INFO"])),
        ("authState", json!("another state")),
        ("terminalType", json!("WEB")),
        ("authClientDisplayName", json!("Another display name")),
    ] {
        let body = but(play, member, Some(value));
        assert_eq!(play.call("prepare", &body, S), first, "{member}");
    }
    play.approve(&first, RICH);
    assert_eq!(play.call("prepare", &body, S), first, "decided meanwhile");
}

fn other_terms(play: &mut Play) {
    let body = play.speech.prepare("agreement-1");
    let first = play.call("prepare", &body, S);
    for (member, value) in [
        ("authClientName", json!("Another merchant")),
        ("referenceMerchantId", json!("2188123412341231")),
        ("authRedirectUrl", json!("https://www.merchant.com/elsewhere")),
        ("scopes", json!(["AGREEMENT_PAY"])),
    ] {
        let body = but(play, member, Some(value));
        play.call("prepare", &body, Refusal::ReferenceReused);
    }
    assert_eq!(play.call("prepare", &body, S), first);
}

fn another_reference(play: &mut Play) {
    let first = play.call("prepare", &play.speech.prepare("agreement-1"), S);
    for (member, value) in [
        ("referenceAgreementId", json!("agreement-2")),
        ("authClientId", json!("2188123412341235")),
        ("acquirerId", json!("102218800000001235")),
    ] {
        let body = but(play, member, Some(value));
        assert_ne!(play.call("prepare", &body, S), first, "{member}");
    }
    play.by_client(1);
    assert_ne!(play.call("prepare", &play.speech.prepare("agreement-1"), S), first);
}

fn terminals(play: &mut Play) {
    for terminal in ["WEB", "WAP", "APP"] {
        let mut body = play.speech.prepare(&format!("agreement-{terminal}"));
        body["terminalType"] = terminal.into();
        play.call("prepare", &body, S);
    }
}

fn parties(play: &mut Play) {
    let body = but(play, "pspId", Some(json!("102208800000009999")));
    play.call("prepare", &body, Fault::NotAllowed);
    play.client(ClientStatus::Active, true, &["102218800000005678"]);
    play.call("prepare", &play.speech.prepare("agreement-1"), Fault::NotAllowed);
    let body = but(play, "acquirerId", Some(json!("102218800000005678")));
    play.call("prepare", &body, S);
}

fn expired(play: &mut Play) {
    let body = play.speech.prepare("agreement-1");
    let first = play.call("prepare", &body, S);
    let auth_id = play.speech.auth_id(&first);
    play.wait(15 * MINUTE);
    assert_eq!(play.decide(&auth_id, RICH, true), None);
    let again = play.call("prepare", &body, S);
    match play.speech {
        Speech::Qi => assert_ne!(again, first),
        Speech::AlipayPlus => assert_eq!(again, first),
    }
    play.wait(14 * MINUTE);
    play.approve(&again, RICH);
}

fn decided_once(play: &mut Play) {
    let prepared = play.call("prepare", &play.speech.prepare("agreement-1"), S);
    let auth_id = play.speech.auth_id(&prepared);
    assert_eq!(play.decide(&auth_id, RICH, false), None);
    assert_eq!(play.decide(&auth_id, RICH, true), None);
    let prepared = play.call("prepare", &play.speech.prepare("agreement-2"), S);
    let auth_id = play.speech.auth_id(&prepared);
    assert!(play.decide(&auth_id, RICH, true).is_some());
    assert_eq!(play.decide(&auth_id, RICH, true), None);
}

fn scope_unknown(play: &mut Play) {
    let scopes = match play.speech {
        Speech::Qi => json!("auth_base"),
        Speech::AlipayPlus => json!(["AGREEMENT_PAY", "agreement_pay"]),
    };
    let body = but(play, "scopes", Some(scopes));
    play.call("prepare", &body, Fault::ScopeUnknown);
}

fn product_not_allowed(play: &mut Play) {
    let body = play.speech.prepare("agreement-1");
    play.call("prepare", &body, S);
    play.client(ClientStatus::Active, false, &[]);
    let other = play.speech.prepare("agreement-2");
    play.call("prepare", &other, Refusal::ProductNotAllowed);
    if play.speech == Speech::AlipayPlus {
        // A repeat gets its first answer, whatever the client may ask for by now.
        play.call("prepare", &body, S);
    }
}
