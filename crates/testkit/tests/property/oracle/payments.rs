//! Debits: judged and counted a second time; what was said of one is said again for good.

use super::*;
use accord_wire::time;

/// The compared fields of a call.
fn print(call: &Pay) -> (&'static str, i64, u8, bool) {
    (call.currency, call.value, call.other, call.evaluation)
}

/// A time as that paper's answers have it.
fn written(at: i64, speech: Speech) -> String {
    time::format_seconds(at, speech.utc_offset_seconds())
}

impl Oracle {
    pub(super) fn pay(&mut self, call: &Pay, said: &Said) {
        let speech = OWNERS[call.owner].speech;
        let behind = self.behind(call.owner, &call.token, call.client);
        let key = (call.owner, call.request.clone());
        if let Some(number) = self.requests.get(&key).copied() {
            let payment = &self.payments[number];
            if behind.map(|(agreement, _)| agreement) != Some(payment.agreement)
                || print(&payment.call) != print(call)
            {
                drop(self.ended(said, speech, End::PaymentReused));
            } else if payment.closed {
                drop(self.ended(said, speech, End::OrderClosed));
            } else {
                self.told_of(number, said);
            }
            return;
        }
        let agreement = match self.refused(call, behind) {
            Err(end) => {
                // An order that has expired is closed for this network.
                if end == End::OrderExpired && speech == Speech::AlipayPlus {
                    self.closed_orders.insert(key);
                }
                return drop(self.ended(said, speech, end));
            }
            Ok(agreement) => agreement,
        };

        let number = self.payments.len();
        self.requests.insert(key, number);
        self.payments.push(Payment {
            call: call.clone(),
            agreement,
            user: self.agreements[agreement].user,
            id: None,
            standing: Standing::Running(None),
            unsure: matches!(call.script, Some(Script::Run(_))),
            closed: false,
            refunded: 0,
            made: self.now,
            answer: None,
        });
        match call.script {
            Some(Script::Run(planned)) => {
                let end = self.no_later_than_the_order(call, planned);
                self.payments[number].standing = Standing::Running(end);
            }
            Some(Script::Fail) => self.settle(number, Err(End::RiskRejected)),
            None => self.attempt(number),
        }
        self.told_of(number, said);
    }

    /// What is refused without a record.
    fn refused(&self, call: &Pay, behind: Option<(usize, usize)>) -> Result<usize, End> {
        if call.stale {
            return Err(End::Stale);
        }
        if self.closed_orders.contains(&(call.owner, call.request.clone())) {
            return Err(End::OrderClosed);
        }
        if self.late(call) {
            return Err(End::OrderExpired);
        }
        let Some((number, generation)) = behind else { return Err(End::TokenUnknown) };
        let agreement = &self.agreements[number];
        let pair = &agreement.pairs[generation];
        let plus = OWNERS[call.owner].speech == Speech::AlipayPlus;
        if self.over(number) || plus && pair.replaced.is_some_and(|at| self.now - at > 5 * MINUTE) {
            return Err(End::TokenUnknown);
        }
        if self.now - pair.made > Oracle::lives(call.owner).0 {
            return Err(End::TokenExpired);
        }
        if !self.sessions[agreement.session].debits {
            return Err(End::ScopeMissing);
        }
        Ok(number)
    }

    /// The last moment of the order. The papers' times have whole seconds.
    fn last_moment(call: &Pay) -> Option<i64> {
        call.expires.filter(|_| !call.evaluation).map(|expires| expires.div_euclid(1_000) * 1_000)
    }

    fn late(&self, call: &Pay) -> bool {
        Oracle::last_moment(call).is_some_and(|last| self.now > last)
    }

    /// A running payment ends as it was scripted, or fails right after its order's last moment.
    fn no_later_than_the_order(&self, call: &Pay, planned: Option<(i64, bool)>) -> Option<(i64, bool)> {
        match (planned, Oracle::last_moment(call)) {
            (Some((at, ok)), last) if last.is_none_or(|last| at <= last) => Some((at, ok)),
            (_, last) => last.map(|last| (last + 1, false)),
        }
    }

    /// A running payment's end, at its time.
    pub(super) fn reach_end(&mut self, number: usize, ok: bool) {
        match self.late(&self.payments[number].call) {
            true => self.settle(number, Err(End::OrderExpired)),
            false if ok && self.over(self.payments[number].agreement) => {
                self.settle(number, Err(End::TokenUnknown));
            }
            false if ok => self.attempt(number),
            false => self.settle(number, Err(End::RiskRejected)),
        }
    }

