//! The laws of the port, as functions over any store. All stores obey all of them.
//!
//! A law panics with a sentence when a store breaks it. A back end's suite is one macro call:
//!
//! ```ignore
//! accord_testkit::store_laws!(laws, || MyStore::open_empty());
//! ```
//!
//! Every test opens a store of its own. Found a difference between two stores? Write the law first.

pub mod audit;
pub mod console;
pub mod control;
pub mod delivery;
pub mod device;
pub mod handover;
pub mod histories;
pub mod keys;
pub mod lists;
pub mod operator;
pub mod people;
pub mod preference;
pub mod quota;
pub mod refund;
pub mod round_trip;
pub mod samples;
pub mod script;
pub mod settlement;
pub mod step_up;
pub mod transactions;
pub mod unbinding;
pub mod upkeep;

use accord_core::outcome::{Ruled, Stop};
use accord_core::store::{self, Rows, Store, StoreFault, Stored, Tx};

/// One `#[test]` for each law, in a module of that name, over the store that `$open` opens empty.
#[macro_export]
macro_rules! store_laws {
    ($name:ident, $open:expr) => { $crate::store_laws! { maybe $name, || Some(($open)()) } };
    // Over a store that is not there on every machine: nothing opened, the law is skipped.
    (maybe $name:ident, $open:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the opener may need nothing from outside")]
            use super::*;

            $crate::store_laws! { @tests $open; keys:
                a_key_is_inserted_once,
                a_conflict_inside_an_act_leaves_nothing_of_it,
                an_update_of_what_is_not_there_is_corruption,
                a_put_replaces,
                an_update_of_a_user_keeps_login_and_age,
                digests_are_unique_in_their_bucket,
                an_authorization_becomes_one_agreement,
                the_second_message_about_a_payment_is_silently_the_first,
            }
            $crate::store_laws! { @tests $open; lists:
                an_empty_store_has_nothing,
                users_come_by_login_id,
                keys_come_by_client_and_age,
                agreements_come_newest_first,
                payments_to_resolve_come_earliest_first,
                payments_come_in_pages,
                payments_of_an_agreement_come_newest_first_in_pages,
                accounts_come_by_currency_and_in_pages,
                postings_come_in_pages_and_entries_by_line,
                due_notifications_come_earliest_first,
                the_target_that_waited_longest_comes_first,
                notifications_come_newest_first,
                messages_come_newest_first,
                attempts_and_journal_lines_come_oldest_first,
            }
            $crate::store_laws! { @tests $open; unbinding:
                consultations_come_back_as_they_were,
            }
            $crate::store_laws! { @tests $open; quota:
                reserved_calls_come_back_as_they_were,
            }
            $crate::store_laws! { @tests $open; handover:
                handovers_come_back_as_they_were,
            }
            $crate::store_laws! { @tests $open; step_up:
                codes_of_approvals_come_back_as_they_were,
            }
            $crate::store_laws! { @tests $open; round_trip:
                clients_and_settings_come_back_as_they_were,
                users_and_guards_come_back_as_they_were,
                agreements_and_what_led_to_them_come_back_as_they_were,
                codes_and_tokens_come_back_as_they_were,
                payments_come_back_as_they_were,
                the_ledger_comes_back_as_it_was,
                the_outbox_comes_back_as_it_was,
                messages_and_journal_come_back_as_they_were,
                messages_of_every_kind_come_back_as_they_were,
            }
            $crate::store_laws! { @tests $open; transactions:
                a_rule_sees_what_it_wrote,
                what_is_kept_is_seen_by_the_next_look,
                what_is_taken_back_leaves_nothing,
                a_fault_is_told_and_leaves_nothing,
                a_conflict_runs_the_rule_again,
                a_lasting_conflict_is_told,
                a_panic_harms_nobody_else,
                each_in_a_group_ends_its_own_way,
                parallel_increments_lose_nothing,
                one_of_many_claims_wins,
                a_look_sees_all_of_a_transaction_or_nothing,
                a_panicking_look_is_told,
            }
            $crate::store_laws! { @tests $open; refund:
                refunds_come_back_as_they_were,
                a_refund_and_a_closed_order_are_inserted_once,
                refunds_come_in_order,
            }
            $crate::store_laws! { @tests $open; control:
                controls_come_back_as_they_were,
                each_limit_comes_back_alone,
                notices_come_earliest_first,
                usage_comes_by_day,
            }
            $crate::store_laws! { @tests $open; delivery:
                deliveries_come_back_as_they_were,
                a_second_delivery_by_one_carrier_is_silently_the_first,
                due_deliveries_come_earliest_first,
                deliveries_that_are_over_come_earliest_first,
                a_message_is_found_by_what_it_is_about,
                a_claim_is_for_one,
            }
            $crate::store_laws! { @tests $open; audit:
                streams_have_heads_and_pages,
                checkpoints_come_back_as_they_were,
                what_can_be_pruned_comes_earliest_first,
                what_lies_cold_is_not_lost,
                what_is_removed_is_gone,
            }
            $crate::store_laws! { @tests $open; operator:
                credentials_come_back_as_they_were,
                a_transfer_is_inserted_once,
            }
            $crate::store_laws! { @tests $open; people:
                profiles_codes_and_budgets_come_back_as_they_were,
                a_merchants_key_is_its_own_in_each_channel,
            }
            $crate::store_laws! { @tests $open; device:
                devices_come_back_as_they_were,
                devices_come_newest_first_and_go_by_expiry,
            }
            $crate::store_laws! { @tests $open; console:
                operators_and_their_sign_ins_come_back_as_they_were,
                sign_ins_come_newest_first_and_go_by_expiry,
                an_agreement_is_found_by_authorization_and_reference,
                notifications_come_in_pages_by_state,
                journal_lines_come_newest_first_in_pages,
            }
            $crate::store_laws! { @tests $open; preference:
                preferences_come_back_as_they_were,
            }
            $crate::store_laws! { @tests $open; settlement:
                settlement_items_come_back_as_they_were,
                settlement_items_come_by_time_in_pages,
                a_users_entries_come_by_time_in_pages,
            }
            $crate::store_laws! { @tests $open; histories:
                what_happened_with_a_payment_is_listed_with_everything_else,
            }
            $crate::store_laws! { @tests $open; upkeep:
                what_is_running_is_counted_and_comes_oldest_first,
                old_usage_comes_by_day_and_goes,
                old_one_time_codes_come_earliest_first_and_go,
            }
            $crate::store_laws! { @tests $open; script:
                random_acts_have_the_same_end_on_the_model_store,
            }
        }
    };
    (@tests $open:expr; $area:ident: $($law:ident,)+) => {
        $(#[test]
        fn $law() {
            if let Some(store) = ($open)() {
                $crate::laws::$area::$law(&store);
            }
        })+
    };
}

