//! All errors of a spec, one variant each.

use core::fmt;

use super::canonical::MOST_CANONICAL_BYTES;
use super::ceremony::{GAS_LIMITS, MOST_AMOUNTS, MOST_VALIDATORS, MOST_WORK};
use super::endpoint::EndpointError;
use super::file::{FILE_VERSION, MOST_FILE_BYTES};
use super::obol::ClusterError;
use super::preregistration::PreregistrationError;
use super::reshare::ReshareError;
use super::ssv::{LARGEST_ID, LARGEST_NONCE};
use super::threshold::ThresholdError;
use super::version::Version;
use crate::ethereum::address::AddressError;
use crate::ethereum::amount::AmountError;
use crate::ethereum::deposit::CredentialsError;
use crate::ethereum::network::{Network, NetworkError, listed};
use crate::ethereum::ssv::RsaKeyError;
use crate::identity::card::{CardError, NameError};
use crate::primitives::codec::DecodeError;

/// A field of an item of a list, written `validators[1].withdrawal`. Positions count from 0, as in
/// JSON paths. In a file, a position is that of the `[[operators]]` or `[[validators]]` block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// `operators` or `validators`.
    pub list: &'static str,
    /// Position in the list, from 0.
    pub position: usize,
    /// The field.
    pub field: &'static str,
}

impl Place {
    /// A field of `operators[position]`.
    pub fn operator(position: usize, field: &'static str) -> Self {
        Self { list: "operators", position, field }
    }

    /// A field of `validators[position]`.
    pub fn validator(position: usize, field: &'static str) -> Self {
        Self { list: "validators", position, field }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}].{}", self.list, self.position, self.field)
    }
}

