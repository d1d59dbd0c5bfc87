//! `exit sign` and its like: write the answer to a file.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::answer::{Answered, answer};
use super::describe::left_json;
use crate::args::{KeySharesAsked, SignArgs};
use crate::messages::shown;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::audit::describe::in_quotes;
use quorate::signing::{Cleared, Delivery};
use quorate_operator::random;

/// `quorate exit sign`, and that of the other kinds; `ssv` for key shares.
pub(super) fn run(
    args: &SignArgs,
    ssv: Option<&KeySharesAsked>,
    kind: &'static str,
    out: &Output,
) -> Result<Exit, CliError> {
    if let Some(output) = &args.output {
        input::can_be_written(output)?;
    }
    let (answered, output) = answer((&args.asked, ssv), kind, out, |cleared, _, me| {
        let output = args.output.clone().unwrap_or_else(|| default_output(cleared, me.get()));
        if args.output.is_none() && output.exists() {
            return Err(messages::answered_already(&output));
        }
        input::can_be_written(&output).map(|()| output)
    })?;
    let Answered { cleared, operator, partial, .. } = &answered;
    input::write_private(&output, &partial.to_json(cleared, operator, random::secret()))?;
    finish(&answered, &output, out)
}

fn finish(answered: &Answered, output: &Path, out: &Output) -> Result<Exit, CliError> {
    let request = &answered.cleared.request;
    let next = match &request.delivery {
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
    out.finish(
        Exit::Done,
        json!({
            "request": request.id().to_string(),
            "operator": answered.partial.operator.get(),
            "file": output.display().to_string(),
            "signed": signed,
            "left_out": left_json(&answered.left),
            "keystores_alone": answered.memory.is_some(),
        }),
        &format!("Signed and logged. Wrote {}\n{next}", shown(output)),
    )
}

fn default_output(cleared: &Cleared, index: u16) -> PathBuf {
    PathBuf::from(format!("partial-{index}-{}.json", &cleared.request.id().to_string()[..8]))
}
