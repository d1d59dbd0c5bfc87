//! Curve points outside the prime-order subgroups. They are made with the curve library's safe
//! interface, which adds any points of the curve, by plain double-and-add.

use blst::min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, Signature};

/// The order of the subgroups.
const R: &str = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
const COFACTOR_1: &str = "396c8c005555e1568c00aaab0000aaab";
const COFACTOR_2: &str = "05d543a95414e7f1091d50792876a202cd91de4547085abaa68a205b2e5a7ddfa628f1cb4d9e82ef21537e293a6691ae1616ec6e786f0c70cf1c38e31c7238e5";

/// A number, big-endian.
type Number = Vec<u8>;

fn number(text: &str) -> Number {
    hex::decode(text).unwrap()
}

fn product(a: &[u8], b: &[u8]) -> Number {
    let mut out = vec![0u32; a.len() + b.len()];
    for (i, x) in a.iter().rev().enumerate() {
        for (j, y) in b.iter().rev().enumerate() {
            out[i + j] += u32::from(*x) * u32::from(*y);
            let (low, carry) = (out[i + j] & 0xff, out[i + j] >> 8);
            out[i + j] = low;
            out[i + j + 1] += carry;
        }
    }
    out.iter().rev().map(|byte| u8::try_from(*byte).unwrap()).collect()
}

fn quotient(a: &[u8], by: u64) -> Number {
    let mut rest = 0u128;
    let digits = a.iter().map(|byte| {
        rest = (rest << 8) | u128::from(*byte);
        let digit = u8::try_from(rest / u128::from(by)).unwrap();
        rest %= u128::from(by);
        digit
    });
    let out = digits.collect();
    assert_eq!(rest, 0, "{by} divides the cofactor");
    out
}

/// Points of one of the two curves, infinity included.
pub(crate) trait Curve: Sized + Clone {
    const COFACTOR: &'static str;
    /// The point with the `x`-th candidate for a coordinate, if there is one.
    fn candidate(x: u8) -> Option<Self>;
    fn plus(&self, other: &Self) -> Self;
    fn is_infinity(&self) -> bool;
    /// As the protocol writes it: G1 in 96 bytes, G2 in 192 bytes.
    fn written(&self) -> Vec<u8>;

    fn times(&self, by: &[u8]) -> Option<Self> {
        let mut sum: Option<Self> = None;
        for bit in by.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)) {
            sum = sum.map(|sum| sum.plus(&sum));
            if bit == 1 {
                sum = Some(sum.map_or_else(|| self.clone(), |sum| sum.plus(self)));
            }
        }
        sum.filter(|sum| !sum.is_infinity())
    }

    /// A point of exactly this prime order, whose square divides the cofactor (for 3 in the first
    /// curve, 3 itself does).
    fn of_order(prime: u64) -> Self {
        let cofactor = number(Self::COFACTOR);
        let by = if (Self::COFACTOR, prime) == (COFACTOR_1, 3) {
            quotient(&cofactor, 3)
        } else {
            quotient(&quotient(&cofactor, prime), prime)
        };
        let kill = product(&number(R), &by);
        let small = (0..=u8::MAX).filter_map(|x| Self::candidate(x)?.times(&kill)).next();
        let mut point = small.expect("some point has a part of this order");
        while let Some(next) = point.times(&prime.to_be_bytes()) {
            point = next;
        }
        assert!(point.times(&prime.to_be_bytes()).is_none() && point.times(&number(R)).is_some());
        point
    }
}

#[derive(Clone)]
pub(crate) struct First(AggregatePublicKey);

#[derive(Clone)]
pub(crate) struct Second(AggregateSignature);

impl First {
    /// Any point of the curve.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self(AggregatePublicKey::from_public_key(&PublicKey::deserialize(bytes).unwrap()))
    }
}

impl Second {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self(AggregateSignature::from_signature(&Signature::deserialize(bytes).unwrap()))
    }
}

impl Curve for First {
    const COFACTOR: &'static str = COFACTOR_1;

    fn candidate(x: u8) -> Option<Self> {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (0x80, x);
        PublicKey::uncompress(&bytes)
            .ok()
            .map(|point| Self(AggregatePublicKey::from_public_key(&point)))
    }

    fn plus(&self, other: &Self) -> Self {
        let mut sum = self.0;
        sum.add_aggregate(&other.0);
        Self(sum)
    }

    fn is_infinity(&self) -> bool {
        self.0.to_public_key().serialize()[0] & 0x40 != 0
    }

    fn written(&self) -> Vec<u8> {
        self.0.to_public_key().serialize().to_vec()
    }
}

impl Curve for Second {
    const COFACTOR: &'static str = COFACTOR_2;

    fn candidate(x: u8) -> Option<Self> {
        let mut bytes = [0; 96];
        (bytes[0], bytes[95]) = (0x80, x);
        Signature::uncompress(&bytes)
            .ok()
            .map(|point| Self(AggregateSignature::from_signature(&point)))
    }

    fn plus(&self, other: &Self) -> Self {
        let mut sum = self.0;
        sum.add_aggregate(&other.0);
        Self(sum)
    }

    fn is_infinity(&self) -> bool {
        self.0.to_signature().compress()[0] & 0x40 != 0
    }

    fn written(&self) -> Vec<u8> {
        self.0.to_signature().serialize().to_vec()
    }
}
