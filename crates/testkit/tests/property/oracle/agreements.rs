//! Authorizations, codes, tokens, and what users do to their agreements.

use super::*;

/// The compared fields of a call.
fn print(session: &Session) -> (bool, bool) {
    (session.other, session.debits)
}

impl Oracle {
    pub(super) fn prepare(&mut self, asked: Session, stale: bool, said: &Said) {
        let speech = OWNERS[asked.owner].speech;
        let key = (asked.owner, asked.reference.clone());
        let known = self.references.get(&key).copied().filter(|_| speech == Speech::AlipayPlus);
        match known {
            None if stale => drop(self.ended(said, speech, End::Stale)),
            // The fault of a field, which has that code too.
            None if asked.contract.last.is_some_and(|last| days::start_of(last + 1) <= self.now) => {
                drop(self.ended(said, speech, End::Stale));
            }
            None => {
                let answer = self.ended(said, speech, End::Success);
                let Said::Answer(body) = said else { unreachable!("an answer") };
                let auth_id = speech.auth_id(&answer);
                self.references.insert(key, self.sessions.len());
                self.auth_ids.insert(auth_id.clone(), self.sessions.len());
                self.sessions.push(Session { auth_id, answer: body.clone(), ..asked });
            }
            Some(number) if print(&self.sessions[number]) != print(&asked) => {
                drop(self.ended(said, speech, End::ReferenceReused));
            }
            Some(number) => {
                self.ended(said, speech, End::Success);
                let session = &mut self.sessions[number];
                assert_eq!(*said, Said::Answer(session.answer.clone()), "the first answer again");
                if session.stage == Stage::Open && self.now > session.expires {
                    session.expires = self.now + 15 * MINUTE;
                }
            }
        }
    }

    pub(super) fn decide(&mut self, auth_id: &str, customer: &str, yes: bool, said: &Said) {
        let number = self.auth_ids[auth_id];
        let (user, now) = (self.customers[customer], self.now);
        let session = &mut self.sessions[number];
        let late = now - session.expires;
        let wanted = match session.stage {
            // What expired a day ago, or was decided thirty days ago, has been pruned.
            Stage::Open if late > days::DAY => "unknown",
            Stage::Open if late > 0 => "expired",
            Stage::Refused(at) | Stage::Approved(at) if now - at > 30 * days::DAY => "unknown",
            Stage::Refused(_) | Stage::Approved(_) => "already",
            Stage::Open if yes && (self.users[user].frozen || self.users[user].closed) => "user frozen",
            Stage::Open if yes => {
                session.stage = Stage::Approved(now);
                return self.agree(number, user, said);
            }
            Stage::Open => {
                session.stage = Stage::Refused(now);
                "refused"
            }
        };
        self.word(said, wanted);
    }

    fn agree(&mut self, number: usize, user: usize, said: &Said) {
        let Said::Word(word) = said else { panic!("{said:?}") };
        let mut parts = word.split(' ');
        assert_eq!(parts.next(), Some("approved"), "{word}");
        let (code, id) = (parts.next().expect("a code").to_owned(), parts.next().expect("an id").to_owned());
        let session = &self.sessions[number];
        let contract = &session.contract;
        let today = days::day_of(self.now);
        let agreement = self.agreements.len();
        self.agreements.push(Agreement {
            id: id.clone(),
            owner: session.owner,
            user,
            session: number,
            made: self.now,
            ended: false,
            code: code.clone(),
            code_used: false,
            pairs: Vec::new(),
            merchant: Caps {
                currency: contract.amount.map(|(currency, _)| currency),
                debit: contract.amount.map(|(_, value)| value),
                count: contract.count,
                from: contract.from.map(days::start_of),
                to: contract.last.map(|day| days::start_of(day + 1)),
                ..Caps::default()
            },
            own: Caps::default(),
            schedule: contract.every.map(|months| (contract.from.unwrap_or(today), months)),
            pause: None,
            woken: None,
            taken: Vec::new(),
            silences: Vec::new(),
        });
        let (owner, told, reference) = (session.owner, session.told, session.reference.clone());
        if told && OWNERS[owner].speech == Speech::AlipayPlus {
            let key = format!("AUTHCODE_CREATED {} {reference}", OWNERS[owner].name);
            self.leave(key, code.clone(), Some(agreement));
        }
        assert!(self.codes.insert(code, agreement).is_none(), "a code like no other");
        self.agreement_ids.insert(id, agreement);
    }

