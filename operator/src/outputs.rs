//! The outputs of a ceremony: staged before the last round, written when certificate 2 is complete.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroize as _;

use quorate::audit::facts::Audited;
use quorate::audit::family::Family;
use quorate::audit::render::Author;
use quorate::audit::{own_among, render};
use quorate::export::keystores::{Holder, keystore_files_as};
use quorate::export::{Artifact, Audience, cut_over, launchpad, obol, ssv};
use quorate::message::shape::Shape;
use quorate::protocol::outcome::ValidatorOutcome;
use quorate::protocol::participant::Participant;
use quorate::transcript::container::{self, Container};

use crate::keystores::{KeystorePlan, NODE_FOLDER};
use crate::store::{CeremonyDir, Staging, Written};
use crate::{MachineError, random};

/// What of the outputs is to be written, and how far that is.
pub(crate) struct Outputs {
    /// What keystores will be encrypted under; empty for a run without, and once they are staged.
    keystores: Vec<KeystorePlan>,
    staging: Option<Staging>,
    /// The folder of a node in an Obol cluster is among the outputs.
    with_node_folder: bool,
    /// Of a reshare: from when on the new shares run, by the clock when all commits were held.
    cut_over: Option<Artifact>,
    /// Outputs of an earlier run are there.
    written: bool,
}

impl Outputs {
    pub(crate) fn new(keystores: Vec<KeystorePlan>) -> Self {
        Self { keystores, staging: None, with_node_folder: false, cut_over: None, written: false }
    }

    /// Whether keystores are still to be written.
    pub(crate) fn writes_keystores(&self) -> bool {
        !self.keystores.is_empty()
    }

    /// Writes none, whatever was planned.
    pub(crate) fn without_keystores(&mut self) {
        self.keystores.clear();
    }

    /// Writes everything but what needs everybody's final: the transcript, the lock of an Obol
    /// cluster, the folder for SSV. Where outputs are written, only what they are compared with.
    pub(crate) fn stage(
        &mut self,
        dir: &CeremonyDir,
        participant: &Participant,
    ) -> Result<(), MachineError> {
        self.written = dir.view().is_written()?;
        let ceremony = &participant.seat().ceremony;
        let outcome = participant.outcome().expect("staging is asked when there is an outcome");
        let validators = &outcome.validators;
        let mut artifacts = Wiped::default();
        artifacts.0.extend(launchpad::deposit_files(ceremony, validators).map_err(internal)?);
        artifacts.0.extend(launchpad::registrations_file(ceremony, validators).map_err(internal)?);
        let preregistrations = launchpad::preregistrations_file(ceremony, validators);
        artifacts.0.extend(preregistrations.map_err(internal)?);
        let receives = ceremony.parts().receivers.contains(participant.seat().me);
        let mut plans = core::mem::take(&mut self.keystores);
        if self.written || !receives {
            plans.clear();
        }
        if !self.written && receives && ceremony.reshare().is_some() {
            // Who was left out shows at the end alone.
            let files = cut_over_files(participant, validators)?;
            let is_last = |file: &Artifact| file.name == cut_over::CUT_OVER_FILE;
            let (last, others): (Vec<_>, Vec<_>) = files.into_iter().partition(is_last);
            artifacts.0.extend(others);
            self.cut_over = last.into_iter().next();
        }
        for plan in plans {
            self.with_node_folder |= plan.folder == NODE_FOLDER;
            artifacts.0.extend(keystore_files(plan, participant, validators)?);
        }
        self.staging = Some(dir.stage(&artifacts.0)?);
        Ok(())
    }

    /// Adds the rest, with the transcript, compared with what this operator has checked, and makes
    /// everything appear at once.
    pub(crate) fn write(
        &mut self,
        dir: &CeremonyDir,
        participant: &Participant,
    ) -> Result<(), MachineError> {
        let Some(mut staging) = self.staging.take() else { return Ok(()) };
        let seat = participant.seat();
        let inbox = participant.inbox();
        let beside = inbox.minima().chain(inbox.withouts());
        let transcript = container::encode(&seat.ceremony, inbox.statements().chain(beside))
            .map_err(|_| MachineError::Internal("a finished ceremony lacks a statement".into()))?;
        let history = dir.view().history()?;
        let parents: Vec<&[u8]> = history.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let parents = Family::of(&parents);
        let parents = Some(&parents).filter(|parents| !parents.is_empty());
        let mut report = own_among(participant, &transcript, parents).map_err(|error| {
            let what = format!("our own transcript is not what was checked: {error}");
            MachineError::Internal(what)
        })?;
        let earlier = history.iter().map(|(_, bytes)| bytes.as_slice());
        if let Some(import) = container::import_among(earlier) {
            report.hang_on(Arc::new(import));
        }
        let audited = report.audited().expect("every check of a finished ceremony holds");
        let mut artifacts = Wiped::default();
        if !self.written {
            // Renderings, which another version of this program may make otherwise: they are not
            // compared.
            artifacts.0.push(public("transcript.json", render::transcript_json(audited)));
            let page = render::to_html(&report, Author::Operator(seat.me));
            artifacts.0.push(public("report.html", page.into_bytes()));
            artifacts.0.extend(self.cut_over.take().map(|file| named(file, audited)));
        }
        let transcript = match self.written {
            true => match dir.view().read_transcript() {
                Ok(earlier) => earlier_form(earlier, transcript),
                Err(_) => transcript,
            },
            false => transcript,
        };
        artifacts.0.push(public("transcript.quorate", transcript));
        for (name, earlier) in history {
            artifacts.0.push(public(&format!("history/{name}"), earlier));
        }
        let files = ssv::ssv_files(audited.ceremony(), audited.validators());
        artifacts.0.extend(files.map_err(internal)?);
        artifacts.0.extend(self.cluster_files(audited, participant));
        staging.add(&artifacts.0)?;
        match staging.write_out()? {
            Written::Earlier { different } if !different.is_empty() => {
                Err(MachineError::OutputsDiffer { folder: dir.view().out(), different })
            }
            Written::Earlier { .. } | Written::Now => Ok(()),
        }
    }

