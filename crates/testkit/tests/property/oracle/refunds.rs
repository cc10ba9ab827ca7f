//! Money given back, and what was still running when time passed.

use super::*;

impl Oracle {
    pub(super) fn refund(&mut self, call: &Refund, said: &Said) {
        let speech = OWNERS[call.owner].speech;
        let named = self.payment_named(call.owner, &call.payment);
        let fits = |number: &usize| speech == Speech::Qi || self.payments[*number].call.request == call.order;
        let named = named.filter(fits);
        let key = (call.owner, call.request.clone());
        if let Some(number) = self.refund_requests.get(&key).copied() {
            let known = &self.refunds[number];
            let same = (known.call.currency, known.call.value) == (call.currency, call.value);
            if !same || named != Some(known.payment) {
                return drop(self.ended(said, speech, End::RefundReused));
            }
            return self.told_of_refund(number, said);
        }
        let payment = match named {
            _ if call.stale => return drop(self.ended(said, speech, End::Stale)),
            None => return drop(self.ended(said, speech, End::PaymentUnknown)),
            Some(number) if matches!(self.payments[number].standing, Standing::Running(_)) => {
                return drop(self.ended(said, speech, End::NotRefundable));
            }
            Some(number) => number,
        };
        let standing = match (call.script, self.refundable(payment, call)) {
            (Some(Script::Fail), _) => Standing::Failed(End::RiskRejected),
            (_, Err(end)) => Standing::Failed(end),
            (script, Ok(())) => {
                self.payments[payment].refunded += call.value;
                match script {
                    Some(Script::Run(end)) => Standing::Running(end),
                    _ => {
                        self.money_back(payment, call.value);
                        Standing::Paid(self.now)
                    }
                }
            }
        };
        let number = self.refunds.len();
        self.refund_requests.insert(key, number);
        self.refunds.push(GivenBack { call: call.clone(), payment, id: None, standing, answer: None });
        self.told_of_refund(number, said);
    }

    fn refundable(&self, number: usize, call: &Refund) -> Result<(), End> {
        let payment = &self.payments[number];
        let paid_at = match payment.standing {
            Standing::Paid(at) if !payment.closed && !payment.call.evaluation => at,
            _ => return Err(End::NotRefundable),
        };
        let plus = OWNERS[call.owner].speech == Speech::AlipayPlus;
        if call.currency != payment.call.currency {
            return Err(End::RefundCurrency);
        }
        if plus && self.now - paid_at > 367 * days::DAY {
            return Err(End::RefundTooLate);
        }
        if call.value > payment.call.value - payment.refunded {
            return Err(End::RefundOver);
        }
        match self.users[payment.user].closed {
            true => Err(End::UserGone),
            false => Ok(()),
        }
    }

    fn money_back(&mut self, payment: usize, value: i64) {
        let Payment { user, .. } = self.payments[payment];
        let currency = self.payments[payment].call.currency;
        *self.users[user].money.get_mut(currency).expect("an account") += value;
    }

    fn told_of_refund(&mut self, number: usize, said: &Said) {
        let refund = &self.refunds[number];
        let speech = OWNERS[refund.call.owner].speech;
        let running = matches!(refund.standing, Standing::Running(_));
        let end = match refund.standing {
            Standing::Running(_) => End::RefundRunning,
            Standing::Paid(_) => End::Success,
            Standing::Failed(end) => end,
        };
        let answer = self.ended(said, speech, end);
        let refund = &mut self.refunds[number];
        if let Some(id) = answer["refundId"].as_str() {
            assert_eq!(refund.id.get_or_insert_with(|| id.to_owned()), id, "a refund has one id");
        }
        let Said::Answer(body) = said else { unreachable!("an answer") };
        if !running {
            let first = refund.answer.get_or_insert_with(|| body.clone());
            assert_eq!(body, first, "what is final is said byte for byte the same");
        }
    }

    pub(super) fn inquire_refund(&mut self, owner: usize, name: &Name, said: &Said) {
        let speech = OWNERS[owner].speech;
        let number = match name {
            Name::Request(request) => self.refund_requests.get(&(owner, request.clone())).copied(),
            Name::Id(id) => self
                .refunds
                .iter()
                .position(|refund| refund.call.owner == owner && refund.id.as_ref() == Some(id)),
        };
        let Some(number) = number else {
            return drop(self.ended(said, speech, End::RefundUnknown));
        };
        let answer = self.ended(said, speech, End::Success);
        let refund = &self.refunds[number];
        let wanted = match refund.standing {
            Standing::Running(_) => "PROCESSING",
            Standing::Paid(_) => "SUCCESS",
            Standing::Failed(_) => "FAIL",
        };
        assert_eq!(answer["refundStatus"], wanted, "{answer}");
        assert_eq!(answer["refundRequestId"], refund.call.request.as_str(), "{answer}");
        assert_eq!(answer["refundAmount"]["value"], refund.call.value.to_string(), "{answer}");
    }

    /// Everything that runs and is due by then reaches its end, in the order of its times.
    pub(super) fn resolve(&mut self, until: i64) {
        let due = |standing: Standing| match standing {
            Standing::Running(Some((at, ok))) if at <= until => Some((at, ok)),
            _ => None,
        };
        let payments = self.payments.iter().map(|payment| payment.standing).enumerate();
        let refunds = self.refunds.iter().map(|refund| refund.standing).enumerate();
        let mut ends: Vec<(i64, bool, bool, usize)> = payments
            .filter_map(|(number, standing)| due(standing).map(|(at, ok)| (at, true, ok, number)))
            .chain(
                refunds
                    .filter_map(|(number, standing)| due(standing).map(|(at, ok)| (at, false, ok, number))),
            )
            .collect();
        ends.sort_unstable();
        for (at, is_payment, ok, number) in ends {
            self.now = self.now.max(at);
            match (is_payment, ok) {
                (true, ok) => self.reach_end(number, ok),
                (false, true) => {
                    self.money_back(self.refunds[number].payment, self.refunds[number].call.value);
                    self.refunds[number].standing = Standing::Paid(self.now);
                }
                (false, false) => {
                    let GivenBack { payment, .. } = self.refunds[number];
                    self.payments[payment].refunded -= self.refunds[number].call.value;
                    self.refunds[number].standing = Standing::Failed(End::RiskRejected);
                    if self.payments[payment].closed {
                        self.give_back_rest(payment);
                    }
                }
            }
        }
    }
}
