//! The house rules, read off the source: rooms in one direction, a pure core, `unsafe` in one file,
//! signature libraries in one file each, files and lines of readable size, no hash tag used twice.
//!
//! The source is read as a stream of words and symbols, comments and strings removed; paths are
//! followed through `use` groups.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use quorate::primitives::hash::Tag;

/// The core, in order: a room may use itself and the rooms before it. `simulation` stands last: it
/// drives all of them.
const CORE: [&str; 14] = [
    "primitives",
    "identity",
    "ethereum",
    "spec",
    "message",
    "protocol",
    "exchange",
    "export",
    "transcript",
    "audit",
    "registered",
    "dossier",
    "signing",
    "simulation",
];
/// The edges: each may use the core, and the edges named here.
const EDGES: [(&str, &[&str]); 5] = [
    ("store", &[]),
    ("random", &[]),
    ("carrier", &["random"]),
    ("operator", &["store", "random", "carrier"]),
    ("cli", &["store", "random", "carrier"]),
];

/// Where the sources of the packages are, and what stands before their names here.
const PACKAGES: [(&str, &str); 3] = [("src", ""), ("operator/src", ""), ("cli/src", "cli/")];

/// What a core room may not reach: files, sockets, the clock, the environment, other processes, the
/// terminal, OS randomness.
const IMPURE: [&str; 16] = [
    "clap",
    "getrandom",
    "indicatif",
    "rustix",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::time::UNIX_EPOCH",
    "tempfile",
    "terminal_size",
    "tokio",
];
/// Macros that talk to the terminal.
const TALKING: [&str; 5] = ["dbg", "eprint", "eprintln", "print", "println"];

/// Libraries that one file each may name: what they get wrong, or change, is dealt with there.
const HOMES: [(&str, &str); 4] = [
    ("blst", "primitives/curve/raw.rs"),
    ("ed25519_dalek", "identity/key.rs"),
    ("k256", "ethereum/secp256k1.rs"),
    ("rsa", "ethereum/ssv/rsa.rs"),
];

/// Lines of a file that are neither blank nor in a test module.
const CEILING: usize = 450;
/// Files allowed to be longer, each with its reason.
const LONGER: [(&str, usize, &str); 2] = [
    (
        "primitives/curve/raw.rs",
        470,
        "the only file that names the curve library, and so the only one with unsafe code",
    ),
    ("spec/error.rs", 490, "every reason to refuse a ceremony file, read as one list"),
];

/// Widest line, in characters.
const WIDTH: usize = 100;
/// Letters and digits in a row from which on a literal is one that nobody can break: 32 bytes in
/// hexadecimal digits, a record or a key in base64.
const UNBREAKABLE: usize = 60;
/// A word or a symbol of source, with its line (from 0).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

/// Words, `::` and single symbols; comments, strings and characters left out.
fn tokens(source: &str) -> Vec<Token> {
    let bytes = source.as_bytes();
    let word = |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let mut out = Vec::new();
    let (mut at, mut line) = (0, 0);
    while at < bytes.len() {
        let start = at;
        let rest = &bytes[at..];
        if rest.starts_with(b"//") {
            at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        } else if rest.starts_with(b"/*") {
            at += end_of_comment(rest);
        } else if let Some(length) = raw_string(rest) {
            at += length;
        } else if rest[0] == b'"' || rest.starts_with(b"b\"") || rest.starts_with(b"c\"") {
            at += string(rest);
        } else if rest[0] == b'\'' && (rest.get(1) == Some(&b'\\') || rest.get(2) == Some(&b'\'')) {
            // A character; anything else after a quote is a lifetime.
            let skip = if rest[1] == b'\\' { 3 } else { 2 };
            at += skip + rest[skip..].iter().position(|b| *b == b'\'').unwrap_or(0) + 1;
        } else if word(at) {
            while word(at) {
                at += 1;
            }
            out.push(Token { text: source[start..at].to_owned(), line });
        } else if rest.starts_with(b"::") {
            at += 2;
            out.push(Token { text: "::".to_owned(), line });
        } else {
            at += source[at..].chars().next().unwrap().len_utf8();
            if !rest[0].is_ascii_whitespace() {
                out.push(Token { text: source[start..at].to_owned(), line });
            }
        }
        line += bytes[start..at.min(bytes.len())].iter().filter(|b| **b == b'\n').count();
    }
    out
}

