//! How operators find each other, as processes on loopback: addresses that change, operators
//! without one, and what a person is told while waiting. And operators who never meet: boards.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod board;
mod doctor;
mod hub;
mod moved;
mod nats;
mod nats_doctor;
mod nats_keys;
mod nats_users;
mod packets;
mod proxied;
mod rehearsal;
mod scene;
