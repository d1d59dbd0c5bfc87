//! A NATS server of a test's own: the program at `QUORATE_NATS_SERVER`, or a `nats-server` where
//! systems keep programs. Without one, the tests that need it say so and test nothing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ports::free_port;
use super::running::started;

/// The server's program.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("QUORATE_NATS_SERVER").map(PathBuf::from);
    let usual = ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"];
    let found = named.into_iter().chain(usual.map(PathBuf::from)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("SKIPPED: there is no nats-server. Set QUORATE_NATS_SERVER to one.");
    }
    found
}

/// A server with a store of its own.
pub(crate) struct Server {
    program: PathBuf,
    config: PathBuf,
    port: u16,
    child: Option<Child>,
    _store: TempDir,
}

impl Server {
    /// One with JetStream, and these lines of configuration besides; `None` if there is none.
    pub(crate) fn start(more: &str) -> Option<Self> {
        Self::with(&format!("jetstream {{ store_dir: \"STORE\" }}\n{more}\n"))
    }

    pub(crate) fn with(config: &str) -> Option<Self> {
        let (program, port, store) = (program()?, free_port(), TempDir::new().unwrap());
        let text = config.replace("STORE", store.path().to_str().unwrap());
        let config = store.path().join("server.conf");
        fs::write(&config, format!("listen: 127.0.0.1:{port}\n{text}")).unwrap();
        let mut server = Self { program, config, port, child: None, _store: store };
        server.up();
        Some(server)
    }

    pub(crate) fn up(&mut self) {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&self.config).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(started(&mut command));
        let since = Instant::now();
        while self.connect().is_none() {
            assert!(since.elapsed() < Duration::from_secs(60), "the server does not start");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    fn connect(&self) -> Option<BufReader<TcpStream>> {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).ok()?);
        let mut info = String::new();
        stream.read_line(&mut info).ok()?;
        info.starts_with("INFO ").then_some(stream)
    }

    /// Says these lines as anybody may who can use the server; gives what is answered to the last.
    pub(crate) fn say(&self, lines: &[String]) {
        let mut stream = self.connect().unwrap();
        let all = format!("CONNECT {{\"verbose\":false}}\r\n{}PING\r\n", lines.concat());
        stream.get_mut().write_all(all.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).unwrap();
        assert_eq!(answer, "PONG\r\n");
    }

    /// How many streams it has.
    pub(crate) fn streams(&self) -> u64 {
        let mut stream = self.connect().unwrap();
        let ask =
            "CONNECT {\"verbose\":false}\r\nSUB answer 1\r\nPUB $JS.API.INFO answer 0\r\n\r\n";
        stream.get_mut().write_all(ask.as_bytes()).unwrap();
        let (mut head, mut answer) = (String::new(), String::new());
        stream.read_line(&mut head).unwrap();
        assert!(head.starts_with("MSG answer"), "{head}");
        stream.read_line(&mut answer).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["streams"].as_u64().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
