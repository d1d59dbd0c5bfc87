//! The result of answering over channels, as text and as JSON.

use serde_json::{Value, json};

use super::drive::Made;
use super::result::advice;
use crate::messages;
use crate::progress::{seat_name, seat_names};
use crate::report::{CliError, Exit, Output, talk};
use quorate::signing::live::{Ending, Live, Role};
use quorate::spec::Index;

/// What came of it.
pub(super) struct Ended {
    pub(super) live: Live,
    /// Answers that do not count.
    pub(super) bad: Vec<String>,
    /// Who was hung up on, and why.
    pub(super) hung_up: Vec<String>,
    pub(super) made: Option<Made>,
    /// `None`: the time was over, or the person had had enough.
    pub(super) ending: Option<Ending>,
}

/// What a custodian says of this operator's answer: its word, which nobody can check.
pub(super) fn received(live: &Live) -> String {
    let custodian = match live.role() {
        Role::Contributor(custodian) => seat_name(live.parent().ceremony(), custodian),
        Role::Everybody | Role::Custodian => "The custodian".to_owned(),
    };
    let sent = match live.has_left() {
        true => "",
        false => ", which was not sent to it in this run",
    };
    format!("{custodian} says that it counts this operator's answer{sent}")
}

impl Ended {
    /// Says it. Operator `me` asks.
    pub(super) fn finish(self, me: Index, out: &Output) -> Result<Exit, CliError> {
        let Self { live, bad, hung_up, made, ending } = self;
        let (cleared, ceremony) = (live.cleared(), live.parent().ceremony());
        let waiting = if live.is_satisfied() { live.unconfirmed() } else { live.waiting_for() };
        let waiting = seat_names(ceremony, &waiting);
        let id = cleared.request.id().to_string();
        let mut fields = json!({
            "request": id, "operator": me.get(), "waiting_for": waiting, "not_counted": bad,
            "hung_up_on": hung_up, "answer_sent": live.has_left(),
        });
        let mut add = |more: Value| {
            if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
                fields.extend(more);
            }
        };
        if let Some(Made { file, fields: more, signers, unwritten, .. }) = made {
            if let Some(error) = unwritten {
                return Ok(out.fail(&messages::unwritten(error), fields));
            }
            if !waiting.is_empty() {
                let waiting = waiting.join(", ");
                talk(&match live.role() {
                    Role::Everybody => format!(
                        "These operators have not confirmed that they have enough answers: \
                         {waiting}. If one of them needs yours, run the same command again with a \
                         different output file."
                    ),
                    _ => format!(
                        "These operators may not know that you have enough answers: {waiting}. \
                         They can stop waiting."
                    ),
                });
            }
            add(more);
            add(json!({ "file": file.display().to_string(), "signed_by": signers }));
            return out.finish(Exit::Done, fields, &advice(cleared, &file, &signers));
        }
        let (counted, needed) = (live.counted(), ceremony.t());
        match (live.role(), ending) {
            (Role::Contributor(custodian), _) if live.is_satisfied() => {
                let custodian = seat_name(ceremony, custodian);
                let sent = match (live.has_left(), live.is_received()) {
                    (true, _) => "This operator's answer was sent to it",
                    (false, true) => {
                        "This operator's answer was not sent now: an earlier run may have sent it"
                    }
                    (false, false) => {
                        "It did not ask for this operator's answer, which was not sent"
                    }
                };
                let text = format!(
                    "{custodian} says that it has enough answers, and it alone has the result. \
                     {sent}."
                );
                add(json!({ "custodian": custodian }));
                out.finish(Exit::Done, fields, &text)
            }
            (Role::Contributor(_), Some(Ending::CustodianLost)) => {
                let error = messages::custodian_lost(&hung_up.join(", "), cleared);
                Ok(out.fail(&error, fields))
            }
            (_, Some(Ending::Hopeless)) => {
                let error = messages::never_enough(counted, needed, &[bad, hung_up].concat());
                Ok(out.fail(&error, fields))
            }
            (role, _) => {
                let far = match role {
                    Role::Contributor(_) if live.is_received() => {
                        format!("{}, but not that it has enough.", received(&live))
                    }
                    Role::Contributor(custodian) => format!(
                        "{} has not said that it has enough answers.",
                        seat_name(ceremony, custodian)
                    ),
                    Role::Everybody | Role::Custodian => {
                        add(json!({ "counted": counted, "needed": needed }));
                        format!("{counted} answers, but {needed} are required.")
                    }
                };
                let left = match live.has_left() {
                    true => {
                        " This operator's answer has been sent and cannot be taken back: the \
                         others may complete without it."
                    }
                    false => "",
                };
                let text = format!(
                    "{far} It was waiting for {}. No result is written here.{left} The answer is \
                     remembered: run the same command again, together with them.",
                    waiting.join(", ")
                );
                out.finish(Exit::Waiting, fields, &text)
            }
        }
    }
}
