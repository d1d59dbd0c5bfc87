//! Sets of seats, as four words: copied and counted at no cost.

use super::threshold::{Index, MOST_OPERATORS};

const WORD: usize = 64;
const WORDS: usize = (MOST_OPERATORS + 1) / WORD;

/// A set of seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seats([u64; WORDS]);

impl Seats {
    /// The first `count` seats; all that there can be if there are fewer.
    pub const fn first(count: usize) -> Self {
        let mut words = [0; WORDS];
        let mut position = 0;
        while position < count && position < MOST_OPERATORS {
            words[position / WORD] |= 1 << (position % WORD);
            position += 1;
        }
        Self(words)
    }

    /// Whether `seat` is one of them.
    pub fn contains(self, seat: Index) -> bool {
        self.0[seat.position() / WORD] >> (seat.position() % WORD) & 1 == 1
    }

    /// The same without `seat`.
    pub fn without(mut self, seat: Index) -> Self {
        self.0[seat.position() / WORD] &= !(1 << (seat.position() % WORD));
        self
    }

    /// The same without any of `others`.
    pub fn minus(mut self, others: Self) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(word, other)| *word &= !other);
        self
    }

    /// Those that are in both.
    pub fn both(self, others: Self) -> Self {
        self.minus(self.minus(others))
    }

    /// Those that are in either.
    pub fn joined(mut self, others: Self) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(word, other)| *word |= other);
        self
    }

    /// Whether each of them is one of `others`.
    pub fn is_within(self, others: Self) -> bool {
        self.minus(others).is_empty()
    }

    /// How many.
    pub fn len(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == [0; WORDS]
    }

    /// The position of `seat` among them, from 0; `None` if it is none of them.
    pub fn place(self, seat: Index) -> Option<usize> {
        let (word, bit) = (seat.position() / WORD, seat.position() % WORD);
        let before: usize = self.0[..word].iter().map(|word| word.count_ones() as usize).sum();
        let below = self.0[word] & ((1 << bit) - 1);
        self.contains(seat).then_some(before + below.count_ones() as usize)
    }

    /// Each of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Index> + Clone {
        let all = (0..MOST_OPERATORS).filter_map(Index::from_position);
        all.filter(move |seat| self.contains(*seat)).take(self.len())
    }
}

impl FromIterator<Index> for Seats {
    fn from_iter<I: IntoIterator<Item = Index>>(seats: I) -> Self {
        let mut words = [0; WORDS];
        for seat in seats {
            words[seat.position() / WORD] |= 1 << (seat.position() % WORD);
        }
        Self(words)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_and_orders_its_seats() {
        let index = |number| Index::new(number).unwrap();
        let set: Seats = [255, 64, 1, 65, 128, 64].map(index).into_iter().collect();
        let members = [1, 64, 65, 128, 255].map(index);
        assert_eq!((set.len(), set.is_empty()), (5, false));
        assert_eq!(set.iter().collect::<Vec<_>>(), members);
        for number in 1..=255 {
            let place = members.iter().position(|member| *member == index(number));
            assert_eq!(
                (set.place(index(number)), set.contains(index(number))),
                (place, place.is_some())
            );
        }
        let others: Seats = [1, 2, 65].map(index).into_iter().collect();
        assert_eq!(set.minus(others).iter().collect::<Vec<_>>(), [64, 128, 255].map(index));
        assert_eq!(set.both(others).iter().collect::<Vec<_>>(), [1, 65].map(index));
        assert_eq!(set.joined(others), set.joined([index(2)].into_iter().collect()));
        assert!(set.minus(others).is_within(set) && !others.is_within(set));
        let fewer = set.without(index(64)).without(index(2));
        assert_eq!(fewer.iter().collect::<Vec<_>>(), [1, 65, 128, 255].map(index));
    }

    #[test]
    fn the_first_are_the_lowest() {
        for count in 0..=255 {
            let set = Seats::first(count);
            assert_eq!((set.len(), set.is_empty()), (count, count == 0));
            let numbers: Vec<usize> = set.iter().map(|seat| seat.position()).collect();
            assert_eq!(numbers, (0..count).collect::<Vec<_>>());
        }
        assert_eq!(Seats::first(256), Seats::first(255));
    }
}
