//! Integers modulo the toy's prime, and how they are spelled.

/// The group order, and the modulus of coordinates.
pub(super) const P: u64 = (1 << 61) - 1;

/// `wide mod P`, for `wide` below `2^122`.
fn folded(wide: u128) -> u64 {
    let wide = (wide & u128::from(P)) + (wide >> 61);
    u64::try_from(if wide >= u128::from(P) { wide - u128::from(P) } else { wide }).expect("below P")
}

pub(super) fn add(a: u64, b: u64) -> u64 {
    folded(u128::from(a) + u128::from(b))
}

pub(super) fn negative(a: u64) -> u64 {
    if a == 0 { 0 } else { P - a }
}

pub(super) fn mul(a: u64, b: u64) -> u64 {
    folded(u128::from(a) * u128::from(b))
}

/// Big-endian bytes, modulo `P`; a multiple of eight of them.
pub(super) fn reduced(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    // 2^64 = 8 mod P.
    words.iter().fold(0, |sum, word| {
        folded(u128::from(mul(sum, 8)) + u128::from(u64::from_be_bytes(*word)))
    })
}

/// The number that big-endian bytes spell, if it is below `P`.
pub(super) fn below_order(bytes: &[u8]) -> Option<u64> {
    let (high, low) = bytes.split_last_chunk::<8>()?;
    let number = u64::from_be_bytes(*low);
    (number < P && high.iter().all(|b| *b == 0)).then_some(number)
}

pub(super) fn spelled<const N: usize>(number: u64) -> [u8; N] {
    let mut out = [0; N];
    out[N - 8..].copy_from_slice(&number.to_be_bytes());
    out
}
