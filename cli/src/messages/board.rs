//! Messages about boards: folders that operators visit one after the other.

use std::io::ErrorKind;
use std::path::Path;

use super::{local, quoted, shown, usage};
use crate::args::MeetingArgs;
use crate::progress::{Named, listed};
use crate::report::CliError;
use quorate::spec::show::plural;
use quorate_operator::Visited;
use quorate_operator::carrier::board::{AddressError, BoardError, CredentialsError, ServerFault};

pub(crate) fn board(error: BoardError) -> CliError {
    match error {
        BoardError::Missing(path) => usage(
            format!("{}: there is no such folder", shown(&path)),
            "a board is not made by this command, so that no missing stick is overlooked: plug it \
             in, or make the folder",
        ),
        BoardError::NotAFolder(path) => {
            usage(format!("{}: this is not a folder", shown(&path)), "give the folder of the board")
        }
        BoardError::Blocked(path) => local(
            format!("{}: something else stands where the board needs a folder", shown(&path)),
            "whoever can write to this board put it there: remove it, or use another board. \
             Nothing is lost; this operator's statements are in its log",
        ),
        BoardError::ReadBack(path) => local(
            format!("{}: what was written there reads back differently", shown(&path)),
            "the medium is damaged, or somebody changes files at the same moment: run the same \
             command again, or use another board. Nothing is lost",
        ),
        BoardError::OwnUnread => local(
            "your own folders of this board hold more than one visit reads, so nobody can tell \
             whether you have begun; nothing is begun here",
            "find out who fills them and remove what is junk, or use another board. If you began \
             in another directory, use that one (--dir)",
        ),
        BoardError::OwnUntold => own_untold(),
        BoardError::Late(at) => local(
            format!("{}: this visit took too long, and was ended", shown(&at)),
            "nothing is lost: what was read is in this operator's log. The server is slow, or \
             somebody fills it: run the same command again, or use another server",
        ),
        BoardError::Stopped(at) => local(
            format!("{}: you ended this visit", shown(&at)),
            "nothing is lost: what was read is in this operator's log. To go on: run the same \
             command again",
        ),
        BoardError::NoRoom(at) => local(
            format!("{}: the server has no room for more", shown(&at)),
            "nothing is lost: this operator's statements are in its log. Let whoever keeps the \
             server give its JetStream more room (max_file_store), or use another server; then \
             run the same command again",
        ),
        BoardError::Server { at, why } => {
            let what = format!("{}: {why}", shown(&at));
            let fix = format!("nothing is lost; {}", server(&why));
            local(what, fix)
        }
        BoardError::Io { path, doing, why } => {
            let fix = match why {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                    "free some space there, and run the same command again"
                }
                ErrorKind::ReadOnlyFilesystem => {
                    "allow writing to it (a stick may have a switch), and run the same command \
                     again"
                }
                ErrorKind::PermissionDenied => {
                    "ask whoever shares the folder for the right to write in it, and run the same \
                     command again"
                }
                _ => "check the medium or the connection, and run the same command again",
            };
            local(
                format!("{}: {doing} failed: {why}", shown(&path)),
                format!("nothing is lost: what was read is in this operator's log; {fix}"),
            )
        }
    }
}

/// Who gives up would have to know what it has signed.
pub(crate) fn own_unread_and_abandoned() -> CliError {
    local(
        "your own folders of this board hold more than one visit reads, so nobody can tell \
         whether you have signed more than this directory knows; nothing is abandoned",
        "find out who fills them and remove what is junk, or use another board. If this directory \
         has the newest log, abandon without a board and send the record to the others",
    )
}

/// Something of its own is there that its log lacks, and what would tell its ceremony is not.
fn own_untold() -> CliError {
    local(
        "your own folders of this board hold something that you have signed and this directory \
         does not know, and nothing there tells whether it is of this ceremony; nothing is \
         abandoned",
        "let the others visit the board once more, and run the same command again. If this \
         directory has the newest log, abandon without a board and send the record to the others",
    )
}

