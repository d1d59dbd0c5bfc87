//! The floor: the cost of one operator's arithmetic on one thread, with the best known technique
//! for each step. It processes the same ceremony shape as Quorate does, with valid keys and two
//! messages for each validator.
//!
//! It is no protocol: nothing is signed by operators or bound to a session, storage is not proven,
//! sums of commitments are tested for their subgroup and not every one, with error 2^-64, and
//! whoever fails is not found. Steps whose cost is in none of these (channels, logs) are in neither
//! figure.

pub mod curve;
mod lanes;
mod signatures;

use blst::{blst_p2, blst_scalar};
use chacha20::ChaCha20Rng;
use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use rand_core::{Rng as _, SeedableRng as _};

use super::clock::{Cost, measure};
use super::{STEPS, Shape};
use curve::*;
use lanes::{Adder, Lane, Table, WIDTH};
use signatures::Endomorphism;

/// Error exponent of subgroup tests.
const BITS: u32 = 64;

/// A dealing: commitments row by row, and for each row a proof `(R, z)` that its constant is known.
struct Dealing {
    coefficients: Vec<Fr>,
    commitments: Vec<P>,
    nonces: Vec<P>,
    responses: Vec<blst_scalar>,
}

/// What costs nothing when many ceremonies are run: tables.
pub struct Floor {
    shape: Shape,
    table: Table,
    endomorphism: Endomorphism,
    random: ChaCha20Rng,
    adder: Adder,
}

fn challenge(dealer: usize, v: usize, constant: &[u8], nonce: &[u8]) -> Fr {
    let mut bytes = [0; 16 + 192];
    bytes[..8].copy_from_slice(&(dealer as u64).to_le_bytes());
    bytes[8..16].copy_from_slice(&(v as u64).to_le_bytes());
    bytes[16..112].copy_from_slice(constant);
    bytes[112..].copy_from_slice(nonce);
    fr_from_scalar(&reduce(&sha256(&bytes)))
}

/// As many hashes as the signing root of a deposit takes.
fn signing_root(key: &[u8; 48], kind: u8) -> [u8; 32] {
    let mut pair = [0; 64];
    pair[..48].copy_from_slice(key);
    for _ in 0..4 {
        let hash = sha256(&pair);
        pair[..32].copy_from_slice(&hash);
        pair[32] = kind;
    }
    sha256(&pair)
}

/// Seals or opens in place: the same keystream.
fn cipher(key: u8) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&[key; 32].into())
}

impl Floor {
    pub fn new(shape: Shape) -> Self {
        let random = ChaCha20Rng::seed_from_u64(7);
        Self {
            shape,
            table: Table::new(),
            endomorphism: Endomorphism::new(),
            random,
            adder: Adder::default(),
        }
    }

    fn deal(&mut self, dealer: usize) -> Dealing {
        let Shape { t, v, .. } = self.shape;
        let secrets: Vec<blst_scalar> =
            (0..v * (t + 1)).map(|_| random_scalar(&mut self.random)).collect();
        let points = match secrets.len() < 64 {
            true => g1::affine(&secrets.iter().map(public_key).collect::<Vec<_>>()),
            false => self.table.multiply(&secrets, &mut self.adder),
        };
        let (commitments, nonces) = (points[..v * t].to_vec(), points[v * t..].to_vec());
        let coefficients: Vec<Fr> = secrets[..v * t].iter().map(fr_from_scalar).collect();
        let mut bytes = [0; 192];
        let responses = (0..v)
            .map(|row| {
                g1::write(&commitments[row * t], &mut bytes[..96]);
                g1::write(&nonces[row], &mut bytes[96..]);
                let c = challenge(dealer, row, &bytes[..96], &bytes[96..]);
                fr_to_scalar(&fr_add(
                    &fr_from_scalar(&secrets[v * t + row]),
                    &fr_mul(&c, &coefficients[row * t]),
                ))
            })
            .collect();
        Dealing { coefficients, commitments, nonces, responses }
    }

