//! The steps of both flows, as the page's forms name them.

use super::calls::{Operation, make};
use super::log_in::log_in;
use super::merchant::Now;
use super::shop::{self, Done};
use super::visit::Flow;
use super::{ConsentAnswer, Demo};
use crate::pages::demo::{DemoDialect, Notice, Said};
use crate::pages::demo_shop::{BillKind, Plan};
use crate::pages::demo_wire::Happening;
use accord_core::user::Language;
use std::collections::HashMap;

/// Longest contract text sent on; the wallet refuses an extendInfo over 4096 characters, escapes included.
const LONGEST_FIELD: usize = 5_000;

accord_core::words! {
    /// A step, as its form's path names it.
    Step {
        /// The shop asks for an agreement on the terms of a plan.
        Subscribe = "subscribe",
        /// Ask for the page, by itself.
        Prepare = "prepare",
        /// Qi: what the callback of `qicardSignContract` was given.
        Code = "code",
        /// Redeem the code.
        ApplyToken = "applyToken",
        /// Debit any sum.
        Pay = "pay",
        /// Debit an extra.
        Buy = "buy",
        /// Debit what is due.
        Due = "due",
        /// Move the sandbox's clock, and debit what is due then.
        Later = "later",
        /// Ask for the debit.
        InquiryPayment = "inquiryPayment",
        /// Give the last debit back.
        Refund = "refund",
        /// Alipay+: cancel the last debit.
        CancelPayment = "cancelPayment",
        /// Renew the tokens.
        Refresh = "refresh",
        /// End the agreement.
        CancelToken = "cancelToken",
        /// The user ends the agreement in the wallet.
        UserEnds = "userEnds",
        /// Script how the next call of an operation ends.
        Fault = "fault",
        /// Qi: my.getAuthCode, and what may be known of the user by it.
        LogIn = "logIn",
        /// Alipay+: what to answer when the wallet asks whether a user may end the agreement.
        Consult = "consult",
        /// Forget everything.
        Reset = "reset",
    }
}

/// Does a step and gives back what is held after it.
pub(super) async fn run(
    demo: &Demo,
    dialect: DemoDialect,
    step: Step,
    mut flow: Flow,
    (fields, language): (&HashMap<String, String>, Language),
) -> Flow {
    flow.notice = None;
    flow.at_steps = field(fields, "at").as_deref() == Some("steps");
    if step == Step::Reset {
        return Flow { since: demo.inbox.newest(dialect), at_steps: flow.at_steps, ..Flow::default() };
    }
    let done = take(demo, dialect, step, &mut flow, (fields, language)).await;
    let (good, said) = done.unwrap_or_else(|fault| (false, fault));
    flow.notice = Some(Notice { good, said });
    flow
}

async fn take(
    demo: &Demo,
    dialect: DemoDialect,
    step: Step,
    flow: &mut Flow,
    (fields, language): (&HashMap<String, String>, Language),
) -> Done {
    let now = demo.merchant().await?.now().await?;
    let text = |name| field(fields, name).unwrap_or_default();
    let or = |name, otherwise: &str| field(fields, name).unwrap_or_else(|| otherwise.to_owned());
    let operation = match step {
        Step::Subscribe => {
            let plan = Plan::parse(&text("plan")).ok_or(Said::NoSuchStep)?;
            return shop::subscribe(demo, dialect, flow, (plan, language), &now).await;
        }
        Step::Code if dialect == DemoDialect::Qi => {
            return code(demo, flow, fields, &now).await;
        }
        Step::LogIn if dialect == DemoDialect::Qi => {
            let login_id = text("loginId");
            return log_in(demo, flow, (&login_id, field(fields, "authCode")), &now).await;
        }
        Step::Consult if dialect == DemoDialect::AlipayPlus => return set_answer(demo, fields),
        Step::Code | Step::LogIn | Step::Consult | Step::Reset => return Err(Said::NoSuchStep),
        Step::ApplyToken if !flow.at_steps => return shop::settle(demo, dialect, flow, &now).await,
        Step::Buy => return shop::buy(demo, dialect, flow, &now).await,
        Step::Due => return shop::collect(demo, dialect, flow, &now).await,
        Step::Later => return shop::later(demo, dialect, flow, &text("by"), &now).await,
        Step::UserEnds => return shop::user_ends(demo, dialect, flow, &now).await,
        Step::Fault => {
            let (operation, outcome) = (text("operation"), text("outcome"));
            return shop::script_fault(demo, flow, (&operation, &outcome), &now).await;
        }
        Step::Prepare => {
            flow.shop = Default::default();
            flow.state.contract_desc = text("contractDesc");
            Operation::Prepare {
                contract: flow.state.contract_desc.clone(),
                language: or("contractLanguage", "en-US"),
                terminal: or("terminalType", "WAP"),
            }
        }
        Step::Pay => {
            flow.state.amount = or("amount", &flow.state.amount);
            flow.state.currency = or("currency", &flow.state.currency);
            let (value, currency) = (flow.state.amount.clone(), flow.state.currency.clone());
            Operation::Pay { kind: BillKind::Single, value, currency }
        }
        Step::ApplyToken => Operation::ApplyToken,
        Step::Refresh => Operation::Refresh,
        Step::CancelToken => Operation::CancelToken,
        Step::InquiryPayment => Operation::InquiryPayment,
        Step::Refund => Operation::Refund,
        Step::CancelPayment => Operation::CancelPayment,
    };
    make(demo, dialect, operation, flow, &now).await
}

