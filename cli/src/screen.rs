//! How text meets a terminal: folded between words to its width. What is copied stays whole.

use std::io::IsTerminal;
use std::os::fd::AsFd;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anstyle::AnsiColor;
use terminal_size::{Width, terminal_size_of};
use textwrap::core::{Word, display_width};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// Columns of a terminal that does not say how wide it is.
const COLUMNS: usize = 80;
/// A terminal that says it has fewer is not folded further: nothing would be left to read.
const FEWEST_COLUMNS: usize = 40;
/// How much further than its first line a folded line goes on.
const HANG: usize = 2;
/// How the commands begin that people are told to copy.
const COMMANDS: [&str; 3] = ["quorate ", "chmod ", "ulimit "];

/// `text` for `stream`: folded where that is a terminal, or where the environment says how wide one
/// behind it is (`COLUMNS`). Any other pipe or file gets the lines as they are, so that programs
/// find every sentence on one line whatever the terminal was.
pub(crate) fn fit(text: &str, stream: &(impl AsFd + IsTerminal)) -> String {
    if !stream.is_terminal() {
        // Who exports its width reads by a pager.
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        return columns.map_or_else(|| text.to_owned(), |columns| fold(text, columns));
    }
    let told = terminal_size_of(stream).map(|(Width(columns), _)| usize::from(columns));
    fold(text, told.unwrap_or(COLUMNS))
}

/// As [`fit`], with verdicts and warnings in colour, where the terminal has it and the environment
/// does not forbid it (`NO_COLOR`, `CLICOLOR=0`, `TERM=dumb`).
pub(crate) fn show(text: &str, stream: &(impl AsFd + IsTerminal + RawStream)) -> String {
    let fitted = fit(text, stream);
    match IsTerminal::is_terminal(stream) && AutoStream::choice(stream) != ColorChoice::Never {
        true => fitted.split('\n').map(paint).collect::<Vec<_>>().join("\n"),
        false => fitted,
    }
}

/// What is good, open and bad in the first words of a line, up to their colon.
const TONES: [(AnsiColor, &[&str]); 3] = [
    (AnsiColor::Green, &["VERIFIED", "Accepted"]),
    (
        AnsiColor::Yellow,
        &[
            "SOUND, NOT COMPARED",
            "STATEMENTS ONLY",
            "PROVEN, NOT COMPARED",
            "WARNING",
            "GIVEN TWICE",
            "NOT IN THIS FILE",
            "NOT ESTABLISHED",
        ],
    ),
    (
        AnsiColor::Red,
        &["FAILED", "FINDING", "FINDINGS", "ANOTHER CEREMONY", "PROVEN", "Refused", "error"],
    ),
];

/// A line with its first words in their colour, if they have one. What the words are is said by
/// the words: colour adds nothing that is not there without it.
fn paint(line: &str) -> String {
    let (words, rest) = line.trim_start_matches(' ').split_once(':').unwrap_or_default();
    let tone = TONES.iter().find(|(_, all)| all.contains(&words));
    let Some((colour, _)) = tone.filter(|_| rest.is_empty() || rest.starts_with(' ')) else {
        return line.to_owned();
    };
    let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
    let style = colour.on_default().bold();
    format!("{indent}{style}{words}{style:#}:{rest}")
}

/// `text` with no line over `columns` wide, but for words and commands that are wider themselves.
fn fold(text: &str, columns: usize) -> String {
    let columns = columns.max(FEWEST_COLUMNS);
    text.split('\n').map(|line| fold_line(line, columns)).collect::<Vec<_>>().join("\n")
}

fn fold_line(line: &str, columns: usize) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let short = " ".repeat(indent + HANG);
    let Some(at) = last_column(line, columns) else {
        return fold_words(&line[indent..], &line[..indent], &short, columns);
    };
    let (label, value) = line.split_at(at);
    let first = pieces(value).next().map_or(0, |word| display_width(&word));
    match columns.checked_sub(first) {
        // Fits not behind its label, but below it.
        Some(left) if display_width(label) > left && short.len() <= left => {
            format!("{}\n{}", label.trim_end(), fold_words(value, &short, &short, columns))
        }
        _ => fold_words(value, label, &" ".repeat(display_width(label)), columns),
    }
}

/// Words behind `first`, and below `then`.
fn fold_words(words: &str, first: &str, then: &str, columns: usize) -> String {
    let options = Options::new(columns)
        .initial_indent(first)
        .subsequent_indent(then)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation)
        .word_separator(WordSeparator::Custom(pieces))
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(words, options).join("\n")
}

/// Where the last column of a table begins, if that is in the left half. What is before it is a
/// label, and stays whole.
fn last_column(line: &str, columns: usize) -> Option<usize> {
    let begins = |at: &usize| line[..*at].ends_with("  ") && !line[..*at].trim().is_empty();
    let mut starts = line.match_indices(|c| c != ' ').map(|(at, _)| at).filter(begins);
    starts.rfind(|at| display_width(&line[..*at]) <= columns / 2)
}

