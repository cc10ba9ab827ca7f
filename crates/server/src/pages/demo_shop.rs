//! The phone of the demo: a shop with subscriptions, drawn from what its merchant holds.
//!
//! One screen at a time, as [`Screen::of`] says. What the shop *does* is in `demo/shop.rs`; here is only what it looks
//! like, and the words of its contracts.

use super::demo::{DemoDialect, DemoState};
use super::i18n::{Key, Texts};
use super::markup::{ISOLATE, Markup, POP_ISOLATE};
use accord_core::Timestamp;
use accord_core::money::{Amount, Currency};
use accord_core::user::Language;

/// What an extra costs, in smallest units of the dinar.
pub const EXTRA_PRICE: i64 = 5_000_000;

accord_core::words! {
    /// How often a subscriber pays (Qi prepare: monthly, seasonal or yearly).
    Plan {
        /// Every month.
        Monthly = "monthly",
        /// Every three months.
        Seasonal = "seasonal",
        /// Every year.
        Yearly = "yearly",
    }
}

impl Plan {
    /// Months from one debit to the next.
    pub fn months(self) -> i64 {
        match self {
            Plan::Monthly => 1,
            Plan::Seasonal => 3,
            Plan::Yearly => 12,
        }
    }

    /// One debit, in smallest units of the dinar.
    pub fn price(self) -> i64 {
        match self {
            Plan::Monthly => 25_000_000,
            Plan::Seasonal => 70_000_000,
            Plan::Yearly => 250_000_000,
        }
    }

    fn name(self) -> Key {
        match self {
            Plan::Monthly => Key("demo-plan-monthly"),
            Plan::Seasonal => Key("demo-plan-seasonal"),
            Plan::Yearly => Key("demo-plan-yearly"),
        }
    }

    fn every(self) -> Key {
        match self {
            Plan::Monthly => Key("demo-every-month"),
            Plan::Seasonal => Key("demo-every-season"),
            Plan::Yearly => Key("demo-every-year"),
        }
    }

    fn contract(self) -> Key {
        match self {
            Plan::Monthly => Key("demo-contract-monthly"),
            Plan::Seasonal => Key("demo-contract-seasonal"),
            Plan::Yearly => Key("demo-contract-yearly"),
        }
    }
}

/// The shop's name, as the sandbox registers it (Qi) and as the merchant tells it (Alipay+).
pub fn shop_name(dialect: DemoDialect) -> &'static str {
    match dialect {
        DemoDialect::Qi => "Dijla Stream",
        DemoDialect::AlipayPlus => "Baghdad Daily",
    }
}

/// The contract of a plan in words, to be sent: plain text without isolation marks.
pub fn contract_text(language: Language, dialect: DemoDialect, plan: Plan) -> String {
    let t = Texts(language);
    let price = money(&t, plan.price());
    t.with(plan.contract(), &[("shop", shop_name(dialect)), ("price", &price)])
        .replace([ISOLATE, POP_ISOLATE], "")
}

/// What an order is called, for its payer: the shop and what it is for, in the language of the agreement.
pub fn order_text(language: Language, dialect: DemoDialect, kind: BillKind) -> String {
    format!("{} – {}", shop_name(dialect), Texts(language).with(kind_key(kind), &[]))
}

/// The name of a plan, as the contract's title.
pub fn plan_name(language: Language, plan: Plan) -> String {
    Texts(language).with(plan.name(), &[])
}

/// What a debit was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillKind {
    /// A period of the plan.
    Period,
    /// An extra, bought on the phone.
    Extra,
    /// One of the merchant's own.
    Single,
}

/// What became of a debit, as far as the merchant knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BillStage {
    /// U: nobody knows yet.
    Open,
    /// Paid.
    Paid,
    /// Not paid, by this code.
    Failed(String),
    /// Paid, and cancelled (Alipay+).
    Cancelled,
    /// Paid, and given back.
    Refunded,
}

/// A debit of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The merchant's id.
    pub request_id: String,
    /// The wallet's id, when it is known.
    pub payment_id: Option<String>,
    /// Smallest units, as sent.
    pub value: String,
    /// Currency, as sent.
    pub currency: String,
    /// What it was for.
    pub kind: BillKind,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What became of it.
    pub stage: BillStage,
}

