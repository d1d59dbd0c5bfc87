//! Benchmarks of single operations: curve arithmetic and batch checks.
//!
//! `cargo bench --bench primitives`. Times depend on the machine and its neighbours; compare them
//! with `g1/base product` of the same run.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use quorate::primitives::batch::{SameMessage, Weights, verify_signature, verify_signatures};
use quorate::primitives::commitment::Commitments;
use quorate::primitives::curve::{G1, G1Sum, G2, Scalar, SecretScalar};
use quorate::primitives::hash::{DST_ETHEREUM, Digest, Tag, scalar, secret_scalar, tagged};
use quorate::primitives::polynomial::Polynomial;
use quorate::primitives::possession::Statement;

fn secret(label: u64) -> SecretScalar {
    secret_scalar(Tag::BatchWeight, &[&label.to_be_bytes()])
}

fn points(count: u64) -> Vec<G1> {
    (1..=count).map(|i| secret(i).base_mult().unwrap()).collect()
}

fn curve(c: &mut Criterion) {
    let mut group = c.benchmark_group("g1");
    let (own, point) = (secret(1), points(1)[0]);
    group.bench_function("base product", |b| b.iter(|| black_box(&own).base_mult()));
    let factor = scalar(Tag::BatchWeight, &[]);
    group.bench_function("product", |b| b.iter(|| G1Sum::from(point).scaled(black_box(&factor))));
    let (long, short) = (point.to_uncompressed(), point.to_compressed());
    group.bench_function("read uncompressed", |b| {
        b.iter(|| G1::from_uncompressed(black_box(&long)))
    });
    group.bench_function("read compressed", |b| b.iter(|| G1::from_compressed(black_box(&short))));
    for count in [16, 256, 1024] {
        let points = points(count);
        let scalars: Vec<Scalar> =
            (0..count).map(|i| scalar(Tag::BatchWeight, &[&i.to_be_bytes()])).collect();
        group.bench_function(format!("multi-scalar product of {count}"), |b| {
            b.iter(|| G1Sum::msm(&points, &scalars))
        });
    }
    group.finish();

    let mut group = c.benchmark_group("g2");
    let message = G2::hash(b"message", DST_ETHEREUM);
    group.bench_function("hash", |b| b.iter(|| G2::hash(black_box(b"message"), DST_ETHEREUM)));
    group.bench_function("sign", |b| b.iter(|| own.sign(black_box(&message))));
    let signature = own.sign(&message).unwrap();
    let bytes = signature.to_compressed();
    group.bench_function("read compressed", |b| b.iter(|| G2::from_compressed(black_box(&bytes))));
    group.bench_function("verify one signature", |b| {
        b.iter(|| verify_signature(&point, &message, black_box(&signature)))
    });
    group.finish();
}

fn batches(c: &mut Criterion) {
    let mut group = c.benchmark_group("batch");
    for messages in [1u64, 16, 100] {
        let batch: Vec<SameMessage> = (0..messages)
            .map(|m| {
                let message = G2::hash(&m.to_be_bytes(), DST_ETHEREUM);
                let signed = (1..=4)
                    .map(|j| (secret(j).base_mult().unwrap(), secret(j).sign(&message).unwrap()))
                    .collect();
                SameMessage { message, signed }
            })
            .collect();
        group.bench_function(format!("verify 4 signatures on each of {messages} messages"), |b| {
            b.iter(|| assert!(verify_signatures(&batch, &mut Weights::new(&[b"bench"]))));
        });
    }
    for rows in [1u64, 100] {
        let polynomials: Vec<Polynomial> = (0..rows)
            .map(|v| {
                Polynomial::from_coefficients((0..3).map(|k| secret(1000 + 3 * v + k)).collect())
                    .unwrap()
            })
            .collect();
        let commitments =
            Commitments::new(3, polynomials.iter().flat_map(Polynomial::commit).collect());
        let root = commitments.merkle_root();
        let statement = Statement { session: tagged(Tag::Session, &[]), dealer: 1, root };
        let proof =
            statement.prove(polynomials.iter().map(Polynomial::constant), secret(7)).unwrap();
        group.bench_function(format!("verify one proof of possession of {rows} secrets"), |b| {
            b.iter(|| assert!(statement.verify(commitments.constants(), &proof)));
        });
        group.bench_function(format!("commit to {rows} polynomials of 3 coefficients"), |b| {
            b.iter(|| polynomials.iter().map(Polynomial::commit).collect::<Vec<_>>());
        });
        group.bench_function(format!("merkle root of {rows} rows"), |b| {
            b.iter_batched(
                || &commitments,
                |c| -> Digest { c.merkle_root() },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_millis(500));
    targets = curve, batches
}
criterion_main!(benches);
