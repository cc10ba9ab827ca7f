//! From the sections of a configuration file to mounted dialects: what `serve` and the sandbox have in common.

use crate::config::carriers::Carriers;
use crate::config::check::Collector;
use crate::config::{
    Agreements, AlipayPlus, CancelUnknownOrder, Envelope, Lifetimes, Limits, Qi, SignIn, UrlSet, screens,
};
use accord_core::agreement::limits::{Alignment, Limits as AgreementLimits};
use accord_core::agreement::sign_in::SignInLimits;
use accord_core::money::Currency;
use accord_core::policy::{ControlPolicy, DAY};
use accord_core::user::Language;
use accord_server::app;
use accord_wire::alipay_plus::{self, QrHandles, UrlTemplates};
use accord_wire::dialect::Dialect;
use accord_wire::gateway::{Gateway, GatewayOptions, Mount};
use accord_wire::qi;
use std::sync::Arc;

/// The sections as written.
pub struct Sections {
    /// Envelope of both dialects.
    pub envelope: Envelope,
    /// Qi, if served.
    pub qi: Option<Qi>,
    /// Alipay+, if served.
    pub alipay_plus: Option<AlipayPlus>,
    /// Limits on callers.
    pub limits: Limits,
    /// Wrong PINs.
    pub sign_in: SignIn,
    /// Who carries messages out of the wallet.
    pub carriers: Carriers,
    /// What the wallet speaks.
    pub languages: Vec<Language>,
    /// The wallet's apps.
    pub apps: screens::AppsSection,
    /// Which approvals need a code.
    pub step_up: screens::StepUpSection,
}

/// The sections as the other crates take them.
pub struct Choices {
    /// Mounts and configuration of Qi.
    pub qi: Option<(Vec<String>, qi::Config)>,
    /// Mounts and configuration of Alipay+; its handle key is still to be filled in.
    pub alipay_plus: Option<(Vec<String>, alipay_plus::Config)>,
    /// The envelope.
    pub gateway: GatewayOptions,
    /// Limits on callers.
    pub limits: app::Limits,
    /// Wrong PINs.
    pub sign_in: SignInLimits,
    /// Who carries messages out of the wallet.
    pub carriers: Carriers,
    /// What the pages lead to.
    pub screens: app::Screens,
}

/// Mounted dialects.
pub struct Mounted {
    /// Mounts and checks.
    pub gateway: Arc<Gateway>,
    /// Handles of QR codes, when Alipay+ is served with them.
    pub qr_handles: Option<Arc<QrHandles>>,
}

impl Sections {
    /// Judges the sections for a wallet at `public_url`; faults go to `notes`.
    pub fn check(self, public_url: &str, allow_http: bool, notes: &mut Collector<'_>) -> Choices {
        let languages = self.languages;
        let mut qi = self.qi.map(|section| {
            let (mounts, config) = qi_of(section, public_url, allow_http, notes);
            (mounts, qi::Config { languages, ..config })
        });
        let mut alipay_plus =
            self.alipay_plus.map(|section| alipay_plus_of(section, public_url, allow_http, notes));
        if let Some((_, config)) = &mut qi {
            config.messages = self.carriers.policy.clone();
        }
        if let Some((_, config)) = &mut alipay_plus {
            config.messages = self.carriers.policy.clone();
        }
        let sessions = [
            qi.as_ref().map(|(_, config)| config.session_life_ms),
            alipay_plus.as_ref().map(|(_, config)| config.session_life_ms),
        ];
        let longest = sessions.into_iter().flatten().max().unwrap_or_default();
        let lives = screens::check_lives(self.sign_in.idle, self.sign_in.life, longest, notes);
        let choices = Choices {
            qi,
            alipay_plus,
            gateway: GatewayOptions { time_window_ms: self.envelope.time_window.millis() },
            limits: app::Limits {
                signed_refusals_per_minute: self.limits.signed_refusals_per_minute,
                signed_refusals_per_client_per_minute: self.limits.signed_refusals_per_client_per_minute,
                longest_wait_ms: self.limits.longest_wait_ms.filter(|millis| *millis > 0),
            },
            sign_in: sign_in_of(&self.sign_in, notes),
            carriers: self.carriers,
            screens: screens::check(self.apps, self.step_up, lives, notes),
        };
        if let Err(what) = choices.mount([0; 32]) {
            notes.fault("mounts", what);
        }
        choices
    }
}

