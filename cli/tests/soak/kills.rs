//! `kill -9` at random moments. A killed operator is restarted with the same command; nothing else
//! is ever done.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Size, scratch, unconfirmed};
use crate::support::program::Ended;
use crate::support::running::{Killed, Running};
use crate::{Chance, seed, setting, with_others};

/// A ceremony that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(180);
/// Longest time between two kills. A ceremony without kills takes a little longer than this.
const BETWEEN: u64 = 400;
/// Longest time that a killed operator stays away.
const AWAY: u64 = 500;

/// Where an operator is.
pub(crate) enum State {
    Running(Running),
    Away(Instant),
    Done { unconfirmed: usize },
}

/// What happened in a ceremony.
#[derive(Default)]
pub(crate) struct Tally {
    /// Kills, by the last round that the killed process had spoken of.
    kills: BTreeMap<String, usize>,
    /// Operators that had ended and were started again for others.
    reruns: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        other
            .kills
            .into_iter()
            .for_each(|(round, count)| *self.kills.entry(round).or_default() += count);
        self.reruns += other.reruns;
    }

    fn kills(&self) -> usize {
        self.kills.values().sum()
    }
}

/// The last thing that a process said of where it stands.
fn round_of(said: &str) -> String {
    let telling =
        |line: &&str| line.starts_with("Round ") || line.starts_with("Outputs are written");
    match said.lines().rfind(telling) {
        Some(line) if line.starts_with("Round ") => line[..7].to_owned(),
        Some(_) => "published".to_owned(),
        None => "starting".to_owned(),
    }
}

/// Operators that run until all have ended well.
pub(crate) struct Play<'c> {
    cluster: &'c Cluster,
    pub(crate) states: Vec<State>,
    pub(crate) tally: Tally,
    /// What is to be done about an operator that ended badly: after which time it is started again.
    excuse: Box<Excuse<'c>>,
    end: Instant,
}

type Excuse<'c> = dyn FnMut(usize, &Ended) -> Option<Duration> + 'c;

impl<'c> Play<'c> {
    /// Starts everybody, each after a time of its own.
    pub(crate) fn new(cluster: &'c Cluster, chance: &mut Chance) -> Self {
        let states =
            (0..cluster.n()).map(|_| State::Away(Instant::now() + chance.millis(100))).collect();
        Self {
            cluster,
            states,
            tally: Tally::default(),
            excuse: Box::new(|_, _| None),
            end: Instant::now() + PATIENCE,
        }
    }

    /// Some bad ends are what is tested.
    pub(crate) fn excusing(
        mut self,
        excuse: impl FnMut(usize, &Ended) -> Option<Duration> + 'c,
    ) -> Self {
        self.excuse = Box::new(excuse);
        self
    }

    /// Lets a moment pass. True when all have ended well.
    pub(crate) fn step(&mut self) -> Result<bool, String> {
        std::thread::sleep(Duration::from_millis(2));
        for (i, state) in self.states.iter_mut().enumerate() {
            match state {
                State::Away(until) if Instant::now() >= *until => {
                    *state = State::Running(self.cluster.start(i))
                }
                State::Running(running) => {
                    if let Some(ended) = running.poll() {
                        *state = match (ended.code, (self.excuse)(i, &ended)) {
                            (_, Some(pause)) => State::Away(Instant::now() + pause),
                            (0, None) => State::Done { unconfirmed: unconfirmed(&ended) },
                            (_, None) => {
                                return Err(format!(
                                    "operator {} ended by itself with {}: {}",
                                    i + 1,
                                    ended.code,
                                    ended.stderr
                                ));
                            }
                        };
                    }
                }
                State::Away(_) | State::Done { .. } => {}
            }
        }
        let all_done = self.states.iter().all(|state| matches!(state, State::Done { .. }));
        if !all_done {
            if Instant::now() >= self.end {
                return Err(format!("not finished after {} s", PATIENCE.as_secs()));
            }
            self.help();
        }
        Ok(all_done)
    }

    /// Does what the program tells the person who ran it: "should one of them need your statements,
    /// run the same command again".
    fn help(&mut self) {
        let waiting = self.states.iter().any(|state| matches!(state, State::Running(_)));
        for state in &mut self.states {
            if waiting && matches!(state, State::Done { unconfirmed: 1.. }) {
                *state = State::Away(Instant::now() + Duration::from_secs(1));
                self.tally.reruns += 1;
            }
        }
    }

    /// One of those that run.
    fn victim(&self, chance: &mut Chance) -> Option<usize> {
        let running: Vec<usize> = (0..self.states.len())
            .filter(|i| matches!(self.states[*i], State::Running(_)))
            .collect();
        (!running.is_empty()).then(|| running[chance.below(running.len())])
    }

