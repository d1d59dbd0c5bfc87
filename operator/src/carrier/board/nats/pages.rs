//! Listings, which a server shows page by page.

/// Pages of a listing that are asked for, and files after which no more are.
const MOST_PAGES: usize = 8;
const MOST_FILES: usize = 1 << 17;

/// Asks for pages of a listing, from an offset each, and gives what they show to `take`, which
/// tells how many files that makes. Where the first page is not all, what is looked at begins at
/// an offset that `random` chooses, and goes round: so nothing is always behind the end. Whether
/// there is more than was looked at.
pub(super) fn pages<E>(
    random: u64,
    mut page: impl FnMut(u64) -> Result<(Vec<String>, u64), E>,
    mut take: impl FnMut(Vec<String>) -> usize,
) -> Result<bool, E> {
    let (here, total) = page(0)?;
    if here.is_empty() || here.len() as u64 >= total {
        take(here);
        return Ok(false);
    }
    let start = random % total;
    let (mut offset, mut seen) = (start, 0_u64);
    for _ in 1..MOST_PAGES {
        let (here, _) = page(offset)?;
        let count = here.len() as u64;
        seen = seen.saturating_add(count);
        // Behind the end comes the beginning.
        offset = if count == 0 { 0 } else { offset.saturating_add(count) % total };
        if take(here) >= MOST_FILES {
            return Ok(true);
        }
        if seen >= total {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Whoever fills a shelf does not choose what is behind the end of what is looked at.
    #[test]
    fn pages_begin_anywhere_and_go_round() {
        let of = |total: u64, random: u64| {
            let (mut offsets, mut seen) = (Vec::new(), BTreeSet::new());
            let page = |offset: u64| {
                offsets.push(offset);
                let to = total.min(offset + 10);
                Ok::<_, ()>(((offset..to).map(|at| at.to_string()).collect(), total))
            };
            let cut = pages(random, page, |here| {
                seen.extend(here);
                seen.len()
            });
            (offsets, seen.len(), cut.unwrap())
        };
        assert_eq!(of(0, 7), (vec![0], 0, false));
        assert_eq!(of(10, 7), (vec![0], 10, false));
        assert_eq!(of(25, 17), (vec![0, 17, 0, 10], 25, false));
        assert_eq!(of(25, 50), (vec![0, 0, 10, 20], 25, false));
        let (offsets, seen, cut) = of(1000, 1990);
        assert_eq!((offsets, seen, cut), (vec![0, 990, 0, 10, 20, 30, 40, 50], 70, true));
        // A server that tells of more than it shows.
        let cut = pages(7, |offset| Ok::<_, ()>((vec![offset.to_string()], u64::MAX)), |_| 1);
        assert_eq!(cut, Ok(true));
    }
}
