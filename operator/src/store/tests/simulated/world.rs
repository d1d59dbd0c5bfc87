//! All of a simulated disk: what it holds, and the effect at which it fails.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::node::{DirOp, Node};
use super::plan::{Content, Names, Plan};
use crate::store::disk::{Kind, Stat};

pub(super) const ROOT: u64 = 0;

#[derive(Clone)]
pub(super) struct World {
    pub(super) nodes: BTreeMap<u64, Node>,
    pub(super) plan: Plan,
    pub(super) effects: usize,
    pub(super) dead: bool,
    /// Whether it can sync everything in one go.
    pub(super) whole: bool,
}

/// What an effect does to the disk; decides what "no space" means for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Look,
    Shrink,
    Space,
}

pub(super) fn error(kind: io::ErrorKind) -> io::Error {
    kind.into()
}

impl World {
    /// Counts an effect; an error if it is planned to fail.
    pub(super) fn effect(&mut self, effect: Effect) -> io::Result<()> {
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

    pub(super) fn find(&self, path: &Path) -> io::Result<u64> {
        let mut at = ROOT;
        for part in path.components().skip(1) {
            let Node::Dir { live, .. } = &self.nodes[&at] else {
                return Err(error(io::ErrorKind::NotADirectory));
            };
            at = *live.get(part.as_os_str()).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    pub(super) fn change_dir(&mut self, path: &Path, op: DirOp) -> io::Result<()> {
        let parent = self.find(path.parent().unwrap())?;
        let Some(Node::Dir { live, pending, .. }) = self.nodes.get_mut(&parent) else {
            panic!("a parent is a directory")
        };
        op.apply(live);
        pending.push(op);
        Ok(())
    }

    pub(super) fn add(&mut self, path: &Path, node: Node) -> io::Result<u64> {
        if self.find(path).is_ok() {
            return Err(error(io::ErrorKind::AlreadyExists));
        }
        self.find(path.parent().unwrap())?;
        let number = self.nodes.len() as u64;
        self.nodes.insert(number, node);
        self.change_dir(path, DirOp::Add(path.file_name().unwrap().to_owned(), number))?;
        Ok(number)
    }

    pub(super) fn stat(&self, number: u64) -> Stat {
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

    pub(super) fn after(&self, content: Content, names: Names) -> Self {
        let nodes = self
            .nodes
            .iter()
            .map(|(number, node)| (*number, node.after(*number, content, names)))
            .collect();
        Self { nodes, plan: Plan::Fine, effects: 0, dead: false, whole: self.whole }
    }

    /// Everything at and below `number`.
    pub(super) fn below(&self, number: u64) -> Vec<u64> {
        let children = match &self.nodes[&number] {
            Node::Dir { live, .. } => live.values().flat_map(|child| self.below(*child)).collect(),
            Node::File { .. } => Vec::new(),
        };
        [vec![number], children].concat()
    }

    /// Makes a node durable, or forgets what was to be.
    pub(super) fn sync(&mut self, number: u64, done: bool) {
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

pub(super) fn rename(world: &mut World, from: &Path, to: &Path) -> io::Result<()> {
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