    pub(super) fn apply(&mut self, owner: usize, code: &str, client: Option<bool>, stale: bool, said: &Said) {
        let speech = OWNERS[owner].speech;
        let found = self.owned(owner, self.codes.get(code).map(|agreement| (*agreement, 0)), client);
        let end = match found {
            _ if stale => Err(End::Stale),
            None => Err(End::CodeUnknown),
            Some((number, _)) => {
                let (agreement, age) = (&self.agreements[number], self.now - self.agreements[number].made);
                let (late, over) = (age > 10 * MINUTE, self.over(number));
                match agreement.code_used {
                    _ if age - 10 * MINUTE > 30 * days::DAY => Err(End::CodeUnknown),
                    true if late || over || agreement.pairs.len() != 1 => Err(End::CodeUsed),
                    true => Ok((number, false)),
                    false if late || over => Err(End::CodeExpired),
                    false => self.may(agreement.user).map(|()| (number, true)),
                }
            }
        };
        match end {
            Err(end) => drop(self.ended(said, speech, end)),
            Ok((number, false)) => {
                self.ended(said, speech, End::Success);
                let first = self.agreements[number].pairs[0].answer.clone();
                assert_eq!(*said, Said::Answer(first), "the same tokens again");
            }
            Ok((number, true)) => {
                let access = self.grant(number, said);
                self.agreements[number].code_used = true;
                self.tell_of_tokens(number, "TOKEN_CREATED", "VALID", &access);
            }
        }
    }

    /// May this user be acted for?
    fn may(&self, user: usize) -> Result<(), End> {
        match &self.users[user] {
            User { closed: true, .. } => Err(End::UserGone),
            User { frozen: true, .. } => Err(End::UserFrozen),
            _ => Ok(()),
        }
    }

    /// Learns a new pair; its access token.
    fn grant(&mut self, number: usize, said: &Said) -> String {
        let owner = self.agreements[number].owner;
        let answer = self.ended(said, OWNERS[owner].speech, End::Success);
        let Said::Answer(body) = said else { unreachable!("an answer") };
        let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
        let (access, refresh) = (text("accessToken"), text("refreshToken"));
        let generation = self.agreements[number].pairs.len();
        let new = self.accesses.insert(access.clone(), (number, generation)).is_none()
            && self.refreshes.insert(refresh.clone(), (number, generation)).is_none();
        assert!(new, "tokens like no others: {answer}");
        self.agreements[number].pairs.push(Pair {
            access: access.clone(),
            refresh,
            made: self.now,
            replaced: None,
            answer: body.clone(),
        });
        access
    }

    fn tell_of_tokens(&mut self, number: usize, kind: &str, status: &str, access: &str) {
        let session = &self.sessions[self.agreements[number].session];
        if !session.told {
            return;
        }
        let name = OWNERS[session.owner].name;
        let key = match OWNERS[session.owner].speech {
            Speech::Qi => format!("contractStatus {name} {access} {status}"),
            Speech::AlipayPlus => format!("{kind} {name} {}", session.reference),
        };
        self.leave(key, access.to_owned(), None);
    }

    pub(super) fn refresh(
        &mut self,
        owner: usize,
        token: &str,
        client: Option<bool>,
        stale: bool,
        said: &Said,
    ) {
        let speech = OWNERS[owner].speech;
        let end = match self.owned(owner, self.refreshes.get(token).copied(), client) {
            _ if stale => Err(End::Stale),
            None => Err(End::RefreshUnknown),
            Some((number, _)) if self.over(number) => Err(End::RefreshUnknown),
            Some((number, generation)) => {
                let pair = &self.agreements[number].pairs[generation];
                let newest = self.agreements[number].pairs.len() - 1;
                match pair.replaced {
                    Some(at) if self.now - at > 5 * MINUTE || newest != generation + 1 => {
                        Err(End::RefreshUsed)
                    }
                    Some(_) => Ok((number, false)),
                    None if self.now - pair.made > Oracle::lives(owner).1 => Err(End::RefreshExpired),
                    None => self.may(self.agreements[number].user).map(|()| (number, true)),
                }
            }
        };
        match end {
            Err(end) => drop(self.ended(said, speech, end)),
            Ok((number, false)) => {
                self.ended(said, speech, End::Success);
                let newest = self.agreements[number].pairs.last().expect("a pair").answer.clone();
                assert_eq!(*said, Said::Answer(newest), "the same new pair");
            }
            Ok((number, true)) => {
                self.agreements[number].pairs.last_mut().expect("a pair").replaced = Some(self.now);
                self.grant(number, said);
            }
        }
    }

    pub(super) fn cancel_token(
        &mut self,
        owner: usize,
        token: &str,
        client: Option<bool>,
        stale: bool,
        said: &Said,
    ) {
        let speech = OWNERS[owner].speech;
        let behind = self.behind(owner, token, client).map(|(number, _)| number);
        let over = behind.is_some_and(|number| self.agreements[number].ended);
        let lapsed = behind.is_some_and(|number| {
            let newest = self.agreements[number].pairs.last().expect("a pair");
            speech == Speech::Qi && !self.over(number) && self.now - newest.made > Oracle::lives(owner).1
        });
        let end = match behind {
            _ if stale && !over => End::Stale,
            None => End::TokenUnknown,
            Some(_) if lapsed => End::TokenExpired,
            Some(number) => {
                self.end(number);
                End::Success
            }
        };
        self.ended(said, speech, end);
    }