/// Why a file or bytes are not a ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    // The file as a text.
    /// Larger than any ceremony file; not looked at.
    #[error("the file has {0} bytes; the limit is {MOST_FILE_BYTES}")]
    FileTooLarge(usize),
    /// Not TOML, or not the fields of a ceremony file.
    #[error("line {line}: {message}")]
    Toml {
        /// Line, from 1.
        line: usize,
        /// What the parser says, made safe to print.
        message: String,
    },
    /// Not JSON, or not the fields of a ceremony file.
    #[error("line {line}: {message}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// What the parser says, made safe to print.
        message: String,
    },
    /// Written for another version of this program.
    #[error("version: {0}; this program reads ceremony files of versions 1 and {FILE_VERSION}")]
    FileVersion(u32),
    /// Not the required number of hexadecimal digits.
    #[error("{field}: not {digits} hexadecimal digits")]
    Hex {
        /// The field.
        field: &'static str,
        /// How many digits are needed.
        digits: usize,
    },

    // The head.
    /// The ceremony's name.
    #[error("name: {0}")]
    Name(NameError),
    /// The id is all zero, so nobody chose it.
    #[error("id: all zero; it must be 32 random bytes")]
    IdZero,
    /// Attempts count from 1.
    #[error("attempt: 0; the first attempt is 1")]
    AttemptZero,
    /// A second attempt that does not say which one it replaces.
    #[error("supersedes: missing; attempt {attempt} must give the digest of the previous attempt")]
    SupersedesMissing {
        /// The attempt.
        attempt: u32,
    },
    /// A first attempt that replaces something.
    #[error("supersedes: given, but this is attempt 1; only a later attempt supersedes another")]
    SupersedesUnexpected,
    /// The digest of nothing.
    #[error("supersedes: all zero is not the digest of any attempt")]
    SupersedesZero,

    // The network.
    /// Not built in.
    #[error("network: \"{0}\" is not built in; describe it in a [network] table")]
    NetworkUnknown(String),
    /// A network of one's own that is refused.
    #[error("network: {0}")]
    Network(NetworkError),
    /// Canonical bytes that give a built-in network other constants than it has.
    #[error("network: {field} differs from that of {name}")]
    NetworkMismatch {
        /// The built-in network.
        name: String,
        /// The constant that differs.
        field: &'static str,
    },
    /// A registration is dated at the genesis, and the network's genesis time is not given.
    #[error(
        "{place}: a builder registration has the time of the network's genesis; [network] must \
         give genesis_time"
    )]
    GenesisTimeMissing {
        /// The first registration.
        place: Place,
    },

    // The operators.
    /// The two numbers.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// `t = n` without the policy that allows it.
    #[error(
        "threshold: all {0} operators would be required, so one lost share would end the \
         validators; if you want that, set allow_all_required = true under [policy]"
    )]
    AllRequired(usize),
    /// An operator card.
    #[error("{place}: {source}")]
    Card {
        /// Where.
        place: Place,
        /// What is wrong.
        source: CardError,
    },
    /// Two names that look alike.
    #[error(
        "{place}: the name {name:?} looks like that of operator {}; one of them needs another name",
        first + 1
    )]
    NameAlike {
        /// Where.
        place: Place,
        /// The second.
        name: String,
        /// Position of the first.
        first: usize,
    },
    /// An operator card of a version that ceremonies of this version do not have.
    #[error(
        "{place}: an operator card of version {card}; a ceremony of version {ceremony} has cards \
         of version {ceremony}: ask this operator for its new card (quorate identity show)"
    )]
    CardVersion {
        /// Where.
        place: Place,
        /// Of the card.
        card: u8,
        /// Of the ceremony.
        ceremony: Version,
    },
    /// An operator's address.
    #[error("{place}: {source}")]
    Address {
        /// Where.
        place: Place,
        /// What is wrong.
        source: EndpointError,
    },
    /// `x = 0`, where the polynomial is the validator key itself.
    #[error("{place}: 0; a share at point 0 would be the validator key itself")]
    PointZero {
        /// Where.
        place: Place,
    },
    /// Two operators would get the same share.
    #[error("{place}: {point} is also the point of operators[{first}]")]
    PointDuplicate {
        /// Where.
        place: Place,
        /// The point.
        point: u64,
        /// Position of the other operator.
        first: usize,
    },
    /// Points have one order.
    #[error(
        "{place}: {point} comes after {previous}; list the operators in ascending order of their \
         points"
    )]
    PointOrder {
        /// Where.
        place: Place,
        /// The point.
        point: u64,
        /// The point before it.
        previous: u64,
    },
    /// One operator in two seats.
    #[error("{place}: the same operator key as operators[{first}]; an operator has one seat")]
    KeyDuplicate {
        /// Where.
        place: Place,
        /// Position of the other seat.
        first: usize,
    },
    /// One Noise static in two seats.
    #[error("{place}: the same Noise key as operators[{first}]")]
    NoiseKeyDuplicate {
        /// Where.
        place: Place,
        /// Position of the other seat.
        first: usize,
    },
    /// Two operators of one name, upper and lower case being the same.
    #[error("{place}: the name {name:?} is also the name of operators[{first}]")]
    NameDuplicate {
        /// Where.
        place: Place,
        /// The name.
        name: String,
        /// Position of the other seat.
        first: usize,
    },
    /// Two operators at one address.
    #[error("{place}: {address} is also the address of operators[{first}]")]
    AddressDuplicate {
        /// Where.
        place: Place,
        /// The address.
        address: String,
        /// Position of the other seat.
        first: usize,
    },

    // The validators.
    /// Nothing to do.
    #[error("validators: there are none")]
    NoValidators,
    /// More than the limit.
    #[error("validators: {0}; a ceremony makes at most {MOST_VALIDATORS}")]
    TooManyValidators(u64),
    /// More work than the limit.
    #[error(
        "{validators} validators times {participants} operators times a threshold of {required} is \
         more than {MOST_WORK}; \
         split them into several ceremonies"
    )]
    TooMuchWork {
        /// `V`.
        validators: usize,
        /// `n`.
        participants: usize,
        /// `t`.
        required: usize,
    },
    /// A group of none.
    #[error("{place}: 0 validators; leave the block out")]
    CountZero {
        /// Where.
        place: Place,
    },
    /// The withdrawal address as written in a file.
    #[error("{place}: {source}")]
    Withdrawal {
        /// Where.
        place: Place,
        /// What is wrong.
        source: AddressError,
    },
    /// The withdrawal credentials as they stand in canonical bytes.
    #[error("{place}: {source}")]
    Credentials {
        /// Where.
        place: Place,
        /// What is wrong.
        source: CredentialsError,
    },
    /// No deposit at all.
    #[error("{place}: empty; a validator has at least one deposit")]
    NoAmounts {
        /// Where.
        place: Place,
    },
    /// More deposits than the limit.
    #[error("{place}: {found} amounts; a validator has at most {MOST_AMOUNTS}")]
    TooManyAmounts {
        /// Where.
        place: Place,
        /// How many.
        found: usize,
    },
    /// An amount that is no amount, too small, too large or too fine.
    #[error("{place}: {source}")]
    Amount {
        /// Where.
        place: Place,
        /// What is wrong.
        source: AmountError,
    },
    /// The same deposit twice would be one signature.
    #[error(
        "{place}: {amount} is listed twice; one signature serves any number of deposits of the \
         same amount"
    )]
    AmountDuplicate {
        /// Where.
        place: Place,
        /// The amount, with its unit.
        amount: String,
    },
    /// Amounts have one order.
    #[error("{place}: {amount} comes after {previous}; list the amounts in ascending order")]
    AmountOrder {
        /// Where.
        place: Place,
        /// The amount, with its unit.
        amount: String,
        /// The amount before it.
        previous: String,
    },
    /// The fee recipient.
    #[error("{place}: {source}")]
    FeeRecipient {
        /// Where.
        place: Place,
        /// What is wrong.
        source: AddressError,
    },
    /// A gas limit that no block has.
    #[error("{place}: {found}; a gas limit must be from {} to {}",
             GAS_LIMITS.start(), GAS_LIMITS.end())]
    GasLimit {
        /// Where.
        place: Place,
        /// The gas limit.
        found: u64,
    },
    /// A gas limit and nothing to put it in.
    #[error("{place}: given without fee_recipient; a builder registration needs both")]
    GasLimitAlone {
        /// Where.
        place: Place,
    },

    // SSV.
    /// The account that registers the validators.
    #[error("ssv.owner: {0}")]
    SsvOwner(AddressError),
    /// A number of operators that no cluster has.
    #[error("ssv: {0} operators; a cluster of SSV has 4, 7, 10 or 13")]
    SsvSize(usize),
    /// Another threshold than a cluster of this size has.
    #[error(
        "ssv: threshold {required} of {operators}; a cluster of {operators} operators must have \
         threshold {usual}"
    )]
    SsvThreshold {
        /// Operators needed.
        required: usize,
        /// Operators there are.
        operators: usize,
        /// What it must be.
        usual: usize,
    },
    /// A network without SSV's contract, or one that is not built in.
    #[error(
        "ssv: network {0}; SSV runs on {names}",
        names = listed(Network::ssv_names(), "and")
    )]
    SsvNetwork(String),
    /// An operator without an RSA key.
    #[error("{place}: missing; with [ssv], every operator needs its registered RSA key")]
    SsvKeyMissing {
        /// Where.
        place: Place,
    },
    /// An RSA key, and no cluster of SSV.
    #[error("{place}: given without [ssv]")]
    SsvKeyAlone {
        /// Where.
        place: Place,
    },
    /// An RSA key that is none.
    #[error("{place}: {source}")]
    SsvKey {
        /// Where.
        place: Place,
        /// What is wrong.
        source: RsaKeyError,
    },
    /// Two operators of one RSA key.
    #[error("{place}: the same RSA key as operators[{first}]")]
    SsvKeyDuplicate {
        /// Where.
        place: Place,
        /// Position of the other operator.
        first: usize,
    },
    /// No point, which would be the position.
    #[error("{place}: missing; with [ssv], give the operator's number in SSV's contract")]
    SsvPointMissing {
        /// Where.
        place: Place,
    },
    /// A number that a reader of JSON may round.
    #[error("{place}: {id}; the largest SSV operator number allowed is {LARGEST_ID}")]
    SsvId {
        /// Where.
        place: Place,
        /// The number.
        id: u64,
    },
    /// Nonces with more than six digits.
    #[error(
        "ssv.nonce: {nonce} with {validators} validators; the nonce of the last one can be at most \
         {LARGEST_NONCE}"
    )]
    SsvNonce {
        /// Of the first validator.
        nonce: u64,
        /// How many there are.
        validators: usize,
    },
    /// A deposit that does not activate a validator.
    #[error("{place}: {amount}; with [ssv], a validator must have one deposit of at least 32 ETH")]
    SsvAmount {
        /// Where.
        place: Place,
        /// The amount, with its unit.
        amount: String,
    },
    /// Several deposits.
    #[error(
        "{place}: {found} amounts; with [ssv], a validator must have one deposit of at least 32 \
         ETH"
    )]
    SsvAmounts {
        /// Where.
        place: Place,
        /// How many.
        found: usize,
    },
    // The cluster.
    /// The Obol cluster that the ceremony is to make.
    #[error("obol: {0}")]
    Obol(#[from] ClusterError),

    // The parent.
    /// What a reshare has besides.
    #[error(transparent)]
    Reshare(#[from] ReshareError),

    // Canonical bytes.
    /// Longer than any; not looked at.
    #[error("{0} bytes; the limit for the canonical bytes of a spec is {MOST_CANONICAL_BYTES}")]
    CanonicalTooLarge(usize),
    /// Something else.
    #[error("not the canonical bytes of a spec")]
    Magic,
    /// Another version.
    #[error("canonical bytes of version {0}; this program reads versions 1 and {FILE_VERSION}")]
    CanonicalVersion(u16),
    /// Another kind of ceremony.
    #[error("ceremony of kind {0}; this program supports kinds 1, 2 (reshare) and 3 (import)")]
    Kind(u8),
    /// A policy that this program does not know.
    #[error("policy flags {0:#04x}: some are unknown to this program")]
    Policy(u8),
    /// What is said of preregistrations.
    #[error(transparent)]
    Preregistration(#[from] PreregistrationError),
    /// Not the layout.
    #[error("canonical bytes: {0}")]
    Layout(#[from] DecodeError),
    /// Readable, but not the one encoding of what they say.
    #[error("not the canonical encoding of this spec")]
    NotCanonical,
}
