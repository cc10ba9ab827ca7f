//! The bodies that owners send, and limits as the core has them.

use super::acts::*;
use super::days::{self, Caps};
use accord_core::Refusal;
use accord_core::Timestamp;
use accord_core::agreement::limits::{Alignment, Limits};
use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_testkit::conformance::fixture;
use accord_testkit::conformance::speech::{AUTH_CLIENT_ID, Speech};
use accord_wire::time;
use serde_json::{Value, json};

/// prepare: Qi's contract, or the network's reference.
pub fn prepare(
    owner: &Owner,
    reference: &str,
    other: bool,
    told: bool,
    debits: bool,
    contract: &Contract,
) -> Value {
    let mut body = owner.speech.prepare(reference);
    let url = format!("https://{}.example/authorization", owner.name);
    match owner.speech {
        Speech::AlipayPlus => {
            if other {
                body["authClientName"] = "Another merchant".into();
            }
            if !debits {
                body["scopes"] = json!(["BASE_USER_INFO"]);
            }
            match (told, body.as_object_mut()) {
                (true, _) => body["authNotifyUrl"] = url.into(),
                (false, Some(members)) => drop(members.remove("authNotifyUrl")),
                (false, None) => {}
            }
        }
        Speech::Qi => {
            let mut info = json!({ "contractDesc": "Gym plan" });
            if let Some((currency, value)) = contract.amount {
                info["agreedAmount"] = json!({ "currency": currency, "value": value.to_string() });
            }
            for (name, day) in [("startTime", contract.from), ("validTo", contract.last)] {
                if let Some(day) = day {
                    info[name] = days::text(day).into();
                }
            }
            if let Some(count) = contract.count {
                info["maxCount"] = count.to_string().into();
            }
            if let Some(every) = contract.every {
                let word = [(1, "MONTHLY"), (3, "SEASONAL"), (12, "YEARLY")];
                let word = word.iter().find(|(months, _)| *months == every).expect("a schedule");
                info["schedule"] = word.1.into();
            }
            if told {
                info["contractStatusNotifyUrl"] = url.into();
            }
            body["extendInfo"] = info.to_string().into();
        }
    }
    body
}

/// Names the right auth client, a wrong one, or none. Qi knows none.
pub fn with_client(mut body: Value, speech: Speech, client: Option<bool>) -> Value {
    if let (Speech::AlipayPlus, Some(right)) = (speech, client) {
        body["authClientId"] = if right { AUTH_CLIENT_ID } else { "another-client" }.into();
    }
    body
}

/// pay.
pub fn pay(owner: &Owner, pay: &Pay) -> Value {
    let mut body = owner.speech.pay(&pay.token, &pay.request, pay.currency, &pay.value.to_string());
    body["order"]["orderDescription"] = format!("text {}", pay.loose).into();
    if let Some(members) = body.as_object_mut() {
        members.remove("paymentNotifyUrl");
    }
    if pay.told {
        body["paymentNotifyUrl"] = format!("https://{}.example/paid", owner.name).into();
    }
    if let Some(expires) = pay.expires {
        body["paymentExpiryTime"] = time::format_seconds(expires, 3 * 3_600).into();
    }
    match owner.speech {
        Speech::Qi => {
            body["order"]["referenceOrderId"] = format!("order {} of {}", pay.other, pay.request).into();
        }
        Speech::AlipayPlus => {
            // The order is not compared in this paper; what is settled to the acquirer is.
            body["order"]["referenceOrderId"] = format!("order {}", pay.loose).into();
            if pay.other > 0 {
                // Never the paymentAmount, which is what it is without.
                let value = (pay.value + i64::from(pay.other)).to_string();
                body["payToAmount"] = json!({ "currency": "USD", "value": value });
            }
            if let Some(right) = pay.client {
                let id = if right { AUTH_CLIENT_ID } else { "another-client" };
                body["paymentMethod"]["paymentMethodMetaData"] = json!({ "authClientId": id });
            }
            if pay.evaluation {
                body["paymentFactor"]["isPaymentEvaluation"] = "true".into();
            }
        }
    }
    body
}

/// refund. Qi names the payment by one of its two ids.
pub fn refund(owner: &Owner, refund: &Refund) -> Value {
    let value = refund.value.to_string();
    let mut body = owner.speech.refund(&refund.order, "", &refund.request, refund.currency, &value);
    match owner.speech {
        Speech::Qi => name(&mut body, &refund.payment, "paymentId", "paymentRequestId"),
        Speech::AlipayPlus => {
            let (Name::Id(id) | Name::Request(id)) = &refund.payment;
            body["paymentId"] = id.as_str().into();
        }
    }
    body
}

/// Names something by the wallet's id or by the caller's.
pub fn name(body: &mut Value, by: &Name, id: &str, request: &str) {
    let (member, text, other) = match by {
        Name::Id(text) => (id, text, request),
        Name::Request(text) => (request, text, id),
    };
    body[member] = text.as_str().into();
    if let Some(members) = body.as_object_mut() {
        members.remove(other);
    }
}

/// What a script makes of a call.
pub fn forced(script: Script) -> Forced {
    match script {
        Script::Fail => Forced::Fail(Refusal::RiskRejected),
        Script::Run(end) => {
            Forced::Running(end.map(|(due_at, succeed)| Resolution { due_at: Timestamp(due_at), succeed }))
        }
    }
}

/// Limits as the core has them.
pub fn limits(caps: &Caps) -> Limits {
    Limits {
        currency: caps.currency.map(fixture::currency),
        per_debit: caps.debit,
        per_day: caps.day,
        per_week: caps.week,
        per_month: caps.month,
        per_year: caps.year,
        max_count: caps.count,
        alignment: if caps.by_agreement { Alignment::Agreement } else { Alignment::Calendar },
        valid_from: caps.from.map(Timestamp),
        valid_to: caps.to.map(Timestamp),
    }
}
