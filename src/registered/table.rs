//! Tables in text: a line for each validator, with the columns that the first line names; or keys
//! alone.

use super::read::{Entry, LARGEST, List, ListError, MOST_ENTRIES, Source, digits, owner};
use crate::ethereum::json::printable;

/// A column that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Key,
    Credentials,
    Signature,
    Deposited,
    Status,
    Owner,
    Operators,
}

impl Column {
    /// By its name: letters alone count, of either case.
    fn named(name: &str) -> Option<Self> {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        Some(match letters.collect::<String>().to_ascii_lowercase().as_str() {
            "key" | "pubkey" | "publickey" | "validator" | "validatorpublickey" => Self::Key,
            "withdrawalcredentials" => Self::Credentials,
            "signature" | "depositsignature" => Self::Signature,
            "used" | "deposited" => Self::Deposited,
            "status" => Self::Status,
            "owner" | "owneraddress" => Self::Owner,
            "operators" | "operatorids" => Self::Operators,
            _ => return None,
        })
    }
}

fn wrong(line: usize, why: impl Into<String>) -> ListError {
    ListError::Line { line, why: why.into() }
}

/// The cells of a line. A cell in quotes can hold the separator, and `""` for a quote.
fn cells(line: &str, separator: char) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let (mut quoted, mut chars) = (false, line.chars().peekable());
    while let Some(c) = chars.next() {
        let cell = cells.last_mut()?;
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            c if c == separator && !quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    (!quoted).then(|| cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

fn is_key(cell: &str) -> bool {
    let digits = cell.strip_prefix("0x").unwrap_or(cell);
    digits.len() == 96 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Reads a table, of which empty lines and those that begin with `#` say nothing.
pub(super) fn read(bytes: &[u8]) -> Result<List, ListError> {
    if bytes.len() > LARGEST {
        return Err(wrong(1, "the file is larger than any list"));
    }
    let text = core::str::from_utf8(bytes).map_err(|_| wrong(1, "not UTF-8 text"))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let mut lines = lines.peekable();
    let Some((first, head)) = lines.peek().copied() else { return Err(ListError::Empty) };
    let separator =
        [',', ';', '\t'].into_iter().max_by_key(|c| head.matches(*c).count()).unwrap_or(',');
    let names = cells(head, separator).ok_or_else(|| wrong(first, "a quote that does not end"))?;
    let columns: Vec<Option<Column>> = match names.first().is_some_and(|name| is_key(name)) {
        // Keys alone, without a head.
        true => vec![Some(Column::Key)],
        false => {
            lines.next();
            names.iter().map(|name| Column::named(name)).collect()
        }
    };
    let keys = columns.iter().filter(|column| **column == Some(Column::Key)).count();
    if keys != 1 {
        let why = "this line names no column, or several, for the public key (pubkey, key)";
        return Err(wrong(first, why));
    }
    let mut entries = Vec::new();
    for (line, text) in lines {
        if entries.len() == MOST_ENTRIES {
            return Err(wrong(line, "more than 262144 entries"));
        }
        let cells =
            cells(text, separator).ok_or_else(|| wrong(line, "a quote that does not end"))?;
        if cells.len() != columns.len() {
            let why = format!("{} cells instead of {}", cells.len(), columns.len());
            return Err(wrong(line, why));
        }
        entries.push(entry(line, &columns, &cells)?);
    }
    let has = |column| columns.contains(&Some(column));
    let source = if has(Column::Owner) || has(Column::Operators) {
        Source::Ssv
    } else if has(Column::Signature) || has(Column::Deposited) {
        Source::Lido
    } else {
        Source::Keys
    };
    Ok(List { source, entries })
}

fn entry(place: usize, columns: &[Option<Column>], cells: &[String]) -> Result<Entry, ListError> {
    let cell = |wanted: Column| {
        let at = columns.iter().position(|column| *column == Some(wanted))?;
        cells.get(at).map(String::as_str).filter(|text| !text.is_empty())
    };
    let deposited = cell(Column::Deposited).map(|text| match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(wrong(place, "used: neither true nor false")),
    });
    let operators = cell(Column::Operators).map(|text| {
        let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let numbers: Result<Vec<u64>, _> = numbers.map(str::parse).collect();
        let mut numbers = numbers.map_err(|_| wrong(place, "operators: not numbers"))?;
        numbers.sort_unstable();
        Ok::<_, ListError>(numbers)
    });
    let credentials = cell(Column::Credentials);
    let signature = cell(Column::Signature);
    Ok(Entry {
        place,
        public_key: digits(place, "public key", cell(Column::Key).unwrap_or_default())?,
        credentials: credentials
            .map(|text| digits(place, "withdrawal credentials", text))
            .transpose()?,
        signature: signature.map(|text| digits(place, "signature", text)).transpose()?,
        deposited: deposited.transpose()?,
        status: cell(Column::Status).map(printable),
        owner: cell(Column::Owner).map(|text| owner(place, text)).transpose()?,
        operators: operators.transpose()?,
    })
}
