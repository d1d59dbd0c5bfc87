//! A disk in memory that counts every operation, fails or crashes at a chosen one, and loses
//! unsynced data in all the ways that a real disk may.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::store::disk::{Access, Disk, Handle, Kind, Locking, Stat};

mod file;
mod node;
mod plan;
mod world;

use file::SimFile;
use node::{DirOp, Entries, Node};
pub(super) use plan::{Content, Names, Plan, aftermaths};
use world::{Effect, ROOT, World, error, rename};

/// The only directory of a new disk.
pub(super) const STATE: &str = "/state";

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub(super) struct SimDisk(Arc<Mutex<World>>);

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
