//! What Ethereum defines: networks, addresses, deposits, exits, builder registrations, keystores;
//! and what Obol's and SSV's clusters add. No ceremony words in this room.

pub mod address;

pub mod amount;

pub mod bls;

pub mod deposit;

pub mod exit;

pub mod json;

pub mod keystore;

pub mod network;

pub mod obol;

pub mod registration;

pub mod secp256k1;

pub mod ssv;

pub mod ssz;
