//! What a simulated key lives through after its birth: reshares, imports and repairs, with who
//! deals and who receives.

use super::reshare::Part;

/// What happens to keys that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    /// Shares are dealt anew.
    Reshare,
    /// Keys that one operator holds whole are dealt.
    Import,
    /// One operator regains the share that it has lost.
    Repair,
}

impl Life {
    /// Every kind, with its name in reports and its flag.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Reshare, "reshares"), (Self::Import, "imports"), (Self::Repair, "repairs")];

    /// The rosters of this kind, by their positions among all.
    pub fn rosters(self) -> impl Iterator<Item = usize> {
        (0..ROSTERS.len()).filter(move |at| ROSTERS[*at].life == self)
    }
}

/// Where shares come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A key generation of so many operators, and how many of them sign.
    Generation(usize, usize),
    /// Another roster, by its position: a reshare or an import.
    Child(usize),
    /// Nowhere: keys that were whole.
    Keys,
}

/// A ceremony of keys that exist, as it can be drawn.
pub struct Roster {
    /// What it is, for reports.
    pub name: &'static str,
    /// What happens.
    pub life: Life,
    /// Of what.
    pub origin: Origin,
    /// Who deals and receives; in a repair who helps, and who regains its share. In a reshare, who
    /// does neither witnesses.
    pub parts: &'static [Part],
    /// Who of the receivers witnesses besides.
    pub also_witness: &'static [&'static str],
    /// How many sign afterwards.
    pub t: usize,
}

impl Roster {
    /// Whether somebody in it stops that does not deal.
    pub fn has_witnesses(&self) -> bool {
        let neither = |(_, deals, receives): &Part| !deals && !receives;
        self.life == Life::Reshare && self.parts.iter().any(neither)
            || !self.also_witness.is_empty()
    }
}

/// Position of the reshare whose share is lost in a repair.
const REPLACE: usize = 3;
/// The same of an import.
const IMPORT: usize = 10;

