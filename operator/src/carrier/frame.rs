//! Frames inside a channel: `length(4, big-endian) ‖ bytes`, cut into Noise messages.
//!
//! On the wire each Noise message has its length before it (2 bytes, big-endian). A frame begins
//! with a message and fills all but its last, so there is one way to cut it. The announced length
//! is compared with the longest frame that the ceremony needs before anything is stored, and memory
//! grows with the bytes that have arrived. A frame of length 0 is a keep-alive.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use snow::TransportState;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::LinkError;
use super::channel::Channel;
use quorate::primitives::noise::TAG_LENGTH;

/// Most bytes of a frame, header included, in one message.
pub const MESSAGE: usize = 65535 - TAG_LENGTH;
/// Length of a frame's header.
pub const HEADER: usize = 4;
/// Length of a message's length on the wire.
const PREFIX: usize = 2;

impl<S: AsyncRead + AsyncWrite> Channel<S> {
    /// The two directions. `most`: the longest frame accepted; `idle`: how long nothing may arrive.
    pub fn into_frames(
        self,
        most: usize,
        idle: Duration,
    ) -> (FrameReader<ReadHalf<S>>, FrameWriter<WriteHalf<S>>) {
        let (read, write) = tokio::io::split(self.io);
        let state = Cipher(Arc::new(Mutex::new(self.state)));
        let buffers =
            || (vec![0; PREFIX + 65535].into_boxed_slice(), vec![0; MESSAGE].into_boxed_slice());
        let (message, plaintext) = buffers();
        let reader = FrameReader {
            io: read,
            state: state.clone(),
            frames: Assembler::new(most),
            idle,
            message,
            plaintext,
        };
        let (message, plaintext) = buffers();
        (reader, FrameWriter { io: write, state, message, plaintext })
    }
}

/// The channel's keys and counters, shared by its two directions. The lock is never held across an
/// await.
#[derive(Clone)]
struct Cipher(Arc<Mutex<TransportState>>);

impl Cipher {
    fn seal(&self, plaintext: &[u8], message: &mut [u8]) -> Result<usize, LinkError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.write_message(plaintext, message).map_err(|_| LinkError::Decrypt)
    }

    fn open(&self, message: &[u8], plaintext: &mut [u8]) -> Result<usize, LinkError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.read_message(message, plaintext).map_err(|_| LinkError::Decrypt)
    }
}

/// Reads frames. After an error the channel is spent.
pub struct FrameReader<R> {
    io: R,
    state: Cipher,
    frames: Assembler,
    idle: Duration,
    message: Box<[u8]>,
    plaintext: Box<[u8]>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// The next frame, 1 to `most` bytes; keep-alives are swallowed. Not to be dropped half-way and
    /// called again.
    pub async fn next(&mut self) -> Result<Vec<u8>, LinkError> {
        loop {
            if let Some(frame) = self.next_or_keep_alive().await? {
                return Ok(frame);
            }
        }
    }

    /// The next frame; `None` for a keep-alive. Not to be dropped half-way and called again.
    pub(super) async fn next_or_keep_alive(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        loop {
            self.fill(PREFIX).await?;
            let length = usize::from(u16::from_be_bytes([self.message[0], self.message[1]]));
            if length <= TAG_LENGTH {
                return Err(LinkError::MessageLength(length));
            }
            self.fill(length).await?;
            let read = self.state.open(&self.message[..length], &mut self.plaintext)?;
            match self.frames.push(&self.plaintext[..read])? {
                Assembled::Part => {}
                Assembled::KeepAlive => return Ok(None),
                Assembled::Frame(frame) => return Ok(Some(frame)),
            }
        }
    }

    /// Reads and forgets until the other side closes.
    pub(super) async fn drain(&mut self) {
        while let Ok(1..) = self.io.read(&mut self.message).await {}
    }

    /// Reads `count` bytes into the message buffer. Each byte that arrives starts the idle limit
    /// anew, so slow is not silent.
    async fn fill(&mut self, count: usize) -> Result<(), LinkError> {
        let mut filled = 0;
        while filled < count {
            let read = timeout(self.idle, self.io.read(&mut self.message[filled..count])).await;
            match read.map_err(|_| LinkError::Silent(self.idle.as_secs()))?? {
                0 => return Err(LinkError::Closed),
                more => filled += more,
            }
        }
        Ok(())
    }
}

/// Writes frames.
pub struct FrameWriter<W> {
    io: W,
    state: Cipher,
    message: Box<[u8]>,
    plaintext: Box<[u8]>,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    /// Writes a frame.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), LinkError> {
        let announced = u32::try_from(frame.len()).map_err(|_| LinkError::FrameTooLong {
            announced: frame.len(),
            most: u32::MAX as usize,
        })?;
        let (first, rest) = frame.split_at(frame.len().min(MESSAGE - HEADER));
        let mut plaintext = core::mem::take(&mut self.plaintext);
        plaintext[..HEADER].copy_from_slice(&announced.to_be_bytes());
        plaintext[HEADER..HEADER + first.len()].copy_from_slice(first);
        let sent = self.message(&plaintext[..HEADER + first.len()]).await;
        self.plaintext = plaintext;
        sent?;
        for chunk in rest.chunks(MESSAGE) {
            self.message(chunk).await?;
        }
        Ok(self.io.flush().await?)
    }

    /// Writes a keep-alive.
    pub async fn keep_alive(&mut self) -> Result<(), LinkError> {
        self.send(&[]).await
    }

    /// Tells the other side that nothing follows.
    pub async fn close(&mut self) -> Result<(), LinkError> {
        Ok(self.io.shutdown().await?)
    }

    async fn message(&mut self, plaintext: &[u8]) -> Result<(), LinkError> {
        let length = self.state.seal(plaintext, &mut self.message[PREFIX..])?;
        let announced = u16::try_from(length).map_err(|_| LinkError::MessageLength(length))?;
        self.message[..PREFIX].copy_from_slice(&announced.to_be_bytes());
        Ok(self.io.write_all(&self.message[..PREFIX + length]).await?)
    }
}