fn end_of_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let pair = &rest[at..rest.len().min(at + 2)];
        depth += i32::from(pair == b"/*") - i32::from(pair == b"*/");
        at += if pair == b"/*" || pair == b"*/" { 2 } else { 1 };
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[u8]) -> usize {
    let mut at = rest.iter().position(|b| *b == b'"').unwrap() + 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of a raw string at the start of `rest`, if there is one.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let rest_of =
        rest.strip_prefix(b"br").or(rest.strip_prefix(b"cr")).or(rest.strip_prefix(b"r"))?;
    let hashes = rest_of.iter().take_while(|b| **b == b'#').count();
    (rest_of.get(hashes) == Some(&b'"')).then_some(())?;
    let prefix = rest.len() - rest_of.len() + hashes + 1;
    let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let body = rest[prefix..].windows(close.len()).position(|window| window == close)?;
    Some(prefix + body + close.len())
}

/// Splits off the test code: what follows `#[cfg(test)]` up to the end of its item.
fn split_tests(tokens: &[Token]) -> (Vec<Token>, Vec<Token>) {
    let cfg: Vec<&str> = "# [ cfg ( test ) ]".split(' ').collect();
    let (mut code, mut tests, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        let attribute = tokens[at..]
            .iter()
            .take(cfg.len())
            .map(|token| token.text.as_str())
            .eq(cfg.iter().copied());
        if !attribute {
            code.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let (mut depth, start) = (0, at);
        at += cfg.len();
        while at < tokens.len() {
            let text = tokens[at].text.as_str();
            depth += i32::from(text == "{") - i32::from(text == "}");
            at += 1;
            if depth == 0 && (text == "}" || text == ";") {
                break;
            }
        }
        tests.extend_from_slice(&tokens[start..at]);
    }
    (code, tests)
}

/// Every path of at least two parts, with `use` groups spelled out, and its line.
fn paths(tokens: &[Token]) -> Vec<(Vec<String>, usize)> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = is_word(&tokens[at].text) && (at == 0 || tokens[at - 1].text != "::");
        if starts && tokens.get(at + 1).is_some_and(|next| next.text == "::") {
            let line = tokens[at].line;
            at = follow(tokens, at, &[], &mut |path| out.push((path, line)));
        } else {
            at += 1;
        }
    }
    out
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Reads one path, or a group of them, from `at`; returns where it ends.
fn follow(
    tokens: &[Token],
    mut at: usize,
    before: &[String],
    found: &mut dyn FnMut(Vec<String>),
) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(at) {
        if token.text == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|token| token.text != "}") {
                let is_item = is_word(&tokens[at].text) && tokens[at].text != "as";
                let renamed = at > 0 && tokens[at - 1].text == "as";
                at = if is_item && !renamed { follow(tokens, at, &path, found) } else { at + 1 };
            }
            return at + 1;
        }
        if !is_word(&token.text) {
            break;
        }
        path.push(token.text.clone());
        at += 1;
        if tokens.get(at).is_none_or(|next| next.text != "::") {
            break;
        }
        at += 1;
    }
    found(path);
    at
}

struct Source {
    /// Path below `src`, with slashes.
    name: String,
    room: String,
    /// Depth of the file's module below the crate.
    depth: usize,
    text: String,
    code: Vec<Token>,
    tests: Vec<Token>,
}

impl Source {
    fn new(name: &str, text: String) -> Self {
        let parts: Vec<&str> = name.trim_end_matches(".rs").split('/').collect();
        let depth = parts.len() - usize::from(parts.last() == Some(&"mod"));
        let all = tokens(&text);
        let is_test = parts.last().is_some_and(|last| *last == "tests") || parts.contains(&"tests");
        let (code, tests) = if is_test { (Vec::new(), all) } else { split_tests(&all) };
        Self { name: name.to_owned(), room: parts[0].to_owned(), depth, text, code, tests }
    }

