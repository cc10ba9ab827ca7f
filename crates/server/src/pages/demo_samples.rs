//! The demo's pages in every state, with a merchant who wants to break them, for the laws of all pages.

use super::demo::{self, DemoDialect, DemoState, DemoUser, DemoView, Look, Notice, Said};
use super::demo_shop::{Bill, BillKind, BillStage, Plan, ShopState};
use super::demo_wire::{Event, Exchange, Happening, SignatureState, SignedMessage, UserMessage};
use super::laws::{AT, HOSTILE};
use accord_core::user::Language;

fn demo_view(language: Language, dialect: DemoDialect) -> DemoView {
    let text = || HOSTILE.to_owned();
    let message = |signature| SignedMessage {
        start_line: text(),
        headers: vec![(text(), text())],
        signed_content: text(),
        signed_length: 7,
        signed_digest: text(),
        body: "{\"a\": \"<b>\", \"b\": [1]}".to_owned(),
        signature,
    };
    let exchange = |signature, good: bool| Exchange {
        number: 7,
        from_wallet: !good,
        operation: text(),
        time: text(),
        outcome: text(),
        good,
        request: message(SignatureState::Made),
        reply: good.then(|| message(signature)),
    };
    let bill = |kind, stage| Bill {
        request_id: text(),
        payment_id: Some(text()),
        value: if kind == BillKind::Single { text() } else { "25000000".to_owned() },
        currency: "IQD".to_owned(),
        kind,
        at: AT.0,
        stage,
    };
    let happenings = [
        Happening::CodeCame,
        Happening::NoCode(text()),
        Happening::ClockMoved,
        Happening::FaultScripted(text()),
        Happening::UserEnds(text()),
    ];
    DemoView {
        language,
        dialect,
        look: Look::Wire,
        csrf: text(),
        wallet_url: text(),
        state: DemoState {
            contract_desc: text(),
            auth_url: Some("http://127.0.0.1:8080/authorize?authId=x&y=\"".to_owned()),
            other_urls: vec![(text(), text())],
            auth_code: Some(text()),
            auth_error: Some(text()),
            access_token: Some(text()),
            access_until: Some(text()),
            customer_id: Some(text()),
            refresh_token: Some(text()),
            amount: text(),
            currency: text(),
            payment_request_id: Some(text()),
            payment_id: Some(text()),
            payment_result: Some(text()),
            cancelled: true,
            user_info: Some(text()),
        },
        shop: ShopState {
            language: None,
            plan: Some(Plan::Seasonal),
            started: Some(AT.0),
            next_due: Some(AT.0),
            bills: vec![
                bill(BillKind::Period, BillStage::Open),
                bill(BillKind::Period, BillStage::Paid),
                bill(BillKind::Extra, BillStage::Failed(text())),
                bill(BillKind::Single, BillStage::Cancelled),
                bill(BillKind::Single, BillStage::Refunded),
            ],
            user_name: Some(text()),
        },
        notice: Some(Notice { good: false, said: Said::Raw(text()) }),
        users: vec![DemoUser {
            login_id: text(),
            pin: text(),
            status: text(),
            balances: vec![("IQD".into(), "25000000".into()), (text(), text())],
        }],
        exchanges: vec![
            exchange(SignatureState::Verified, true),
            exchange(SignatureState::Made, false),
            exchange(SignatureState::Wrong(text()), true),
        ],
        events: happenings.into_iter().map(|what| Event { number: 1, at: AT.0, what }).collect(),
        now: Some(AT.0),
        stamp: text(),
        consult_answer: "false",
        messages: vec![UserMessage { language, title: text(), text: format!("a\n{HOSTILE}"), time: text() }],
    }
}

/// Every screen of the phone, every look, and every notice.
pub(super) fn demo_pages(language: Language, dialect: DemoDialect) -> Vec<(String, String)> {
    let full = demo_view(language, dialect);
    let mut views = vec![full.clone()];
    for look in [Look::Timeline, Look::Steps] {
        views.push(DemoView { look, ..full.clone() });
    }
    let stages: [fn(&mut DemoState); 4] = [
        |state| *state = DemoState::default(),
        |state| state.access_token = None,
        |state| (state.access_token, state.auth_error) = (None, None),
        |state| state.cancelled = false,
    ];
    for stage in stages {
        let mut view = full.clone();
        stage(&mut view.state);
        views.push(view);
    }
    let text = || HOSTILE.to_owned();
    for said in [
        Said::FormTooOld,
        Said::CallbackCode,
        Said::CallbackError(text()),
        Said::CallbackNothing,
        Said::CameBack,
        Said::CameBackWithout,
        Said::ForeignState,
        Said::NeedsCode,
        Said::NeedsToken,
        Said::NeedsRefreshToken,
        Said::NeedsPayment,
        Said::NoSuchStep,
        Said::NotDue(AT.0),
        Said::Debited(3),
        Said::StillOpen,
        Said::FaultWaits(text()),
        Said::FaultsCleared,
        Said::ConsultSet(text()),
        Said::ClockMoved,
        Said::UserEnds(text()),
    ] {
        views.push(DemoView { notice: Some(Notice { good: true, said }), ..full.clone() });
    }
    let empty = DemoView {
        state: DemoState::default(),
        shop: ShopState::default(),
        notice: None,
        users: Vec::new(),
        exchanges: Vec::new(),
        events: Vec::new(),
        messages: Vec::new(),
        now: None,
        ..full
    };
    for look in [Look::Wire, Look::Timeline, Look::Steps] {
        views.push(DemoView { look, ..empty.clone() });
    }
    let name =
        |view: &DemoView| format!("demo {dialect:?} {:?} {:?} {:?}", view.look, view.notice, view.state);
    views.iter().map(|view| (name(view), demo::render(view))).collect()
}