impl Choices {
    /// Mounts the dialects.
    pub fn mount(&self, qr_key: [u8; 32]) -> Result<Mounted, String> {
        let mut mounts = Vec::new();
        let mut add = |prefixes: &[String], dialect: Arc<dyn Dialect>| {
            for prefix in prefixes {
                mounts.push(Mount { prefix: prefix.clone(), dialect: dialect.clone() });
            }
        };
        let mut qr_handles = None;
        if let Some((prefixes, config)) = &self.qi {
            add(prefixes, qi::Qi::new(config.clone()));
        }
        if let Some((prefixes, config)) = &self.alipay_plus {
            let config = alipay_plus::Config { handle_key: qr_key, ..config.clone() };
            if config.code_scan {
                qr_handles = Some(Arc::new(QrHandles::new(&qr_key)));
            }
            add(prefixes, alipay_plus::AlipayPlus::new(config));
        }
        let gateway = Gateway::new(mounts, self.gateway.clone())?;
        Ok(Mounted { gateway: Arc::new(gateway), qr_handles })
    }
}

fn qi_of(
    section: Qi,
    public_url: &str,
    allow_http: bool,
    notes: &mut Collector<'_>,
) -> (Vec<String>, qi::Config) {
    let mut config = qi::Config::new(public_url);
    config.allow_http = allow_http;
    if let Some(seconds) = notes.take("qi.utc_offset", read_offset(&section.utc_offset)) {
        config.utc_offset_seconds = seconds;
    }
    config.refund_window_ms = section.refund_window.map(|span| span.millis());
    let Lifetimes { session, code, code_memory, access, refresh, refresh_grace } = section.lifetimes;
    for (place, span) in [
        (&mut config.session_life_ms, session),
        (&mut config.code_life_ms, code),
        (&mut config.code_memory_ms, code_memory),
        (&mut config.access_life_ms, access),
        (&mut config.refresh_life_ms, refresh),
        (&mut config.refresh_grace_ms, refresh_grace),
    ] {
        *place = span.map_or(*place, |span| span.millis());
    }
    config.control = control_of(section.agreements, "qi.agreements", notes);
    notes.take("qi", config.check());
    (section.mounts, config)
}

fn alipay_plus_of(
    section: AlipayPlus,
    public_url: &str,
    allow_http: bool,
    notes: &mut Collector<'_>,
) -> (Vec<String>, alipay_plus::Config) {
    let mut config = alipay_plus::Config::new(public_url, [0; 32]);
    config.allow_http = allow_http;
    config.psp_id = section.psp_id;
    config.wallet_names = section.wallet_names;
    config.issuer_digits = section.issuer_digits;
    config.code_scan = section.code_scan;
    config.code_value = section.code_value.unwrap_or(config.code_value);
    config.app_schemes = section.app_schemes;
    config.network_base_url = section.network_base_url;
    config.consult_unbinding_url = section.consult_unbinding_url;
    config.unbind_after_failed_consults = section.unbind_after_failed_consults;
    config.notify_payment_always = section.notify_payment_always;
    config.cancel_unknown_order = section.cancel_unknown_order == CancelUnknownOrder::Success;
    config.refund_window_ms = section.refund_window.map(|span| span.millis()).or(config.refund_window_ms);
    config.inquiry_customer_id = section.inquiry_customer_id;
    let (codes, asked) = (&mut config.one_time_codes, section.one_time_codes);
    codes.per_day = asked.per_day.unwrap_or(codes.per_day);
    codes.tries = asked.tries.unwrap_or(codes.tries);
    codes.spacing_ms = asked.spacing.map_or(codes.spacing_ms, |span| span.millis());
    codes.life_ms = asked.life.map_or(codes.life_ms, |span| span.millis());
    if let Some(seconds) = notes.take("alipay_plus.utc_offset", read_offset(&section.utc_offset)) {
        config.utc_offset_seconds = seconds;
    }
    for (place, set) in [
        (&mut config.web, section.urls.web),
        (&mut config.wap, section.urls.wap),
        (&mut config.app, section.urls.app),
    ] {
        fill(place, set.unwrap_or_default());
    }
    let Lifetimes { session, code, code_memory, access, refresh, refresh_grace } = section.lifetimes;
    for (place, span) in [
        (&mut config.session_life_ms, session),
        (&mut config.code_life_ms, code),
        (&mut config.code_memory_ms, code_memory),
        (&mut config.access_life_ms, access),
        (&mut config.refresh_life_ms, refresh),
        (&mut config.refresh_grace_ms, refresh_grace),
    ] {
        *place = span.map_or(*place, |span| span.millis());
    }
    for (name, life) in [
        ("session", config.session_life_ms),
        ("code", config.code_life_ms),
        ("access", config.access_life_ms),
        ("refresh", config.refresh_life_ms),
    ] {
        if life <= 0 {
            notes.fault(&format!("alipay_plus.lifetimes.{name}"), "must be above zero");
        }
    }
    for (key, url) in [
        ("alipay_plus.network_base_url", &config.network_base_url),
        ("alipay_plus.consult_unbinding_url", &config.consult_unbinding_url),
    ] {
        let fits = |url: &str| {
            url.starts_with("https://")
                || (allow_http && url.starts_with("http://"))
                || (key.ends_with("consult_unbinding_url") && url.starts_with("{auth_notify_url}"))
        };
        if let Some(url) = url.as_deref().filter(|url| !fits(url)) {
            notes.fault(key, format!("`{url}` must begin with https://"));
        }
    }
    config.control = control_of(section.agreements, "alipay_plus.agreements", notes);
    notes.take("alipay_plus", config.check());
    (section.mounts, config)
}