    /// Lines with something on them, outside test modules.
    fn lines(&self) -> usize {
        let in_tests: BTreeSet<usize> = match (self.tests.first(), self.tests.last()) {
            (Some(first), Some(last)) if self.code.iter().all(|token| token.line < first.line) => {
                (first.line..=last.line).collect()
            }
            _ => self.tests.iter().map(|token| token.line).collect(),
        };
        let filled = |(at, line): &(usize, &str)| !line.trim().is_empty() && !in_tests.contains(at);
        self.text.lines().enumerate().filter(filled).count()
    }
}

/// Every file below, other than what was built.
fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.ends_with("target") => {}
            true => walk(&path, out),
            false => out.push(path),
        }
    }
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for (folder, prefix) in PACKAGES {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files = Vec::new();
        walk(&root, &mut files);
        files.sort();
        for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            let text = std::fs::read_to_string(path).unwrap();
            // What stands beside the rooms of an operator is the operator itself; its backups are
            // made of all that it has.
            let own = !name.contains('/') || name.starts_with("backup/");
            let beside = folder == "operator/src" && own && name != "random.rs";
            let prefix = if beside { "operator/" } else { prefix };
            let name = if name == "random.rs" { "random/mod.rs".to_owned() } else { name };
            sources.push(Source::new(&format!("{prefix}{name}"), text));
        }
    }
    sources
}

/// The rooms that `room` may use; `None` if there is no such room.
fn allowed(room: &str) -> Option<BTreeSet<&'static str>> {
    if let Some(at) = CORE.iter().position(|known| *known == room) {
        return Some(CORE[..=at].iter().copied().collect());
    }
    let (own, others) = EDGES.iter().find(|(known, _)| *known == room)?;
    // Nothing that operators run knows of the simulation: only its command does.
    let core = CORE.iter().filter(|core| **core != "simulation" || *own == "cli");
    Some(core.chain(others.iter()).chain([own]).copied().collect())
}

/// Uses of a room to the right.
fn backward(source: &Source) -> Vec<String> {
    let Some(allowed) = allowed(&source.room) else {
        return vec![format!(
            "{}: no such room; rooms and their order are listed in tests/rooms.rs",
            source.name
        )];
    };
    let mut faults = Vec::new();
    for (tokens, extra) in [(&source.code, 0), (&source.tests, 1)] {
        for (path, line) in paths(tokens) {
            let supers = path.iter().take_while(|part| *part == "super").count();
            if supers >= source.depth + extra {
                faults.push(format!(
                    "{}:{}: {} leaves the room",
                    source.name,
                    line + 1,
                    path.join("::")
                ));
            }
            // All of `cli` is one room and a package of its own, which may use all of an operator.
            let in_a_room = match path[0].as_str() {
                "crate" => !["cli", "operator"].contains(&source.room.as_str()),
                "quorate_operator" => source.room != "cli",
                head => head == "quorate",
            };
            let target = in_a_room.then(|| path.get(1).map_or("*", String::as_str));
            if let Some(target) = target.filter(|target| !allowed.contains(target)) {
                faults.push(format!(
                    "{}:{}: `{}` uses `{target}`",
                    source.name,
                    line + 1,
                    source.room
                ));
            }
        }
    }
    faults
}

/// Uses of the world outside by a core room.
fn impure(source: &Source) -> Vec<String> {
    if !CORE.contains(&source.room.as_str()) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (path, line) in paths(&source.code) {
        let path = path.join("::");
        let reaches = |name: &str| path == *name || path.starts_with(&format!("{name}::"));
        // `use std::time` would hide the clock behind a shorter name.
        if IMPURE.iter().any(|name| reaches(name)) || path == "std::time" {
            faults.push(format!("{}:{}: {path}", source.name, line + 1));
        }
    }
    for pair in source.code.windows(2) {
        if pair[1].text == "!" && TALKING.contains(&pair[0].text.as_str()) {
            faults.push(format!("{}:{}: {}!", source.name, pair[0].line + 1, pair[0].text));
        }
    }
    faults
}

/// Uses of a library outside its one file.
fn abroad(source: &Source) -> Vec<String> {
    let home =
        |library: &str| HOMES.iter().find(|(known, _)| *known == library).map(|(_, home)| *home);
    let strays = paths(&source.code).into_iter().chain(paths(&source.tests));
    strays
        .filter_map(|(path, line)| {
            let home = home(&path[0]).filter(|home| *home != source.name)?;
            Some(format!("{}:{}: {} outside {home}", source.name, line + 1, path[0]))
        })
        .collect()
}

