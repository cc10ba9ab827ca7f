//! Hand-over from a PC to a phone (decision 20): who is led back with the code, and who is not.

mod stores;

use accord_core::agreement::decide::{Answer, Decide, Decided, Shown, decide, outcome_of};
use accord_core::agreement::handover::{self, Handover, MOST_WRONG, Opening, Scanned};
use accord_core::agreement::{Session, SessionStage};
use accord_core::ids::{AuthId, DialectName};
use accord_core::ledger::funding::OwnLedger;
use accord_core::policy::MINUTE;
use accord_core::secret::Digest;
use accord_core::store::{self, Store, Tx};
use accord_core::user::{Language, User, UserStatus};
use accord_core::voice::Context;
use accord_core::{Moment, Ruled, Timestamp};
use accord_testkit::conformance::fixture;
use accord_testkit::laws::samples;
use std::cell::Cell;
use std::sync::Arc;
use stores::{Opened, Shelf, on_every_store};

const PC: &str = "the PC";
const PHONE: &str = "the phone";
const STRANGER: &str = "a stranger";

/// One session, and who comes to its page.
struct Page {
    store: Opened,
    id: AuthId,
    now: Cell<i64>,
}

impl Page {
    fn new(shelf: Shelf) -> Page {
        let page = Page { store: shelf.open(), id: samples::auth_id(1), now: Cell::new(0) };
        page.run(|tx, _| {
            tx.insert_user(&User { status: UserStatus::Active, ..samples::user(1, false) })?;
            let mut terms = samples::terms(1, false);
            terms.dialect = DialectName::new(accord_wire::qi::NAME);
            tx.insert_terms(&terms)?;
            Ok(tx.insert_session(&session(terms.auth_id, 15 * MINUTE))?)
        });
        page
    }

    /// Runs a rule one second later.
    fn run<T: Send + 'static>(
        &self,
        mut rule: impl FnMut(&mut dyn Tx, &Moment) -> Ruled<T> + Send + 'static,
    ) -> T {
        self.now.set(self.now.get() + 1_000);
        let at = Moment::new(Timestamp(self.now.get()), [self.now.get().to_le_bytes()[1]; 32]);
        store::transact(&self.store, move |tx| rule(tx, &at)).expect("a rule that is kept")
    }

    fn opens(&self, who: &'static str) -> Option<Handover> {
        let opening = self.opening(who);
        self.run(move |tx, at| handover::open(tx, &opening, at))
    }

    fn scans(&self, who: &'static str, number: Option<u32>) -> Scanned {
        let opening = self.opening(who);
        self.run(move |tx, at| handover::scan(tx, &opening, number, at))
    }

    fn opening(&self, who: &str) -> Opening {
        Opening {
            auth_id: self.id.clone(),
            browser: Digest::of(who),
            address: format!("address of {who}"),
            device: "d\u{1b}".repeat(300),
        }
    }

    fn decides(&self, who: &'static str, yes: bool) {
        let customer = samples::customer_id(1);
        let answer = if yes { Answer::Approve { customer } } else { Answer::Refuse { customer: None } };
        let command = Decide {
            auth_id: self.id.clone(),
            answer,
            shown: Shown {
                text_digest: Digest::of("text"),
                language: Language::English,
                version: "1".into(),
            },
            address: String::new(),
            browser: Some(Digest::of(who)),
        };
        self.run(move |tx, at| with_context(|context| decide(tx, &command, context, at)).map(|_| ()));
    }

    /// What that browser is told.
    fn told(&self, who: &'static str) -> &'static str {
        let id = self.id.clone();
        let decided = self.run(move |tx, at| {
            let (session, terms) = (tx.session(&id)?, tx.terms(&id)?);
            let (session, terms) = session.zip(terms).expect("a session");
            with_context(|context| outcome_of(tx, session, terms, Some(Digest::of(who)), context, at))
        });
        match decided {
            Decided::Approved { .. } => "the code",
            Decided::Refused { .. } => "no code",
            Decided::Already { .. } => "how it ended",
            Decided::Expired { .. } | Decided::Unknown => "nothing",
        }
    }
}

fn session(auth_id: AuthId, expires_at: i64) -> Session {
    Session {
        auth_id,
        stage: SessionStage::Open,
        expires_at: Timestamp(expires_at),
        wrong_pins: 0,
        decided_by: None,
    }
}