    /// Money moves now, or the payment fails for good.
    pub(super) fn attempt(&mut self, number: usize) {
        let Pay { currency, value, evaluation, .. } = self.payments[number].call;
        let judged = self.judge(self.payments[number].agreement, currency, value, evaluation);
        if judged.is_ok() && !evaluation {
            let Payment { user, agreement, .. } = self.payments[number];
            *self.users[user].money.get_mut(currency).expect("an account") -= value;
            self.agreements[agreement].taken.push((days::day_of(self.now), currency, value));
        }
        self.settle(number, judged);
    }

    fn judge(&self, number: usize, currency: &'static str, value: i64, evaluation: bool) -> Result<(), End> {
        let agreement = &self.agreements[number];
        let user = &self.users[agreement.user];
        self.may_pay(user)?;
        let layers = self.layers(agreement);
        let today = days::day_of(self.now);
        let early = layers.iter().any(|caps| caps.from.is_some_and(|from| self.now < from));
        let paused = agreement.pause.is_some_and(|until| until.is_none_or(|until| self.now < until));
        if early || paused || self.asleep(agreement) {
            return Err(End::Paused);
        }
        let agreed = days::day_of(agreement.made);
        if !evaluation {
            days::judge(&layers, &agreement.taken, agreed, today, currency, value)?;
        }
        match user.money.get(currency) {
            None => Err(End::AccountMissing),
            Some(balance) if *balance < value => Err(End::BalanceNotEnough),
            Some(_) => Ok(()),
        }
    }

    fn may_pay(&self, user: &User) -> Result<(), End> {
        match user {
            User { closed: true, .. } => Err(End::UserGone),
            User { frozen: true, .. } => Err(End::UserFrozen),
            User { qualified: false, .. } => Err(End::UserNotQualified),
            _ => Ok(()),
        }
    }

    /// A payment's end, which is told to its owner if it is to be told.
    pub(super) fn settle(&mut self, number: usize, end: Result<(), End>) {
        let now = self.now;
        let payment = &mut self.payments[number];
        payment.standing = end.map_or_else(Standing::Failed, |()| Standing::Paid(now));
        let (owner, call) = (&OWNERS[payment.call.owner], &payment.call);
        let address = call.told || owner.registered;
        let wanted = match owner.speech {
            Speech::Qi => true,
            Speech::AlipayPlus => call.told || payment.unsure || self.setup.notify_always,
        };
        if address && wanted && !call.evaluation {
            let key = format!("notifyPayment {} {}", owner.name, call.request);
            let (code, _) = end.err().unwrap_or(End::Success).words(owner.speech);
            self.leave(key, code.to_owned(), None);
        }
    }

    /// What was said of a payment that is not closed: U while it runs, then one and the same end for ever.
    fn told_of(&mut self, number: usize, said: &Said) {
        let payment = &self.payments[number];
        let (owner, at) = (payment.call.owner, payment.standing);
        let speech = OWNERS[owner].speech;
        let end = match at {
            Standing::Running(_) => End::PaymentRunning,
            Standing::Paid(_) => End::Success,
            Standing::Failed(end) => end,
        };
        let answer = self.ended(said, speech, end);
        if let Standing::Paid(at) = at {
            assert_eq!(answer["paymentTime"], written(at, speech), "{answer}");
        }
        if let Some(id) = answer["paymentId"].as_str() {
            self.learn(number, id);
        }
        let Said::Answer(body) = said else { unreachable!("an answer") };
        if !matches!(at, Standing::Running(_)) {
            let first = self.payments[number].answer.get_or_insert_with(|| body.clone());
            assert_eq!(body, first, "what is final is said byte for byte the same");
        }
    }

    fn learn(&mut self, number: usize, id: &str) {
        let known = self.payments[number].id.get_or_insert_with(|| id.to_owned());
        assert_eq!(known, id, "a payment has one id");
    }

    pub(super) fn payment_named(&self, owner: usize, name: &Name) -> Option<usize> {
        match name {
            Name::Request(request) => self.requests.get(&(owner, request.clone())).copied(),
            Name::Id(id) => self
                .payments
                .iter()
                .position(|payment| payment.call.owner == owner && payment.id.as_ref() == Some(id)),
        }
    }

