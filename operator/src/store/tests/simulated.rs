//! A disk in memory that counts every operation, fails or crashes at a chosen one, and loses
//! unsynced data in all the ways that a real disk may.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::store::disk::{Access, Disk, Handle, Kind, Locking, Stat};

/// The only directory of a new disk.
pub(super) const STATE: &str = "/state";
const ROOT: u64 = 0;
const SECTOR: usize = 512;

/// The fault to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Nothing.
    Fine,
    /// Before this effect the power goes.
    Crash(usize),
    /// This effect fails once; a write fails half-way, a sync forgets what it should have written.
    Fail(usize),
    /// If this effect is a write, it says that it succeeded, but one bit is wrong.
    Flip(usize),
    /// If this effect is a sync, it says that it succeeded, but nothing was written.
    Lie(usize),
    /// From this effect on there is no space.
    Full(usize),
}

/// What a crash leaves of writes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    All,
    /// The last write stops half-way.
    Half,
    Nothing,
    /// Each sector is new, old or zero.
    Sectors(u64),
    /// The length is right and the content is zero.
    Zeros,
}

/// What a crash leaves of directory changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    All,
    Nothing,
    /// Those before some point, in each directory.
    Some(u64),
}

/// Ways to lose things.
pub(super) fn aftermaths() -> Vec<(Content, Names)> {
    let contents = [Content::All, Content::Half, Content::Nothing, Content::Zeros];
    let contents = contents.into_iter().chain((0..4).map(Content::Sectors));
    let names = [Names::All, Names::Nothing, Names::Some(1), Names::Some(2)];
    contents.flat_map(|content| names.map(|names| (content, names))).collect()
}

#[derive(Clone)]
enum FileOp {
    Len(usize),
    Write(usize, Vec<u8>),
}

impl FileOp {
    fn flipped(self) -> Self {
        match self {
            Self::Write(at, mut new) if !new.is_empty() => {
                new[0] ^= 1;
                Self::Write(at, new)
            }
            other => other,
        }
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Len(len) => bytes.resize(*len, 0),
            Self::Write(at, new) => {
                bytes.resize(bytes.len().max(at + new.len()), 0);
                bytes[*at..at + new.len()].copy_from_slice(new);
            }
        }
    }
}

#[derive(Clone)]
enum DirOp {
    Add(OsString, u64),
    Move(OsString, OsString),
    Remove(OsString),
}

type Entries = BTreeMap<OsString, u64>;

