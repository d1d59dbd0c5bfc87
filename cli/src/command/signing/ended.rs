//! The result of answering over channels, as text and as JSON.

use serde_json::{Value, json};

use super::describe::left_json;
use super::drive::Made;
use super::result::{advice, missing};
use crate::messages;
use crate::progress::{Named, listed, seat_name, seat_names};
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
        Role::Contributor(custodian) => seat_name(live.parent().ceremony(), custodian).to_string(),
        Role::Everybody | Role::Custodian => "The custodian".to_owned(),
    };
    let sent = match live.has_left() {
        true => "",
        false => ", which was not sent to it in this run",
    };
    format!("{custodian} says that it counts this operator's answer{sent}")
}

/// How many answers it takes: for a lock those of all that have shares, otherwise a threshold.
pub(super) fn needed(live: &Live) -> usize {
    let cleared = live.cleared();
    if cleared.lock.is_some() { cleared.required.len() } else { live.parent().ceremony().t() }
}

impl Ended {
    /// Says it. Operator `me` asks.
    pub(super) fn finish(mut self, me: Index, out: &Output) -> Result<Exit, CliError> {
        let live = &self.live;
        let ceremony = live.parent().ceremony();
        let waiting = if live.is_satisfied() { live.unconfirmed() } else { live.waiting_for() };
        let waiting = seat_names(ceremony, &waiting);
        let fields = json!({
            "request": live.cleared().request.id().to_string(), "operator": me.get(),
            "waiting_for": waiting, "not_counted": self.bad, "hung_up_on": self.hung_up,
            "answer_sent": live.has_left(),
        });
        if let Some(made) = self.made.take() {
            return self.written(made, &waiting, fields, out);
        }
        match (live.role(), self.ending) {
            (Role::Contributor(custodian), _) if live.is_satisfied() => {
                self.collected(&seat_name(ceremony, custodian), fields, out)
            }
            (Role::Contributor(_), Some(Ending::CustodianLost)) => {
                let why = self.hung_up.join(", ");
                Ok(out.fail(&messages::custodian_lost(&why, live.cleared()), fields))
            }
            (_, Some(Ending::Hopeless)) => {
                let why = [self.bad, self.hung_up].concat();
                let lacking = live.lacking();
                let locks = live.cleared().lock.is_some();
                if !lacking.is_empty() && (locks || live.counted() >= ceremony.t()) {
                    let names = seat_names(ceremony, &lacking);
                    let error = messages::required_answers(&names, &why, locks);
                    return Ok(out.fail(&error, fields));
                }
                let error = messages::never_enough(live.counted(), ceremony.t(), &why);
                Ok(out.fail(&error, fields))
            }
            _ => self.stopped(&waiting, fields, out),
        }
    }

    /// The result is here.
    fn written(
        &self,
        made: Made,
        waiting: &[Named],
        fields: Value,
        out: &Output,
    ) -> Result<Exit, CliError> {
        let Made { file, product, signers, unwritten } = made;
        if let Some(error) = unwritten {
            return Ok(out.fail(&messages::unwritten(error), fields));
        }
        if !waiting.is_empty() {
            let waiting = listed(waiting);
            talk(&match self.live.role() {
                Role::Everybody => format!(
                    "These operators have not confirmed that they have enough answers: {waiting}. \
                     If one of them needs yours, run the same command again with a different \
                     output file."
                ),
                _ => format!(
                    "These operators may not know that you have enough answers: {waiting}. They \
                     can stop waiting."
                ),
            });
        }
        let own = json!({
            "file": file.display().to_string(), "signed_by": signers,
            "missing": left_json(&product.missing),
        });
        let fields = joined(joined(fields, product.fields), own);
        let exit = match missing(&product.missing) {
            None => Exit::Done,
            Some(missing) => {
                talk(&missing);
                Exit::Waiting
            }
        };
        out.finish(exit, fields, &advice(self.live.cleared(), self.live.parent(), &file, &signers))
    }

    /// The custodian says that it has enough.
    fn collected(&self, custodian: &Named, fields: Value, out: &Output) -> Result<Exit, CliError> {
        let sent = match (self.live.has_left(), self.live.is_received()) {
            (true, _) => "This operator's answer was sent to it",
            (false, true) => {
                "This operator's answer was not sent now: an earlier run may have sent it"
            }
            (false, false) => "It did not ask for this operator's answer, which was not sent",
        };
        let text = format!(
            "{custodian} says that it has enough answers, and it alone has the result. {sent}."
        );
        out.finish(Exit::Done, joined(fields, json!({ "custodian": custodian })), &text)
    }

    /// The time was over, or the person had had enough.
    fn stopped(&self, waiting: &[Named], fields: Value, out: &Output) -> Result<Exit, CliError> {
        let live = &self.live;
        let (counted, locks) = (live.counted(), live.cleared().lock.is_some());
        let needed = needed(live);
        let (far, more) = match live.role() {
            Role::Contributor(_) if live.is_received() => {
                (format!("{}, but not that it has enough.", received(live)), json!({}))
            }
            Role::Contributor(custodian) => {
                let custodian = seat_name(live.parent().ceremony(), custodian);
                (format!("{custodian} has not said that it has enough answers."), json!({}))
            }
            Role::Everybody | Role::Custodian => (
                match live.lacking() {
                    lacking if lacking.is_empty() || !locks && counted < needed => {
                        format!("{counted} answers, but {needed} are required.")
                    }
                    lacking => format!(
                        "The answer of {} is required: nobody else can {}.",
                        listed(&seat_names(live.parent().ceremony(), &lacking)),
                        messages::only_they_can(locks)
                    ),
                },
                json!({ "counted": counted, "needed": needed }),
            ),
        };
        let left = match live.has_left() {
            true => {
                " This operator's answer has been sent and cannot be taken back: the others may \
                 complete without it."
            }
            false => "",
        };
        let text = format!(
            "{far} It was waiting for {}. No result is written here.{left} The answer is \
             remembered: run the same command again, together with them.",
            listed(waiting)
        );
        out.finish(Exit::Waiting, joined(fields, more), &text)
    }
}

/// Two objects as one.
fn joined(mut fields: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}