    /// How much operator `i` has said since it was started; nothing if it does not run.
    fn talk(&self, i: usize) -> u64 {
        if let State::Running(process) = &self.states[i] { process.talk() } else { 0 }
    }

    /// Kills an operator if it runs.
    fn kill(&mut self, victim: usize, chance: &mut Chance) -> Result<(), String> {
        let back = State::Away(Instant::now() + chance.millis(AWAY));
        match std::mem::replace(&mut self.states[victim], back) {
            State::Running(process) => match process.kill() {
                Killed::Running(said) => *self.tally.kills.entry(round_of(&said)).or_default() += 1,
                Killed::Ended(ended) if ended.code == 0 => {
                    self.states[victim] = State::Done { unconfirmed: unconfirmed(&ended) };
                }
                Killed::Ended(ended) => {
                    return Err(format!(
                        "operator {} ended by itself with {}: {}",
                        victim + 1,
                        ended.code,
                        ended.stderr
                    ));
                }
            },
            other => self.states[victim] = other,
        }
        Ok(())
    }
}

/// When the next kill is due.
enum Due {
    /// At a moment, whoever it hits.
    At(Instant),
    /// A little after this operator says something more than it had said, which is where things
    /// happen.
    AfterTalk { victim: usize, said: u64, pause: Duration },
}

/// One ceremony with its kills.
fn ceremony(cluster: &Cluster, chance: &mut Chance) -> Result<Tally, String> {
    let mut play = Play::new(cluster, chance);
    let mut left = 3 + chance.below(5);
    // A ceremony may be over before a moment of chance; nobody finishes before everybody has said
    // something.
    let mut due =
        Due::AfterTalk { victim: chance.below(cluster.n()), said: 0, pause: chance.millis(12) };
    while !play.step()? {
        if left == 0 {
            continue;
        }
        let victim = match due {
            Due::At(moment) if Instant::now() >= moment => play.victim(chance),
            Due::AfterTalk { victim, said, pause } if play.talk(victim) != said => {
                std::thread::sleep(pause);
                Some(victim)
            }
            Due::At(_) | Due::AfterTalk { .. } => continue,
        };
        let Some(victim) = victim else { continue };
        play.kill(victim, chance)?;
        left -= 1;
        due = match (chance.below(8), play.victim(chance)) {
            // Two at once.
            (0, _) => Due::At(Instant::now()),
            (1..=4, Some(victim)) => {
                Due::AfterTalk { victim, said: play.talk(victim), pause: chance.millis(12) }
            }
            _ => Due::At(Instant::now() + chance.millis(BETWEEN)),
        };
    }
    cluster.check()?;
    Ok(play.tally)
}

#[test]
fn no_kill_loses_a_share() {
    let _with = with_others();
    let seed = seed("kill -9");
    let count = usize::try_from(setting("QUORATE_SOAK_CEREMONIES").unwrap_or(6)).unwrap();
    let jobs = usize::try_from(setting("QUORATE_SOAK_JOBS").unwrap_or(4)).unwrap();
    let (begun, next) = (Instant::now(), AtomicUsize::new(0));
    let (tally, failures) = (Mutex::new(Tally::default()), Mutex::new(Vec::new()));
    let worker = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let mut chance = Chance::new(seed, u64::try_from(number).unwrap());
            let size = [Size { n: 3, t: 2, v: 1 }, Size { n: 4, t: 3, v: 1 }][number % 2];
            let root = scratch();
            let cluster = Cluster::local(root.path(), size, &mut chance);
            match ceremony(&cluster, &mut chance) {
                Ok(one) => tally.lock().unwrap().add(one),
                Err(why) => {
                    let kept = root.keep();
                    eprintln!(
                        "ceremony {number} {size:?}: {why}; kept {}\n{}",
                        kept.display(),
                        cluster.said()
                    );
                    failures.lock().unwrap().push(format!("ceremony {number}: {why}"));
                }
            }
            if (number + 1) % 50 == 0 {
                eprintln!(
                    "{} ceremonies begun, {:.0} s",
                    number + 1,
                    begun.elapsed().as_secs_f64()
                );
            }
        }
    };
    std::thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(worker))));
    let (tally, failures) = (tally.into_inner().unwrap(), failures.into_inner().unwrap());
    eprintln!(
        "kill -9: {count} ceremonies, {} kills, {} failures, {:.0} s; {} runs for the sake of \
         others; killed in: {:?}",
        tally.kills(),
        failures.len(),
        begun.elapsed().as_secs_f64(),
        tally.reruns,
        tally.kills
    );
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(tally.kills() >= count, "nobody was killed");
}