impl DirOp {
    fn apply(&self, names: &mut Entries) {
        match self {
            Self::Add(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Move(from, to) => {
                let node = names.remove(from).unwrap();
                names.insert(to.clone(), node);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

#[derive(Clone)]
enum Node {
    Dir { mode: u32, live: Entries, durable: Entries, pending: Vec<DirOp> },
    File { mode: u32, live: Vec<u8>, durable: Vec<u8>, pending: Vec<FileOp> },
}

#[derive(Clone)]
struct World {
    nodes: BTreeMap<u64, Node>,
    plan: Plan,
    effects: usize,
    dead: bool,
    /// Whether it can sync everything in one go.
    whole: bool,
}

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub(super) struct SimDisk(Arc<Mutex<World>>);

/// What an effect does to the disk; decides what "no space" means for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Look,
    Shrink,
    Space,
}

fn error(kind: io::ErrorKind) -> io::Error {
    kind.into()
}

impl World {
    /// Counts an effect; an error if it is planned to fail.
    fn effect(&mut self, effect: Effect) -> io::Result<()> {
        let at = self.effects;
        self.effects += 1;
        match self.plan {
            Plan::Crash(when) if at >= when => self.dead = true,
            Plan::Fail(when) if at == when => return Err(io::Error::other("the disk fails")),
            Plan::Full(when) if at >= when && effect == Effect::Space => {
                return Err(error(io::ErrorKind::StorageFull));
            }
            _ => {}
        }
        if self.dead { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    fn find(&self, path: &Path) -> io::Result<u64> {
        let mut at = ROOT;
        for part in path.components().skip(1) {
            let Node::Dir { live, .. } = &self.nodes[&at] else {
                return Err(error(io::ErrorKind::NotADirectory));
            };
            at = *live.get(part.as_os_str()).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    fn change_dir(&mut self, path: &Path, op: DirOp) -> io::Result<()> {
        let parent = self.find(path.parent().unwrap())?;
        let Some(Node::Dir { live, pending, .. }) = self.nodes.get_mut(&parent) else {
            panic!("a parent is a directory")
        };
        op.apply(live);
        pending.push(op);
        Ok(())
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<u64> {
        if self.find(path).is_ok() {
            return Err(error(io::ErrorKind::AlreadyExists));
        }
        self.find(path.parent().unwrap())?;
        let number = self.nodes.len() as u64;
        self.nodes.insert(number, node);
        self.change_dir(path, DirOp::Add(path.file_name().unwrap().to_owned(), number))?;
        Ok(number)
    }

    fn stat(&self, number: u64) -> Stat {
        let owner = rustix::process::geteuid().as_raw();
        let names = self.nodes.values().map(|node| match node {
            Node::Dir { live, .. } => {
                live.values().filter(|target| **target == number).count() as u64
            }
            Node::File { .. } => 0,
        });
        let links = names.sum();
        match &self.nodes[&number] {
            Node::Dir { mode, .. } => {
                Stat { kind: Kind::Directory, mode: *mode, owner, len: 0, links }
            }
            Node::File { mode, live, .. } => {
                Stat { kind: Kind::File, mode: *mode, owner, len: live.len() as u64, links }
            }
        }
    }

    fn after(&self, content: Content, names: Names) -> Self {
        let nodes = self
            .nodes
            .iter()
            .map(|(number, node)| (*number, node.after(*number, content, names)))
            .collect();
        Self { nodes, plan: Plan::Fine, effects: 0, dead: false, whole: self.whole }
    }

    /// Everything at and below `number`.
    fn below(&self, number: u64) -> Vec<u64> {
        let children = match &self.nodes[&number] {
            Node::Dir { live, .. } => live.values().flat_map(|child| self.below(*child)).collect(),
            Node::File { .. } => Vec::new(),
        };
        [vec![number], children].concat()
    }

    /// Makes a node durable, or forgets what was to be.
    fn sync(&mut self, number: u64, done: bool) {
        match self.nodes.get_mut(&number).unwrap() {
            Node::Dir { live, durable, pending, .. } if done => {
                durable.clone_from(live);
                pending.clear();
            }
            // What a failed sync left is tried again.
            Node::Dir { .. } => {}
            // Not the live content: what an earlier failed sync forgot is not written by this one.
            Node::File { durable, pending, .. } => {
                std::mem::take(pending).iter().filter(|_| done).for_each(|op| op.apply(durable));
            }
        }
    }
}

impl Node {
    fn dir(mode: u32) -> Self {
        Self::Dir { mode, live: BTreeMap::new(), durable: BTreeMap::new(), pending: Vec::new() }
    }

    fn after(&self, number: u64, content: Content, kept: Names) -> Self {
        let random = |seed: u64| ChaCha20Rng::seed_from_u64(seed << 32 | number);
        match self {
            Self::Dir { mode, durable, pending, .. } => {
                let count = match kept {
                    Names::All => pending.len(),
                    Names::Nothing => 0,
                    Names::Some(seed) => random(seed).next_u32() as usize % (pending.len() + 1),
                };
                let mut names = durable.clone();
                pending[..count].iter().for_each(|op| op.apply(&mut names));
                Self::Dir { mode: *mode, live: names.clone(), durable: names, pending: Vec::new() }
            }
            Self::File { mode, durable, pending, .. } => {
                let mut bytes = durable.clone();
                let mut random =
                    random(if let Content::Sectors(seed) = content { seed } else { 0 });
                for (position, op) in pending.iter().enumerate() {
                    lose(op, position + 1 == pending.len(), content, &mut random, &mut bytes);
                }
                Self::File { mode: *mode, live: bytes.clone(), durable: bytes, pending: Vec::new() }
            }
        }
    }
}

/// Applies what a crash leaves of one operation.
fn lose(
    op: &FileOp,
    is_last: bool,
    content: Content,
    random: &mut ChaCha20Rng,
    bytes: &mut Vec<u8>,
) {
    match (content, op) {
        (Content::All, _) => op.apply(bytes),
        (Content::Nothing, _) => {}
        (Content::Half, FileOp::Write(at, new)) if is_last => {
            FileOp::Write(*at, new[..new.len() / 2].to_vec()).apply(bytes)
        }
        (Content::Half, _) => op.apply(bytes),
        (Content::Sectors(_), FileOp::Len(_)) if random.next_u32().is_multiple_of(2) => {}
        (_, FileOp::Len(_)) => op.apply(bytes),
        (Content::Zeros, FileOp::Write(at, new)) => {
            FileOp::Write(*at, vec![0; new.len()]).apply(bytes)
        }
        (Content::Sectors(_), FileOp::Write(at, new)) => {
            for (sector, part) in new.chunks(SECTOR).enumerate() {
                let at = at + sector * SECTOR;
                match random.next_u32() % 4 {
                    0 => {}
                    1 => FileOp::Write(at, vec![0; part.len()]).apply(bytes),
                    _ => FileOp::Write(at, part.to_vec()).apply(bytes),
                }
            }
        }
    }
}

impl SimDisk {
    /// A disk with an empty state directory.
    pub(super) fn new() -> Self {
        Self::make(false)
    }

    /// One that can sync everything below a directory in one go.
    pub(super) fn whole() -> Self {
        Self::make(true)
    }

    fn make(whole: bool) -> Self {
        let names: Entries = [("state".into(), 1)].into();
        let root =
            Node::Dir { mode: 0o755, live: names.clone(), durable: names, pending: Vec::new() };
        let nodes = BTreeMap::from([(ROOT, root), (1, Node::dir(0o700))]);
        Self(Arc::new(Mutex::new(World {
            nodes,
            plan: Plan::Fine,
            effects: 0,
            dead: false,
            whole,
        })))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Sets what goes wrong from here on, counting from 0.
    pub(super) fn plan(&self, plan: Plan) {
        let mut world = self.world();
        world.plan = plan;
        world.effects = 0;
    }

    /// How many effects there were since the plan was set.
    pub(super) fn effects(&self) -> usize {
        self.world().effects
    }

    /// The process was killed, not the power: everything is there, and what was not synced still is
    /// not.
    pub(super) fn restart(&self) {
        let mut world = self.world();
        world.plan = Plan::Fine;
        world.dead = false;
    }

    /// A new disk: what is left of this one after a crash now.
    pub(super) fn after(&self, (content, names): (Content, Names)) -> Self {
        Self(Arc::new(Mutex::new(self.world().after(content, names))))
    }

    /// All files and directories below the state directory, with their content.
    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        fn walk(world: &World, number: u64, path: &str, out: &mut BTreeMap<String, Vec<u8>>) {
            match &world.nodes[&number] {
                Node::Dir { live, .. } => {
                    for (name, child) in live {
                        walk(world, *child, &format!("{path}/{}", name.to_str().unwrap()), out);
                    }
                }
                Node::File { live, .. } => {
                    out.insert(path.trim_start_matches('/').to_owned(), live.clone());
                }
            }
        }
        let mut out = BTreeMap::new();
        walk(&self.world(), 1, "", &mut out);
        out
    }

    /// Durable content of every file that ever was, also of those without a name.
    pub(super) fn remains(&self) -> Vec<Vec<u8>> {
        let world = self.world();
        let files = world.nodes.values().filter_map(|node| match node {
            Node::Dir { .. } => None,
            Node::File { durable, .. } => Some(durable.clone()),
        });
        files.collect()
    }

    /// The named content, durably, behind everybody's back.
    pub(super) fn put(&self, path: &Path, content: &[u8]) {
        let mut world = self.world();
        let number = world.find(path).unwrap();
        let Some(Node::File { live, durable, pending, .. }) = world.nodes.get_mut(&number) else {
            panic!("a file")
        };
        content.clone_into(live);
        content.clone_into(durable);
        pending.clear();
    }

    /// What is at a path.
    pub(super) fn get(&self, path: &Path) -> Vec<u8> {
        let world = self.world();
        let Node::File { live, .. } = &world.nodes[&world.find(path).unwrap()] else {
            panic!("a file")
        };
        live.clone()
    }
}

impl Disk for SimDisk {
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let mut world = self.world();
        world.effect(Effect::Look)?;
        let number = world.find(path)?;
        Ok(world.stat(number))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let mut world = self.world();
        world.effect(Effect::Look)?;
        let number = world.find(path)?;
        let Node::Dir { live, .. } = &world.nodes[&number] else {
            return Err(error(io::ErrorKind::NotADirectory));
        };
        Ok(live.keys().cloned().collect())
    }

    fn make_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        let mut world = self.world();
        world.effect(Effect::Space)?;
        world.add(path, Node::dir(mode)).map(drop)
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        let mut world = self.world();
        world.effect(Effect::Space)?;
        let number = world.add(
            path,
            Node::File { mode, live: Vec::new(), durable: Vec::new(), pending: Vec::new() },
        )?;
        Ok(Box::new(SimFile { disk: self.clone(), number, writable: true }))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn Handle>> {
        let mut world = self.world();
        world.effect(Effect::Look)?;
        let number = world.find(path)?;
        Ok(Box::new(SimFile { disk: self.clone(), number, writable: access == Access::ReadWrite }))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.effect(Effect::Shrink)?;
        match world.find(to) {
            Ok(_) => Err(error(io::ErrorKind::AlreadyExists)),
            Err(_) => rename(&mut world, from, to),
        }
    }

    fn rename_over(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.effect(Effect::Shrink)?;
        rename(&mut world, from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.effect(Effect::Shrink)?;
        world.find(path)?;
        world.change_dir(path, DirOp::Remove(path.file_name().unwrap().to_owned()))
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        if self.stat(path)?.kind == Kind::Directory {
            for name in self.list(path)? {
                self.remove_tree(&path.join(name))?;
            }
        }
        self.remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.effect(Effect::Shrink)?;
        let number = world.find(path)?;
        assert!(matches!(world.nodes[&number], Node::Dir { .. }), "a directory");
        world.sync(number, true);
        Ok(())
    }

    fn sync_below(&self, path: &Path, _: usize) -> io::Result<bool> {
        let mut world = self.world();
        if !world.whole {
            return Ok(false);
        }
        let lie = world.plan == Plan::Lie(world.effects);
        let allowed = world.effect(Effect::Shrink);
        if !world.dead {
            let number = world.find(path)?;
            let done = allowed.is_ok() && !lie;
            world.below(number).into_iter().for_each(|number| world.sync(number, done));
        }
        allowed.map(|()| true)
    }

    fn lock(&self, _: &Path) -> io::Result<Locking> {
        self.world().effect(Effect::Look)?;
        Ok(Locking::Ours(Box::new(())))
    }
}

fn rename(world: &mut World, from: &Path, to: &Path) -> io::Result<()> {
    assert_eq!(
        from.parent(),
        to.parent(),
        "only renames within a directory are atomic in this model"
    );
    world.find(from)?;
    world.change_dir(
        from,
        DirOp::Move(from.file_name().unwrap().to_owned(), to.file_name().unwrap().to_owned()),
    )
}

struct SimFile {
    disk: SimDisk,
    number: u64,
    writable: bool,
}

impl SimFile {
    fn change(&self, effect: Effect, half: Option<FileOp>, whole: FileOp) -> io::Result<()> {
        assert!(self.writable, "written through a descriptor that was opened for reading");
        let mut world = self.disk.world();
        let flip = world.plan == Plan::Flip(world.effects);
        let allowed = world.effect(effect);
        let op = match allowed {
            Ok(()) if flip => Some(whole.flipped()),
            Ok(()) => Some(whole),
            // A write that fails has written something.
            Err(_) => half.filter(|_| !world.dead),
        };
        let Some(Node::File { live, pending, .. }) = world.nodes.get_mut(&self.number) else {
            panic!("a file")
        };
        if let Some(op) = op {
            op.apply(live);
            pending.push(op);
        }
        allowed
    }
}

impl Handle for SimFile {
    fn stat(&self) -> io::Result<Stat> {
        let mut world = self.disk.world();
        world.effect(Effect::Look)?;
        Ok(world.stat(self.number))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let mut world = self.disk.world();
        world.effect(Effect::Look)?;
        let Node::File { live, .. } = &world.nodes[&self.number] else { panic!("a file") };
        let from = live
            .get(offset as usize..)
            .and_then(|rest| rest.get(..into.len()))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(from);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let at = offset as usize;
        let half = FileOp::Write(at, bytes[..bytes.len() / 2].to_vec());
        self.change(Effect::Space, Some(half), FileOp::Write(at, bytes.to_vec()))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Effect::Shrink, None, FileOp::Len(len as usize))
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.disk.world();
        let lie = world.plan == Plan::Lie(world.effects);
        let allowed = world.effect(Effect::Shrink);
        if !world.dead {
            world.sync(self.number, allowed.is_ok() && !lie);
        }
        allowed
    }

    fn reserve(&self, _: u64, _: u64) -> io::Result<()> {
        self.disk.world().effect(Effect::Space)
    }

    /// What an earlier failed sync forgot is in memory only, and so is gone now.
    fn forget_cache(&self) {
        let mut world = self.disk.world();
        let Some(Node::File { live, durable, pending, .. }) = world.nodes.get_mut(&self.number)
        else {
            panic!("a file")
        };
        live.clone_from(durable);
        pending.iter().for_each(|op| op.apply(live));
    }
}