fn with_context<T>(run: impl FnOnce(Context<'_>) -> T) -> T {
    let dialect = fixture::gateway(Arc::new(OwnLedger))
        .dialect(&DialectName::new(accord_wire::qi::NAME))
        .expect("a dialect");
    let keys = fixture::derivation_keys();
    run(Context { keys: &keys, voice: accord_server::app::as_voice(dialect.as_ref()) })
}

#[test]
fn the_pc_follows_the_phone_that_typed_its_number() {
    on_every_store(|shelf| {
        for yes in [true, false] {
            let page = Page::new(shelf);
            let opened = page.opens(PC).expect("an open session");
            assert!((10..100).contains(&opened.number));
            assert_eq!(opened.device.chars().count(), 256);
            assert!(opened.offered_to(Digest::of(PC)) && !opened.offered_to(Digest::of(PHONE)));
            assert_eq!(page.scans(PHONE, None), Scanned::AskNumber { wrong: false, left: 3 });
            assert_eq!(page.scans(PHONE, Some(opened.number)), Scanned::Taken);
            assert_eq!(page.scans(PHONE, None), Scanned::Taken, "it may scan again");
            page.decides(PHONE, yes);
            let code = if yes { "the code" } else { "no code" };
            assert_eq!((page.told(PC), page.told(PHONE)), (code, code));
            assert_eq!(page.told(STRANGER), "how it ended");
            page.now.set(page.now.get() + 11 * MINUTE);
            let late = if yes { "how it ended" } else { code };
            assert_eq!(page.told(PC), late, "within the code's life only");
        }
    });
}

#[test]
fn a_phone_that_did_not_type_the_number_leads_nobody_back() {
    on_every_store(|shelf| {
        let page = Page::new(shelf);
        let number = page.opens(PC).expect("an open session").number;
        assert_eq!(page.scans(PHONE, Some(number + 1)), Scanned::AskNumber { wrong: true, left: 2 });
        // It got at the page another way.
        page.decides(PHONE, true);
        assert_eq!((page.told(PHONE), page.told(PC)), ("the code", "how it ended"));

        let page = Page::new(shelf);
        let number = page.opens(PC).expect("an open session").number;
        assert_eq!(page.scans(PHONE, Some(number)), Scanned::Taken);
        page.decides(STRANGER, true);
        assert_eq!((page.told(PHONE), page.told(PC)), ("how it ended", "how it ended"));
    });
}

#[test]
fn only_the_first_browser_has_the_page_to_hand_over() {
    on_every_store(|shelf| {
        let page = Page::new(shelf);
        let first = page.opens(PC);
        assert_eq!(page.opens(STRANGER), first, "who comes later changes nothing");
        assert_eq!(page.opens(PC), first);
        let number = first.expect("an open session").number;
        assert_eq!(page.scans(PHONE, Some(number)), Scanned::Taken);
        page.decides(PHONE, true);
        assert_eq!((page.told(PC), page.told(STRANGER)), ("the code", "how it ended"));
    });
}

#[test]
fn three_wrong_numbers_end_it_and_the_right_one_is_taken_no_more() {
    on_every_store(|shelf| {
        let page = Page::new(shelf);
        let number = page.opens(PC).expect("an open session").number;
        for left in (1..MOST_WRONG).rev() {
            assert_eq!(page.scans(STRANGER, Some(number + left)), Scanned::AskNumber { wrong: true, left });
        }
        assert_eq!(page.scans(STRANGER, Some(0)), Scanned::Dead);
        for who in [STRANGER, PHONE] {
            assert_eq!(page.scans(who, Some(number)), Scanned::Dead);
            assert_eq!(page.scans(who, None), Scanned::Dead);
        }
        let dead = page.opens(PC).expect("an open session");
        assert!(dead.dead() && !dead.offered_to(Digest::of(PC)));
        page.decides(PC, true);
        assert_eq!(page.told(PC), "the code", "the PC decides by itself all the same");
    });
}

#[test]
fn a_code_shown_by_the_merchant_has_no_number_and_leads_back_only_its_phone() {
    on_every_store(|shelf| {
        let page = Page::new(shelf);
        assert_eq!(page.scans(PHONE, None), Scanned::Taken);
        let opened = page.opens(PC).expect("an open session");
        assert!(!opened.offered_to(Digest::of(PC)), "it came too late");
        assert!(
            matches!(page.scans(STRANGER, None), Scanned::AskNumber { .. }),
            "and so does a second phone"
        );
        page.decides(PHONE, true);
        assert_eq!((page.told(PHONE), page.told(PC)), ("the code", "how it ended"));
    });
}

#[test]
fn a_session_that_was_opened_again_is_handed_over_anew() {
    on_every_store(|shelf| {
        let page = Page::new(shelf);
        let number = page.opens(PC).expect("an open session").number;
        assert_eq!(page.scans(PHONE, Some(number)), Scanned::Taken);
        page.now.set(16 * MINUTE);
        assert_eq!(page.opens(PC), None, "an expired one is not");
        assert_eq!(page.scans(PHONE, Some(number)), Scanned::Closed);
        let id = page.id.clone();
        page.run(move |tx, _| Ok(tx.update_session(&session(id.clone(), 40 * MINUTE))?));
        let again = page.opens(STRANGER).expect("an open session");
        assert_eq!((again.opened_by, again.taken_by), (Digest::of(STRANGER), None));
        page.decides(PHONE, true);
        assert_eq!(page.told(PC), "how it ended");
    });
}

#[test]
fn a_decided_session_is_handed_over_no_more() {
    on_every_store(|shelf| {
        let page = Page::new(shelf);
        page.opens(PC);
        page.decides(PC, true);
        assert_eq!(page.opens(PC), None);
        assert_eq!(page.scans(PHONE, None), Scanned::Closed);
        assert_eq!(page.told(PHONE), "how it ended");
        let id = page.id.clone();
        let looked = store::look(&page.store as &dyn Store, move |rows| rows.handover(&id)).expect("a look");
        assert!(looked.is_some_and(|handover| handover.taken_by.is_none()));
    });
}
