//! The size of a ceremony, and the steps of one operator in it.

use std::str::FromStr;

/// Steps of an operator's life: until it has dealt; receiving and checking the deals; storing
/// shares and proving that; checking proofs and signing; verifying and combining; the end. Last,
/// and no step of its own: hashing the messages to the curve once more, which is part of signing
/// and is needed for verifying too.
pub const STEPS: [&str; 7] = ["deal", "receive", "store", "sign", "verify", "finish", "hash"];

/// How many operators, how many of them sign, how many validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub n: usize,
    pub t: usize,
    pub v: usize,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Vec<usize> =
            text.split(',').map_while(|number| number.trim().parse().ok()).collect();
        match numbers[..] {
            [n, t, v] if (3..=255).contains(&n) && t <= n && v > 0 => Ok(Self { n, t, v }),
            _ => Err(format!("{text}: a shape is operators,threshold,validators, as 4,3,1000")),
        }
    }
}

impl Shape {
    /// How often a process repeats what it measures; the first time warms up if there is another.
    pub fn lives(self) -> usize {
        match self.v {
            0..10 => 11,
            10..=100 => 3,
            _ => 1,
        }
    }
}
