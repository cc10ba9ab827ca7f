//! Routes: which messages leave the wallet, by which carrier, and to where.
//!
//! Three have a say: the deployment (which carriers it has, and for which kinds), the user (preferences, address), and
//! the message (a one-time code goes only where it was asked to go). Nothing is sent here.

use super::delivery::{Delivery, DeliveryState};
use super::{Channel, Kind, Message};
use crate::people::ContactKind;
use crate::store::{Rows, Stored};
use crate::user::User;

crate::words! {
    /// Who carries a message out of the wallet.
    Carrier {
        /// Electronic mail.
        Email = "email",
        /// A text message to a phone.
        Sms = "sms",
    }
}

impl Carrier {
    /// What it needs to know of a user.
    pub fn contact_kind(self) -> ContactKind {
        match self {
            Carrier::Email => ContactKind::Email,
            Carrier::Sms => ContactKind::MobilePhone,
        }
    }
}

/// What becomes of a message for a carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Service {
    /// Nothing: there is no such carrier.
    #[default]
    Off,
    /// It is written down and never sent (sandbox).
    Held,
    /// It is sent.
    On,
}

/// What a deployment chose for one carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Is it there?
    pub service: Service,
    /// The kinds it carries where the user has not chosen otherwise. One-time codes are carried whenever a carrier is
    /// there: they go where they were asked to go.
    pub kinds: Vec<Kind>,
}

impl Default for Route {
    /// Not there; what the wallet itself has to say.
    fn default() -> Route {
        Route { service: Service::Off, kinds: vec![Kind::Debit, Kind::Refund, Kind::Upcoming, Kind::Ended] }
    }
}

/// What a deployment chose about messages that leave the wallet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessagePolicy {
    /// By e-mail.
    pub email: Route,
    /// By SMS.
    pub sms: Route,
}

impl MessagePolicy {
    /// Every carrier written down and none sent.
    pub fn held() -> MessagePolicy {
        let route = || Route { service: Service::Held, ..Route::default() };
        MessagePolicy { email: route(), sms: route() }
    }

    /// The route of a carrier.
    pub fn route(&self, carrier: Carrier) -> &Route {
        match carrier {
            Carrier::Email => &self.email,
            Carrier::Sms => &self.sms,
        }
    }
}

/// The deliveries of a message that has not been told yet; none for one that has.
pub(super) fn carriers(
    rows: &dyn Rows,
    message: &Message,
    user: &User,
    only: Option<ContactKind>,
    policy: &MessagePolicy,
) -> Stored<Vec<Delivery>> {
    let there = |carrier: &Carrier| policy.route(*carrier).service != Service::Off;
    let carriers: Vec<Carrier> = Carrier::ALL.iter().copied().filter(there).collect();
    // A push is for the phone alone, and its own channel.
    if carriers.is_empty() || message.channel != Channel::Inbox {
        return Ok(Vec::new());
    }
    let (kind, subject) = (message.about.kind(), message.about.subject());
    let preferences = rows.preferences(&user.id)?;
    let mut deliveries = Vec::new();
    for carrier in carriers {
        let route = policy.route(carrier);
        let wanted = match only {
            Some(way) => carrier.contact_kind() == way,
            None => {
                let chosen = preferences.as_ref().and_then(|chosen| chosen.wants(kind, carrier));
                chosen.unwrap_or_else(|| wants(route, kind))
            }
        };
        if !wanted {
            continue;
        }
        let to = match kind {
            Kind::OneTimeCode => address_of_code(rows, user, carrier)?,
            _ => address(rows, user, carrier)?,
        };
        let Some(to) = to else { continue };
        let state = match route.service {
            Service::Held => DeliveryState::Held,
            Service::On | Service::Off => DeliveryState::Pending,
        };
        deliveries.push(Delivery {
            message: message.id.clone(),
            customer: user.id.clone(),
            kind,
            subject: subject.clone(),
            carrier,
            to,
            state,
            tries: 0,
            due_at: message.at,
            expires_at: message.about.expires_at(),
            outcome: String::new(),
            created_at: message.at,
        });
    }
    // Asked last: most messages go by no carrier at all.
    if !deliveries.is_empty() && rows.message(user.id.bucket(), kind, &subject, message.channel)?.is_some() {
        return Ok(Vec::new());
    }
    Ok(deliveries)
}

/// Does the deployment carry that kind?
fn wants(route: &Route, kind: Kind) -> bool {
    route.kinds.contains(&kind)
}

/// By which way a code goes that stands beside the PIN: SMS before e-mail, nothing where no carrier reaches the user.
pub fn way_of_code(rows: &dyn Rows, user: &User, policy: &MessagePolicy) -> Stored<Option<ContactKind>> {
    for carrier in [Carrier::Sms, Carrier::Email] {
        let there = policy.route(carrier).service != Service::Off;
        if there && address_of_code(rows, user, carrier)?.is_some() {
            return Ok(Some(carrier.contact_kind()));
        }
    }
    Ok(None)
}

/// Is that message, or was it, on its way out of the wallet? One that a sandbox holds is not.
pub fn leaves(rows: &dyn Rows, message: &Message) -> Stored<bool> {
    let (bucket, kind, subject) = (message.customer.bucket(), message.about.kind(), message.about.subject());
    for carrier in Carrier::ALL {
        let delivery = rows.delivery(bucket, kind, &subject, *carrier)?;
        if delivery.is_some_and(|delivery| delivery.state != DeliveryState::Held) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where a carrier finds a user: the e-mail address that the user chose, else what the wallet knows ([`known`]).
pub fn address(rows: &dyn Rows, user: &User, carrier: Carrier) -> Stored<Option<String>> {
    match chosen(rows, user, carrier)? {
        Some(chosen) => Ok(Some(chosen)),
        None => known(rows, user, carrier),
    }
}

/// Where a one-time code goes: what the wallet knows comes first. Whoever has the PIN can choose another address, and a
/// code is there to be more than the PIN.
fn address_of_code(rows: &dyn Rows, user: &User, carrier: Carrier) -> Stored<Option<String>> {
    match known(rows, user, carrier)? {
        Some(known) => Ok(Some(known)),
        None => chosen(rows, user, carrier),
    }
}

fn chosen(rows: &dyn Rows, user: &User, carrier: Carrier) -> Stored<Option<String>> {
    match carrier {
        Carrier::Email => Ok(rows.preferences(&user.id)?.and_then(|preferences| preferences.email)),
        Carrier::Sms => Ok(None),
    }
}

/// The login id if it is such an address, else the first contact of that kind.
fn known(rows: &dyn Rows, user: &User, carrier: Carrier) -> Stored<Option<String>> {
    let kind = carrier.contact_kind();
    let login = user.login_id.as_str();
    if ContactKind::of_login(login) == Some(kind) {
        return Ok(Some(login.to_owned()));
    }
    let profile = rows.profile(&user.id)?;
    let contacts = profile.map(|profile| profile.contacts).unwrap_or_default();
    Ok(contacts.into_iter().find(|contact| contact.kind == kind).map(|contact| contact.value))
}
