//! Combines the answers to a request.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;

use super::describe::left_json;
use super::result::{advice, blamed, can_be_written, missing, name, product};
use super::{audited, read_request};
use crate::args::Combine;
use crate::meeting::Meeting;
use crate::messages::shown;
use crate::progress::seat_names;
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages, prompt};
use quorate::identity::Operator;
use quorate::signing::combine::{CombineError, combine, counts};
use quorate::signing::partial::{LARGEST, Partial, PartialFile};
use quorate::signing::{Cleared, Delivery, Parent, Request};
use quorate::spec::Index;
use quorate_operator::carrier::board::{BoardError, Verdict};
use quorate_operator::requests::answers;
use quorate_operator::store::StateDir;

/// `quorate exit combine`, and that of the other kinds.
pub(super) fn run(args: &Combine, kind: &'static str, out: &Output) -> Result<Exit, CliError> {
    let board = Meeting::of(&args.meeting)?;
    let request = read_request(&args.request, board.as_ref(), kind)?;
    if let Some(output) = args.output.as_ref().filter(|output| !input::is_stdout(output)) {
        input::must_be_free(output)?;
    }
    let parent = audited(&args.transcript)?;
    let cleared =
        parent.clear(request).map_err(|error| messages::request(&args.request, &error))?;
    if let Some(output) = &args.output {
        can_be_written(output, &cleared, &parent)?;
    }
    let (partials, bad) = open_all(args, board.as_ref(), &cleared, &parent, out)?;
    let made = combine(&cleared, &parent, &partials).map_err(|error| match error {
        CombineError::TooFew { found, needed } => {
            let has = |index: &Index| partials.iter().any(|partial| partial.operator == *index);
            let (have, lack): (Vec<Index>, Vec<Index>) =
                parent.ceremony().receivers().map(|(index, _)| index).partition(has);
            let names = |indices: &[Index]| seat_names(parent.ceremony(), indices);
            messages::too_few((found, needed), (&names(&have), &names(&lack)), &bad)
        }
        CombineError::Required(lacking) => {
            let names = seat_names(parent.ceremony(), &lacking);
            messages::required_answers(&names, &bad, cleared.lock.is_some())
        }
        CombineError::DoesNotVerify => messages::internal(&error.to_string()),
    })?;
    bad.iter().for_each(|line| talk(&format!("Not counted: {line}")));
    let counts = counts(&cleared, partials.iter());
    let product = product(&cleared, &parent, &made, &counts)?;
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(&product.name));
    product.write(&output)?;

    let names = seat_names(parent.ceremony(), &made.signers);
    let mut fields = product.fields;
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("file".to_owned(), json!(output.display().to_string()));
        fields.insert("signed_by".to_owned(), json!(names));
        fields.insert("not_counted".to_owned(), json!(bad));
        fields.insert("missing".to_owned(), json!(left_json(&product.missing)));
    }
    let exit = match missing(&product.missing) {
        None => Exit::Done,
        Some(missing) => {
            talk(&missing);
            Exit::Waiting
        }
    };
    out.finish(exit, fields, &advice(&cleared, &parent, &output, &names))
}

/// The answers that count, and what is wrong with the others. The custodian's keys are opened only
/// if something is sealed.
fn open_all(
    args: &Combine,
    board: Option<&Meeting>,
    cleared: &Cleared,
    parent: &Parent,
    out: &Output,
) -> Result<(Vec<Partial>, Vec<String>), CliError> {
    let paths = args.partials.iter();
    let files = paths.map(|path| {
        let bytes = input::read(path, LARGEST)?;
        Ok((path, PartialFile::from_json(&bytes), bytes))
    });
    let files = files.collect::<Result<Vec<_>, CliError>>()?;
    let sealed = files.iter().any(|(_, file, _)| file.as_ref().is_ok_and(PartialFile::is_sealed));
    let to_open = board.is_some() && matches!(cleared.request.delivery, Delivery::Custodian(_));
    let custodian = if sealed || to_open { Some(custodian(out)?) } else { None };
    let secret = custodian.as_ref().map(Operator::noise);
    let (mut good, mut bad): (Vec<Partial>, Vec<String>) = (Vec::new(), Vec::new());
    for (path, file, bytes) in files {
        match file.and_then(|file| file.open(cleared, parent, secret)) {
            Ok(partial) if good.iter().any(|other| other.operator == partial.operator) => {
                bad.push(format!(
                    "{}: a second answer from {}",
                    shown(path),
                    name(parent, partial.operator.get())
                ));
            }
            Ok(partial) => good.push(partial),
            Err(_) if Request::from_json(&bytes).is_ok() => {
                bad.push(format!("{}: this is a request, and no answer to one", shown(path)));
            }
            Err(error) => bad.push(format!("{}: {}", shown(path), blamed(parent, &error))),
        }
    }
    if let Some(board) = board {
        let receivers: Vec<Index> = parent.ceremony().receivers().map(|(index, _)| index).collect();
        let mut accused = BTreeSet::new();
        let take = |who: Index, bytes: &[u8]| -> Result<Verdict, BoardError> {
            if good.iter().any(|other| other.operator == who) {
                return Ok(Verdict::Known);
            }
            let read = PartialFile::from_json(bytes);
            Ok(match read.and_then(|file| file.open(cleared, parent, secret)) {
                Ok(partial) if partial.operator == who => {
                    good.push(partial);
                    Verdict::Known
                }
                // Signed by an operator, and wrong; anything else may be anybody's.
                Err(error) if error.culprit().is_some() && accused.insert(who) => {
                    let place = format!("{}, answer-{who}", shown(board.path()));
                    bad.push(format!("{place}: {}", blamed(parent, &error)));
                    Verdict::Junk
                }
                _ => Verdict::Junk,
            })
        };
        let id = cleared.request.id();
        answers(board, id, &receivers, take).map_err(messages::board)?;
    }
    Ok((good, bad))
}

fn custodian(out: &Output) -> Result<Operator, CliError> {
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    Ok(prompt::open_identity(&state, out)?.0)
}
