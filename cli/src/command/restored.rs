//! `quorate restored`: what an operator that came out of a backup asks the others, what each of
//! them answers, and what follows: whether its shares are the newest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::signing::id;
use crate::args::{RestoredAnswer, RestoredArgs, RestoredAsk, RestoredTake};
use crate::meeting::Meeting;
use crate::messages::{NewestSubject, shown};
use crate::progress::{listed, seat_name, seat_names};
use crate::report::{CliError, Exit, Output, talk};
use crate::restored::told_by;
use crate::{input, messages, parent, prompt};
use quorate::audit::facts::Audited;
use quorate::identity::Operator;
use quorate::primitives::hash::Digest;
use quorate::signing::newest::{ASK_BYTES, Answer, Ask, Known, LONGEST_ANSWER, Standing, needed};
use quorate::spec::{Ceremony, Index};
use quorate_operator::carrier::board::{BoardError, Verdict};
use quorate_operator::requests::{answers, find_ask, put_answer, put_ask};
use quorate_operator::store::{Asked, CeremonyView, StateDir};
use quorate_operator::{Superseding, newer, random};

/// Runs `quorate restored`.
pub(crate) fn run(args: &RestoredArgs, out: &Output) -> Result<Exit, CliError> {
    match args {
        RestoredArgs::Ask(args) => ask(args, out),
        RestoredArgs::Answer(args) => answer(args, out),
        RestoredArgs::Take(args) => take(args, out),
    }
}

/// Shares that are here: of which ceremony they are, by an audit of its transcript. What is here of
/// them may be a repair's: then they are its parent's.
struct Shares {
    /// The ceremony that is kept here, under whose name notes are.
    here: Digest,
    name: String,
    /// That of the shares.
    audited: Audited,
}

impl Shares {
    fn of(ceremony: Ceremony, state: &StateDir) -> Result<Self, CliError> {
        let (here, name) = (ceremony.digest(), ceremony.name().to_owned());
        let view = state.find(&here).map_err(messages::store)?;
        let view = view.filter(|view| view.is_written().unwrap_or(true));
        let nothing = || messages::nothing_here(&name, state.path());
        let view = view.ok_or_else(nothing)?;
        let audited = match ceremony.is_repair() {
            true => parent::attach(ceremony, &[], Some(&view))?.parent.ok_or_else(nothing)?,
            false => finished(&view)?,
        };
        Ok(Self { here, name, audited })
    }

    fn ceremony(&self) -> &Ceremony {
        self.audited.ceremony()
    }

    fn subject(&self) -> NewestSubject<'_> {
        NewestSubject { ceremony: self.ceremony(), needed: needed(self.ceremony()) }
    }

    /// The names of the holders but for this one.
    fn others(&self, me: Index) -> Vec<Index> {
        let holders = self.ceremony().receivers().map(|(index, _)| index);
        holders.filter(|index| *index != me).collect()
    }
}

/// The finished ceremony of a folder.
fn finished(view: &CeremonyView) -> Result<Audited, CliError> {
    parent::audited(&[view.out().join("public/transcript.quorate")])
}

fn ask(args: &RestoredAsk, out: &Output) -> Result<Exit, CliError> {
    input::must_be_free(&args.output)?;
    let (_, ceremony) = input::any_ceremony(&args.ceremony)?;
    let board = Meeting::of(&args.meeting)?;
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let lock = state.lock().map_err(messages::store)?;
    let shares = Shares::of(ceremony, &state)?;
    if state.unsure(&shares.here).map_err(messages::store)?.is_none() {
        return Err(messages::nothing_to_ask(&shares.name));
    }
    let (operator, _) = prompt::open_identity(&state, out)?;
    let mark = operator.mark().ok_or_else(|| messages::internal("a directory without a mark"))?;
    let about = (shares.ceremony().digest(), shares.audited.certificate());
    let ask = Ask::sign(operator.key(), mark, about, random::public());
    let me = ask
        .asker(shares.ceremony(), about.1)
        .map_err(|error| messages::question(&args.ceremony, &error))?;
    // What was named before stays known until its operator says something else.
    let before = state.asked(&shares.here).map_err(messages::store)?;
    let mut answers = before.map(|before| before.answers).unwrap_or_default();
    let mut named = BTreeSet::new();
    answers.retain(|bytes| {
        let names = |one: Answer| !one.known.is_empty() && named.insert(one.operator);
        Answer::decode(bytes).is_ok_and(names)
    });
    let asked = Asked { ask: ask.encode(), answers };
    lock.note_asked(&shares.here, &asked).map_err(messages::store)?;
    input::write_new(&args.output, &asked.ask)?;
    if let Some(board) = &board {
        put_ask(board, &ask).map_err(messages::board)?;
    }
    let others = listed(&seat_names(shares.ceremony(), &shares.others(me)));
    let by_board = board.as_ref().map_or(String::new(), |_| {
        format!("\nor, by the board: quorate restored answer {} {}", ask.id(), args.meeting.typed())
    });
    let text = format!(
        "Wrote {}. Send it to {others}. {} of them have to answer:\n  quorate restored answer \
         {}{by_board}\nThen: quorate restored take {} ANSWERS",
        shown(&args.output),
        needed(shares.ceremony()),
        messages::quoted(&args.output),
        messages::quoted(&args.ceremony),
    );
    let fields = json!({
        "ask": ask.id().to_string(),
        "file": args.output.display().to_string(),
        "ceremony": about.0.to_string(),
        "certificate": about.1.to_string(),
        "needed": needed(shares.ceremony()),
        "board": board.as_ref().map(|board| board.path().display().to_string()),
    });
    out.finish(Exit::Done, fields, &text)
}

