//! Between the first "I agree" and the second: a proof that the PIN was right, so that it need not be sent twice.
//!
//! The proof is a cookie of the one session: who, which limits, in which language, until when, and a keyed hash over all
//! of it and the browser's number. It holds no PIN. It is good for three minutes, in the browser that typed the PIN, for
//! the session it was typed in and the text that was shown; what it allows, deciding that session, can be done once.

use crate::app::App;
use crate::cookies::{self, Browser};
use crate::pages::authorize::TypedLimits;
use accord_core::Timestamp;
use accord_core::ids::{AuthId, CustomerId};
use accord_core::moment::keyed_hash;
use accord_core::policy::MINUTE;
use accord_core::secret::Digest;
use accord_core::user::Language;
use axum::http::HeaderMap;
use subtle::ConstantTimeEq;

/// How long the second "I agree" may be waited for.
pub const LIFE_MS: i64 = 3 * MINUTE;

/// Who typed the right PIN, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Who.
    pub customer: CustomerId,
    /// The limits that were typed, whole units in Western digits.
    pub limits: TypedLimits,
    /// The language that the question was shown in.
    pub language: Language,
    /// SHA-256 of what was shown.
    pub text: Digest,
}

/// The `Set-Cookie` value that gives `proof` to the browser.
pub fn give(app: &App, browser: &Browser, auth_id: &AuthId, proof: &Proof) -> String {
    let until = app.clock.now().plus_millis(LIFE_MS);
    let [per_debit, per_month] = [&proof.limits.per_debit, &proof.limits.per_month]
        .map(|limit| limit.as_deref().unwrap_or_default().to_owned());
    let parts =
        [proof.customer.as_str(), proof.language.as_str(), &per_debit, &per_month, &until.0.to_string()];
    let tag = tag(app, browser, auth_id, &parts, &proof.text);
    cookie(app, auth_id, &format!("{}.{tag}", parts.join(".")), LIFE_MS / 1_000)
}

/// The `Set-Cookie` value that takes it back.
pub fn take_back(app: &App, auth_id: &AuthId) -> String {
    cookie(app, auth_id, "", 0)
}

/// The proof that this browser holds for that session, if it is ours, fresh, and about what `text_of` says is shown.
pub fn read(
    app: &App,
    browser: &Browser,
    headers: &HeaderMap,
    auth_id: &AuthId,
    text_of: impl FnOnce(Language, &TypedLimits) -> Digest,
) -> Option<Proof> {
    let value = cookies::cookie(app, headers, &name(auth_id))?;
    let (said, given) = value.rsplit_once('.')?;
    let parts: [&str; 5] = said.split('.').collect::<Vec<_>>().try_into().ok()?;
    let [customer, language, per_debit, per_month, until] = parts;
    let limit = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let limits = TypedLimits { per_debit: limit(per_debit), per_month: limit(per_month) };
    let language = Language::parse(language)?;
    let text = text_of(language, &limits);
    let right: bool = tag(app, browser, auth_id, &parts, &text).as_bytes().ct_eq(given.as_bytes()).into();
    let fresh = app.clock.now() <= Timestamp(until.parse().ok()?);
    (right && fresh).then_some(Proof { customer: CustomerId::read(customer)?, limits, language, text })
}

fn tag(app: &App, browser: &Browser, auth_id: &AuthId, parts: &[&str; 5], text: &Digest) -> String {
    let said = parts.join(".");
    let bound: [&[u8]; 5] =
        [b"agreed", browser.number().as_bytes(), auth_id.as_str().as_bytes(), said.as_bytes(), &text.0];
    cookies::hex(&keyed_hash(&app.options.page_key, &bound))
}

/// One name for each session: two tabs with two agreements do not disturb each other.
fn name(auth_id: &AuthId) -> String {
    let digest = cookies::hex(&Digest::of(auth_id.as_str()).0);
    format!("accord_agreed_{}", digest.get(..16).unwrap_or_default())
}

fn cookie(app: &App, auth_id: &AuthId, value: &str, seconds: i64) -> String {
    format!("{}; Max-Age={seconds}", cookies::set_cookie(app, &name(auth_id), value))
}
