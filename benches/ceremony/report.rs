//! Medians, printed for people and as JSON.

use std::fmt::Write as _;

use serde_json::json;

use super::clock::Cost;
use super::{STEPS, Shape};

/// What one process measured.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Sample {
    pub steps: Vec<Cost>,
    pub peak_kib: u64,
}

impl Sample {
    fn products(&self, steps: &[usize]) -> f64 {
        steps.iter().map(|step| self.steps.get(*step).map_or(0.0, |cost| cost.products)).sum()
    }
}

/// Runs of one shape: ours and the floor in pairs.
pub struct Measured {
    pub shape: Shape,
    pub bytes_out: usize,
    pub ours: Vec<Sample>,
    pub floor: Vec<Sample>,
    pub audit: Vec<Sample>,
}

const ALL: [usize; 6] = [0, 1, 2, 3, 4, 5];
/// Everything but the signing of deposits and registrations.
const DKG: [usize; 3] = [0, 1, 2];
/// What an auditor does too. (The check of the possession proofs, which it does as well, is in the
/// step of signing.)
const VERIFICATION: [usize; 4] = [1, 4, 5, 6];

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}

fn rounded(value: f64) -> f64 {
    let digits = if value.abs() < 10.0 { 1e3 } else { 1e1 };
    (value * digits).round() / digits
}

#[allow(clippy::cast_precision_loss, reason = "sizes fit 52 bits")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

impl Measured {
    pub fn new(shape: Shape) -> Self {
        Self { shape, bytes_out: 0, ours: Vec::new(), floor: Vec::new(), audit: Vec::new() }
    }

    /// The fastest pace seen, in nanoseconds of a field product: milliseconds are those of a core
    /// that always keeps it.
    fn pace(&self) -> f64 {
        let costs = [&self.ours, &self.floor, &self.audit]
            .into_iter()
            .flatten()
            .flat_map(|sample| &sample.steps);
        costs.map(|cost| cost.pace).filter(|pace| *pace > 0.0).fold(f64::INFINITY, f64::min)
    }

    fn milliseconds(&self, samples: &[Sample], steps: &[usize]) -> f64 {
        median(samples.iter().map(|sample| sample.products(steps)).collect()) * self.pace()
    }

    /// Median of the ratios of the pairs.
    fn ratio(&self, steps: &[usize]) -> f64 {
        median(
            self.ours
                .iter()
                .zip(&self.floor)
                .map(|(ours, floor)| ours.products(steps) / floor.products(steps))
                .collect(),
        )
    }

    fn audit_ratio(&self) -> f64 {
        median(
            self.audit
                .iter()
                .zip(&self.ours)
                .map(|(audit, ours)| audit.products(&[0]) / ours.products(&VERIFICATION))
                .collect(),
        )
    }

    fn peak(samples: &[Sample]) -> f64 {
        mib(samples.iter().map(|sample| sample.peak_kib).max().unwrap_or(0))
    }