fn answer(args: &RestoredAnswer, out: &Output) -> Result<Exit, CliError> {
    args.output.as_deref().map_or(Ok(()), input::must_be_free)?;
    let board = Meeting::of(&args.meeting)?;
    let path = &args.ask;
    let ask = match board.as_ref().and_then(|board| Some((board, id(path)?))) {
        Some((board, id)) => find_ask(board, id)
            .map_err(messages::board)?
            .ok_or_else(|| messages::no_request_there(board.path(), path))?,
        None => {
            let bytes = input::read(path, ASK_BYTES)?;
            Ask::decode(&bytes).map_err(|error| messages::question(path, &error))?
        }
    };
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let no_part = || messages::not_shared(path, &ask.ceremony.to_string(), state.path());
    let view = state.find(&ask.ceremony).map_err(messages::store)?;
    let view = view.filter(|view| view.is_written().unwrap_or(true)).ok_or_else(no_part)?;
    if state.unsure(&ask.ceremony).map_err(messages::store)?.is_some() {
        return Err(messages::unsure_itself(path));
    }
    let audited = finished(&view)?;
    let ceremony = audited.ceremony();
    let refused = |error| messages::question(path, &error);
    let asker = ask.asker(ceremony, audited.certificate()).map_err(refused)?;
    let (operator, _) = prompt::open_identity(&state, out)?;
    let me = ceremony.roster().find(&operator.key().public());
    let me = me.filter(|me| *me != asker && ceremony.parts().receivers.contains(*me));
    let me = me.ok_or_else(|| messages::not_asked(path))?;
    let known = known(&state, &operator, &audited)?;
    let answer = Answer::sign(operator.key(), me, &ask, known);
    if let Some(output) = &args.output {
        input::write_new(output, &answer.encode())?;
    }
    if let Some(board) = &board {
        put_answer(board, answer.ask, me, &answer.encode()).map_err(messages::board)?;
    }
    let [who] = &seat_names(ceremony, &[asker])[..] else { return Err(no_part()) };
    let names: Vec<String> = answer.known.iter().map(messages::newer_named).collect();
    let said = match names.is_empty() {
        true => format!("{who} is told that this operator knows of nothing newer."),
        false => format!("{who} is told of {}.", names.join("; ")),
    };
    let wrote = args.output.as_ref().map(|file| format!("\nWrote {}", shown(file)));
    let fields = json!({
        "ask": answer.ask.to_string(),
        "asked_by": asker.get(),
        "operator": me.get(),
        "newer": answer.known.iter().map(described).collect::<Vec<_>>(),
        "file": args.output.as_ref().map(|file| file.display().to_string()),
        "board": board.as_ref().map(|board| board.path().display().to_string()),
    });
    let text = format!("Signed: {said}{}", wrote.unwrap_or_default());
    out.finish(Exit::Done, fields, &text)
}

/// What this operator has committed to, of the validators of a ceremony.
fn known(
    state: &StateDir,
    operator: &Operator,
    audited: &Audited,
) -> Result<BTreeSet<Known>, CliError> {
    let keys = audited.validators().iter().map(|made| made.public_key.to_compressed());
    let generation = (&**audited.ceremony(), &audited.certificate());
    let found = newer(state, operator, generation, &keys.collect::<Vec<_>>());
    let known = |by: Superseding| Known {
        ceremony: by.reshare,
        standing: match (by.is_complete, by.is_final) {
            (true, _) => Standing::Complete,
            (false, true) => Standing::Final,
            (false, false) => Standing::Committed,
        },
        name: by.name,
    };
    Ok(found.map_err(messages::machine)?.into_iter().map(known).collect())
}

fn described(known: &Known) -> Value {
    let standing = match known.standing {
        Standing::Committed => "committed",
        Standing::Final => "final",
        Standing::Complete => "complete",
    };
    json!({ "ceremony": known.ceremony.to_string(), "name": known.name, "standing": standing })
}

