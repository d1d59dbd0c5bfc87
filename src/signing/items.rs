//! The validators of a request, and what is asked of each.

use std::collections::BTreeSet;

use super::request::{Kind, Purpose};
use crate::ethereum::obol::check::Cluster;
use crate::ethereum::ssv::{CLUSTER_SIZES, OwnerNonce, RsaPublic};
use crate::spec::ceremony::MOST_VALIDATORS;
use crate::spec::ssv::LARGEST_NONCE;

/// One validator of a request, and what to sign for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The validator's key, compressed.
    pub public_key: [u8; 48],
    /// What to sign.
    pub purpose: Purpose,
}

/// The validators of a request: 1 to 8192, of one kind, with one epoch, one amount or one
/// registration for all, each once. Of key shares: with one owner, nonces in a row, and the RSA
/// keys of the operators that have shares. Of a lock: with the cluster that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items {
    list: Vec<Item>,
    operator_keys: Vec<RsaPublic>,
    cluster: Option<Box<Cluster>>,
}

/// Why a list is not the validators of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemsError {
    /// None at all.
    #[error("no validator")]
    Empty,
    /// More than a ceremony has.
    #[error("more than {MOST_VALIDATORS} validators")]
    TooMany,
    /// Of several kinds, or with more than one epoch, amount or registration.
    #[error("not all of one kind, with one epoch, amount or registration")]
    Mixed,
    /// A key twice.
    #[error("0x{0} is there twice")]
    KeyTwice(String),
    /// Two validators with one index.
    #[error("two of them have the validator index {0}")]
    IndexTwice(u64),
    /// A lock without its cluster.
    #[error("a lock without the definition of its cluster")]
    NoCluster,
    /// Key shares without the operators' keys.
    #[error("key shares without the operators' RSA keys")]
    NoKeys,
    /// RSA keys of a number of operators that no cluster has.
    #[error("{0} RSA keys; clusters have 4, 7, 10 or 13 operators")]
    Cluster(usize),
    /// One RSA key for two operators.
    #[error("RSA keys {first} and {second} are the same")]
    RsaKeyTwice {
        /// Which, from 1.
        first: usize,
        /// Which, from 1.
        second: usize,
    },
    /// Nonces that the folders of SSV's tools have no names for.
    #[error("nonces from {first} on for {count} validators; the largest is {LARGEST_NONCE}")]
    Nonces {
        /// The first nonce.
        first: u64,
        /// How many validators there are.
        count: usize,
    },
}

impl Items {
    /// One validator.
    pub fn one(public_key: [u8; 48], purpose: Purpose) -> Self {
        let list = vec![Item { public_key, purpose }];
        Self { list, operator_keys: Vec::new(), cluster: None }
    }

    /// Any number, in order.
    pub fn new(items: Vec<Item>) -> Result<Self, ItemsError> {
        let first = items.first().ok_or(ItemsError::Empty)?.purpose;
        if items.len() > MOST_VALIDATORS {
            return Err(ItemsError::TooMany);
        }
        if matches!(first, Purpose::KeyShares(_)) {
            return Err(ItemsError::NoKeys);
        }
        if first == Purpose::Lock {
            return Err(ItemsError::NoCluster);
        }
        let (mut keys, mut indices) = (BTreeSet::new(), BTreeSet::new());
        for Item { public_key, purpose } in &items {
            if !purpose.goes_with(&first) {
                return Err(ItemsError::Mixed);
            }
            if !keys.insert(public_key) {
                return Err(ItemsError::KeyTwice(hex::encode(public_key)));
            }
            if let Purpose::Exit(exit) = purpose
                && !indices.insert(exit.validator_index)
            {
                return Err(ItemsError::IndexTwice(exit.validator_index));
            }
        }
        Ok(Self { list: items, operator_keys: Vec::new(), cluster: None })
    }

    /// Key shares of these validators, in order, with nonces from `first` on, under these RSA keys,
    /// by index of the operators that have shares.
    pub fn key_shares(
        public_keys: Vec<[u8; 48]>,
        first: OwnerNonce,
        operator_keys: Vec<RsaPublic>,
    ) -> Result<Self, ItemsError> {
        let count = public_keys.len();
        match count {
            0 => return Err(ItemsError::Empty),
            1..=MOST_VALIDATORS => {}
            _ => return Err(ItemsError::TooMany),
        }
        let last = u64::try_from(count - 1).ok().and_then(|more| first.nonce.checked_add(more));
        if last.is_none_or(|last| last > LARGEST_NONCE) {
            return Err(ItemsError::Nonces { first: first.nonce, count });
        }
        if !CLUSTER_SIZES.contains(&operator_keys.len()) {
            return Err(ItemsError::Cluster(operator_keys.len()));
        }
        for (second, key) in operator_keys.iter().enumerate() {
            if let Some(first) = operator_keys[..second].iter().position(|other| other == key) {
                return Err(ItemsError::RsaKeyTwice { first: first + 1, second: second + 1 });
            }
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = public_keys.iter().find(|key| !seen.insert(**key)) {
            return Err(ItemsError::KeyTwice(hex::encode(twice)));
        }
        let list = public_keys.into_iter().zip(first.nonce..).map(|(public_key, nonce)| {
            let purpose = Purpose::KeyShares(OwnerNonce { owner: first.owner, nonce });
            Item { public_key, purpose }
        });
        Ok(Self { list: list.collect(), operator_keys, cluster: None })
    }

    /// The lock of this cluster, for these validators in order.
    pub fn lock(public_keys: Vec<[u8; 48]>, cluster: Cluster) -> Result<Self, ItemsError> {
        match public_keys.len() {
            0 => return Err(ItemsError::Empty),
            1..=MOST_VALIDATORS => {}
            _ => return Err(ItemsError::TooMany),
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = public_keys.iter().find(|key| !seen.insert(**key)) {
            return Err(ItemsError::KeyTwice(hex::encode(twice)));
        }
        let item = |public_key| Item { public_key, purpose: Purpose::Lock };
        let list = public_keys.into_iter().map(item).collect();
        Ok(Self { list, operator_keys: Vec::new(), cluster: Some(Box::new(cluster)) })
    }

    /// Of a lock: the cluster.
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_deref()
    }

    /// Of key shares: the RSA keys, by index of the operators that have shares.
    pub fn operator_keys(&self) -> &[RsaPublic] {
        &self.operator_keys
    }

    /// The first, of which there is always one.
    pub fn first(&self) -> &Item {
        &self.list[0]
    }

    /// What is asked for.
    pub fn kind(&self) -> Kind {
        self.first().purpose.kind()
    }
}

impl core::ops::Deref for Items {
    type Target = [Item];

    fn deref(&self) -> &[Item] {
        &self.list
    }
}