/// Where a line may be folded: at single blanks, but not within a command or a quotation. Two
/// blanks and more separate the columns of a table.
fn pieces(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut found = Vec::new();
    let (mut start, mut quote, mut command) = (0, None, false);
    // What a command can be given is nothing to copy.
    let usage = line.starts_with("Usage: ");
    for (at, c) in line.char_indices() {
        let (before, rest) = (&line[..at], &line[at + c.len_utf8()..]);
        let begins = before.is_empty() || before.ends_with([' ', '`', '\'', '"', '(']);
        let ends = rest.is_empty() || rest.starts_with(' ');
        match (c, quote) {
            // A quotation that is never closed is not one, and an apostrophe opens none.
            ('"', None) if rest.contains('"') => quote = Some(c),
            ('\'', None) if begins && closed(rest) => quote = Some(c),
            ('"', Some('"')) => quote = None,
            ('\'', Some('\'')) if !rest.starts_with(char::is_alphanumeric) => quote = None,
            (_, Some(_)) => {}
            // A command goes on to the end of the line, of its quotation or of its clause.
            _ if begins && !usage && COMMANDS.iter().any(|name| line[at..].starts_with(name)) => {
                command = true;
            }
            ('`' | ';' | ')', None) => command = false,
            ('.' | ',' | ':', None) if ends => command = false,
            (' ', None) if !command && !before.ends_with(' ') && !rest.starts_with(' ') => {
                found.push(Word::from(&line[start..=at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(Word::from(&line[start..]));
    Box::new(found.into_iter())
}

/// Whether a single quote that was opened before `rest` is closed in it.
fn closed(rest: &str) -> bool {
    rest.match_indices('\'').any(|(at, _)| !rest[at + 1..].starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_fold_between_words() {
        let text = "the first line is longer than forty columns are\n  - and so is the second, \
                    which is indented\n\nshort";
        assert_eq!(
            fold(text, 40),
            "the first line is longer than forty\n  columns are\n  - and so is the second, which \
             is\n    indented\n\nshort"
        );
    }

    #[test]
    fn what_fits_is_as_it_was() {
        for text in ["", "\n", "a  b   c", "  two\n    four", "a table:    of     columns"] {
            assert_eq!(fold(text, 40), text);
        }
    }

    #[test]
    fn keys_and_paths_stay_whole() {
        let key = format!("0x{}", "ab".repeat(48));
        let path = "/a-long/path-with/hyphens-and/slashes-that-is/wider-than/the-terminal.json";
        assert_eq!(fold(&format!("key {key} end"), 40), format!("key\n  {key}\n  end"));
        assert_eq!(fold(&format!("at {path} end"), 40), format!("at\n  {path}\n  end"));
    }

    #[test]
    fn quotations_stay_whole() {
        assert_eq!(
            fold("the file is at \"/home/a b/c d/e f/g.toml\" now", 40),
            "the file is at\n  \"/home/a b/c d/e f/g.toml\" now"
        );
        // What only looks like one folds as words do.
        assert_eq!(
            fold("a sign of \" inches that nobody closes, at all", 40),
            "a sign of \" inches that nobody closes,\n  at all"
        );
    }

    #[test]
    fn commands_stay_whole() {
        let command = "quorate audit transcript.bin --expect ceremony.toml --json";
        assert_eq!(fold(&format!("see it: {command}"), 40), format!("see it:\n  {command}"));
        assert_eq!(
            fold(&format!("run: {command}; then tell the others what you see"), 40),
            format!("run:\n  {command};\n  then tell the others what you see"),
        );
    }

    #[test]
    fn what_a_shell_quotes_stays_whole() {
        assert_eq!(
            fold("the operators' file is 'a folder/my file of today.toml' now", 40),
            "the operators' file is\n  'a folder/my file of today.toml' now"
        );
        let apostrophe = "the others' files are at the operators' own machines, all of them";
        assert!(fold(apostrophe, 40).lines().all(|line| line.len() <= 40));
    }

    #[test]
    fn columns_of_a_table_go_on_below_themselves() {
        assert_eq!(
            fold("  state    finished: its outputs are written here", 40),
            "  state    finished: its outputs are\n           written here"
        );
        let below = "  a long label  0x0123456789abcdef0123456789abcdef";
        assert_eq!(fold(below, 40), below.replace("label  ", "label\n    "), "{below}");
        let path = "/a/path/that/is/much/longer/than/the/terminal/is/wide";
        let row = format!("  the files    {path}");
        assert_eq!(fold(&row, 40), row, "what fits nowhere stays with its label");
    }

    #[test]
    fn verdicts_and_warnings_have_their_colour() {
        let green = |words: &str| format!("\u{1b}[1m\u{1b}[32m{words}\u{1b}[0m");
        assert_eq!(paint("VERIFIED: every check"), format!("{}: every check", green("VERIFIED")));
        assert_eq!(paint("Accepted: a.json"), format!("{}: a.json", green("Accepted")));
        assert_eq!(
            paint("  WARNING: a burn address"),
            "  \u{1b}[1m\u{1b}[33mWARNING\u{1b}[0m: a burn address"
        );
        assert_eq!(paint("error: no"), "\u{1b}[1m\u{1b}[31merror\u{1b}[0m: no");
        for plain in ["", "Verified: yes", "the words VERIFIED: no", "VERIFIED", "error:x", ": "] {
            assert_eq!(paint(plain), plain);
        }
    }

    #[test]
    fn wide_letters_count_twice() {
        let name = "東".repeat(15);
        assert_eq!(
            fold(&format!("a name: {name} {name}"), 40),
            format!("a name: {name}\n  {name}")
        );
    }

    /// With everything that folding looks at.
    const TEXTS: &str = "[ a-z'\"`;.,():0-9\n東]{0,300}";

    proptest! {
        /// Nothing is lost or added but line ends and blanks, and a line that is too wide is one
        /// piece.
        #[test]
        fn folding_moves_blanks_only(text in TEXTS, columns in 40..120_usize) {
            let folded = fold(&text, columns);
            let marks = |text: &str| text.split_whitespace().collect::<Vec<_>>().concat();
            prop_assert_eq!(marks(&folded), marks(&text));
            for line in folded.lines().filter(|line| display_width(line) > columns) {
                let at = last_column(line, columns).unwrap_or(0);
                prop_assert_eq!(pieces(line[at..].trim()).count(), 1, "{}", line);
            }
        }
    }
}
