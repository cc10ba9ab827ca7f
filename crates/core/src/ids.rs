//! Every id its own type: *minted* by us, or *given* by others.
//!
//! A minted id carries its bucket and is drawn from the call's moment, in whose order it may stand. A given id is text whose limits the
//! dialect has already checked.

use crate::handle::{Bucket, Head, IdShape};
use crate::moment::{Random, Timestamp};

macro_rules! given {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as its giver wrote it.
            pub fn new(text: impl Into<String>) -> $name { $name(text.into()) }
            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }
    )+};
}

macro_rules! minted {
    ($head:expr, $drawn:literal: $($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String, Bucket);

        impl $name {
            #[doc = $drawn]
            pub fn mint(bucket: Bucket, random: &mut Random) -> $name {
                $name(IdShape.mint($head, bucket, random), bucket)
            }

            /// Reads an id that we once minted; nothing for any other text.
            pub fn read(text: &str) -> Option<$name> {
                IdShape.bucket(text).map(|bucket| $name(text.to_owned(), bucket))
            }

            /// The bucket that the id carries.
            pub fn bucket(&self) -> Bucket { self.1 }

            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }
    )+};
}

given! {
    /// Who signs a request (header Client-Id): a merchant at Qi, the network at Alipay+.
    ClientId,
    /// The stable name of a dialect, as rows keep it.
    DialectName,
    /// The idempotency key of a payment, given by its owner.
    PaymentRequestId,
    /// The idempotency key of a refund, given by its owner.
    RefundRequestId,
    /// What an operator signs in to the console with; [`crate::console::read_name`] says which texts are names.
    OperatorName,
}

/// What a user types to sign in: a phone number in E.164 form, or an e-mail address. Addresses that differ in the case
/// of their letters only are one: people do not know how they once wrote theirs, and no mail service in use tells them
/// apart. So an address is kept, found, shown and hashed in lower case, wherever it comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginId(String);

impl LoginId {
    /// Takes the text as it was typed.
    pub fn new(text: impl Into<String>) -> LoginId {
        let mut text = text.into();
        if text.contains('@') {
            text.make_ascii_lowercase();
        }
        LoginId(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for LoginId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

minted! {
    Head::Time, "Draws a new id in `bucket`: the time in milliseconds, then 16 random letters, some 95 bits.":
    /// Names one authorization session, in the URL of its page.
    AuthId,
    /// Names one agreement between a user and an owner.
    AgreementId,
    /// Names one payment; its bucket is the payer's.
    PaymentId,
    /// Names one refund; its bucket is the payer's.
    RefundId,
    /// Names one posting of the ledger; its bucket is the payer's.
    PostingId,
    /// Names one outgoing notification; its bucket is that of what it reports.
    NotificationId,
    /// Names one message to a user.
    MessageId,
}

impl PaymentId {
    /// When it was minted, which is when the payment was made: to the millisecond.
    pub fn minted_at(&self) -> Option<Timestamp> {
        IdShape.millis(&self.0).map(Timestamp)
    }
}

minted! {
    Head::Chance, "Draws a new id in `bucket`: 24 random letters, some 142 bits.":
    /// Names one user of the wallet. Merchants may hear it, and it tells nothing.
    CustomerId,
    /// Names one credential of the wallet API.
    CredentialId,
    /// Names one browser in which a user is signed in; its bucket is the user's.
    DeviceId,
    /// Names one operator's sign-in to the console; its bucket is that of the operator's name.
    ConsoleSessionId,
    /// Names one request to send a one-time code (Alipay+ sendOTP, verifyRequestId).
    CodeRequestId,
}

/// Who owns an agreement, a code, a token, a payment: the signer, narrowed by what the dialect adds (Alipay+:
/// pspId and acquirerId). Two owners are the same only if all parts are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(String);

impl Owner {
    /// The owner of these parts. Lengths are written in, so that no two lists of parts look alike.
    pub fn of(parts: &[&str]) -> Owner {
        Owner(parts.iter().map(|part| format!("{}:{part}", part.len())).collect::<Vec<_>>().join("/"))
    }

    /// An owner as a row keeps it.
    pub fn from_row(text: impl Into<String>) -> Owner {
        Owner(text.into())
    }

    /// The text that rows keep.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::LoginId;

    #[test]
    fn an_address_is_one_login_id_however_it_is_written() {
        assert_eq!(LoginId::new("A.Hassan@Example.COM"), LoginId::new("a.hassan@example.com"));
        assert_eq!(LoginId::new("A.Hassan@Example.COM").as_str(), "a.hassan@example.com");
        assert_eq!(LoginId::new("+9647701234567").as_str(), "+9647701234567");
    }
}
