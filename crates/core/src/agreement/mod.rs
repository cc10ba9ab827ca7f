//! Agreements: what was asked for, how it was decided, what lives on.
//!
//! [`Terms`] are what the owner asked for and never change. A [`Session`] is the open question to the user. An
//! [`Agreement`] is the user's yes. The acts, in order: [`prepare`], [`sign_in`], [`decide`], [`end`]; [`login`]
//! is the short way of a mini program that asks for no debits, [`handover`] the way from a PC to a phone.

pub mod control;
pub mod decide;
pub mod end;
pub mod handover;
pub mod limits;
pub mod login;
pub mod prepare;
pub mod schedule;
pub mod sign_in;
pub mod step_up;
pub mod unbind;
pub mod usage;

use crate::handle::Bucket;
use crate::ids::*;
use crate::moment::Timestamp;
use crate::policy::Policy;
use crate::secret::{Digest, Salt};
use crate::user::Language;

crate::words! {
    /// What an agreement lets its owner do.
    Scope {
        /// Debit the user with a token.
        AgreementPay = "AGREEMENT_PAY",
        /// Learn the masked login id.
        UserLoginId = "USER_LOGIN_ID",
        /// Learn the user's id.
        BaseUserInfo = "BASE_USER_INFO",
        /// Learn the hashed login id.
        HashLoginId = "HASH_LOGIN_ID",
        /// Send one-time codes to the user.
        SendOtp = "SEND_OTP",
        /// Qi: know that it is the same user.
        AuthBase = "auth_base",
        /// Qi: learn the user's id.
        UserId = "USER_ID",
        /// Qi: learn name and picture.
        AuthUser = "auth_user",
        /// Qi: learn the name.
        UserName = "USER_NAME",
        /// Qi: learn the picture.
        UserAvatar = "USER_AVATAR",
        /// Qi: learn the gender.
        UserGender = "USER_GENDER",
        /// Qi: learn the date of birth.
        UserBirthday = "USER_BIRTHDAY",
        /// Qi: learn the nationality.
        UserNationality = "USER_NATIONALITY",
        /// Qi: learn phone numbers and e-mail addresses.
        UserContactInfo = "USER_CONTACTINFO",
        /// Qi: write to the user's inbox.
        NotificationInbox = "NOTIFICATION_INBOX",
        /// Qi: push messages to the user's phone.
        NotificationPush = "NOTIFICATION_PUSH",
    }
}

impl Scope {
    /// May it be granted when a mini program logs its user in (Qi my.getAuthCode)?
    pub fn by_log_in(self) -> bool {
        !matches!(self, Scope::AgreementPay | Scope::BaseUserInfo | Scope::SendOtp)
    }

    /// Is it granted then without asking the user?
    pub fn silent(self) -> bool {
        matches!(self, Scope::AuthBase | Scope::UserId | Scope::UserLoginId | Scope::HashLoginId)
    }
}

crate::words! {
    /// From where the user comes.
    Terminal {
        /// A browser on a PC.
        Web = "WEB",
        /// A browser on a phone.
        Wap = "WAP",
        /// The merchant's app.
        App = "APP",
        /// A mini program inside the wallet's app.
        MiniApp = "MINI_APP",
    }
}

/// What an owner asked for, as the page shows it and the agreement keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The authorization they belong to.
    pub auth_id: AuthId,
    /// Who asked, and owns what comes of it.
    pub owner: Owner,
    /// Who signed.
    pub client: ClientId,
    /// In which dialect.
    pub dialect: DialectName,
    /// What is to be granted.
    pub scopes: Vec<Scope>,
    /// Registered legal name, shown with the agreement.
    pub legal_name: String,
    /// Trade name, shown in the title.
    pub display_name: String,
    /// The contract's title, if it has one.
    pub contract_title: Option<String>,
    /// The contract's text, if it has one; scopes are shown otherwise.
    pub contract_text: Option<String>,
    /// The language asked for.
    pub language: Option<Language>,
    /// Where the browser goes back to, as given.
    pub redirect_url: Option<String>,
    /// Given back unchanged with the code.
    pub auth_state: Option<String>,
    /// Where authorization notices must go.
    pub notify_url: Option<String>,
    /// The acquirer's id of the merchant (Alipay+ authClientId).
    pub auth_client_id: Option<String>,
    /// The acquirer's id of the shop (Alipay+ referenceMerchantId).
    pub reference_merchant_id: Option<String>,
    /// The owner's id of the authorization (Alipay+ referenceAgreementId).
    pub reference_agreement_id: Option<String>,
    /// From where the user comes.
    pub terminal: Terminal,
    /// Other members, as received: JSON text. Stored, never acted on.
    pub extras: String,
    /// When it was asked.
    pub created_at: Timestamp,
}