    fn row_bytes(&self) -> usize {
        96 * self.shape.t + 128
    }

    fn encode(&self, dealing: &Dealing) -> Vec<u8> {
        let (t, row) = (self.shape.t, self.row_bytes());
        let mut out = vec![0; self.shape.v * row];
        for (i, out) in out.chunks_exact_mut(row).enumerate() {
            let points = dealing.commitments[i * t..(i + 1) * t].iter().chain([&dealing.nonces[i]]);
            points.zip(out.chunks_exact_mut(96)).for_each(|(point, out)| g1::write(point, out));
            out[row - 32..].copy_from_slice(&dealing.responses[i].b);
        }
        out
    }

    fn shares(&self, coefficients: &[Fr], point: usize) -> Vec<blst_scalar> {
        let x = fr(point as u64);
        let horner = |row: &[Fr]| {
            row.iter().rev().fold(Fr::default(), |sum, a| fr_add(&fr_mul(&sum, &x), a))
        };
        coefficients.chunks_exact(self.shape.t).map(|row| fr_to_scalar(&horner(row))).collect()
    }

    fn seal(&self, shares: &[blst_scalar], key: u8) -> Vec<u8> {
        let mut sealed: Vec<u8> = shares.iter().flat_map(|share| share.b).collect();
        let tag = cipher(key)
            .encrypt_inout_detached(&[0; 12].into(), &[], sealed.as_mut_slice().into())
            .expect("it is short");
        sealed.extend_from_slice(&tag);
        sealed
    }

    fn open(&self, sealed: &[u8], key: u8) -> Vec<Fr> {
        let (body, tag) = sealed.split_last_chunk::<16>().expect("a tag");
        let mut body = body.to_vec();
        cipher(key)
            .decrypt_inout_detached(
                &[0; 12].into(),
                &[],
                body.as_mut_slice().into(),
                &(*tag).into(),
            )
            .expect("sealed so");
        body.as_chunks::<32>()
            .0
            .iter()
            .map(|share| fr_from_scalar(&blst_scalar { b: *share }))
            .collect()
    }