/// Alipay+ consultUnbinding: what this merchant says from now on, to every question.
fn set_answer(demo: &Demo, fields: &HashMap<String, String>) -> Done {
    let answer = field(fields, "answer").unwrap_or_default();
    let answer = ConsentAnswer::parse(&answer).ok_or(Said::NoSuchStep)?;
    demo.consent.set(answer);
    Ok((true, Said::ConsultSet(answer.to_string())))
}

/// Qi: what the callback was given, passed on by the mini program. The shop goes on with it at once.
async fn code(demo: &Demo, flow: &mut Flow, fields: &HashMap<String, String>, now: &Now) -> Done {
    let (good, said) = take_code(flow, fields);
    let what = match &said {
        Said::CallbackError(error) => Some(Happening::NoCode(error.clone())),
        Said::CallbackCode => Some(Happening::CodeCame),
        _ => None,
    };
    if let Some(what) = what {
        flow.happened(demo, now, what);
    }
    if good && flow.shop.plan.is_some() {
        return shop::settle(demo, DemoDialect::Qi, flow, now).await;
    }
    Ok((good, said))
}

fn take_code(flow: &mut Flow, fields: &HashMap<String, String>) -> (bool, Said) {
    let code = field(fields, "authCode");
    let error = field(fields, "error").map(|error| match field(fields, "errorMessage") {
        Some(message) => format!("{error}: {message}"),
        None => error,
    });
    let said = match (&code, &error) {
        (Some(_), _) => Said::CallbackCode,
        (None, Some(error)) => Said::CallbackError(error.clone()),
        (None, None) => Said::CallbackNothing,
    };
    flow.state.auth_error = if code.is_some() { None } else { error };
    flow.state.auth_code = code;
    (flow.state.auth_code.is_some(), said)
}

/// Alipay+: the browser is back. The shop goes on with the code at once.
pub(super) async fn come_back(demo: &Demo, mut flow: Flow, given: &HashMap<String, String>) -> Flow {
    let (good, said) = take_return(&mut flow, given);
    let done = match demo.merchant().await {
        Ok(merchant) => match merchant.now().await {
            Ok(now) => go_on(demo, &mut flow, (good, said), &now).await,
            Err(fault) => Err(fault.into()),
        },
        Err(fault) => Err(fault.into()),
    };
    let (good, said) = done.unwrap_or_else(|fault| (false, fault));
    flow.notice = Some(Notice { good, said });
    flow
}

async fn go_on(demo: &Demo, flow: &mut Flow, (good, said): (bool, Said), now: &Now) -> Done {
    match said {
        Said::CameBack => flow.happened(demo, now, Happening::CodeCame),
        Said::CameBackWithout => flow.happened(demo, now, Happening::NoCode("authCode: none".to_owned())),
        _ => {}
    }
    if good && flow.shop.plan.is_some() {
        return shop::settle(demo, DemoDialect::AlipayPlus, flow, now).await;
    }
    Ok((good, said))
}

/// Without all three parts it did not succeed, and a foreign state is nobody's.
fn take_return(flow: &mut Flow, given: &HashMap<String, String>) -> (bool, Said) {
    let state = given.get("authState").filter(|state| !state.is_empty());
    let code = given.get("authCode").filter(|code| !code.is_empty() && code.len() <= 64);
    if state.is_none() || state != flow.auth_state.as_ref() {
        return (false, Said::ForeignState);
    }
    flow.state.auth_code = code.cloned();
    flow.state.auth_error = code.is_none().then(|| "authCode: none".to_owned());
    match code {
        Some(_) => (true, Said::CameBack),
        None => (false, Said::CameBackWithout),
    }
}

fn field(fields: &HashMap<String, String>, name: &str) -> Option<String> {
    let value = fields.get(name)?.trim();
    (!value.is_empty()).then(|| value.chars().take(LONGEST_FIELD).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_code_is_taken_only_with_the_state_of_this_browser() {
        for (given, code) in [
            (vec![("authCode", "C"), ("authState", "S")], Some("C")),
            (vec![("authCode", "C"), ("authState", "T")], None),
            (vec![("authCode", "C"), ("authState", "")], None),
            (vec![("authCode", "C")], None),
            (vec![("authState", "S")], None),
            (vec![("authCode", ""), ("authState", "S")], None),
            (vec![], None),
        ] {
            let mut flow = Flow { auth_state: Some("S".into()), ..Flow::default() };
            let (good, _) = take_return(&mut flow, &fields(&given));
            assert_eq!(flow.state.auth_code.as_deref(), code, "{given:?}");
            assert_eq!(good, code.is_some());
        }
        let mut stranger = Flow::default();
        take_return(&mut stranger, &fields(&[("authCode", "C"), ("authState", "")]));
        assert_eq!(stranger.state.auth_code, None);
    }

    #[test]
    fn the_callback_gives_a_code_or_an_error() {
        let mut flow = Flow::default();
        let refused = fields(&[("authCode", ""), ("error", "6001"), ("errorMessage", "refused")]);
        assert_eq!(take_code(&mut flow, &refused), (false, Said::CallbackError("6001: refused".to_owned())));
        assert_eq!(flow.state.auth_error.as_deref(), Some("6001: refused"));
        let (good, _) =
            take_code(&mut flow, &fields(&[("authCode", " C "), ("error", ""), ("errorMessage", "")]));
        assert!(good);
        assert_eq!((flow.state.auth_code.as_deref(), flow.state.auth_error.as_deref()), (Some("C"), None));
    }
}
