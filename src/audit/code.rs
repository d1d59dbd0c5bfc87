//! The codes of all checks, and their titles.

use core::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $text:literal, $title:literal;)*) => {
        /// A check of the auditor. `V1` to `V20` are the protocol's, as is `sealed` of a ceremony
        /// for SSV; the others are about what its reader brings or asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The code as it is written.
            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// Whether it is about the transcript itself, and not about what its reader brings.
            pub fn is_own(self) -> bool {
                self <= Code::Cluster
            }

            /// What the check is about, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// Container, lengths, canonical decoding.
    V1, "V1", "The file is well-formed and has the exact length";
    /// Rules of the spec.
    V2, "V2", "The ceremony's parameters follow the rules";
    /// Card signatures.
    V3, "V3", "Every operator's identity key certifies its channel key";
    /// R0 signatures over the spec digest.
    V4, "V4", "Every operator consented to exactly this ceremony";
    /// Distinct nonces, commitments and one-time keys; keys canonical and not of low order.
    V5, "V5", "No hello is copied or weak";
    /// R1 signatures and views.
    V6, "V6", "Every reveal was signed after all commitments existed";
    /// Openings of the commitments.
    V7, "V7", "Every reveal opens its commitment";
    /// Decoding of the deals.
    V8, "V8", "Every point is canonical, in its group and not infinity";
    /// Distinct constant terms.
    V9, "V9", "No polynomial is copied";
    /// Proofs of possession.
    V10, "V10", "Every dealer knew its contribution";
    /// Sums.
    V11, "V11", "Keys and public shares are the sums of all contributions";
    /// Certificate 1.
    V12, "V12", "All operators stored the same deal";
    /// Possession proofs.
    V13, "V13", "Every operator answered for all its shares";
    /// Certificate 2.
    V14, "V14", "All operators agreed on the same outputs";
    /// Combined signatures.
    V15, "V15", "The signatures verify for exactly these deposits";
    /// Partial signatures.
    V16, "V16", "Every operator's partial signatures verify";
    /// Anchors.
    V17, "V17", "Evidence of the earliest time";
    /// Parents of reshared and repaired ceremonies.
    V18, "V18", "Earlier ceremonies of the same keys";
    /// Evidence of aborted ceremonies.
    V19, "V19", "Evidence of faults";
    /// Several transcripts together.
    V20, "V20", "Independence from other ceremonies";
    /// Proofs of encrypted shares, where the ceremony is for SSV.
    Sealed, "sealed", "Every operator has proven its encrypted shares for SSV";
    /// The lock of an Obol cluster: who has signed it.
    Cluster, "obol", "Every share and every node has signed the cluster's lock";
    /// The ceremony file that the reader expects.
    Expected, "expect", "The transcript belongs to the ceremony you expect";
    /// A deposit file.
    DepositData, "deposit-data", "The deposit file matches this transcript";
    /// A lock file.
    LockFile, "lock", "The cluster lock matches this transcript";
    /// Shares of one operator.
    Shares, "share", "The keystores hold one operator's shares";
    /// Key shares for SSV.
    KeyShares, "keyshares", "The key shares for SSV match this transcript";
    /// Proofs for SSV.
    Proofs, "proofs", "The proofs for SSV match this transcript";
    /// Everything one by one.
    Exhaustive, "exhaustive", "Every equation was checked individually, without batches";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}