    /// One operator's life, the last one's: what each of [`STEPS`] costs.
    pub fn live(&mut self) -> [Cost; STEPS.len()] {
        let Shape { n, t, v } = self.shape;
        let mut costs = [Cost::default(); STEPS.len()];
        let [deal, receive, _, sign, verify, ..] = &mut costs;
        let key = |peer: usize| u8::try_from(peer).expect("few operators");

        // The others deal.
        let others: Vec<Dealing> = (1..n).map(|dealer| self.deal(dealer)).collect();
        let dealt: Vec<Vec<u8>> = others.iter().map(|dealing| self.encode(dealing)).collect();
        let boxes: Vec<Vec<u8>> = (1..n)
            .map(|d| self.seal(&self.shares(&others[d - 1].coefficients, n), key(d)))
            .collect();

        let ((mine, mine_encoded, own), cost) = measure(|| {
            let mine = self.deal(n);
            let sealed: Vec<Vec<u8>> =
                (1..n).map(|j| self.seal(&self.shares(&mine.coefficients, j), key(j))).collect();
            std::hint::black_box(sealed);
            let (encoded, own) = (self.encode(&mine), self.shares(&mine.coefficients, n));
            (mine, encoded, own)
        });
        *deal += cost;

        let ((shares, keys), cost) =
            measure(|| self.receive(&mine, &mine_encoded, &own, &dealt, &boxes));
        *receive += cost;

        let group_keys: Vec<[u8; 48]> = keys.group.iter().map(compress).collect();
        let ((messages, hashed, my_partials), cost) = measure(|| {
            let messages: Vec<[u8; 32]> = group_keys
                .iter()
                .flat_map(|key| [0, 1].map(|kind| signing_root(key, kind)))
                .collect();
            let hashed: Vec<blst_p2> = messages.iter().map(|message| hash_to_g2(message)).collect();
            let partials: Vec<blst_p2> = hashed
                .iter()
                .enumerate()
                .map(|(m, message)| curve::sign(message, &shares[m / 2]))
                .collect();
            let partials = g2::affine(&partials);
            let mut bytes = vec![0; 192 * 2 * v];
            partials
                .iter()
                .zip(bytes.chunks_exact_mut(192))
                .for_each(|(point, out)| g2::write(point, out));
            std::hint::black_box(bytes);
            (messages, hashed, partials)
        });
        *sign += cost;

        // The others sign.
        let mut sums = mine.coefficients.clone();
        others.iter().for_each(|other| {
            sums.iter_mut().zip(&other.coefficients).for_each(|(sum, a)| *sum = fr_add(sum, a))
        });
        let signed: Vec<Vec<u8>> = (1..n)
            .map(|j| {
                let shares = self.shares(&sums, j);
                let partials: Vec<blst_p2> = hashed
                    .iter()
                    .enumerate()
                    .map(|(m, message)| curve::sign(message, &shares[m / 2]))
                    .collect();
                let mut bytes = vec![0; 192 * 2 * v];
                g2::affine(&partials)
                    .iter()
                    .zip(bytes.chunks_exact_mut(192))
                    .for_each(|(point, out)| g2::write(point, out));
                bytes
            })
            .collect();
        drop(others);

        let (signatures, cost) = measure(|| {
            let read =
                |bytes: &Vec<u8>| -> Vec<Q> { bytes.chunks_exact(192).map(g2::read).collect() };
            let mut partials: Vec<Vec<Q>> = signed.iter().map(read).collect();
            partials.push(my_partials);
            let hashed = g2::affine(&hashed);
            assert!(signatures::verify(
                &keys.shares,
                &hashed,
                &partials,
                &self.endomorphism,
                &mut self.adder,
                &mut self.random
            ));
            let combined = signatures::combine(&partials, t);
            let levels: &[u32] = if combined.len() < 10 * BITS as usize { &[] } else { &[4] };
            assert!(lanes::in_g2(&combined, BITS, levels, &mut self.random));
            combined.iter().map(compress_g2).collect::<Vec<_>>()
        });
        *verify += cost;

        for m in [0, v, 2 * v - 1] {
            assert!(
                verifies(&group_keys[m / 2], &messages[m], &signatures[m]),
                "a signature that Ethereum would take"
            );
        }
        costs
    }