/// What the shop knows of its customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShopState {
    /// The plan that was chosen.
    pub plan: Option<Plan>,
    /// The language in which it was.
    pub language: Option<Language>,
    /// When the agreement was made, in milliseconds since 1970.
    pub started: Option<i64>,
    /// When the next period is due, likewise.
    pub next_due: Option<i64>,
    /// Debits, newest first.
    pub bills: Vec<Bill>,
    /// The customer's name, after my.getAuthCode.
    pub user_name: Option<String>,
}

/// What the phone shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// Plans to choose from.
    Browse,
    /// The order; the wallet is to be asked.
    Checkout,
    /// The subscription.
    Account,
    /// It was ended.
    Ended,
}

impl Screen {
    /// Which screen the state calls for.
    pub fn of(state: &DemoState) -> Screen {
        if state.access_token.is_some() {
            if state.cancelled { Screen::Ended } else { Screen::Account }
        } else if state.auth_error.is_some() || (state.auth_url.is_none() && state.auth_code.is_none()) {
            Screen::Browse
        } else {
            Screen::Checkout
        }
    }
}

/// A plan to choose.
pub(super) struct ShownPlan {
    pub(super) word: &'static str,
    pub(super) name: String,
    pub(super) price: String,
    pub(super) every: String,
    pub(super) chosen: bool,
}

/// A debit in the list.
pub(super) struct ShownBill {
    pub(super) name: String,
    pub(super) amount: String,
    pub(super) time: String,
    pub(super) tone: &'static str,
    pub(super) stage: Markup,
    pub(super) request_id: String,
}

/// Everything on the phone.
pub(super) struct Phone {
    pub(super) shop: &'static str,
    pub(super) initial: &'static str,
    pub(super) hero: String,
    pub(super) browse: bool,
    pub(super) checkout: bool,
    pub(super) account: bool,
    pub(super) ended: bool,
    pub(super) refused: Option<String>,
    pub(super) greeting: Option<Markup>,
    pub(super) plans: Vec<ShownPlan>,
    pub(super) order: Option<ShownPlan>,
    pub(super) contract: Option<Markup>,
    pub(super) clock: String,
    pub(super) next_due: Option<String>,
    pub(super) due_now: bool,
    pub(super) extra: Markup,
    pub(super) bills: Vec<ShownBill>,
    pub(super) refundable: bool,
}

impl Phone {
    pub(super) fn of(
        t: &Texts,
        dialect: DemoDialect,
        state: &DemoState,
        shop: &ShopState,
        now: Option<i64>,
    ) -> Phone {
        let screen = Screen::of(state);
        let (name, initial, hero, extra) = match dialect {
            DemoDialect::Qi => ("Dijla Stream", "D", Key("demo-qi-hero"), Key("demo-qi-extra")),
            DemoDialect::AlipayPlus => ("Baghdad Daily", "B", Key("demo-ap-hero"), Key("demo-ap-extra")),
        };
        let chosen = shop.plan.unwrap_or(Plan::Monthly);
        let plan = |plan: Plan| ShownPlan {
            word: plan.as_str(),
            name: t.with(plan.name(), &[]),
            price: bare(&money(t, plan.price())),
            every: t.with(plan.every(), &[]),
            chosen: plan == chosen,
        };
        let due = shop.next_due.filter(|_| screen == Screen::Account);
        Phone {
            shop: name,
            initial,
            hero: t.with(hero, &[]),
            browse: screen == Screen::Browse,
            checkout: screen == Screen::Checkout,
            account: screen == Screen::Account,
            ended: screen == Screen::Ended,
            refused: state.auth_error.clone(),
            greeting: shop.user_name.as_deref().map(|name| t.html(Key("demo-hello"), &[("name", name)])),
            plans: Plan::ALL.iter().copied().map(plan).collect(),
            order: shop.plan.map(plan),
            contract: shop.plan.map(|plan| Markup::of(&contract_text(t.0, dialect, plan))),
            clock: now.map(|now| clock_of(t, now)).unwrap_or_default(),
            next_due: due.map(|at| bare(&t.time(Timestamp(at)))),
            due_now: due.zip(now).is_some_and(|(due, now)| due <= now),
            extra: t.html(extra, &[("price", &money(t, EXTRA_PRICE))]),
            refundable: shop.bills.iter().any(|bill| bill.stage == BillStage::Paid),
            bills: shop.bills.iter().map(|bill| shown_bill(t, bill)).collect(),
        }
    }
}