fn report(faults: Vec<String>) {
    let mut text = String::new();
    faults.iter().for_each(|fault| writeln!(text, "  {fault}").unwrap());
    assert!(faults.is_empty(), "\n{text}");
}

fn in_rooms() -> Vec<Source> {
    sources().into_iter().filter(|source| source.name.contains('/')).collect()
}

#[test]
fn rooms_point_one_way() {
    report(in_rooms().iter().flat_map(backward).collect());
}

#[test]
fn the_core_is_pure() {
    report(in_rooms().iter().flat_map(impure).collect());
}

#[test]
fn libraries_stay_at_home() {
    report(sources().iter().flat_map(abroad).collect());
    let used = |home: &str, library: &str| {
        sources().iter().any(|source| {
            source.name == home && source.code.iter().any(|token| token.text == library)
        })
    };
    assert!(HOMES.iter().all(|(library, home)| used(home, library)), "a home without its library");
}

#[test]
fn unsafe_code_stays_in_the_curve_file() {
    let unsafe_in = |source: &Source| {
        let words = source.code.iter().chain(&source.tests);
        words.filter(|token| ["unsafe", "unsafe_code"].contains(&token.text.as_str())).count() > 0
    };
    let files: Vec<String> =
        sources().into_iter().filter(unsafe_in).map(|source| source.name).collect();
    assert_eq!(files, ["primitives/curve/raw.rs"]);
}

#[test]
fn files_stay_readable() {
    let ceilings: BTreeMap<&str, usize> =
        LONGER.iter().map(|(name, lines, _)| (*name, *lines)).collect();
    let long = |source: &Source| {
        let ceiling = ceilings.get(source.name.as_str()).copied().unwrap_or(CEILING);
        let lines = source.lines();
        (lines > ceiling).then(|| format!("{}: {lines} lines, at most {ceiling}", source.name))
    };
    report(sources().iter().filter_map(long).collect());
    for (name, _, reason) in LONGER {
        let lines = sources().iter().find(|source| source.name == name).map(Source::lines);
        assert!(
            lines.is_some_and(|lines| lines > CEILING),
            "{name} no longer needs its exception: {reason}"
        );
    }
}

/// Lines that are too wide: other than literals that cannot be broken, and rows of tables.
fn wide(name: &str, text: &str) -> Vec<String> {
    let in_a_row = |b: char| b.is_ascii_alphanumeric() || "+/=_-".contains(b);
    let unbreakable = |line: &str| {
        let longest = line.split(|b| !in_a_row(b)).map(str::len).max();
        longest.is_some_and(|longest| longest >= UNBREAKABLE) || line.contains("https://")
    };
    let row = |line: &str| {
        let comment =
            line.trim_start().strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']));
        comment.is_some_and(|rest| rest.trim_start().starts_with('|'))
    };
    let too_wide = |line: &str| line.chars().count() > WIDTH && !unbreakable(line) && !row(line);
    let lines = text.lines().enumerate().filter(|(_, line)| too_wide(line));
    lines.map(|(at, line)| format!("{name}:{}: {} wide", at + 1, line.chars().count())).collect()
}

#[test]
fn lines_stay_readable() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "examples", "operator", "cli", "model", "fuzz"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        if root.exists() {
            walk(&root, &mut files);
        }
    }
    let mut faults = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
        let name = name.to_str().unwrap().replace('\\', "/");
        faults.extend(wide(&name, &std::fs::read_to_string(path).unwrap()));
    }
    report(faults);
}

#[test]
fn no_tag_is_used_twice() {
    let texts: BTreeSet<&str> = Tag::ALL.iter().map(|tag| tag.text()).collect();
    assert_eq!(texts.len(), Tag::ALL.len());
    assert!(Tag::ALL.len() > 20, "the list itself was read");
}

/// The rules above, on source that breaks them.
mod the_rules_can_fail {
    use super::*;

    fn found(name: &str, text: &str, rule: fn(&Source) -> Vec<String>) -> Vec<String> {
        rule(&Source::new(name, text.to_owned()))
    }

