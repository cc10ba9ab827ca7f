//! What users have chosen.

use super::desk::Desk;
use super::sql::{self, read_list, statements, write_list};
use super::value::params;
use accord_core::ids::CustomerId;
use accord_core::message::Kind;
use accord_core::message::routes::Carrier;
use accord_core::preference::Preferences;
use accord_core::store::Stored;
use accord_core::store::preference::{PreferenceRows, PreferenceTx};

statements! {
    PREFERENCES = "SELECT customer, email, carried, seen_at FROM preferences WHERE bucket = ?1 AND customer = ?2";
    PUT_PREFERENCES = "INSERT INTO preferences (bucket, customer, email, carried, seen_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (bucket, customer)
        DO UPDATE SET email = excluded.email, carried = excluded.carried, seen_at = excluded.seen_at";
}

fn read_carried(text: &str) -> Option<Vec<(Kind, Carrier)>> {
    let pair = |fields: Vec<String>| {
        let [kind, carrier] = <[String; 2]>::try_from(fields).ok()?;
        Some((Kind::parse(&kind)?, Carrier::parse(&carrier)?))
    };
    read_list(text)?.into_iter().map(pair).collect()
}

impl PreferenceRows for Desk<'_> {
    fn preferences(&self, customer: &CustomerId) -> Stored<Option<Preferences>> {
        sql::one(self.0, PREFERENCES, params![customer.bucket().number(), customer.as_str()], |row| {
            Ok(Preferences {
                customer: row.parsed(CustomerId::read)?,
                email: row.get()?,
                carried: row.maybe(read_carried)?,
                seen_at: row.time()?,
            })
        })
    }
}

impl PreferenceTx for Desk<'_> {
    fn put_preferences(&mut self, preferences: &Preferences) -> Stored<()> {
        let line = |(kind, carrier): &(Kind, Carrier)| vec![kind.as_str(), carrier.as_str()];
        let carried = preferences.carried.as_ref().map(|carried| write_list(carried.iter().map(line)));
        let customer = &preferences.customer;
        let values = params![
            customer.bucket().number(),
            customer.as_str(),
            preferences.email,
            carried,
            preferences.seen_at.0
        ];
        sql::write(self.0, PUT_PREFERENCES, values)
    }
}