    /// The lock of an Obol cluster, and the folder of this operator's node.
    fn cluster_files(&self, audited: &Audited, participant: &Participant) -> Vec<Artifact> {
        let Some(lock) = audited.lock() else { return Vec::new() };
        let mut artifacts = vec![obol::lock_file(lock)];
        if let Some(key) = participant.seat().node_key().filter(|_| self.with_node_folder) {
            let network = audited.ceremony().network();
            let files = obol::node_folder(lock, network, &audited.deposits(), key);
            artifacts.extend(files.into_iter().map(|file| below(NODE_FOLDER, file)));
        }
        artifacts
    }
}

/// What says when the new shares run, with the names of those who were left out.
fn named(file: Artifact, audited: &Audited) -> Artifact {
    let roster = audited.ceremony().roster();
    let lost = audited.finished_without().into_iter().filter_map(|seat| roster.get(seat));
    let names: Vec<String> = lost.map(|seat| seat.card.name.to_string()).collect();
    match names.is_empty() {
        true => file,
        false => Artifact { bytes: cut_over::finished_without(&file.bytes, &names), ..file },
    }
}

/// The transcript of this ceremony as it was written `earlier`, if that differs from `now` only in
/// last statements and in words without others: it stays what it was when somebody comes back, or
/// names more seats later.
fn earlier_form(earlier: Vec<u8>, now: Vec<u8>) -> Vec<u8> {
    let same = match (Container::parse(&earlier), Container::parse(&now)) {
        (Ok(old), Ok(new)) => container::is_same_completion(&old, &new),
        _ => false,
    };
    if same { earlier } else { now }
}

/// Where this operator's new shares begin to sign, by its clock and by what the dealers state.
fn cut_over_files(
    participant: &Participant,
    validators: &[ValidatorOutcome],
) -> Result<Vec<Artifact>, MachineError> {
    let seat = participant.seat();
    let (ceremony, network) = (&seat.ceremony, seat.ceremony.network());
    let of = |dealer| Some((dealer, participant.signed_last(dealer)?));
    let stated: Vec<_> = Shape::of(ceremony).stops().iter().filter_map(of).collect();
    let shares = validators.iter().map(|v| v.public_share(ceremony, seat.me));
    let keys: Option<Vec<_>> = shares.map(|share| Some(share?.to_compressed())).collect();
    let keys = keys.expect("whoever holds shares receives them");
    let clock = cut_over::Clock::at(network, now())?;
    let floors = cut_over::floors(&stated, keys.len(), clock)?;
    Ok(cut_over::files(network, &keys, &floors, clock))
}

/// Seconds since 1970; 0 for a clock before that.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn keystore_files(
    plan: KeystorePlan,
    participant: &Participant,
    validators: &[ValidatorOutcome],
) -> Result<Vec<Artifact>, MachineError> {
    let KeystorePlan { key, layout, folder } = plan;
    let (seat, key) = (participant.seat(), &key.finish());
    let shares = participant.shares().expect("an outcome comes after the shares are stored");
    let public_shares: Option<Vec<_>> =
        validators.iter().map(|v| v.public_share(&seat.ceremony, seat.me).copied()).collect();
    let public_shares = public_shares.expect("whoever holds shares receives them");
    let stamp = now();
    let holder = Holder::new(&seat.ceremony, seat.me).expect("whoever holds shares receives them");
    let random = random::os();
    let files =
        keystore_files_as(layout.profile, holder, shares, &public_shares, key, stamp, random);
    let files = files.map_err(internal)?.into_iter();
    let files = files.chain(layout.password_files(shares.len(), stamp));
    Ok(files.map(|file| below(folder, file)).collect())
}

fn below(folder: &str, file: Artifact) -> Artifact {
    Artifact { name: format!("{folder}{}", file.name), ..file }
}

pub(crate) fn public(name: &str, bytes: Vec<u8>) -> Artifact {
    Artifact { name: name.to_owned(), audience: Audience::Public, bytes }
}

/// Artifacts, of which the secret ones are wiped however they are left: passwords and a node's key
/// may be among them.
#[derive(Default)]
struct Wiped(Vec<Artifact>);

impl Wiped {
    fn wipe(&mut self) {
        let secret = |artifact: &&mut Artifact| artifact.audience == Audience::Secret;
        self.0.iter_mut().filter(secret).for_each(|artifact| artifact.bytes.zeroize());
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.wipe();
    }
}

fn internal(error: impl core::fmt::Display) -> MachineError {
    MachineError::Internal(error.to_string())
}