    /// Ended, or past its validity, which is as good.
    pub(super) fn over(&self, number: usize) -> bool {
        let agreement = &self.agreements[number];
        let past = |caps: &Caps| caps.to.is_some_and(|to| self.now >= to);
        agreement.ended || past(&agreement.merchant) || past(&agreement.own)
    }

    /// An agreement is over, and its owner is told, once.
    pub(super) fn end(&mut self, number: usize) {
        if self.agreements[number].ended {
            return;
        }
        self.agreements[number].ended = true;
        if let Some(access) = self.agreements[number].pairs.last().map(|pair| pair.access.clone()) {
            self.tell_of_tokens(number, "TOKEN_CANCELED", "INVALID", &access);
        }
    }

    pub(super) fn unbind(&mut self, agreement: &str, by: Unbinder, said: &Said) {
        let (number, now) = (self.agreement_ids[agreement], self.now);
        let agreement = &mut self.agreements[number];
        let wanted = match by {
            _ if agreement.ended => "ended",
            Unbinder::Asked(Some(false)) => {
                agreement.silences.clear();
                "not allowed"
            }
            Unbinder::Asked(None) => {
                agreement.silences.retain(|then| now - then < days::DAY);
                agreement.silences.push(now);
                if agreement.silences.len() < 3 { "later" } else { "ended" }
            }
            Unbinder::User | Unbinder::Asked(Some(true)) | Unbinder::Wallet => "ended",
        };
        self.word(said, wanted);
        if wanted == "ended" {
            self.end(number);
        }
    }

    pub(super) fn control(&mut self, agreement: &str, customer: &str, change: &Control, said: &Said) {
        let (number, now, today) = (self.agreement_ids[agreement], self.now, days::day_of(self.now));
        let user = self.customers[customer];
        let (next, over) = (self.next_debit(number, today), self.over(number));
        let agreement = &mut self.agreements[number];
        let until = match change {
            Control::Pause(until) => *until,
            Control::Skip(Some(until)) => Some(*until),
            Control::Skip(None) if agreement.user != user => return self.word(said, "unknown"),
            Control::Skip(None) if agreement.ended => return self.word(said, "ended"),
            Control::Skip(None) => match (agreement.schedule, next) {
                (Some((first, months)), Some(next)) => {
                    Some(days::start_of(days::next_due(first, months, next)))
                }
                _ => return self.word(said, "unfit"),
            },
            Control::Resume | Control::Limit(_) => None,
        };
        let pauses = matches!(change, Control::Pause(_) | Control::Skip(_));
        if pauses && until.is_some_and(|until| until <= now) {
            return self.word(said, "unfit");
        }
        if matches!(change, Control::Limit(Caps { to: Some(to), .. }) if *to <= now) {
            return self.word(said, "unfit");
        }
        if agreement.user != user {
            return self.word(said, "unknown");
        }
        if over {
            return self.word(said, "ended");
        }
        match change {
            Control::Limit(caps) => agreement.own = *caps,
            Control::Resume => (agreement.pause, agreement.woken) = (None, Some(now)),
            Control::Pause(_) | Control::Skip(_) => agreement.pause = Some(until),
        }
        let wanted = format!("done {:?}", agreement.pause);
        self.word(said, &wanted);
    }

    /// The due day of the next debit that can happen, if any can.
    fn next_debit(&self, number: usize, today: i64) -> Option<i64> {
        let agreement = &self.agreements[number];
        let (first, months) = agreement.schedule?;
        let layers = self.layers(agreement);
        let made = agreement.taken.len();
        let used_up = layers.iter().any(|caps| caps.count.is_some_and(|most| made >= most as usize));
        if self.over(number) || self.asleep(agreement) || used_up || agreement.pause == Some(None) {
            return None;
        }
        let debited = agreement.taken.iter().any(|(day, ..)| *day == today);
        let mut due = days::next_due(first, months, if debited { today } else { today - 1 });
        // A day is lost when it is over before the pause is, or before validity begins.
        let free = layers.iter().filter_map(|caps| caps.from).chain(agreement.pause.flatten()).max();
        while free.is_some_and(|free| days::start_of(due + 1) <= free) {
            due = days::next_due(first, months, due);
        }
        let to = [agreement.merchant.to, agreement.own.to].into_iter().flatten().min();
        to.is_none_or(|to| days::start_of(due) < to).then_some(due)
    }

    pub(super) fn layers(&self, agreement: &Agreement) -> [Caps; 3] {
        [self.setup.caps, agreement.merchant, agreement.own]
    }

    pub(super) fn asleep(&self, agreement: &Agreement) -> bool {
        let begun = agreement.woken.unwrap_or(agreement.made).max(agreement.made);
        let last = agreement.taken.last().map_or(i64::MIN, |(day, ..)| *day).max(days::day_of(begun));
        self.setup.asleep_after.is_some_and(|most| days::day_of(self.now) - last > i64::from(most))
    }
}
