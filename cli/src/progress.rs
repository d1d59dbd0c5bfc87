//! Progress lines of a running ceremony: one for each change, always with the operators that are
//! awaited.

use core::fmt;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use quorate::audit::describe::in_quotes;
use quorate::identity::ShortForm;
use quorate::message::envelope::Round;
use quorate::message::shape::Shape;
use quorate::protocol::participant::{Participant, Waiting};
use quorate::spec::ceremony::Ceremony;
use quorate::spec::threshold::Index;

/// What a round brings, in a word.
pub(crate) fn round_word(round: Round) -> &'static str {
    match round {
        Round::Hello => "hellos",
        Round::Deal => "shares",
        Round::Prepare => "stored shares",
        Round::Commit => "signatures",
        Round::Final => "agreement on outputs",
    }
}

/// When and where a peer was last heard.
struct Heard {
    at: Instant,
    address: String,
    connected: bool,
}

/// How many lines a peer can bring about within a time: it may do what causes them as often as it
/// likes, and stderr may go to a disk.
const MOST_LINES: u32 = 20;
const WITHIN: Duration = Duration::from_secs(60);

/// The lines that a peer has brought about lately.
struct Lines {
    since: Instant,
    count: u32,
}

/// Prints changes to stderr.
pub(crate) struct Progress {
    last: String,
    heard: BTreeMap<Index, Heard>,
    /// Why there is no connection, as far as it was told last.
    causes: BTreeMap<Index, String>,
    lines: BTreeMap<Index, Lines>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            last: String::new(),
            heard: BTreeMap::new(),
            causes: BTreeMap::new(),
            lines: BTreeMap::new(),
        }
    }

    /// A line about something that happened.
    pub(crate) fn say(&self, line: &str) {
        crate::report::talk(line);
    }

    /// A line about something that `peer` did, unless it has brought about many lately.
    pub(crate) fn say_of(&mut self, peer: Index, line: &str) {
        match self.count(peer, Instant::now()) {
            count if count < MOST_LINES => self.say(line),
            count if count == MOST_LINES => self
                .say(&format!("{line} Further lines about this operator are hidden for a minute.")),
            _ => {}
        }
    }

    /// How many lines `peer` has brought about lately, with this one.
    fn count(&mut self, peer: Index, now: Instant) -> u32 {
        let lines = self.lines.entry(peer).or_insert(Lines { since: now, count: 0 });
        if now.duration_since(lines.since) >= WITHIN {
            *lines = Lines { since: now, count: 0 };
        }
        lines.count = lines.count.saturating_add(1);
        lines.count
    }

    pub(crate) fn up(&mut self, peer: Index, address: String) {
        self.causes.remove(&peer);
        self.heard.insert(peer, Heard { at: Instant::now(), address, connected: true });
    }

    /// Why there is no connection to `peer`. It is said until there is one, or another reason.
    pub(crate) fn failed(&mut self, peer: Index, cause: String) {
        self.causes.insert(peer, cause);
    }

    /// Whether there has been a connection to anybody.
    pub(crate) fn has_reached(&self) -> bool {
        !self.heard.is_empty()
    }

    pub(crate) fn down(&mut self, peer: Index) {
        if let Some(heard) = self.heard.get_mut(&peer) {
            heard.connected = false;
        }
    }

    pub(crate) fn heard_from(&mut self, peer: Index) {
        if let Some(heard) = self.heard.get_mut(&peer) {
            heard.at = Instant::now();
        }
    }

    /// Says where the participant stands, if that has changed. With `detail`, says it again and
    /// when each awaited peer was last heard.
    pub(crate) fn show(&mut self, participant: &Participant, detail: bool) {
        let waiting = participant.waiting();
        let Some(line) = self.describe(participant, &waiting, false) else { return };
        if line != self.last {
            self.say(&line);
            self.last = line;
        } else if detail && let Some(line) = self.describe(participant, &waiting, true) {
            self.say(&line);
        }
    }

    fn describe(
        &self,
        participant: &Participant,
        waiting: &Waiting,
        detail: bool,
    ) -> Option<String> {
        let ceremony = &participant.seat().ceremony;
        let round = waiting.round?;
        let shape = Shape::of(ceremony);
        let n = shape.speakers(round).len();
        let awaited = waiting.everybody();
        // Not everybody whose statement is missing is awaited now: a dealer commits when it stops.
        let missing = participant.inbox().missing(round).len().max(awaited.len());
        // In a repair everybody goes on signing with its share.
        let word = match round {
            Round::Commit if !shape.stops().is_empty() => "stops and commits",
            _ => round_word(round),
        };
        let head = format!(
            "Round {} of {}, {word}: {} of {n}.",
            round.number() + 1,
            shape.rounds().len(),
            n - missing.min(n)
        );
        if !waiting.to_show.is_empty() {
            let asked = waiting.to_show.iter().map(|index| seat_name(ceremony, *index).to_string());
            return Some(format!(
                "{head} Asking {} for a statement of yours that this log lacks.",
                asked.collect::<Vec<_>>().join(", ")
            ));
        }
        let lost = participant.does_without(participant.seat().me);
        let lost = listed(&seat_names(ceremony, &lost.iter().collect::<Vec<_>>()));
        let head = match (waiting.stop, lost.is_empty()) {
            (true, _) => format!("{head} Waiting for you to stop the old keys."),
            (false, false) => format!("{head} Finishing without {lost}."),
            (false, true) => head,
        };
        if awaited.is_empty() {
            return Some(head);
        }
        let name = |index: &Index| {
            let name = seat_name(ceremony, *index);
            if detail { format!("{name}, {}", self.last_heard(*index)) } else { name.to_string() }
        };
        Some(format!(
            "{head} Waiting for {}.",
            awaited.iter().map(name).collect::<Vec<_>>().join(", ")
        ))
    }

    /// When and where `peer` was last heard, and why it is not connected.
    pub(crate) fn last_heard(&self, peer: Index) -> String {
        let heard = self.heard.get(&peer).map(|heard| {
            let ago = heard.at.elapsed().as_secs();
            match heard.connected {
                true => format!("connected at {}, last heard {ago} s ago", heard.address),
                false => format!("disconnected, last seen {ago} s ago at {}", heard.address),
            }
        });
        match (heard, self.causes.get(&peer)) {
            (Some(heard), None) => heard,
            (Some(heard), Some(cause)) => format!("{heard} ({cause})"),
            (None, Some(cause)) => format!("not connected ({cause})"),
            (None, None) => "not reached yet".to_owned(),
        }
    }
}

