//! The movable clock. Moving it is the schedule's work; here it is read and asked for.

use super::answer::{Failure, Members, Told, iso};
use crate::app::App;
use crate::schedule;
use accord_core::Timestamp;
use axum::extract::State;
use serde_json::json;
use std::sync::Arc;

/// The farthest that one call moves the clock: a hundred years. The longest life in the wallet is ten.
pub const LONGEST_SECONDS: i64 = 100 * 366 * 86_400;

/// The clock never passes this: 9000-01-01T00:00:00Z, so that every life counted from it still has four-digit years.
const END_OF_TIME: Timestamp = Timestamp(221_845_392_000_000);

/// `GET /sandbox/clock`
pub async fn show(State(app): State<Arc<App>>) -> Told {
    Told(json!({ "now": iso(app.clock.now()) }))
}

/// `POST /sandbox/clock`
pub async fn advance(State(app): State<Arc<App>>, members: Members) -> Result<Told, Failure> {
    let seconds = members
        .number("advanceSeconds", 0, LONGEST_SECONDS)?
        .ok_or_else(|| Failure::bad("advanceSeconds: missing"))?;
    if app.clock.now().plus_millis(seconds * 1_000) > END_OF_TIME {
        return Err(Failure::bad("advanceSeconds: the clock would pass the year 9000"));
    }
    let now = schedule::advance(&app, seconds).await?;
    Ok(Told(json!({ "now": iso(now) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_time_is_the_year_9000() {
        assert_eq!(iso(END_OF_TIME), "9000-01-01T00:00:00.000+00:00");
    }
}