/// Runs acts in one transaction that is kept.
fn keep<T: Send + 'static>(
    store: &dyn Store,
    mut acts: impl FnMut(&mut dyn Tx) -> Stored<T> + Send + 'static,
) -> T {
    match store::transact(store, move |tx| Ok(acts(tx)?)) {
        Ok(value) => value,
        Err(why) => panic!("the transaction was to be kept: {why:?}"),
    }
}

/// Looks at committed rows.
fn see<T: Send + 'static>(
    store: &dyn Store,
    look: impl FnOnce(&dyn Rows) -> Stored<T> + Send + 'static,
) -> T {
    match store::look(store, look) {
        Ok(value) => value,
        Err(why) => panic!("the look failed: {why}"),
    }
}

/// Runs acts in one transaction and gives how it ended.
fn end_of<T: Send + 'static>(
    store: &dyn Store,
    mut acts: impl FnMut(&mut dyn Tx) -> Stored<T> + Send + 'static,
) -> Result<T, StoreFault> {
    let ruled: Ruled<T> = store::transact(store, move |tx| Ok(acts(tx)?));
    match ruled {
        Ok(value) => Ok(value),
        Err(Stop::Fault(why)) => Err(why),
        Err(Stop::Refused(refusal)) => panic!("nothing here refuses, but: {refusal}"),
    }
}
