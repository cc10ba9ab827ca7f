//! `[apps]` and `[step_up]`: what the wallet's pages lead to, and when they ask for a code.

use super::check::Collector;
use super::span::Span;
use accord_core::agreement::step_up::{StepUpPolicy, When};
use accord_core::device::Lives;
use accord_core::money::{Amount, Currency};
use accord_core::people::one_time_code::CodeLimits;
use accord_core::policy::MINUTE;
use accord_server::app::Screens;
use accord_server::app_links::{AndroidApp, AppPath, Apps};
use serde::Deserialize;

/// The wallet's apps; absent: none, and links open the page.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppsSection {
    /// On Android.
    #[serde(default)]
    pub android: Vec<Android>,
    /// On iOS: team and bundle.
    #[serde(default)]
    pub ios: Vec<String>,
    /// Paths that iOS opens in the app; absent: those of the default app links and QR codes.
    pub paths: Option<Vec<String>>,
}

/// An app on Android.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Android {
    /// Its package.
    pub package: String,
    /// SHA-256 of its signing certificates.
    pub sha256_cert_fingerprints: Vec<String>,
}

/// Which approvals need a one-time code beside the PIN; absent: none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepUpSection {
    /// `never`, `always` or `above`.
    pub when: Option<String>,
    /// For `above`: the sum in smallest units.
    pub above: Option<i64>,
    /// And its currency.
    pub currency: Option<String>,
    /// Codes of one user in 24 hours: 10; at least 3.
    pub per_day: Option<u32>,
    /// From one code to the next: 30 seconds.
    pub spacing: Option<Span>,
    /// Life of a code: 5 minutes.
    pub life: Option<Span>,
    /// Wrong tries at one code: 5.
    pub tries: Option<u32>,
}

/// Judges both; faults go to `notes`.
pub fn check(
    apps: AppsSection,
    step_up: StepUpSection,
    sign_in: Lives,
    notes: &mut Collector<'_>,
) -> Screens {
    Screens { apps: check_apps(apps, notes), step_up: check_step_up(step_up, notes), sign_in }
}

/// Judges how long sign-ins to the wallet live; `longest_session_ms` is for how long an authorization can be decided.
pub fn check_lives(
    idle: Option<Span>,
    life: Option<Span>,
    longest_session_ms: i64,
    notes: &mut Collector<'_>,
) -> Lives {
    let default = Lives::default();
    let lives = Lives {
        idle_ms: idle.map_or(default.idle_ms, Span::millis),
        life_ms: life.map_or(default.life_ms, Span::millis),
    };
    if lives.idle_ms < MINUTE {
        notes.fault("sign_in.idle", "must be at least 1m, or nobody could read a page");
    }
    if lives.life_ms < lives.idle_ms {
        notes.fault("sign_in.life", "must not be shorter than sign_in.idle");
    }
    if lives.life_ms <= longest_session_ms {
        notes.fault(
            "sign_in.life",
            "must be longer than lifetimes.session of every dialect: that tells a sign-in to the wallet from one at an \
             authorization page",
        );
    }
    lives
}

fn check_step_up(section: StepUpSection, notes: &mut Collector<'_>) -> StepUpPolicy {
    let defaults = CodeLimits::default();
    let codes = CodeLimits {
        per_day: section.per_day.unwrap_or(defaults.per_day),
        spacing_ms: section.spacing.map_or(defaults.spacing_ms, Span::millis),
        life_ms: section.life.map_or(defaults.life_ms, Span::millis),
        tries: section.tries.unwrap_or(defaults.tries),
    };
    if codes.per_day < 3 || codes.tries == 0 {
        notes.fault("step_up", "at least 3 codes a day and one try at each must be borne");
    }
    let bound = || {
        let currency = section.currency.as_deref().unwrap_or("IQD");
        Amount::new(Currency::parse(currency)?, section.above?)
    };
    let when = match (section.when.as_deref(), section.above) {
        (None | Some("never"), None) => When::Never,
        (Some("always"), None) => When::Always,
        (Some("above"), Some(_)) => match bound() {
            Some(bound) => When::Above(bound),
            None => {
                notes.fault("step_up.above", "no sum above zero of a known currency");
                When::Always
            }
        },
        (when, _) => {
            let when = when.unwrap_or("never");
            notes.fault("step_up.when", format!("{when:?}: never, always, or above with the sum in `above`"));
            When::Always
        }
    };
    StepUpPolicy { when, codes }
}

