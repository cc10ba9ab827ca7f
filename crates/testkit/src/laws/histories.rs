//! What happened to a user: a store may find by a payment what happened in the moment in which it was made, and still lists
//! it with everything else.

use super::samples::*;
use super::{keep, see};
use accord_core::Moment;
use accord_core::ids::{MessageId, PaymentId, PostingId};
use accord_core::ledger::{Entry, Party, Posting, PostingKind};
use accord_core::message::{About, Channel, Message, Plan};
use accord_core::moment::Timestamp;
use accord_core::payment::{Payment, PaymentStage};
use accord_core::store::Store;
use accord_core::user::Language;

/// A payment, how it was debited, and what its user was told.
struct Story {
    payment: Payment,
    posting: Posting,
    entries: Vec<Entry>,
    message: Message,
}

/// A payment of that customer, made at `made` and debited at `debited`.
fn story(number: u32, customer: u32, made: i64, debited: i64) -> Story {
    let whose = customer_id(customer);
    let at = |now| Moment::new(Timestamp(now), [number as u8; 32]);
    let id = PaymentId::mint(whose.bucket(), &mut at(made).random("payment"));
    let posting = Posting {
        id: PostingId::mint(whose.bucket(), &mut at(debited).random("posting")),
        kind: PostingKind::Debit,
        reference: id.to_string(),
        at: Timestamp(debited),
    };
    let entries = vec![
        entry(&posting, 0, Party::User(whose.clone()), -3),
        entry(&posting, 1, Party::Payable { client: client_id(1), slot: 0 }, 3),
    ];
    let message = Message {
        id: MessageId::mint(whose.bucket(), &mut at(debited).random("message")),
        customer: whose.clone(),
        channel: Channel::Inbox,
        language: Language::English,
        about: About::Debit {
            payment: id.clone(),
            failure: None,
            merchant: text(true),
            amount: amount(true),
            agreement: agreement_id(customer),
            plan: Plan::NOTHING,
        },
        at: Timestamp(debited),
    };
    let payment = Payment {
        id: id.clone(),
        customer: whose.clone(),
        agreement: agreement_id(customer),
        created_at: Timestamp(made),
        posting: Some(posting.id.clone()),
        ..payment(number, PaymentStage::Succeeded { at: Timestamp(debited) }, None, false)
    };
    Story { payment, posting, entries, message }
}

/// Entries and messages of debits in the moment of their payment, of later debits, and of no payment come in one order, in
/// pages of every size, and nobody else's come.
pub fn what_happened_with_a_payment_is_listed_with_everything_else(store: &dyn Store) {
    // Customer 5 lives in the bucket of customer 1. Several share a millisecond.
    let stories: Vec<Story> =
        [(1, 1, 30, 30), (2, 1, 10, 10), (3, 1, 20, 30), (4, 1, 30, 30), (5, 5, 20, 20), (6, 1, 20, 20)]
            .map(|(number, customer, made, debited)| story(number, customer, made, debited))
            .into();
    let top_up = |number: u32, at: i64| {
        let posting = Posting {
            id: posting_id(number),
            kind: PostingKind::TopUp,
            reference: text(true),
            at: Timestamp(at),
        };
        let entries =
            vec![entry(&posting, 0, Party::Funding, -1), entry(&posting, 1, Party::User(customer_id(1)), 1)];
        (posting, entries)
    };
    let top_ups = vec![top_up(1, 20), top_up(5, 30), top_up(9, 31)];
    // Every kind of thing that is told beside debits.
    let others: Vec<Message> = abouts(true)
        .into_iter()
        .zip(20..)
        .map(|(about, number)| message_about(number, 1, true, about))
        .collect();

    let (mut entries, mut messages) = (Vec::new(), others.clone());
    for story in stories.iter().filter(|story| story.payment.customer == customer_id(1)) {
        entries.push((story.posting.clone(), story.entries[0].clone()));
        messages.push(story.message.clone());
    }
    entries.extend(top_ups.iter().map(|(posting, entries)| (posting.clone(), entries[1].clone())));
    entries.sort_by_key(|(posting, entry)| (posting.at, posting.id.clone(), entry.line));
    messages.sort_by_key(|row| std::cmp::Reverse((row.at, row.id.clone(), row.about.subject())));

    keep(store, move |tx| {
        for (posting, entries) in &top_ups {
            tx.insert_posting(posting, entries)?;
        }
        others.iter().try_for_each(|row| tx.insert_message(row))?;
        for story in &stories {
            // In the order of a debit: the payment's row comes after its posting's.
            tx.insert_posting(&story.posting, &story.entries)?;
            tx.insert_payment(&story.payment)?;
            tx.insert_message(&story.message)?;
        }
        Ok(())
    });
    see(store, move |rows| {
        for size in 1..=entries.len() + 1 {
            let mut found = Vec::new();
            loop {
                let after = found.last().map(|(posting, entry): &(Posting, Entry)| (posting, entry.line));
                let after = after.map(|(posting, line)| (posting.at, &posting.id, line));
                let page = rows.entries_of_customer(&customer_id(1), after, size)?;
                assert!(page.len() <= size);
                if page.is_empty() {
                    break;
                }
                found.extend(page);
            }
            assert_eq!(found, entries, "in pages of {size}");
        }
        for limit in 0..=messages.len() + 1 {
            let most = limit.min(messages.len());
            assert_eq!(rows.messages(&customer_id(1), limit)?, messages[..most], "{limit} messages");
        }
        assert_eq!(rows.messages(&customer_id(5), 9)?.len(), 1);
        assert_eq!(rows.entries_of_customer(&customer_id(5), None, 9)?.len(), 1);
        for (posting, _) in &entries {
            assert_eq!(rows.entries_of(posting)?.len(), 2, "each posting has its own");
        }
        Ok(())
    });
}