    #[test]
    fn direction() {
        let own = "use crate::spec::{roster::Roster, Ceremony as C};\nuse super::file;";
        assert_eq!(found("spec/roster.rs", own, backward), [""; 0]);
        let groups =
            "use crate::{\n    primitives::curve::G1,\n    protocol::{Outcome, checks},\n};";
        assert_eq!(
            found("spec/roster.rs", groups, backward),
            ["spec/roster.rs:1: `spec` uses `protocol`"; 2]
        );
        assert_eq!(
            found("spec/roster.rs", "use crate::*;", backward),
            ["spec/roster.rs:1: `spec` uses `*`"]
        );
        let inline = "fn f() -> crate::audit::Report { g::<crate::store::Log>() }";
        let faults = found("message/inbox.rs", inline, backward);
        assert_eq!(
            faults,
            [
                "message/inbox.rs:1: `message` uses `audit`",
                "message/inbox.rs:1: `message` uses `store`"
            ]
        );
        assert_eq!(found("store/log.rs", "use crate::carrier::Carrier;", backward).len(), 1);
        assert_eq!(found("cli/drive.rs", "use crate::carrier::Carrier;", backward), [""; 0]);
        assert_eq!(found("store/log.rs", "use crate::simulation::world;", backward).len(), 1);
        assert_eq!(
            found("cli/command/simulate.rs", "use crate::simulation::world;", backward),
            [""; 0]
        );
        assert_eq!(found("attic/box.rs", "", backward).len(), 1);
        let up = "use super::super::protocol::Outcome;";
        assert_eq!(
            found("spec/roster.rs", up, backward),
            ["spec/roster.rs:1: super::super::protocol::Outcome leaves the room"]
        );
        assert_eq!(found("spec/a/b.rs", up, backward), [""; 0]);
        assert_eq!(found("spec/mod.rs", "use super::protocol::Outcome;", backward).len(), 1);
    }

    #[test]
    fn purity() {
        for line in [
            "use std::{fmt, fs::File};",
            "let t = std::time::Instant::now();",
            "use tokio::net;",
            "println!(\"x\");",
        ] {
            assert_eq!(found("protocol/deal.rs", line, impure).len(), 1, "{line}");
            assert_eq!(found("cli/drive.rs", line, impure), [""; 0], "{line}");
        }
        let spoken_of = "// std::fs\n/* std::env /* std::fs */ */ let s = \"std::net \\\" \
                         std::fs\"; let r = r#\"std::env\"#; let c = '\"';";
        assert_eq!(found("protocol/deal.rs", spoken_of, impure), [""; 0]);
        let tested = "use std::time::Duration;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n\
                      use std::env;";
        assert_eq!(found("protocol/deal.rs", tested, impure), ["protocol/deal.rs:6: std::env"]);
    }

    #[test]
    fn homes() {
        assert_eq!(found("primitives/curve/raw.rs", "use blst::*;", abroad), [""; 0]);
        assert_eq!(
            found("audit/replay.rs", "use blst::*;", abroad),
            ["audit/replay.rs:1: blst outside primitives/curve/raw.rs"]
        );
    }

    #[test]
    fn width() {
        let (full, more) = ("x ".repeat(50), "x ".repeat(50) + "y");
        assert_eq!(wide("a.rs", &full), [""; 0]);
        assert_eq!(wide("a.rs", &format!("\n{more}")), ["a.rs:2: 101 wide"]);
        assert_eq!(wide("a.rs", &"‖".repeat(100)), [""; 0]);
        assert_eq!(wide("a.rs", &format!("//! | {more} |")), [""; 0]);
        assert_eq!(wide("a.rs", &format!("//! a | {more} |")).len(), 1);
        assert_eq!(wide("a.rs", &format!("{full}\"{}\"", "0a".repeat(30))), [""; 0]);
        assert_eq!(wide("a.rs", &format!("{full}\"{}\"", "0a".repeat(29))).len(), 1);
        assert_eq!(wide("a.rs", &format!("{full}https://example.org/")), [""; 0]);
    }

    #[test]
    fn size() {
        let source = Source::new(
            "spec/file.rs",
            "a\n\n// b\n#[cfg(test)]\nmod tests {\n    // c\n    x\n}\n".to_owned(),
        );
        assert_eq!(source.lines(), 2);
    }
}