    pub(super) fn inquire(&mut self, owner: usize, name: &Name, said: &Said) {
        let speech = OWNERS[owner].speech;
        let Some(number) = self.payment_named(owner, name) else {
            let Name::Request(request) = name else {
                return drop(self.ended(said, speech, End::PaymentUnknown));
            };
            if !self.closed_orders.contains(&(owner, request.clone())) {
                return drop(self.ended(said, speech, End::PaymentUnknown));
            }
            let answer = self.ended(said, speech, End::Success);
            assert_eq!(answer["paymentResult"]["resultCode"], End::OrderClosed.words(speech).0, "{answer}");
            return;
        };
        let answer = self.ended(said, speech, End::Success);
        self.learn(number, answer["paymentId"].as_str().expect("an id"));
        let payment = &self.payments[number];
        let call = &payment.call;
        assert_eq!(answer["paymentRequestId"], call.request.as_str(), "{answer}");
        assert_eq!(answer["paymentAmount"]["currency"], call.currency, "{answer}");
        assert_eq!(answer["paymentAmount"]["value"], call.value.to_string(), "{answer}");
        match speech {
            Speech::Qi => {
                let wanted = match payment.standing {
                    Standing::Running(_) => "PROCESSING",
                    Standing::Paid(_) => "SUCCESS",
                    Standing::Failed(_) => "FAIL",
                };
                assert_eq!(answer["paymentStatus"], wanted, "{answer}");
                if let Standing::Failed(end) = payment.standing {
                    let code = format!("{{\"resultCode\":\"{}\"}}", end.words(speech).0);
                    assert_eq!(answer["extendInfo"], code, "{answer}");
                }
            }
            Speech::AlipayPlus => {
                let end = match payment.standing {
                    Standing::Running(_) => End::PaymentRunning,
                    Standing::Paid(_) if payment.closed => End::OrderClosed,
                    Standing::Paid(_) => End::Success,
                    Standing::Failed(end) => end,
                };
                let result = &answer["paymentResult"];
                let found = (result["resultCode"].as_str(), result["resultStatus"].as_str());
                let (code, status) = end.words(speech);
                assert_eq!(found, (Some(code), Some(status)), "{answer}");
            }
        }
        if let (Standing::Paid(at), false) = (payment.standing, payment.closed) {
            assert_eq!(answer["paymentTime"], written(at, speech), "{answer}");
        }
    }

    /// Alipay+ cancelPayment, by its paper: until half past midnight (UTC+8) after the day of the payment.
    pub(super) fn cancel(&mut self, owner: usize, request: &str, stale: bool, said: &Said) {
        let speech = OWNERS[owner].speech;
        let key = (owner, request.to_owned());
        let Some(number) = self.requests.get(&key).copied() else {
            let known = self.closed_orders.contains(&key);
            let end = match known {
                false if stale => End::Stale,
                _ if self.setup.unknown_orders_refused => End::PaymentUnknown,
                _ => {
                    self.closed_orders.insert(key);
                    End::Success
                }
            };
            return drop(self.ended(said, speech, end));
        };
        let payment = &self.payments[number];
        let done = payment.closed || matches!(payment.standing, Standing::Failed(_));
        let there = 8 * 60 * MINUTE;
        let midnight = ((payment.made + there) / days::DAY + 1) * days::DAY - there;
        let end = match done {
            true => End::Success,
            false if stale => End::Stale,
            false if self.now > midnight + 30 * MINUTE => End::CancelTooLate,
            false => {
                self.close(number);
                End::Success
            }
        };
        self.ended(said, speech, end);
    }

    fn close(&mut self, number: usize) {
        self.payments[number].closed = true;
        match self.payments[number].standing {
            Standing::Running(_) => self.settle(number, Err(End::OrderClosed)),
            Standing::Paid(_) => self.give_back_rest(number),
            Standing::Failed(_) => {}
        }
    }

    /// What is left of a cancelled payment goes back to its payer.
    pub(super) fn give_back_rest(&mut self, number: usize) {
        let payment = &mut self.payments[number];
        if payment.call.evaluation {
            return;
        }
        let rest = payment.call.value - payment.refunded;
        payment.refunded = payment.call.value;
        let (user, currency) = (payment.user, payment.call.currency);
        *self.users[user].money.get_mut(currency).expect("an account") += rest;
    }
}