fn check_apps(section: AppsSection, notes: &mut Collector<'_>) -> Apps {
    let dotted = |text: &str| {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        text.contains('.') && text.split('.').all(part)
    };
    let mut android = Vec::new();
    for app in section.android {
        if !dotted(&app.package) {
            notes.fault(
                "apps.android.package",
                format!("{:?} is no package, such as iq.example.wallet", app.package),
            );
        }
        if app.sha256_cert_fingerprints.is_empty() {
            notes.fault("apps.android.sha256_cert_fingerprints", "names no certificate");
        }
        for fingerprint in &app.sha256_cert_fingerprints {
            let pairs: Vec<&str> = fingerprint.split(':').collect();
            let hex = |pair: &&str| {
                pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
            };
            if pairs.len() != 32 || !pairs.iter().all(hex) {
                notes.fault(
                    "apps.android.sha256_cert_fingerprints",
                    format!("{fingerprint:?} is not 32 pairs of 0-9A-F between colons"),
                );
            }
        }
        android.push(AndroidApp { package: app.package, fingerprints: app.sha256_cert_fingerprints });
    }
    for id in section.ios.iter().filter(|id| !dotted(id)) {
        notes.fault(
            "apps.ios",
            format!("{id:?} is not team and bundle, such as ABCDE12345.iq.example.wallet"),
        );
    }
    let paths = section.paths.unwrap_or_else(|| vec!["/authorize?via=app".to_owned(), "/q/*".to_owned()]);
    let parsed = paths.iter().filter_map(|text| {
        let path = AppPath::parse(text);
        if path.is_none() {
            notes.fault("apps.paths", format!("{text:?} is no path, such as /q/* or /authorize?via=app"));
        }
        path
    });
    Apps { paths: parsed.collect(), android, ios: section.ios }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn judge(text: &str) -> (Apps, Vec<String>) {
        let mut notes = Collector::new(Path::new("accord.toml"));
        let apps = check_apps(toml::from_str(text).unwrap(), &mut notes);
        (apps, notes.faults)
    }

    #[test]
    fn a_step_up_is_chosen_whole_or_refused_with_a_sentence() {
        let judge = |text: &str| {
            let mut notes = Collector::new(Path::new("accord.toml"));
            let policy = check_step_up(toml::from_str(text).unwrap(), &mut notes);
            (policy.when, notes.faults)
        };
        let bound = Amount::new(Currency::parse("IQD").unwrap(), 5).unwrap();
        for (text, when) in [
            ("", When::Never),
            ("when = \"never\"", When::Never),
            ("when = \"always\"", When::Always),
            ("when = \"above\"\nabove = 5", When::Above(bound)),
        ] {
            assert_eq!(judge(text), (when, Vec::new()), "{text}");
        }
        for text in [
            "when = \"sometimes\"",
            "when = \"above\"",
            "above = 5",
            "when = \"above\"\nabove = 0",
            "when = \"above\"\nabove = 5\ncurrency = \"XXQ\"",
            "per_day = 2",
            "tries = 0",
        ] {
            assert_eq!(judge(text).1.len(), 1, "{text}");
        }
    }

    #[test]
    fn lives_of_sign_ins_are_chosen_within_reason() {
        let judge = |idle: &str, life: &str| {
            let span =
                |text: &str| Some(text).filter(|text| !text.is_empty()).map(|it| Span::parse(it).unwrap());
            let mut notes = Collector::new(Path::new("accord.toml"));
            let lives = check_lives(span(idle), span(life), 15 * MINUTE, &mut notes);
            (lives, notes.faults.len())
        };
        assert_eq!(judge("", ""), (Lives::default(), 0));
        assert_eq!(judge("5m", "1h"), (Lives { idle_ms: 5 * MINUTE, life_ms: 60 * MINUTE }, 0));
        for (idle, life) in [("59s", "1h"), ("2h", "1h"), ("5m", "15m")] {
            assert_eq!(judge(idle, life).1, 1, "{idle} {life}");
        }
    }

    #[test]
    fn apps_are_named_whole_or_refused_with_a_sentence() {
        let print = vec!["AB"; 32].join(":");
        let good = format!(
            "android = [{{ package = \"iq.example.wallet\", sha256_cert_fingerprints = [\"{print}\"] }}]\n\
             ios = [\"ABCDE12345.iq.example.wallet\"]"
        );
        let (apps, faults) = judge(&good);
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!((apps.android.len(), apps.ios.len(), apps.paths.len()), (1, 1, 2));
        for (text, named) in [
            ("android = [{ package = \"wallet\", sha256_cert_fingerprints = [] }]", "apps.android.package"),
            ("android = [{ package = \"a.b\", sha256_cert_fingerprints = [] }]", "names no certificate"),
            ("android = [{ package = \"a.b\", sha256_cert_fingerprints = [\"ab:cd\"] }]", "32 pairs"),
            ("ios = [\"wallet\"]", "apps.ios"),
            ("paths = [\"q\"]", "apps.paths"),
        ] {
            let (_, faults) = judge(text);
            assert!(faults.iter().any(|fault| fault.contains(named)), "{text}: {faults:?}");
        }
    }
}