/// What to do about a server, and who can do it.
fn server(why: &ServerFault) -> &'static str {
    match why {
        ServerFault::Resolve => {
            "check the name that you gave with --via, and your own name server; then run the same \
             command again"
        }
        ServerFault::NotNats => {
            "another program answers there: ask whoever keeps the server for its address and port; \
             NATS servers have 4222 unless told otherwise"
        }
        ServerFault::Tls => {
            "let whoever keeps the server take connections without TLS (all that goes there is \
             public or sealed), by a tunnel if they must not be seen: see docs/anywhere.md"
        }
        ServerFault::TooOld(_) => {
            "let whoever keeps the server install a newer nats-server; then run the same command \
             again"
        }
        ServerFault::SmallMessages(_) | ServerFault::LongFile { .. } => {
            "let whoever keeps the server set max_payload back to its default, 1MB; then run the \
             same command again"
        }
        ServerFault::NoCredentials(_) => {
            "ask whoever keeps the server for credentials, put them into a file that only you can \
             read, and give it with --via-credentials"
        }
        ServerFault::Credentials(_) => {
            "compare the file of --via-credentials with what whoever keeps the server gave you; \
             they may have expired: ask for new ones"
        }
        ServerFault::AsksForNoKey => {
            "this may be another server than the credentials are for: compare the address. If it \
             asks for none, leave --via-credentials away"
        }
        ServerFault::Forbidden(_) => {
            "let whoever keeps the server allow this user what docs/anywhere.md lists; then run \
             the same command again"
        }
        ServerFault::NoJetStream => {
            "let whoever keeps the server start it with JetStream (nats-server -js); then run the \
             same command again"
        }
        ServerFault::NotThisAccount(_) => {
            "let whoever keeps the server enable JetStream for this account (jetstream: enabled, \
             or limits in its JWT); then run the same command again"
        }
        ServerFault::Said(_) => {
            "what was read is in this operator's log. Check the server: it must have JetStream \
             (nats-server -js) and let you use it; then run the same command again"
        }
    }
}

/// A file that holds no credentials of a server.
pub(crate) fn no_credentials(path: &Path, error: CredentialsError) -> CliError {
    let fix = match error {
        CredentialsError::NotAUser => {
            "a key of an account or operator signs for all of its users: keep it away from here, \
             and ask whoever keeps the server for a user's"
        }
        CredentialsError::Utf16 => {
            "save it again as UTF-8 or ASCII: in PowerShell, not with >, but with Set-Content \
             -Encoding ascii"
        }
        CredentialsError::Seed | CredentialsError::Block(_) => {
            "copy the file again, whole, as whoever keeps the server gave it to you; or ask for a \
             new one"
        }
        _ => {
            "it holds USER:PASSWORD, a token, or the seed of an NKEY on one line; or it is the \
             .creds file that whoever keeps the server gave you"
        }
    };
    usage(format!("{}: {error}", shown(path)), fix)
}

pub(crate) fn no_board() -> CliError {
    usage(
        "where to meet the others is not given",
        "give a folder with --board DIR, or a server with --via nats://HOST:PORT. To connect to \
         the others directly: quorate run",
    )
}

/// Ways to connect to the others are given beside a server to meet at.
pub(crate) fn no_calls() -> CliError {
    usage(
        "--via and a way to connect to the others (--listen, --at, --socks5) are both given",
        "give one of them: at a server, nobody calls anybody",
    )
}

/// An address that is none of a NATS server.
pub(crate) fn via(url: &str, error: AddressError) -> CliError {
    let fix = match error {
        AddressError::Credentials => {
            "everybody on this machine sees what is typed: give nats://HOST:PORT, and the \
             credentials in a file, with --via-credentials"
        }
        AddressError::Onion => {
            "start a tunnel to it through your proxy, and give the tunnel's end on this machine, \
             like nats://127.0.0.1:4222"
        }
        AddressError::Scheme | AddressError::Host => {
            "write it like nats://example.org:4222. TLS (tls://) is not spoken: use a tunnel for it"
        }
    };
    // Not the address: it may hold a password.
    let shown = if error == AddressError::Credentials { "--via" } else { url };
    usage(format!("{shown}: {error}"), fix)
}

