//! `exit sign` and its like: write the answer to a file.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::answer::{Answered, answer};
use super::describe::left_json;
use super::{More, read_request};
use crate::args::SignArgs;
use crate::meeting::Meeting;
use crate::messages::shown;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::audit::describe::in_quotes;
use quorate::signing::{Cleared, Delivery};
use quorate_operator::random;
use quorate_operator::requests::put_answer;

/// `quorate exit sign`, and that of the other kinds; with what the kind needs besides.
pub(super) fn run(
    args: &SignArgs,
    more: More<'_>,
    kind: &'static str,
    out: &Output,
) -> Result<Exit, CliError> {
    if let Some(output) = &args.output {
        input::can_be_written(output)?;
    }
    let board = Meeting::of(&args.meeting)?;
    let request = read_request(&args.asked.request, board.as_ref(), kind)?;
    let (answered, output) = answer((&args.asked, more), request, out, |cleared, _, me| {
        let output = match (&args.output, &board) {
            (Some(output), _) => output.clone(),
            (None, Some(_)) => return Ok(None),
            (None, None) => default_output(cleared, me.get()),
        };
        if args.output.is_none() && output.exists() {
            return Err(messages::answered_already(&output));
        }
        input::can_be_written(&output).map(|()| Some(output))
    })?;
    let Answered { cleared, operator, partial, .. } = &answered;
    let answer = partial.to_json(cleared, operator, random::secret());
    if let Some(output) = &output {
        input::write_private(output, &answer)?;
    }
    if let Some(board) = &board {
        put_answer(board, cleared.request.id(), partial.operator, &answer)
            .map_err(messages::board)?;
    }
    finish(&answered, output.as_deref(), board.as_ref(), out)
}

fn finish(
    answered: &Answered,
    output: Option<&Path>,
    board: Option<&Meeting>,
    out: &Output,
) -> Result<Exit, CliError> {
    let request = &answered.cleared.request;
    let next = match &request.delivery {
        _ if board.is_some() => format!(
            "Whoever combines the answers takes it from there: quorate {} combine {} --board or \
             --via ...",
            request.items.kind().name(),
            request.id()
        ),
        Delivery::Public => "Send it to the person who combines the answers.".to_owned(),
        Delivery::Custodian(card) if card.key == answered.operator.key().public() => format!(
            "Keep it: the answers are for you. With those of the others: quorate {} combine",
            request.items.kind().name()
        ),
        Delivery::Custodian(card) => {
            format!("Send it to {}; nobody else can open it.", in_quotes(card.name.as_str()))
        }
    };
    let signed = answered.partial.partials.iter().filter(|partial| partial.is_some()).count();
    let wrote = output.map(|file| format!("Wrote {}", shown(file)));
    let put = board.map(|board| format!("It is on the board {}", shown(board.path())));
    let left: Vec<String> = wrote.into_iter().chain(put).collect();
    out.finish(
        Exit::Done,
        json!({
            "request": request.id().to_string(),
            "operator": answered.partial.operator.get(),
            "file": output.map(|file| file.display().to_string()),
            "board": board.map(|board| board.path().display().to_string()),
            "signed": signed,
            "left_out": left_json(&answered.left),
            "keystores_alone": answered.memory.is_some() && !answered.by_web3signer,
            "web3signer": answered.by_web3signer,
        }),
        &format!("Signed and logged. {}\n{next}", left.join(" ")),
    )
}

fn default_output(cleared: &Cleared, index: u16) -> PathBuf {
    PathBuf::from(format!("partial-{index}-{}.json", &cleared.request.id().to_string()[..8]))
}
