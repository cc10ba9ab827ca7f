//! Notices: everything that had to be told is told at the times of the schedule until its receiver has it, and
//! nothing else is told.

use super::*;

/// Delays before each try (decision 37), in minutes.
const SCHEDULE: [i64; 8] = [0, 2, 10, 10, 60, 120, 360, 900];

/// Something that had to be told.
#[derive(Debug)]
pub struct Notice {
    made: i64,
    /// What its body must say.
    says: String,
    /// It does not matter any more once the code of this agreement was used or has expired.
    code_of: Option<usize>,
    letters: Vec<(i64, Manner)>,
}

impl Notice {
    /// Will nothing more be sent of it, after what its receiver answered?
    fn settled(&self, plus: bool) -> bool {
        let last = self.letters.last().map(|(_, manner)| *manner);
        match last {
            Some(Manner::Good | Manner::Refuses) => true,
            Some(Manner::Unsigned) => !plus,
            _ => false,
        }
    }
}

impl Oracle {
    pub(super) fn leave(&mut self, key: String, says: String, code_of: Option<usize>) {
        let notice = Notice { made: self.now, says, code_of, letters: Vec::new() };
        assert!(self.notices.insert(key.clone(), notice).is_none(), "{key} is to be told once");
    }

    pub(super) fn receive(&mut self, letter: &Letter) {
        let body: Value = serde_json::from_str(&letter.body).expect("JSON");
        let host = letter.url.strip_prefix("https://").and_then(|rest| rest.split_once(".example/"));
        let name = host.expect("a receiver").0;
        let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
        let (key, says) = match letter.kind.as_str() {
            "notifyPayment" => {
                let code = body["paymentResult"]["resultCode"].as_str().unwrap_or_default();
                (format!("notifyPayment {name} {}", text("paymentRequestId")), code.to_owned())
            }
            "contractStatus" => {
                let key = format!("contractStatus {name} {} {}", text("accessToken"), text("contractStatus"));
                (key, text("accessToken"))
            }
            kind => {
                let says = if kind == "AUTHCODE_CREATED" { text("authCode") } else { text("accessToken") };
                (format!("{kind} {name} {}", text("referenceAgreementId")), says)
            }
        };
        let Some(notice) = self.notices.get_mut(&key) else { panic!("nothing of {key} was to be told") };
        assert_eq!(says, notice.says, "{key}: {}", letter.body);
        assert!(!notice.settled(name.starts_with("plus")), "{key} was settled: {notice:?}");
        let tries = notice.letters.len();
        let before = notice.letters.last().map_or(notice.made, |(at, _)| *at);
        assert!(tries < SCHEDULE.len(), "{key} is tried a ninth time");
        assert_eq!(letter.at, before + SCHEDULE[tries] * MINUTE, "{key}, try {}", tries + 1);
        if let Some(agreement) = notice.code_of.map(|number| &self.agreements[number]) {
            assert!(!agreement.code_used && letter.at <= agreement.made + 10 * MINUTE, "{key} is moot");
        }
        notice.letters.push((letter.at, letter.manner));
        self.letters += 1;
    }

    /// After days in which everything could be tried: told, refused, given up after eight tries, or moot.
    pub fn prove_notices(&self) {
        for (key, notice) in &self.notices {
            let plus = key.split(' ').nth(1).is_some_and(|name| name.starts_with("plus"));
            let done = notice.settled(plus) || notice.letters.len() == SCHEDULE.len();
            assert!(done || notice.code_of.is_some(), "{key} was not told: {notice:?}");
        }
    }
}
