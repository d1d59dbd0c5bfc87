//! A participant with its log and its outputs: the part of the driver that works with files.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroize as _;

use crate::keystore_key::{KeystorePlan, NODE_FOLDER};
use crate::report::CliError;
use crate::{messages, random};
use quorate::audit::{own, render};
use quorate::export::keystores::{Holder, keystore_files_as};
use quorate::export::{Artifact, Audience, launchpad, obol, ssv};
use quorate::message::envelope::Statement;
use quorate::protocol::evidence::Fault;
use quorate::protocol::participant::{Ask, Input, OwnSeat, Participant, Refused, Step};
use quorate::protocol::record::{self, RecordKind, ReplayError};
use quorate::transcript::{container, stopped};
use quorate_operator::store::{CeremonyDir, Log, Published, Record, Staging};

/// Names of evidence: the proof of a fault; everything that was held when a fault ended the run;
/// and when the operator gave up.
pub(crate) const FAULT: &str = "fault";
pub(crate) const STOPPED: &str = "stopped";
pub(crate) const GIVEN_UP: &str = "stopped-given-up";

/// The participant that a log's records tell of, or a new one if they hold nothing that was said.
/// `log` is for messages.
pub(crate) fn replay(
    seat: &OwnSeat,
    records: Vec<Record>,
    log: &Path,
) -> Result<(Participant, Step), CliError> {
    replay_or(seat, records, log)?.map_err(|error| messages::replay(&error, log))
}

/// As [`replay`], for whoever does something else with a log that does not replay.
pub(crate) fn replay_or(
    seat: &OwnSeat,
    records: Vec<Record>,
    log: &Path,
) -> Result<Result<(Participant, Step), ReplayError>, CliError> {
    let record = |record: Record| {
        let kind = RecordKind::from_number(record.kind).ok_or_else(|| messages::newer_log(log))?;
        Ok(record::Record { kind, body: record.body })
    };
    let records = records.into_iter().map(record).collect::<Result<Vec<_>, CliError>>()?;
    Ok(Participant::start(seat.clone(), records, random::entropy))
}

/// A participant whose outputs are published, brought to its end by what its log holds, and with
/// nothing written. `None` if something would have to be: then it is not finished.
pub(crate) fn finished(
    mut participant: Participant,
    step: Step,
    log: &Log,
    folder: &Path,
) -> Result<Option<Participant>, CliError> {
    let mut steps = VecDeque::from([step]);
    while let Some(step) = steps.pop_front() {
        if !step.persist.is_empty() {
            return Ok(None);
        }
        for ask in step.asks {
            let input = match ask {
                Ask::Reread(kind) => {
                    Input::Reread(log.reread(kind as u8).map_err(messages::store)?)
                }
                // Its final is in the log, or one would have to be written.
                Ask::Stage => Input::Staged { keystores: false },
                Ask::Publish => continue,
            };
            steps.push_back(participant.handle(input).map_err(|refused| match refused {
                Refused::Storage(error) => messages::replay(&error, folder),
                other => messages::internal(&other.to_string()),
            })?);
        }
    }
    Ok(Some(participant).filter(Participant::is_finished))
}

/// A participant that lives on a disk.
pub(crate) struct Machine {
    pub(crate) participant: Participant,
    log: Log,
    dir: CeremonyDir,
    /// What keystores will be sealed with; `None` for a run without, and once they are staged.
    keystores: Vec<KeystorePlan>,
    staging: Option<Staging>,
    /// The folder of a node in an Obol cluster is among the outputs.
    with_node_folder: bool,
    /// Outputs of an earlier run are there.
    published: bool,
    /// The first fault that was proven; its evidence is written.
    proven: Option<Box<Fault>>,
}

/// What came of an input.
pub(crate) struct Handled {
    /// Statements to send to everybody.
    pub(crate) said: Vec<Statement>,
    /// Why the input was not taken.
    pub(crate) refused: Option<Refused>,
}