    /// Opens, adds up and checks: the operator's shares, and everybody's keys.
    fn receive(
        &mut self,
        mine: &Dealing,
        mine_encoded: &[u8],
        own: &[blst_scalar],
        dealt: &[Vec<u8>],
        boxes: &[Vec<u8>],
    ) -> (Vec<blst_scalar>, Keys) {
        let Shape { n, t, v } = self.shape;
        let row = self.row_bytes();
        let hashes: Vec<[u8; 32]> =
            dealt.iter().map(Vec::as_slice).chain([mine_encoded]).map(sha256).collect();
        std::hint::black_box(sha256(hashes.as_flattened()));
        let mut shares: Vec<Fr> = own.iter().map(fr_from_scalar).collect();
        for (peer, sealed) in boxes.iter().enumerate() {
            let opened = self.open(sealed, u8::try_from(peer + 1).expect("few operators"));
            shares.iter_mut().zip(opened).for_each(|(sum, share)| *sum = fr_add(sum, &share));
        }

        // Commitments are added up lane by lane; the proofs go into one equation Σ γ (R + c·C -
        // z·G) = 0.
        let mut sums: Vec<Lane> = vec![Lane::with_capacity(v); t];
        let (mut constants, mut by_constant) =
            (Vec::with_capacity(v * n), Vec::<[u8; 32]>::with_capacity(v * n));
        let (mut nonces, mut by_nonce) =
            (Vec::with_capacity(v * n), Vec::<[u8; 16]>::with_capacity(v * n));
        let mut by_generator = Fr::default();
        for start in (0..v).step_by(WIDTH) {
            let rows = start..(start + WIDTH).min(v);
            let mut chunk: Vec<Lane> = (0..t)
                .map(|k| rows.clone().map(|i| mine.commitments[i * t + k]).collect())
                .collect();
            for (dealer, bytes) in dealt.iter().enumerate() {
                let mut lanes: Vec<Lane> = vec![Lane::with_capacity(WIDTH); t];
                for i in rows.clone() {
                    let bytes = &bytes[i * row..(i + 1) * row];
                    lanes
                        .iter_mut()
                        .zip(bytes.chunks_exact(96))
                        .for_each(|(lane, point)| lane.push(g1::read(point)));
                    let (nonce, response) = bytes[96 * t..].split_at(96);
                    constants.push(lanes[0][i - rows.start]);
                    nonces.push(g1::read(nonce));
                    let mut weight = [0; 16];
                    self.random.fill_bytes(&mut weight);
                    by_nonce.push(weight);
                    let weight = fr_from_scalar(&reduce(&weight));
                    by_constant.push(
                        fr_to_scalar(&fr_mul(
                            &weight,
                            &challenge(dealer + 1, i, &bytes[..96], nonce),
                        ))
                        .b,
                    );
                    by_generator =
                        fr_add(&by_generator, &fr_mul(&weight, &fr_from_scalar(&reduce(response))));
                }
                chunk.iter_mut().zip(&lanes).for_each(|(sum, lane)| self.adder.add(sum, lane));
            }
            sums.iter_mut().zip(chunk).for_each(|(sum, lane)| sum.extend(lane));
        }
        let of_nonces = g1::msm(&nonces, by_nonce.as_flattened(), 128);
        let of_constants = g1::msm(&constants, by_constant.as_flattened(), 255);
        let left = multiply(&jacobian(&generator()), &fr_to_scalar(&by_generator));
        assert!(equal(&left, &add(&of_nonces, &of_constants)), "proofs of possession");

        let all = sums.concat();
        let levels: &[u32] = match all.len() {
            0..420 => &[],
            420..6000 => &[4],
            _ => &[6, 4],
        };
        assert!(lanes::in_g1(&all, BITS, levels, &mut self.random), "sums in the subgroup");

        let mut public: Vec<Lane> = vec![Lane::with_capacity(v); n];
        for start in (0..v).step_by(WIDTH) {
            let end = (start + WIDTH).min(v);
            let chunk: Vec<Lane> = sums.iter().map(|lane| lane[start..end].to_vec()).collect();
            public
                .iter_mut()
                .zip(self.adder.values(&chunk, n))
                .for_each(|(all, lane)| all.extend(lane));
        }
        let written: Vec<[u8; 48]> = public.iter().flatten().map(compress).collect();
        std::hint::black_box(written);

        // Our shares are the ones of our public shares: Σ ρ s · G = Σ ρ P.
        let mut weights = vec![[0; 16]; v];
        self.random.fill_bytes(weights.as_flattened_mut());
        let weighted = shares
            .iter()
            .zip(&weights)
            .map(|(share, weight)| fr_mul(share, &fr_from_scalar(&reduce(weight))));
        let secret = weighted.fold(Fr::default(), |sum, term| fr_add(&sum, &term));
        let known = g1::msm(&public[n - 1], weights.as_flattened(), 128);
        assert!(equal(&public_key(&fr_to_scalar(&secret)), &known), "own shares");

        let group = sums.swap_remove(0);
        (shares.iter().map(fr_to_scalar).collect(), Keys { group, shares: public })
    }
}

/// Validators' keys, and every operator's public shares.
struct Keys {
    group: Lane,
    shares: Vec<Lane>,
}