fn control_of(section: Agreements, key: &str, notes: &mut Collector<'_>) -> ControlPolicy {
    let mut control = ControlPolicy::default();
    let mut currency_of = |name: &str, code: Option<String>| {
        let code = code?;
        let known = Currency::parse(&code).ok_or(format!("`{code}` is no ISO 4217 currency in use"));
        notes.take(&format!("{key}.{name}"), known)
    };
    control.limits = AgreementLimits {
        currency: currency_of("currency", section.currency),
        per_debit: section.per_debit,
        per_day: section.per_day,
        per_week: section.per_week,
        per_month: section.per_month,
        per_year: section.per_year,
        max_count: section.max_count,
        ..AgreementLimits::NONE
    };
    control.currency = currency_of("user_currency", section.user_currency).or(control.currency);
    if let Some(word) = section.alignment {
        let known = Alignment::parse(&word).ok_or(format!("`{word}`: write calendar or agreement"));
        if let Some(alignment) = notes.take(&format!("{key}.alignment"), known) {
            control.limits.alignment = alignment;
        }
    }
    if let Some(seconds) =
        section.day_zone.and_then(|zone| notes.take(&format!("{key}.day_zone"), read_offset(&zone)))
    {
        control.day_zone_offset_ms = i64::from(seconds) * 1_000;
    }
    control.asleep_after_days = section.asleep_after_days;
    if let Some(ahead) = section.notice_ahead {
        if ahead.millis() < DAY {
            notes.fault(&format!("{key}.notice_ahead"), "must be at least a day");
        }
        control.notice_ahead_ms = ahead.millis();
    }
    if let Some(fault) = control.limits.fault() {
        notes.fault(key, fault);
    }
    control
}

fn fill(place: &mut UrlTemplates, set: UrlSet) {
    for (place, template) in
        [(&mut place.normal, set.normal), (&mut place.applink, set.applink), (&mut place.scheme, set.scheme)]
    {
        if let Some(template) = template {
            *place = template;
        }
    }
}

fn sign_in_of(section: &SignIn, notes: &mut Collector<'_>) -> SignInLimits {
    let default = SignInLimits::default();
    let limits = SignInLimits {
        per_session: section.per_session.unwrap_or(default.per_session),
        per_user: section.per_user.unwrap_or(default.per_user),
        per_address: section.per_address.unwrap_or(default.per_address),
        window_ms: section.window.map_or(default.window_ms, |span| span.millis()),
        longest_block_ms: section.longest_block.map_or(default.longest_block_ms, |span| span.millis()),
    };
    for (name, count) in [
        ("per_session", limits.per_session),
        ("per_user", limits.per_user),
        ("per_address", limits.per_address),
    ] {
        if count == 0 {
            notes.fault(&format!("sign_in.{name}"), "must be at least 1, or nobody could sign in");
        }
    }
    limits
}

/// Reads `+03:00` into seconds.
fn read_offset(text: &str) -> Result<i32, String> {
    let fault = || format!("`{text}` is not an offset from UTC: write for example \"+03:00\"");
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(fault()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(fault)?;
    let two = |text: &str, most: i32| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<i32>().ok()).flatten().filter(|number| *number <= most)
    };
    let hours = two(hours, 14).ok_or_else(fault)?;
    let minutes = two(minutes, 59).ok_or_else(fault)?;
    Ok(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_sign_hours_and_minutes() {
        assert_eq!(read_offset("+03:00"), Ok(10_800));
        assert_eq!(read_offset("-03:30"), Ok(-12_600));
        for text in ["", "3", "03:00", "+3:00", "+15:00", "+03:60", "+03.00"] {
            assert!(read_offset(text).is_err(), "{text}");
        }
    }
}
