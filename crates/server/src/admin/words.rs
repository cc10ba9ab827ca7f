//! States in words, each with its tone.

use crate::pages::admin::Cell;
use crate::pages::i18n::Texts;
use accord_core::agreement::AgreementStage;
use accord_core::agreement::control::State;
use accord_core::client::{ClientStatus, KeyStatus};
use accord_core::notification::NotificationState;
use accord_core::payment::PaymentStage;
use accord_core::payment::refund::RefundStage;
use accord_core::user::UserStatus;

/// How far an agreement is.
pub(super) fn stage(t: &Texts, stage: &AgreementStage) -> Cell {
    match stage {
        AgreementStage::Consented => Cell::badge(&t.text("admin-consented"), "info"),
        AgreementStage::Active => Cell::badge(&t.text("admin-active"), "good"),
        AgreementStage::Ended { .. } => Cell::badge(&t.text("admin-ended"), "quiet"),
    }
}

/// How an agreement stands towards debits.
pub(super) fn state(t: &Texts, state: State) -> Cell {
    match state {
        State::Consented => Cell::badge(&t.text("admin-consented"), "info"),
        State::Active => Cell::badge(&t.text("admin-active"), "good"),
        State::NotYetValid => Cell::badge(&t.text("admin-not-yet-valid"), "warn"),
        State::Paused => Cell::badge(&t.text("admin-paused"), "warn"),
        State::Asleep => Cell::badge(&t.text("admin-asleep"), "warn"),
        State::Lapsed => Cell::badge(&t.text("admin-lapsed"), "quiet"),
        State::Expired => Cell::badge(&t.text("admin-expired-unused"), "quiet"),
        State::Ended => Cell::badge(&t.text("admin-ended"), "quiet"),
    }
}

/// How far a payment is.
pub(super) fn payment(t: &Texts, stage: &PaymentStage) -> Cell {
    match stage {
        PaymentStage::InProcess => Cell::badge(&t.text("admin-running"), "warn"),
        PaymentStage::Succeeded { .. } => Cell::badge(&t.text("admin-succeeded"), "good"),
        PaymentStage::Failed { .. } => Cell::badge(&t.text("admin-declined"), "bad"),
    }
}

/// How far a refund is.
pub(super) fn refund(t: &Texts, stage: &RefundStage) -> Cell {
    match stage {
        RefundStage::InProcess => Cell::badge(&t.text("admin-running"), "warn"),
        RefundStage::Succeeded { .. } => Cell::badge(&t.text("admin-succeeded"), "good"),
        RefundStage::Failed { .. } => Cell::badge(&t.text("admin-declined"), "bad"),
    }
}

/// How far a notification is, as a word.
pub(super) fn notification_word(t: &Texts, state: NotificationState) -> String {
    match state {
        NotificationState::Pending => t.text("admin-pending"),
        NotificationState::Delivered => t.text("admin-delivered"),
        NotificationState::Rejected => t.text("admin-rejected"),
        NotificationState::Dead => t.text("admin-dead"),
        NotificationState::Held => t.text("admin-held"),
        NotificationState::Moot => t.text("admin-moot"),
    }
}

/// How far a notification is.
pub(super) fn notification(t: &Texts, state: NotificationState) -> Cell {
    let tone = match state {
        NotificationState::Pending => "info",
        NotificationState::Delivered => "good",
        NotificationState::Rejected | NotificationState::Dead => "bad",
        NotificationState::Held => "warn",
        NotificationState::Moot => "quiet",
    };
    Cell::badge(&notification_word(t, state), tone)
}

/// What a user may do.
pub(super) fn user(t: &Texts, status: UserStatus) -> Cell {
    match status {
        UserStatus::Active => Cell::badge(&t.text("admin-active"), "good"),
        UserStatus::Frozen => Cell::badge(&t.text("admin-frozen"), "bad"),
        UserStatus::Closed => Cell::badge(&t.text("admin-closed"), "quiet"),
    }
}

/// May a client call?
pub(super) fn client(t: &Texts, status: ClientStatus) -> Cell {
    match status {
        ClientStatus::Active => Cell::badge(&t.text("admin-active"), "good"),
        ClientStatus::Suspended => Cell::badge(&t.text("admin-suspended"), "bad"),
    }
}

/// Does a key verify?
pub(super) fn key(t: &Texts, active: bool) -> Cell {
    match active {
        true => Cell::badge(&t.text("admin-active"), "good"),
        false => Cell::badge(&t.text("admin-retired"), "quiet"),
    }
}

/// As [`key`], of a client's key.
pub(super) fn client_key(t: &Texts, status: KeyStatus) -> Cell {
    key(t, status == KeyStatus::Active)
}

/// Yes or no.
pub(super) fn yes_no(t: &Texts, yes: bool) -> Cell {
    Cell::text(&if yes { t.text("admin-yes") } else { t.text("admin-no") })
}