fn kind_key(kind: BillKind) -> Key {
    match kind {
        BillKind::Period => Key("demo-bill-period"),
        BillKind::Extra => Key("demo-bill-extra"),
        BillKind::Single => Key("demo-bill-single"),
    }
}

fn shown_bill(t: &Texts, bill: &Bill) -> ShownBill {
    let name = kind_key(bill.kind);
    let (tone, stage) = match &bill.stage {
        BillStage::Open => ("warn", t.html(Key("demo-bill-open"), &[])),
        BillStage::Paid => ("good", t.html(Key("demo-bill-paid"), &[])),
        BillStage::Failed(code) => ("bad", t.html(Key("demo-bill-failed"), &[("code", code)])),
        BillStage::Cancelled => ("info", t.html(Key("demo-bill-cancelled"), &[])),
        BillStage::Refunded => ("info", t.html(Key("demo-bill-refunded"), &[])),
    };
    let amount = Currency::parse(&bill.currency)
        .and_then(|currency| Amount::parse(currency, &bill.value))
        .map_or_else(|| format!("{} {}", bill.value, bill.currency), |amount| bare(&t.money(&amount)));
    ShownBill {
        name: t.with(name, &[]),
        amount,
        time: bare(&t.time(Timestamp(bill.at))),
        tone,
        stage,
        request_id: bill.request_id.clone(),
    }
}

/// Dinars as people read them.
fn money(t: &Texts, value: i64) -> String {
    let amount = Currency::parse("IQD").and_then(|currency| Amount::new(currency, value));
    amount.map(|amount| t.money(&amount)).unwrap_or_default()
}

/// Hour and minute in Baghdad, for the phone's status line.
fn clock_of(t: &Texts, now: i64) -> String {
    let text = bare(&t.time(Timestamp(now)));
    let is_clock = |word: &&str| word.contains(':') && word.chars().count() == 5;
    text.split([' ', ',', '،']).find(is_clock).unwrap_or_default().to_owned()
}

/// Without isolation marks: our own words need none.
fn bare(text: &str) -> String {
    text.replace([ISOLATE, POP_ISOLATE], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_names_shop_price_and_period_in_both_languages() {
        for (language, price) in [(Language::English, "70,000 IQD"), (Language::Arabic, "٧٠٬٠٠٠ دينار")]
        {
            for dialect in [DemoDialect::Qi, DemoDialect::AlipayPlus] {
                let text = contract_text(language, dialect, Plan::Seasonal);
                assert!(text.contains(price) && text.contains(shop_name(dialect)), "{text}");
                assert!(!text.contains([ISOLATE, POP_ISOLATE]), "{text:?}");
                let other = contract_text(language, dialect, Plan::Monthly);
                assert_ne!(text, other);
            }
        }
    }

    #[test]
    fn an_order_is_called_in_the_language_of_the_agreement() {
        let text = |language, kind| order_text(language, DemoDialect::Qi, kind);
        assert_eq!(text(Language::English, BillKind::Period), "Dijla Stream – Subscription");
        assert_eq!(text(Language::Arabic, BillKind::Period), "Dijla Stream – اشتراك");
        let kinds = [BillKind::Period, BillKind::Extra, BillKind::Single];
        let all: Vec<String> = kinds.iter().map(|kind| text(Language::Arabic, *kind)).collect();
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");
    }

    #[test]
    fn the_screen_follows_from_what_the_merchant_holds() {
        let some = || Some("x".to_owned());
        let mut state = DemoState::default();
        assert_eq!(Screen::of(&state), Screen::Browse);
        state.auth_url = some();
        assert_eq!(Screen::of(&state), Screen::Checkout);
        state.auth_error = some();
        assert_eq!(Screen::of(&state), Screen::Browse, "after a refusal one may choose again");
        (state.auth_error, state.auth_code) = (None, some());
        assert_eq!(Screen::of(&state), Screen::Checkout, "the code is not redeemed yet");
        state.access_token = some();
        assert_eq!(Screen::of(&state), Screen::Account);
        state.cancelled = true;
        assert_eq!(Screen::of(&state), Screen::Ended);
    }

    #[test]
    fn the_status_line_shows_the_time_in_baghdad() {
        let at = 1_795_300_080_000;
        assert_eq!(clock_of(&Texts(Language::English), at), "01:28");
        assert_eq!(clock_of(&Texts(Language::Arabic), at), "٠١:٢٨");
    }
}