fn take(args: &RestoredTake, out: &Output) -> Result<Exit, CliError> {
    let (_, ceremony) = input::any_ceremony(&args.ceremony)?;
    let board = Meeting::of(&args.meeting)?;
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let lock = state.lock().map_err(messages::store)?;
    let shares = Shares::of(ceremony, &state)?;
    let note = state.unsure(&shares.here).map_err(messages::store)?;
    let note = note.ok_or_else(|| messages::nothing_to_ask(&shares.name))?;
    let asked = state.asked(&shares.here).map_err(messages::store)?;
    let asked = asked.ok_or_else(|| messages::nothing_asked(&args.ceremony))?;
    let ask = Ask::decode(&asked.ask).map_err(|_| messages::internal("a question of its own"))?;
    let of = shares.ceremony();
    let me = ask.asker(of, shares.audited.certificate());
    let me = me.map_err(|error| messages::question(&args.ceremony, &error))?;

    let mut kept = Kept::default();
    let before = asked.answers.iter().filter_map(|bytes| Answer::decode(bytes).ok());
    let (before, earlier): (Vec<Answer>, Vec<Answer>) =
        before.partition(|answer| answer.ask == ask.id());
    before.into_iter().for_each(|answer| kept.add(answer));
    let mut bad = Vec::new();
    for path in &args.answers {
        let bytes = input::read(path, LONGEST_ANSWER)?;
        let read = Answer::decode(&bytes).and_then(|one| one.check(&ask, of).map(|()| one));
        match read {
            Ok(answer) => kept.add(answer),
            Err(error) => bad.push(format!("{}: {error}", shown(path))),
        }
    }
    if let Some(board) = &board {
        let good = |who: Index, bytes: &[u8]| -> Result<Verdict, BoardError> {
            let read = Answer::decode(bytes).and_then(|one| one.check(&ask, of).map(|()| one));
            let why = match read {
                Ok(answer) if answer.operator == who => {
                    kept.add(answer);
                    return Ok(Verdict::Known);
                }
                Ok(_) => "an answer of another operator".to_owned(),
                Err(error) => error.to_string(),
            };
            bad.push(format!("{}: {}: {why}", shown(board.path()), seat_name(of, who)));
            Ok(Verdict::Junk)
        };
        answers(board, ask.id(), &shares.others(me), good).map_err(messages::board)?;
    }
    let enough = kept.silent.len() >= needed(of);
    let mut answers = kept.all();
    answers.extend(earlier.into_iter().filter(|one| !enough && !kept.has(one.operator)));
    let noted = Asked { answers: answers.iter().map(Answer::encode).collect(), ..asked };
    lock.note_asked(&shares.here, &noted).map_err(messages::store)?;
    bad.iter().for_each(|line| talk(&format!("Not counted: {line}")));
    let newer = told_by(&answers);
    if !newer.is_empty() {
        return Err(messages::newer_told(&shares.subject(), &newer));
    }
    let who: Vec<Index> = kept.silent.keys().copied().collect();
    if !enough && who.is_empty() && !bad.is_empty() {
        return Err(messages::no_answer_counts(&bad));
    }
    if enough {
        lock.note_newest(&note).map_err(messages::store)?;
    }
    let missing: Vec<Index> =
        shares.others(me).into_iter().filter(|index| !who.contains(index)).collect();
    let (answered, missing) = (seat_names(of, &who), seat_names(of, &missing));
    let fields = json!({
        "ask": ask.id().to_string(),
        "answered": answered,
        "missing": missing,
        "needed": needed(of),
        "newest": enough,
        "not_counted": bad,
    });
    let said = format!("{} know of nothing newer than {:?}", listed(&answered), of.name());
    match enough {
        true => {
            let text = format!("{said}: this directory uses these shares again.");
            out.finish(Exit::Done, fields, &text)
        }
        false => {
            let said = if answered.is_empty() { String::new() } else { format!("{said}. ") };
            let text = format!(
                "{said}{} of {} needed answers are here. Ask: {}",
                who.len(),
                needed(of),
                listed(&missing)
            );
            out.finish(Exit::Waiting, fields, &text)
        }
    }
}

/// Answers that count, two of each operator at most: one that names nothing, and one that does.
#[derive(Default)]
struct Kept {
    silent: BTreeMap<Index, Answer>,
    naming: BTreeMap<Index, Answer>,
}

impl Kept {
    fn add(&mut self, answer: Answer) {
        let all = if answer.known.is_empty() { &mut self.silent } else { &mut self.naming };
        all.entry(answer.operator).or_insert(answer);
    }

    fn has(&self, operator: Index) -> bool {
        self.silent.contains_key(&operator) || self.naming.contains_key(&operator)
    }

    fn all(&self) -> Vec<Answer> {
        self.silent.values().chain(self.naming.values()).cloned().collect()
    }
}
