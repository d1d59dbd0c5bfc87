//! The commands, one file each.

pub(crate) mod abandon;

mod addresses;

pub(crate) mod audit;

pub(crate) mod backup;

pub(crate) mod card;

pub(crate) mod completions;

pub(crate) mod demo;

mod demo_duties;

mod demo_faults;

mod demo_import;

mod demo_lock;

mod demo_prepare;

mod demo_process;

mod demo_repair;

mod demo_reshare;

mod demo_ssv;

pub(crate) mod doctor;

pub(crate) mod dossier;

pub(crate) mod evidence;

pub(crate) mod export;

mod export_launchpad;

mod export_obol;

mod finished;

pub(crate) mod forget;

pub(crate) mod import;

pub(crate) mod identity;

pub(crate) mod join;

pub(crate) mod man;

pub(crate) mod keymanager;

mod obol_key;

mod points;

pub(crate) mod recover;

pub(crate) mod rehearse;

pub(crate) mod repair;

pub(crate) mod reshare;

pub(crate) mod restored;

pub(crate) mod run;

mod run_ended;

pub(crate) mod signing;

#[cfg(feature = "simulation")]
pub(crate) mod simulate;

pub(crate) mod spec;

mod spec_like;

pub(crate) mod spec_next;

mod spec_pack;

pub(crate) mod status;

pub(crate) mod step;

mod taking_part;

pub(crate) mod verify;

pub(crate) mod verify_cluster;

mod verify_preregistration;
mod verify_registered;

pub(crate) mod verify_ssv;