/// Reshares whose old and new operators overlap in every way; imports by one who stays and by one
/// who does not; repairs of a share of a key generation, of a reshare and of an import; reshares
/// with witnesses, so many that without them too few would be left where one is lost.
pub const ROSTERS: [Roster; 22] = [
    Roster {
        name: "refresh",
        life: Life::Reshare,
        origin: Origin::Generation(3, 2),
        parts: &[("alice", true, true), ("bob", true, true), ("carol", true, true)],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "add",
        life: Life::Reshare,
        origin: Origin::Generation(3, 2),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", false, true),
        ],
        also_witness: &[],
        t: 3,
    },
    Roster {
        name: "remove",
        life: Life::Reshare,
        origin: Origin::Generation(4, 3),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", true, false),
        ],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "replace",
        life: Life::Reshare,
        origin: Origin::Generation(3, 2),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, false),
            ("dave", false, true),
        ],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "replace-absent",
        life: Life::Reshare,
        origin: Origin::Generation(4, 3),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("erin", false, true),
        ],
        also_witness: &[],
        t: 3,
    },
    Roster {
        name: "full",
        life: Life::Reshare,
        origin: Origin::Generation(3, 2),
        parts: &[
            ("alice", true, false),
            ("bob", true, false),
            ("carol", true, false),
            ("dave", false, true),
            ("erin", false, true),
            ("frank", false, true),
        ],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "threshold",
        life: Life::Reshare,
        origin: Origin::Generation(4, 3),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", true, true),
        ],
        also_witness: &[],
        t: 4,
    },
    Roster {
        name: "lost-share",
        life: Life::Reshare,
        origin: Origin::Generation(4, 3),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", false, true),
            ("erin", false, true),
        ],
        also_witness: &[],
        t: 3,
    },
    Roster {
        name: "fewest-dealers",
        life: Life::Reshare,
        origin: Origin::Generation(3, 2),
        parts: &[
            ("bob", true, true),
            ("carol", true, false),
            ("dave", false, true),
            ("erin", false, true),
        ],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "first-dealers",
        life: Life::Reshare,
        origin: Origin::Generation(3, 2),
        parts: &[
            ("alice", true, true),
            ("bob", true, false),
            ("frank", false, true),
            ("grace", false, true),
        ],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "import",
        life: Life::Import,
        origin: Origin::Keys,
        parts: &[("alice", true, true), ("bob", false, true), ("carol", false, true)],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "import-by-a-stranger",
        life: Life::Import,
        origin: Origin::Keys,
        parts: &[
            ("alice", false, true),
            ("bob", false, true),
            ("carol", false, true),
            ("dave", true, false),
        ],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "import-for-four",
        life: Life::Import,
        origin: Origin::Keys,
        parts: &[
            ("alice", false, true),
            ("bob", false, true),
            ("carol", true, true),
            ("dave", false, true),
        ],
        also_witness: &[],
        t: 3,
    },
    Roster {
        name: "import-for-all",
        life: Life::Import,
        origin: Origin::Keys,
        parts: &[("alice", true, true), ("bob", false, true), ("carol", false, true)],
        also_witness: &[],
        t: 3,
    },
    Roster {
        name: "repair",
        life: Life::Repair,
        origin: Origin::Generation(4, 3),
        parts: &[
            ("alice", true, false),
            ("bob", true, false),
            ("carol", false, true),
            ("dave", true, false),
        ],
        also_witness: &[],
        t: 3,
    },
    Roster {
        name: "repair-of-few",
        life: Life::Repair,
        origin: Origin::Generation(3, 2),
        parts: &[("alice", false, true), ("bob", true, false), ("carol", true, false)],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "repair-after-reshare",
        life: Life::Repair,
        origin: Origin::Child(REPLACE),
        parts: &[("alice", true, false), ("bob", true, false), ("dave", false, true)],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "repair-after-import",
        life: Life::Repair,
        origin: Origin::Child(IMPORT),
        parts: &[("alice", true, false), ("bob", false, true), ("carol", true, false)],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "witness",
        life: Life::Reshare,
        origin: Origin::Generation(4, 3),
        parts: &[
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", false, false),
        ],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "witness-that-receives",
        life: Life::Reshare,
        origin: Origin::Generation(3, 2),
        parts: &[("alice", true, true), ("bob", true, true), ("carol", false, true)],
        also_witness: &["carol"],
        t: 2,
    },
    Roster {
        name: "witness-of-others",
        life: Life::Reshare,
        origin: Origin::Generation(3, 2),
        parts: &[
            ("alice", true, true),
            ("bob", true, false),
            ("carol", false, false),
            ("dave", false, true),
            ("erin", false, true),
        ],
        also_witness: &[],
        t: 2,
    },
    Roster {
        name: "two-witnesses",
        life: Life::Reshare,
        origin: Origin::Generation(5, 3),
        parts: &[
            ("alice", false, false),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", false, true),
            ("erin", true, false),
        ],
        also_witness: &["dave"],
        t: 2,
    },
];

/// Every two rosters that deal the same keys to different operators, or differently; of imports
/// those of one dealer.
pub fn pairs() -> Vec<[usize; 2]> {
    let dealers = |at: usize| {
        let parts = ROSTERS[at].parts.iter();
        parts.filter(|(_, deals, _)| *deals).map(|(name, _, _)| *name).collect::<Vec<_>>()
    };
    let fit = |first: usize, second: usize| {
        let (one, two) = (&ROSTERS[first], &ROSTERS[second]);
        let same = one.life == two.life && one.origin == two.origin;
        let life = match one.life {
            Life::Reshare => true,
            Life::Import => dealers(first) == dealers(second),
            Life::Repair => false,
        };
        first != second && same && life
    };
    let all = 0..ROSTERS.len();
    let second = all.clone();
    all.flat_map(|first| {
        second.clone().filter(move |second| fit(first, *second)).map(move |second| [first, second])
    })
    .collect()
}