/// An operator of a ceremony: for people its name in quotes with its seat, so that no name passes
/// for another operator; for programs its index, name and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    index: u16,
    name: Option<String>,
    key: Option<String>,
    #[serde(skip)]
    short: Option<ShortForm>,
}

impl Named {
    /// With the short form of its key: where it is blamed.
    pub(crate) fn with_key(&self) -> String {
        match (&self.name, &self.short) {
            (Some(name), Some(key)) => {
                format!("{} (operator {}, key {key})", in_quotes(name), self.index)
            }
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} (operator {})", in_quotes(name), self.index),
            None => write!(f, "operator {}", self.index),
        }
    }
}

/// The operator in a seat.
pub(crate) fn seat_name(ceremony: &Ceremony, index: Index) -> Named {
    let seat = ceremony.roster().get(index);
    Named {
        index: index.get(),
        name: seat.map(|seat| seat.card.name.to_string()),
        key: seat.map(|seat| hex::encode(seat.card.key.as_bytes())),
        short: seat.map(|seat| seat.card.key.short()),
    }
}

/// The operators in several seats.
pub(crate) fn seat_names(ceremony: &Ceremony, indices: &[Index]) -> Vec<Named> {
    indices.iter().map(|index| seat_name(ceremony, *index)).collect()
}

/// Several operators, for people.
pub(crate) fn listed(names: &[Named]) -> String {
    names.iter().map(Named::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_last_cause_stays() {
        let mut progress = Progress::new();
        let one = Index::new(1).unwrap();
        assert_eq!(progress.last_heard(one), "not reached yet");
        progress.failed(one, "another ceremony file".to_owned());
        assert_eq!(progress.last_heard(one), "not connected (another ceremony file)");
        progress.up(one, "a.example:1".to_owned());
        assert_eq!(progress.last_heard(one), "connected at a.example:1, last heard 0 s ago");
        progress.down(one);
        progress.failed(one, "nothing heard for 30 s".to_owned());
        assert_eq!(
            progress.last_heard(one),
            "disconnected, last seen 0 s ago at a.example:1 (nothing heard for 30 s)"
        );
    }

    #[test]
    fn a_peer_does_not_fill_the_terminal() {
        let mut progress = Progress::new();
        let (one, two) = (Index::new(1).unwrap(), Index::new(2).unwrap());
        let now = Instant::now();
        let shown = (0..10_000).filter(|_| progress.count(one, now) <= MOST_LINES).count();
        assert_eq!(shown, MOST_LINES as usize);
        assert_eq!(progress.count(two, now), 1, "each has its own");
        assert_eq!(progress.count(one, now + WITHIN), 1, "and a new start after a while");
    }
}