    pub fn to_json(&self) -> String {
        let raw = |samples: &[Sample]| {
            median(
                samples
                    .iter()
                    .map(|s| ALL.iter().map(|step| s.steps[*step].process).sum())
                    .collect(),
            )
        };
        let thread = |samples: &[Sample]| {
            median(
                samples
                    .iter()
                    .map(|s| ALL.iter().map(|step| s.steps[*step].thread).sum())
                    .collect(),
            )
        };
        let total = self.milliseconds(&self.ours, &ALL);
        let steps: Vec<serde_json::Value> = ALL
            .iter()
            .map(|step| {
                let ms = self.milliseconds(&self.ours, &[*step]);
                let floor = self.milliseconds(&self.floor, &[*step]);
                let ratio = (floor > 0.0).then(|| rounded(self.ratio(&[*step])));
                let share = rounded(ms / total);
                json!({"step": STEPS[*step], "ms": rounded(ms), "floor_ms": rounded(floor),
                    "ratio": ratio, "share": share})
            })
            .collect();
        json!({
            "shape": [self.shape.n, self.shape.t, self.shape.v],
            "runs": self.floor.len(),
            "total_ms": rounded(total),
            "floor_ms": rounded(self.milliseconds(&self.floor, &ALL)),
            "ratio": rounded(self.ratio(&ALL)),
            "peak_mib": rounded(Self::peak(&self.ours)),
            "bytes_out": self.bytes_out,
            "dkg": {
                "ms": rounded(self.milliseconds(&self.ours, &DKG)),
                "floor_ms": rounded(self.milliseconds(&self.floor, &DKG)),
                "ratio": rounded(self.ratio(&DKG)),
            },
            "audit": {
                "ms": rounded(self.milliseconds(&self.audit, &[0])),
                "of_verification": rounded(self.audit_ratio()),
                "peak_mib": rounded(Self::peak(&self.audit)),
            },
            "steps": steps,
            "raw": {
                "total_ms": rounded(raw(&self.ours)),
                "own_thread_ms": rounded(thread(&self.ours)),
                "floor_ms": rounded(raw(&self.floor)),
                "field_product_ns": rounded(self.pace()),
            },
        })
        .to_string()
    }

    pub fn to_text(&self) -> String {
        let Shape { n, t, v } = self.shape;
        let mut out = format!(
            "{t} of {n}, {v} validators; medians of {} pairs, milliseconds of CPU\n",
            self.floor.len()
        );
        out += "                  ours     floor   ratio\n";
        let mut line = |name: &str, steps: &[usize]| {
            let (ours, floor) =
                (self.milliseconds(&self.ours, steps), self.milliseconds(&self.floor, steps));
            let _ = match (self.ours.is_empty(), floor > 0.0) {
                (true, _) => writeln!(out, "  {name:<10}{:>10}{floor:>10.1}", ""),
                (false, true) => {
                    writeln!(out, "  {name:<10}{ours:>10.1}{floor:>10.1}{:>8.2}", self.ratio(steps))
                }
                (false, false) => writeln!(out, "  {name:<10}{ours:>10.1}"),
            };
        };
        ALL.iter().for_each(|step| line(STEPS[*step], &[*step]));
        line("dkg only", &DKG);
        line("total", &ALL);
        if !self.ours.is_empty() {
            let audit = self.milliseconds(&self.audit, &[0]);
            let _ = writeln!(
                out,
                "  {:<10}{audit:>10.1}   {:.2} of the operator's verification",
                "audit",
                self.audit_ratio()
            );
            let _ = writeln!(
                out,
                "  peak {:.1} MiB, audit {:.1} MiB; {} bytes out; field product {:.1} ns",
                Self::peak(&self.ours),
                Self::peak(&self.audit),
                self.bytes_out,
                self.pace()
            );
        }
        out
    }
}

/// The table of docs/performance.md.
pub fn table(all: &[Measured]) -> String {
    let mut out = String::from(
        "| (n, t, V) | deal | receive | store | sign | verify | finish | total | floor | ratio |",
    );
    out += " DKG only | its floor | ratio | audit | peak MiB | bytes out |\n|---|";
    out += &"---|".repeat(15);
    for measured in all {
        let Shape { n, t, v } = measured.shape;
        let _ = write!(out, "\n| ({n}, {t}, {v}) |");
        let number = |value: f64| {
            if value < 10.0 { format!(" {value:.2} |") } else { format!(" {value:.0} |") }
        };
        for step in ALL {
            out += &number(measured.milliseconds(&measured.ours, &[step]));
        }
        for steps in [&ALL[..], &DKG[..]] {
            out += &number(measured.milliseconds(&measured.ours, steps));
            out += &number(measured.milliseconds(&measured.floor, steps));
            let _ = write!(out, " **{:.2}** |", measured.ratio(steps));
        }
        out += &number(measured.milliseconds(&measured.audit, &[0]));
        let _ = write!(out, " {:.0} | {} |", Measured::peak(&measured.ours), measured.bytes_out);
    }
    out
}