/// What a message completed.
#[derive(Debug, PartialEq, Eq)]
pub enum Assembled {
    /// Nothing yet.
    Part,
    /// An empty frame.
    KeepAlive,
    /// A frame.
    Frame(Vec<u8>),
}

/// Puts frames together from the plaintexts of messages. No I/O.
pub struct Assembler {
    most: usize,
    missing: usize,
    frame: Vec<u8>,
}

impl Assembler {
    /// `most`: the longest frame accepted, bytes.
    pub fn new(most: usize) -> Self {
        Self { most, missing: 0, frame: Vec::new() }
    }

    /// Takes the next message's plaintext. An error ends the channel.
    pub fn push(&mut self, plaintext: &[u8]) -> Result<Assembled, LinkError> {
        let (expected, bytes) = if self.missing == 0 {
            let (header, bytes) = plaintext
                .split_first_chunk::<HEADER>()
                .ok_or(LinkError::FrameShape { expected: HEADER, found: plaintext.len() })?;
            let announced = usize::try_from(u32::from_be_bytes(*header)).unwrap_or(usize::MAX);
            if announced > self.most {
                return Err(LinkError::FrameTooLong { announced, most: self.most });
            }
            self.missing = announced;
            (announced.min(MESSAGE - HEADER), bytes)
        } else {
            (self.missing.min(MESSAGE), plaintext)
        };
        if bytes.len() != expected {
            return Err(LinkError::FrameShape { expected, found: bytes.len() });
        }
        self.frame.extend_from_slice(bytes);
        self.missing -= expected;
        Ok(match (self.missing, self.frame.is_empty()) {
            (0, true) => Assembled::KeepAlive,
            (0, false) => Assembled::Frame(core::mem::take(&mut self.frame)),
            _ => Assembled::Part,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn announce(length: u32, bytes: &[u8]) -> Vec<u8> {
        [&length.to_be_bytes()[..], bytes].concat()
    }

    #[test]
    fn frames_in_one_message() {
        let mut frames = Assembler::new(5);
        assert_eq!(frames.push(&announce(5, b"abcde")), Ok(Assembled::Frame(b"abcde".to_vec())));
        assert_eq!(frames.push(&announce(0, b"")), Ok(Assembled::KeepAlive));
        assert_eq!(frames.push(&announce(1, b"a")), Ok(Assembled::Frame(b"a".to_vec())));
    }

    #[test]
    fn a_frame_in_three_messages() {
        let whole = vec![7; 2 * MESSAGE];
        let mut frames = Assembler::new(whole.len());
        let (first, rest) = whole.split_at(MESSAGE - HEADER);
        let (second, third) = rest.split_at(MESSAGE);
        assert_eq!(
            frames.push(&announce(u32::try_from(whole.len()).unwrap(), first)),
            Ok(Assembled::Part)
        );
        assert_eq!(frames.push(second), Ok(Assembled::Part));
        assert_eq!(frames.push(third), Ok(Assembled::Frame(whole.clone())));
    }

    #[test]
    fn an_announcement_reserves_nothing() {
        let mut frames = Assembler::new(100);
        for announced in [101, 1 << 16, u32::MAX] {
            let refused = LinkError::FrameTooLong { announced: announced as usize, most: 100 };
            assert_eq!(frames.push(&announce(announced, &[0; 100])), Err(refused));
            assert_eq!(frames.frame.capacity(), 0);
        }
        let mut frames = Assembler::new(usize::MAX);
        assert_eq!(frames.push(&announce(u32::MAX, &[0; MESSAGE - HEADER])), Ok(Assembled::Part));
        assert!(frames.frame.capacity() <= 2 * MESSAGE);
    }

    #[test]
    fn other_ways_to_cut_a_frame_are_refused() {
        let shape = |expected, found| Err(LinkError::FrameShape { expected, found });
        let cases: [(&[u8], usize, usize); 5] = [
            (&[], HEADER, 0),
            (&[0, 0, 0], HEADER, 3),
            (&[0, 0, 0, 0, 1], 0, 1),
            (&[0, 0, 0, 2, 1], 2, 1),
            (&[0, 0, 0, 1, 1, 1], 1, 2),
        ];
        for (plaintext, expected, found) in cases {
            assert_eq!(Assembler::new(10).push(plaintext), shape(expected, found));
        }
        let mut frames = Assembler::new(MESSAGE);
        let length = u32::try_from(MESSAGE).unwrap();
        assert_eq!(frames.push(&announce(length, &[0; MESSAGE - HEADER])), Ok(Assembled::Part));
        assert_eq!(frames.push(&[0; HEADER + 1]), shape(HEADER, HEADER + 1));
    }

    proptest::proptest! {
        #[test]
        fn any_plaintexts_are_taken_or_refused(plaintexts: Vec<Vec<u8>>, most in 0usize..100) {
            let mut frames = Assembler::new(most);
            for plaintext in plaintexts {
                match frames.push(&plaintext) {
                    Ok(Assembled::Frame(frame)) => assert!((1..=most).contains(&frame.len())),
                    Ok(_) => assert!(frames.frame.len() <= most),
                    Err(_) => break,
                }
            }
        }
    }
}
