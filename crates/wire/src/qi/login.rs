//! Qi `my.getAuthCode({scopes})`: the wallet app's own call, by which a mini program gets a code without a page.
//!
//! It is no part of the OpenAPI: whoever plays the app (the sandbox, a wallet's own back end) reads the scopes here
//! and runs the rule. The code is redeemed by applyToken as any other.

use crate::qi::{NAME, common};
use accord_core::agreement::Scope;
use accord_core::agreement::decide::Shown;
use accord_core::agreement::login::LogIn;
use accord_core::client::Client;
use accord_core::ids::{CustomerId, DialectName};

/// A scope that is not granted, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeFault {
    /// As the mini program wrote it.
    pub scope: String,
    /// In a few words.
    pub error: &'static str,
}

/// Sorts the scopes that a mini program names: those it may have, each once and in its order, and those it may not.
pub fn sort_scopes<'s>(words: impl IntoIterator<Item = &'s str>) -> (Vec<Scope>, Vec<ScopeFault>) {
    let (mut granted, mut refused) = (Vec::new(), Vec::new());
    for word in words {
        match Scope::parse(word) {
            Some(scope) if granted.contains(&scope) => {}
            Some(scope) if scope.by_log_in() => granted.push(scope),
            Some(Scope::AgreementPay) => {
                let error = "needs a contract: my.call(\"qicardSignContract\")";
                refused.push(ScopeFault { scope: word.to_owned(), error });
            }
            _ => refused.push(ScopeFault { scope: word.to_owned(), error: "not a scope of this wallet" }),
        }
    }
    (granted, refused)
}

/// The command for a client of Qi.
pub fn log_in(
    client: &Client,
    customer: CustomerId,
    scopes: Vec<Scope>,
    shown: Shown,
    address: String,
) -> LogIn {
    LogIn {
        owner: common::owner_of(client),
        client: client.id.clone(),
        dialect: DialectName::new(NAME),
        legal_name: client.legal_name.clone(),
        display_name: client.display_name.clone(),
        customer,
        scopes,
        shown,
        address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_sorted_into_those_a_page_is_not_needed_for_and_the_rest() {
        let words = ["auth_base", "USER_NAME", "AGREEMENT_PAY", "auth_base", "SEND_OTP", "AUTH_BASE"];
        let (granted, refused) = sort_scopes(words);
        assert_eq!(granted, [Scope::AuthBase, Scope::UserName]);
        let refused: Vec<&str> = refused.iter().map(|fault| fault.scope.as_str()).collect();
        assert_eq!(refused, ["AGREEMENT_PAY", "SEND_OTP", "AUTH_BASE"]);
    }
}
