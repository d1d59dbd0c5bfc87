//! Shares that came out of a backup: before they are dealt again or loaded anywhere, a person says
//! that they are the newest.

use super::args::NewestArgs;
use super::report::{CliError, talk};
use super::{messages, prompt};
use quorate::export::ssv::Stamp;
use quorate::protocol::participant::OwnSeat;
use quorate::signing::newest::{Answer, Known, needed};
use quorate::spec::{Ceremony, Index};
use quorate_operator::store::{Lock, StateDir};

/// Asks for a person's word that no newer shares exist than those of this ceremony, if they came
/// out of a backup and nobody has said so yet. It is remembered.
pub(crate) fn demand_newest(
    lock: &Lock,
    ceremony: &Ceremony,
    args: &NewestArgs,
) -> Result<(), CliError> {
    let unsure = lock.state().unsure(&ceremony.digest()).map_err(messages::store)?;
    let Some(note) = unsure else { return Ok(()) };
    let newer = told(lock.state(), ceremony)?;
    if !newer.is_empty() {
        let subject = messages::NewestSubject { ceremony, needed: needed(ceremony) };
        return Err(messages::newer_told(&subject, &newer));
    }
    talk(&messages::unsure(ceremony, &date(note.made)));
    let what = (messages::NEWEST, messages::not_newest_by_word as fn() -> CliError);
    prompt::sentence(what, args.yes_newest.as_deref(), "--yes-newest")?;
    lock.note_newest(&note).map_err(messages::store)
}

/// What other operators have answered that they know of newer shares than those of this ceremony.
pub(crate) fn told(state: &StateDir, ceremony: &Ceremony) -> Result<Vec<(Index, Known)>, CliError> {
    let asked = state.asked(&ceremony.digest()).map_err(messages::store)?;
    let answers = asked.map(|asked| asked.answers).unwrap_or_default();
    let answers = answers.iter().filter_map(|bytes| Answer::decode(bytes).ok());
    Ok(told_by(&answers.collect::<Vec<_>>()))
}

/// What these answers name, each with who says so.
pub(crate) fn told_by(answers: &[Answer]) -> Vec<(Index, Known)> {
    let named = |answer: &Answer| -> Vec<(Index, Known)> {
        answer.known.iter().map(|known| (answer.operator, known.clone())).collect()
    };
    answers.iter().flat_map(named).collect()
}

/// Asks the dealer of an import for the same, if its directory came out of a backup: it does not
/// know whether it has dealt these keys since.
pub(crate) fn demand_not_imported(
    lock: &Lock,
    seat: &OwnSeat,
    args: &NewestArgs,
) -> Result<(), CliError> {
    let ceremony = &seat.ceremony;
    if !ceremony.parts().dealers.contains(seat.me) {
        return Ok(());
    }
    demand_beside(lock, seat, args, |date| messages::unsure_import(ceremony, date))
}

/// Asks a witness for the same whose directory came out of a backup without the shares that it
/// stops: it does not know what it has committed them to since.
pub(crate) fn demand_not_committed(
    lock: &Lock,
    seat: &OwnSeat,
    parent: &Ceremony,
    args: &NewestArgs,
) -> Result<(), CliError> {
    demand_beside(lock, seat, args, |date| messages::unsure_witness(parent, date))
}

/// Of what no log here tells: says what is not known, asks for the word, and notes it.
fn demand_beside(
    lock: &Lock,
    seat: &OwnSeat,
    args: &NewestArgs,
    warning: impl FnOnce(&str) -> String,
) -> Result<(), CliError> {
    let unsure = lock.state().unsure_beside(&seat.ceremony.digest()).map_err(messages::store)?;
    let Some(note) = unsure else { return Ok(()) };
    talk(&warning(&date(note.made)));
    let what = (messages::NEWEST, messages::not_newest_by_word as fn() -> CliError);
    prompt::sentence(what, args.yes_newest.as_deref(), "--yes-newest")?;
    lock.note_newest(&note).map_err(messages::store)
}

/// A day, of seconds since 1970: `2026-11-29`.
pub(crate) fn date(seconds: u64) -> String {
    let stamp = seconds.checked_mul(1000).and_then(Stamp::from_millis);
    stamp.map_or_else(|| "unknown date".to_owned(), |stamp| stamp.rfc3339()[..10].to_owned())
}

/// A day, and how long ago that is.
pub(crate) fn ago(then: u64, now: u64) -> String {
    const HOUR: u64 = 3600;
    let since = match now.checked_sub(then) {
        None => "later than this machine's clock".to_owned(),
        Some(since) if since < HOUR => "less than an hour ago".to_owned(),
        Some(since) if since < 2 * HOUR => "1 hour ago".to_owned(),
        Some(since) if since < 48 * HOUR => format!("{} hours ago", since / HOUR),
        Some(since) => format!("{} days ago", since / (24 * HOUR)),
    };
    format!("{}, {since}", date(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_since() {
        let then = 1_796_000_000;
        for (after, words) in [
            (0, "2026-11-30, less than an hour ago"),
            (3599, "2026-11-30, less than an hour ago"),
            (3600, "2026-11-30, 1 hour ago"),
            (48 * 3600 - 1, "2026-11-30, 47 hours ago"),
            (48 * 3600, "2026-11-30, 2 days ago"),
        ] {
            assert_eq!(ago(then, then + after), words);
        }
        assert_eq!(ago(then, then - 1), "2026-11-30, later than this machine's clock");
        assert_eq!(date(u64::MAX), "unknown date");
    }
}
