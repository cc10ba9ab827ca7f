//! Rows of the ledger: accounts, postings, entries.

use super::engine::Engine;
use super::sql::{self, Columns, statements};
use super::value::params;
use accord_core::ids::{CustomerId, PaymentId, PostingId};
use accord_core::ledger::{Account, Entry, Party, Posting, PostingKind};
use accord_core::money::Currency;
use accord_core::store::{StoreFault, Stored};
use std::collections::BTreeSet;

statements! {
    ACCOUNT = "SELECT customer, currency, balance FROM accounts
        WHERE bucket = ?1 AND customer = ?2 AND currency = ?3";
    ACCOUNTS_OF = "SELECT customer, currency, balance FROM accounts WHERE bucket = ?1 AND customer = ?2
        ORDER BY currency";
    ACCOUNTS_AFTER = "SELECT customer, currency, balance FROM accounts
        WHERE (bucket, customer, currency) > (?1, ?2, ?3) ORDER BY bucket, customer, currency LIMIT ?4";
    PUT_ACCOUNT = "INSERT INTO accounts (bucket, customer, currency, balance) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (bucket, customer, currency) DO UPDATE SET balance = excluded.balance";
    POSTING = "SELECT id, kind, reference, at FROM postings WHERE bucket = ?1 AND id = ?2";
    POSTINGS_AFTER = "SELECT id, kind, reference, at FROM postings
        WHERE (id, bucket) > (?2, ?1) ORDER BY id, bucket LIMIT ?3";
    INSERT_POSTING = "INSERT INTO postings (bucket, id, kind, reference, at) VALUES (?1, ?2, ?3, ?4, ?5)";
    ENTRIES = "SELECT posting, line, party, currency, amount, customer FROM entries
        WHERE bucket = ?1 AND posting = ?2 AND at = ?3 ORDER BY line";
    // Whose: for users' accounts only, which are listed by time, unless a payment leads there.
    INSERT_ENTRY = "INSERT INTO entries (bucket, posting, line, party, currency, amount, at, customer)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
}

fn read_account(row: &mut Columns<'_>) -> Stored<Account> {
    Ok(Account {
        customer: row.parsed(CustomerId::read)?,
        currency: row.parsed(Currency::parse)?,
        balance: row.get()?,
    })
}

pub(crate) fn account(db: &dyn Engine, customer: &CustomerId, currency: Currency) -> Stored<Option<Account>> {
    let key = params![customer.bucket().number(), customer.as_str(), currency.code()];
    sql::one(db, ACCOUNT, key, read_account)
}

pub(crate) fn accounts_of(db: &dyn Engine, customer: &CustomerId) -> Stored<Vec<Account>> {
    sql::many(db, ACCOUNTS_OF, params![customer.bucket().number(), customer.as_str()], read_account)
}

pub(crate) fn accounts_after(
    db: &dyn Engine,
    after: Option<(&CustomerId, Currency)>,
    limit: usize,
) -> Stored<Vec<Account>> {
    let limit = sql::limit(limit);
    match &after {
        None => sql::scan(db, ACCOUNTS_AFTER, params![-1, "", "", limit], read_account, |row| {
            row.customer.bucket()
        }),
        Some((customer, currency)) => {
            let key = params![customer.bucket().number(), customer.as_str(), currency.code(), limit];
            sql::scan(db, ACCOUNTS_AFTER, key, read_account, |row| row.customer.bucket())
        }
    }
}

pub(crate) fn put_account(db: &dyn Engine, account: &Account) -> Stored<()> {
    let customer = &account.customer;
    let values =
        params![customer.bucket().number(), customer.as_str(), account.currency.code(), account.balance];
    sql::write(db, PUT_ACCOUNT, values)
}

fn read_posting(row: &mut Columns<'_>) -> Stored<Posting> {
    Ok(Posting {
        id: row.parsed(PostingId::read)?,
        kind: row.parsed(PostingKind::parse)?,
        reference: row.get()?,
        at: row.time()?,
    })
}

pub(crate) fn posting(db: &dyn Engine, id: &PostingId) -> Stored<Option<Posting>> {
    sql::one(db, POSTING, params![id.bucket().number(), id.as_str()], read_posting)
}

pub(crate) fn postings_after(
    db: &dyn Engine,
    after: Option<&PostingId>,
    limit: usize,
) -> Stored<Vec<Posting>> {
    let (bucket, id) = after.map_or((-1, ""), |id| (i64::from(id.bucket().number()), id.as_str()));
    sql::many(db, POSTINGS_AFTER, params![bucket, id, sql::limit(limit)], read_posting)
}

pub(crate) fn entries_of(db: &dyn Engine, posting: &Posting) -> Stored<Vec<Entry>> {
    let Posting { id, at, .. } = posting;
    sql::many(db, ENTRIES, params![id.bucket().number(), id.as_str(), at.0], |row| {
        let entry = Entry {
            posting: row.parsed(PostingId::read)?,
            line: row.get()?,
            party: row.parsed(Party::from_row)?,
            currency: row.parsed(Currency::parse)?,
            amount: row.get()?,
        };
        let listed: Option<String> = row.get()?;
        if listed.as_deref() != holder(&entry.party) && (listed.is_some() || !found_by_payment(posting)) {
            let (line, posting) = (entry.line, &entry.posting);
            let why = format!("entry {line} of posting {posting} is listed under another user than its own");
            return Err(StoreFault::Corrupt(why));
        }
        Ok(entry)
    })
}

/// Under whose name an entry is listed: a user's, and nobody's else.
fn holder(party: &Party) -> Option<&str> {
    match party {
        Party::User(customer) => Some(customer.as_str()),
        Party::Payable { .. } | Party::RefundsInFlight | Party::Funding => None,
    }
}

/// Was a payment debited in the moment in which it was made? Then the payment leads to the entry of its user's account,
/// and no list of its own is written.
fn found_by_payment(posting: &Posting) -> bool {
    posting.kind == PostingKind::Debit
        && PaymentId::read(&posting.reference).and_then(|payment| payment.minted_at()) == Some(posting.at)
}

pub(crate) fn insert_posting(db: &dyn Engine, posting: &Posting, entries: &[Entry]) -> Stored<()> {
    // Checked first, so that a conflict leaves no row.
    let lines: BTreeSet<u32> = entries.iter().map(|entry| entry.line).collect();
    if lines.len() < entries.len() {
        return Err(StoreFault::Conflict("two entries of a posting have one line number".into()));
    }
    let bucket = posting.id.bucket().number();
    let id = posting.id.as_str();
    let values = params![bucket, id, posting.kind.as_str(), posting.reference, posting.at.0];
    sql::write(db, INSERT_POSTING, values)?;
    let by_payment = found_by_payment(posting);
    for entry in entries {
        let customer = holder(&entry.party).filter(|_| !by_payment);
        let (party, currency) = (entry.party.to_row(), entry.currency.code());
        let values = params![bucket, id, entry.line, party, currency, entry.amount, posting.at.0, customer];
        sql::write(db, INSERT_ENTRY, values)?;
    }
    Ok(())
}