impl Machine {
    /// A participant that has just started: carries out what starting asked for. What it has to
    /// say, its peers will ask for.
    pub(crate) fn open(
        participant: Participant,
        step: Step,
        log: Log,
        dir: CeremonyDir,
        keystores: Vec<KeystorePlan>,
    ) -> Result<Self, CliError> {
        let mut machine = Self {
            participant,
            log,
            dir,
            keystores,
            staging: None,
            with_node_folder: false,
            published: false,
            proven: None,
        };
        machine.follow(step)?;
        Ok(machine)
    }

    /// Gives the participant an input and carries out what follows.
    pub(crate) fn handle(&mut self, input: Input) -> Result<Handled, CliError> {
        match self.participant.handle(input) {
            Ok(step) => self.follow(step),
            Err(Refused::Storage(error)) => Err(messages::replay(&error, self.dir.view().path())),
            Err(refused) => Ok(Handled { said: Vec::new(), refused: Some(refused) }),
        }
    }

    fn follow(&mut self, step: Step) -> Result<Handled, CliError> {
        let said = self.carry_out(step)?;
        self.keep_evidence()?;
        Ok(Handled { said, refused: None })
    }

    /// Keeps the proof of a fault as soon as there is one, whether or not the ceremony goes on.
    fn keep_evidence(&mut self) -> Result<(), CliError> {
        if self.proven.is_none()
            && let Some(fault) = self.participant.proven_fault()
        {
            let evidence = stopped::encode(&self.participant.seat().ceremony, &fault.evidence);
            self.dir.write_evidence(FAULT, &evidence).map_err(messages::store)?;
            self.proven = Some(fault);
        }
        Ok(())
    }

    /// Keeps every statement that this operator holds, for an auditor of a ceremony that does not
    /// go on.
    pub(crate) fn keep_everything(&self) -> Result<(), CliError> {
        let everything = stopped::encode(
            &self.participant.seat().ceremony,
            self.participant.inbox().everything(),
        );
        self.dir.write_evidence(STOPPED, &everything).map(drop).map_err(messages::store)
    }

    /// Write and sync, erase, then act: in this order, whatever happens.
    fn carry_out(&mut self, step: Step) -> Result<Vec<Statement>, CliError> {
        let mut said = Vec::new();
        let mut steps = VecDeque::from([step]);
        while let Some(step) = steps.pop_front() {
            self.persist(step.persist)?;
            self.erase(&step.erase)?;
            said.extend(step.send);
            for ask in step.asks {
                let input = match ask {
                    Ask::Reread(kind) => {
                        Input::Reread(self.log.reread(kind as u8).map_err(messages::store)?)
                    }
                    Ask::Stage => self.stage()?,
                    Ask::Publish => {
                        self.publish()?;
                        continue;
                    }
                };
                let next = self.participant.handle(input).map_err(|refused| match refused {
                    Refused::Storage(error) => messages::replay(&error, self.dir.view().path()),
                    other => messages::internal(&other.to_string()),
                })?;
                steps.push_back(next);
            }
        }
        Ok(said)
    }

    fn persist(&mut self, records: Vec<record::Record>) -> Result<(), CliError> {
        if records.is_empty() {
            return Ok(());
        }
        let records: Vec<Record> = records
            .into_iter()
            .map(|record| Record { kind: record.kind as u8, body: record.body })
            .collect();
        self.log.append(&records).map_err(messages::store)
    }

    fn erase(&mut self, kinds: &[RecordKind]) -> Result<(), CliError> {
        let gone: Vec<u8> = kinds.iter().map(|kind| *kind as u8).collect();
        if gone.iter().any(|kind| self.log.holds(*kind)) {
            self.log.compact(|kind| !gone.contains(&kind)).map_err(messages::store)?;
        }
        Ok(())
    }

