//! Open files of a simulated disk.

use std::io;

use super::SimDisk;
use super::node::{FileOp, Node};
use super::plan::Plan;
use super::world::Effect;
use crate::store::disk::{Handle, Stat};

pub(super) struct SimFile {
    pub(super) disk: SimDisk,
    pub(super) number: u64,
    pub(super) writable: bool,
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