crate::words! {
    /// What the user said.
    Decision {
        /// Yes.
        Approve = "approve",
        /// No.
        Refuse = "refuse",
    }
}

/// How far a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionStage {
    /// Nothing was decided. Past `expires_at` it has expired.
    Open,
    /// The user said no.
    Refused {
        /// When.
        at: Timestamp,
    },
    /// The user said yes.
    Approved {
        /// When.
        at: Timestamp,
        /// The agreement that came of it.
        agreement: AgreementId,
    },
}

/// An authorization session: one question to one user, decided once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub auth_id: AuthId,
    /// How far it is.
    pub stage: SessionStage,
    /// Until when it may be decided.
    pub expires_at: Timestamp,
    /// Wrong PINs typed into this session so far.
    pub wrong_pins: u32,
    /// Digest of the cookie of the browser that decided: it alone is led back with the code.
    pub decided_by: Option<Digest>,
}

/// The first answer to an idempotency key of prepare. Kept without time limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepareClaim {
    /// Bucket of the key.
    pub bucket: Bucket,
    /// Digest of owner, authClientId and referenceAgreementId.
    pub key: Digest,
    /// Digest of the compared fields.
    pub fingerprint: Digest,
    /// The session that was opened.
    pub auth_id: AuthId,
    /// The answer's body, byte for byte.
    pub answer: Vec<u8>,
    /// When.
    pub created_at: Timestamp,
}

/// What was shown when a session was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The session.
    pub auth_id: AuthId,
    /// What was decided.
    pub decision: Decision,
    /// By whom; nothing for a refusal without sign-in.
    pub customer: Option<CustomerId>,
    /// SHA-256 of the text shown.
    pub text_digest: Digest,
    /// The language it was shown in.
    pub language: Language,
    /// Version of the page and its message files.
    pub version: String,
    /// When it was decided.
    pub at: Timestamp,
    /// The sender's address.
    pub address: String,
}

crate::words! {
    /// Who ended an agreement.
    EndedBy {
        /// Its owner, by cancelToken.
        Merchant = "merchant",
        /// The user, in the wallet.
        User = "user",
        /// The wallet.
        Wallet = "wallet",
    }
}

/// How far an agreement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgreementStage {
    /// The user agreed; the code is not yet redeemed.
    Consented,
    /// Tokens are out.
    Active,
    /// It is over, and all its tokens with it.
    Ended {
        /// When.
        at: Timestamp,
        /// By whom.
        by: EndedBy,
    },
}

/// An agreement between a user and an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// The authorization it came of; its terms are kept under this id.
    pub auth_id: AuthId,
    /// Who may use it.
    pub owner: Owner,
    /// Who signed for it.
    pub client: ClientId,
    /// In which dialect.
    pub dialect: DialectName,
    /// Who pays.
    pub customer: CustomerId,
    /// How far it is.
    pub stage: AgreementStage,
    /// Generation of the newest pair of tokens; 0 before the first.
    pub generation: u32,
    /// Salt of its authorization code.
    pub code_salt: Salt,
    /// When the user agreed.
    pub created_at: Timestamp,
}

impl Agreement {
    /// Is it over?
    pub fn ended(&self) -> bool {
        matches!(self.stage, AgreementStage::Ended { .. })
    }

    /// Was its code redeemed?
    pub fn redeemed(&self) -> bool {
        self.generation > 0
    }

    /// Is its code too old, and was never redeemed? Nothing can come of it any more.
    pub fn code_expired(&self, policy: &Policy, now: Timestamp) -> bool {
        self.stage == AgreementStage::Consented && now.since(self.created_at) > policy.code_life_ms
    }
}