    /// Writes everything but the transcript, which needs everybody's signature on these outputs.
    /// Where outputs are published, only what they are compared with.
    fn stage(&mut self) -> Result<Input, CliError> {
        self.published = self.dir.view().is_published().map_err(messages::store)?;
        let seat = self.participant.seat();
        let ceremony = &seat.ceremony;
        let validators = &self
            .participant
            .outcome()
            .expect("staging is asked when there is an outcome")
            .validators;
        let internal = |error: &dyn core::fmt::Display| messages::internal(&error.to_string());
        let mut artifacts =
            launchpad::deposit_files(ceremony, validators).map_err(|error| internal(&error))?;
        artifacts.extend(
            launchpad::registrations_file(ceremony, validators)
                .map_err(|error| internal(&error))?,
        );
        artifacts.extend(ssv::ssv_files(ceremony, validators).map_err(|error| internal(&error))?);
        let mut plans = core::mem::take(&mut self.keystores);
        if self.published {
            plans.clear();
        }
        // What an earlier run has published counts: the final says the same again.
        let kept = self.published && self.dir.view().out().join("secret").is_dir();
        let keystores = !plans.is_empty() || kept;
        for KeystorePlan { key, layout, folder } in plans {
            let key = &key.finish();
            let shares =
                self.participant.shares().expect("an outcome comes after the shares are stored");
            let public_shares: Vec<_> =
                validators.iter().map(|v| v.public_shares[seat.me.position()]).collect();
            // Seconds since 1970; a clock before that gives files the stamp 0.
            let stamp =
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let holder = Holder::new(ceremony, seat.me);
            let files = keystore_files_as(
                layout.profile,
                holder,
                shares,
                &public_shares,
                key,
                stamp,
                random::os(),
            );
            let files = files
                .map_err(|error| internal(&error))?
                .into_iter()
                .chain(layout.password_files(shares.len(), stamp));
            artifacts.extend(
                files.map(|file| Artifact { name: format!("{folder}{}", file.name), ..file }),
            );
            self.with_node_folder |= folder == NODE_FOLDER;
        }
        self.staging = Some(self.dir.stage(&artifacts).map_err(messages::store)?);
        // Passwords may be among them.
        artifacts
            .iter_mut()
            .filter(|artifact| artifact.audience == Audience::Secret)
            .for_each(|artifact| artifact.bytes.zeroize());
        Ok(Input::Staged { keystores })
    }

    /// Adds the transcript, compared with what this operator has checked, and makes everything
    /// appear at once.
    fn publish(&mut self) -> Result<(), CliError> {
        let Some(mut staging) = self.staging.take() else { return Ok(()) };
        let transcript = container::encode(
            &self.participant.seat().ceremony,
            self.participant.inbox().statements(),
        )
        .map_err(|_| messages::internal("a finished ceremony lacks a statement"))?;
        let report = own(&self.participant, &transcript).map_err(|error| {
            messages::internal(&format!("our own transcript is not what was checked: {error}"))
        })?;
        let audited = report.audited().expect("every check of a finished ceremony holds");
        let public = |name: &str, bytes: Vec<u8>| Artifact {
            name: name.to_owned(),
            audience: Audience::Public,
            bytes,
        };
        let mut artifacts = Vec::new();
        if !self.published {
            // Renderings, which another version of this program may make otherwise: they are not
            // compared.
            artifacts.push(public("transcript.json", render::transcript_json(audited)));
            artifacts.push(public("report.html", render::to_html(&report).into_bytes()));
        }
        artifacts.push(public("transcript.quorate", transcript));
        if let Some(lock) = audited.lock() {
            artifacts.push(obol::lock_file(lock));
            if let Some(key) = self.participant.seat().node_key().filter(|_| self.with_node_folder)
            {
                let files =
                    obol::node_folder(lock, audited.ceremony().network(), &audited.deposits(), key);
                artifacts.extend(
                    files.into_iter().map(|file| Artifact {
                        name: format!("{NODE_FOLDER}{}", file.name),
                        ..file
                    }),
                );
            }
        }
        staging.add(&artifacts).map_err(messages::store)?;
        artifacts
            .iter_mut()
            .filter(|artifact| artifact.audience == Audience::Secret)
            .for_each(|artifact| artifact.bytes.zeroize());
        match staging.publish().map_err(messages::store)? {
            Published::Earlier { different } if !different.is_empty() => {
                Err(messages::outputs_differ(&self.dir.view().out(), &different))
            }
            Published::Earlier { .. } | Published::Now => Ok(()),
        }
    }
}
