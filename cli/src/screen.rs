//! How text meets a terminal: folded between words to its width. What is copied stays whole.

use std::io::IsTerminal;
use std::os::fd::AsFd;

use terminal_size::{Width, terminal_size_of};
use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// Columns of a terminal that does not say how wide it is.
const COLUMNS: usize = 80;
/// A terminal that says it has fewer is not folded further: nothing would be left to read.
const FEWEST_COLUMNS: usize = 40;
/// How much further than its first line a folded line goes on.
const HANG: &str = "  ";

/// `text` for `stream`: folded where that is a terminal. A pipe or a file gets the lines as they
/// are, so that programs find every sentence on one line whatever the terminal was.
pub(crate) fn fit(text: &str, stream: &(impl AsFd + IsTerminal)) -> String {
    if !stream.is_terminal() {
        return text.to_owned();
    }
    let told = terminal_size_of(stream).map(|(Width(columns), _)| usize::from(columns));
    fold(text, told.unwrap_or(COLUMNS))
}

/// `text` with no line over `columns` wide, but for words and commands that are wider themselves.
fn fold(text: &str, columns: usize) -> String {
    let columns = columns.max(FEWEST_COLUMNS);
    text.split('\n').map(|line| fold_line(line, columns)).collect::<Vec<_>>().join("\n")
}

fn fold_line(line: &str, columns: usize) -> String {
    let words = line.trim_start_matches(' ');
    let indent = &line[..line.len() - words.len()];
    let hang = format!("{indent}{HANG}");
    let options = Options::new(columns)
        .initial_indent(indent)
        .subsequent_indent(&hang)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation)
        .word_separator(WordSeparator::Custom(pieces))
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(words, options).join("\n")
}

/// Where a line may be folded: at blanks, but not within a command or within double quotes.
fn pieces(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut found = Vec::new();
    let (mut start, mut quoted, mut command) = (0, false, false);
    for (at, c) in line.char_indices() {
        let rest = &line[at..];
        let begins = at == 0 || line[..at].ends_with([' ', '`', '\'', '(']);
        match c {
            // A quotation that is never closed is not one.
            '"' if quoted || rest[1..].contains('"') => quoted = !quoted,
            // A command goes on to the end of the line, of its quotation or of its clause.
            'q' if begins && rest.starts_with("quorate ") => command = true,
            '`' | ';' | ')' if !quoted => command = false,
            ' ' if !quoted && !command && !rest[1..].starts_with(' ') => {
                found.push(Word::from(&line[start..=at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(Word::from(&line[start..]));
    Box::new(found.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn wide_letters_count_twice() {
        let name = "東".repeat(15);
        assert_eq!(
            fold(&format!("a name: {name} {name}"), 40),
            format!("a name: {name}\n  {name}")
        );
    }
}