/// The board has what this operator has signed, and this directory no log of it.
pub(crate) fn begun_elsewhere(board: &Path) -> CliError {
    local(
        format!(
            "{}: this board shows that you have begun this ceremony, and this directory has no \
             log of it",
            shown(board)
        ),
        "nothing was signed. Use the directory in which you began (--dir). If its log is lost, do \
         not start again: you would sign a second time, and the others would have proof of it. \
         Agree on a new file for the next attempt",
    )
}

/// The board does not have the request with this id.
pub(crate) fn no_request_there(board: &Path, id: &Path) -> CliError {
    usage(
        format!("{}: no request with the id {} is on this board", shown(board), shown(id)),
        "compare the id with whoever asks; they put the request there with --board, or send you \
         its file",
    )
}

/// What a visit found and left.
pub(crate) fn visited(visited: &Visited, board: &Path) -> String {
    let mut text = format!(
        "Read {} that brought something new, and wrote {}, at {}.",
        plural(visited.taken, "file"),
        plural(visited.written, "file"),
        shown(board)
    );
    if visited.junk > 0 {
        text += &format!(
            " Ignored {} that no operator of this ceremony has signed, or that are damaged. \
             Nobody is to blame for them: anybody who can write there can put them there.",
            plural(visited.junk, "file")
        );
    }
    if visited.unread > 0 {
        text += &format!(
            " {} of the board hold more than one visit reads: run the same command again, and \
             find out who fills them.",
            plural(visited.unread, "folder")
        );
    }
    text
}

pub(crate) fn leave_the_board() -> String {
    "Leave what is on the board until all operators are done: they may still need it.".to_owned()
}

/// What a dealer of a reshare is told when all new shares are proven, with the command.
pub(crate) fn may_stop_by_board(file: &Path, meeting: &MeetingArgs) -> String {
    let at = meeting.typed();
    let all_but_end = super::MAY_STOP.trim_end_matches('.');
    format!("{all_but_end}: quorate step {} {at} --stopped", quoted(file))
}

pub(crate) fn meeting_at(board: &Path) -> String {
    format!("Meeting the others at {}, whenever each of them is there.", shown(board))
}

/// What there is to do while a ceremony by board is not finished.
pub(crate) fn goes_on(waiting: &[Named], gone: &[Named], stop: bool, reshare: bool) -> String {
    let mut text = match waiting.is_empty() {
        true => "Not finished.".to_owned(),
        false => format!("Not finished: waiting for {}.", listed(waiting)),
    };
    if !gone.is_empty() {
        let rest = match reshare {
            true => "the others can finish with --without, once all commits are there",
            false => "nobody can finish",
        };
        text += &format!(
            " Abandoned by {}: unless their last statements are somewhere, {rest}.",
            listed(gone)
        );
    }
    text += match (waiting.is_empty(), stop) {
        (true, true) => "\nWhat to do: stop the old keys, and run the command above.",
        (false, true) => {
            "\nWhat to do: stop the old keys and run the command above. Then let the others visit \
             the board."
        }
        _ => {
            "\nWhat to do: let the others visit the board (or bring it to them), then run the \
             same command again."
        }
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_stick_and_a_closed_folder_are_told_apart() {
        let of = |why| {
            let path = "/stick".into();
            board(BoardError::Io { path, doing: "writing to it", why })
        };
        assert!(of(ErrorKind::StorageFull).fix.contains("free some space"));
        assert!(of(ErrorKind::ReadOnlyFilesystem).fix.contains("switch"));
        assert!(of(ErrorKind::PermissionDenied).fix.contains("right to write"));
        assert!(of(ErrorKind::TimedOut).fix.contains("check the medium"));
        assert!(of(ErrorKind::StorageFull).what.starts_with("/stick: writing to it failed: "));
    }
}
