//! Opaque handles that route themselves.
//!
//! Every id and secret that we mint carries its bucket, masked by a hash of the letters behind it, so that a look-up knows
//! its shard without any global index and a reader learns nothing. A secret begins with it (after a fixed prefix, where a
//! paper prescribes one), an id with eight letters of time or chance. Handles live for years: these shapes are for good.

use crate::moment::{Random, Timestamp};
use sha2::{Digest as _, Sha256};

/// How many buckets there are. Fixed for good: handles in merchants' hands carry one.
pub const BUCKETS: u16 = 1024;

/// The shard key that leads every table's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u16);

impl Bucket {
    /// Bucket `number` modulo the number of buckets.
    pub fn new(number: u16) -> Bucket {
        Bucket(number % BUCKETS)
    }

    /// The bucket that these parts hash to.
    pub fn of(parts: &[&str]) -> Bucket {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let hash = hash.finalize();
        Bucket::new(u16::from_be_bytes([hash[0], hash[1]]))
    }

    /// A random bucket.
    pub fn random(random: &mut Random) -> Bucket {
        Bucket::new(random.below(u32::from(BUCKETS)) as u16)
    }

    /// The number of this bucket, 0 to 1023.
    pub fn number(self) -> u16 {
        self.0
    }
}

/// The letters that a handle may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// `0-9A-F`.
    Hex,
    /// `0-9A-Z`.
    Base36,
    /// `0-9A-Za-z`.
    Base62,
}

impl Alphabet {
    const LETTERS: &'static [u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    fn size(self) -> u16 {
        match self {
            Alphabet::Hex => 16,
            Alphabet::Base36 => 36,
            Alphabet::Base62 => 62,
        }
    }

    /// Letters needed to hold a bucket.
    fn bucket_width(self) -> usize {
        match self {
            Alphabet::Hex => 3,
            Alphabet::Base36 | Alphabet::Base62 => 2,
        }
    }

    fn letter(self, digit: u16) -> char {
        char::from(Self::LETTERS[usize::from(digit % self.size())])
    }

    /// What each letter counts, and 255 for all that is none: every id in a row that is read is looked through.
    const DIGITS: [u8; 256] = {
        let mut digits = [u8::MAX; 256];
        let mut digit = 0;
        while digit < Self::LETTERS.len() {
            digits[Self::LETTERS[digit] as usize] = digit as u8;
            digit += 1;
        }
        digits
    };

    fn digit(self, letter: u8) -> Option<u16> {
        let digit = u16::from(Self::DIGITS[usize::from(letter)]);
        (digit < self.size()).then_some(digit)
    }
}

/// The shape of a handle: a fixed prefix, then `length` letters of an alphabet, the first of which carry the bucket, and the
/// last, in a dated one, the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Fixed text in front, as a paper prescribes it.
    pub prefix: String,
    /// The letters after it.
    pub alphabet: Alphabet,
    /// How many letters after the prefix, bucket and time included.
    pub length: usize,
    /// Does it end with its time? See [`Shape::dated`].
    pub dated: bool,
}

/// How many letters at the end of a dated handle tell its time.
const TIME_LETTERS: usize = 12;

/// The end of a dated handle, whatever its alphabet: milliseconds in hexadecimal digits.
fn time_letters(at: Timestamp) -> String {
    let millis = u64::try_from(at.0).unwrap_or(0) & 0xffff_ffff_ffff;
    format!("{millis:0TIME_LETTERS$X}")
}

impl Shape {
    /// A shape without a prefix.
    pub fn plain(alphabet: Alphabet, length: usize) -> Shape {
        Shape { prefix: String::new(), alphabet, length, dated: false }
    }

    /// The same shape, whose last twelve letters tell the time: milliseconds in hexadecimal digits, in any alphabet.
    pub fn dated(self) -> Shape {
        Shape { dated: true, ..self }
    }

    /// The time that a dated `handle` ends with, as six bytes that stand in its order; nothing when it ends otherwise, or
    /// when this shape has none.
    pub fn time(&self, handle: &str) -> Option<[u8; 6]> {
        let letters = handle.as_bytes().last_chunk::<TIME_LETTERS>().filter(|_| self.dated)?;
        let mut bytes = [0; 6];
        for (byte, pair) in bytes.iter_mut().zip(letters.chunks_exact(2)) {
            let digit = |letter: u8| Alphabet::Hex.digit(letter).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(bytes)
    }

    /// Draws a handle of this shape that carries `bucket`, and in a dated one the time of the stream.
    pub fn mint(&self, bucket: Bucket, random: &mut Random) -> String {
        let width = self.alphabet.bucket_width();
        let size = u32::from(self.alphabet.size());
        let end = if self.dated { time_letters(random.now()) } else { String::new() };
        let drawn = width..self.length.saturating_sub(end.len());
        let mut rest: String = drawn.map(|_| self.alphabet.letter(random.below(size) as u16)).collect();
        rest.push_str(&end);
        let mut masked = bucket.number() ^ mask(&rest);
        let mut head = Vec::with_capacity(width);
        for _ in 0..width {
            head.push(self.alphabet.letter(masked % self.alphabet.size()));
            masked /= self.alphabet.size();
        }
        let head: String = head.into_iter().rev().collect();
        format!("{}{head}{rest}", self.prefix)
    }

    /// The bucket inside `handle`, or nothing when it was never ours: wrong prefix, letters or length.
    pub fn bucket(&self, handle: &str) -> Option<Bucket> {
        let body = handle.strip_prefix(self.prefix.as_str())?;
        if body.len() != self.length || !body.is_ascii() {
            return None;
        }
        let (head, rest) = body.split_at_checked(self.alphabet.bucket_width())?;
        if !rest.bytes().all(|b| self.alphabet.digit(b).is_some()) {
            return None;
        }
        let mut masked: u16 = 0;
        for letter in head.bytes() {
            masked = masked.checked_mul(self.alphabet.size())?.checked_add(self.alphabet.digit(letter)?)?;
        }
        let number = masked ^ mask(rest);
        (number < BUCKETS).then_some(Bucket(number))
    }
}

/// What an id begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The milliseconds of its moment, so that ids stand in the order of time, and their rows side by side.
    Time,
    /// Random letters: it tells nothing.
    Chance,
}

impl Head {
    /// How many letters: enough of milliseconds for the coming 6,000 years.
    const LENGTH: usize = 8;

    fn mint(self, random: &mut Random) -> String {
        let mut number = match self {
            Head::Time => u64::try_from(random.now().0).unwrap_or(0),
            Head::Chance => u64::from_be_bytes(random.bytes()),
        };
        let size = u64::from(Alphabet::Base62.size());
        let mut letters = [' '; Head::LENGTH];
        for letter in letters.iter_mut().rev() {
            *letter = Alphabet::Base62.letter((number % size) as u16);
            number /= size;
        }
        letters.iter().collect()
    }

    /// The milliseconds that an id of [`Head::Time`] begins with; nothing when it is no id.
    fn millis(id: &str) -> Option<i64> {
        let size = u64::from(Alphabet::Base62.size());
        let letters = id.as_bytes().first_chunk::<{ Head::LENGTH }>()?;
        let number = letters.iter().try_fold(0_u64, |number, letter| {
            number.checked_mul(size)?.checked_add(u64::from(Alphabet::Base62.digit(*letter)?))
        });
        number.and_then(|number| i64::try_from(number).ok())
    }
}

/// The shape of every id: its head, then a handle of 18 letters, 16 of them random, some 95 bits. Always base 62, whose
/// letters stand in the order of their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdShape;

impl IdShape {
    fn rest() -> Shape {
        Shape::plain(Alphabet::Base62, 18)
    }

    /// Draws an id that carries `bucket`.
    pub fn mint(self, head: Head, bucket: Bucket, random: &mut Random) -> String {
        let mut id = head.mint(random);
        id.push_str(&IdShape::rest().mint(bucket, random));
        id
    }

    /// When an `id` that begins with its time was minted, in milliseconds; nothing when it was never ours.
    pub fn millis(self, id: &str) -> Option<i64> {
        Head::millis(id)
    }

    /// The bucket inside `id`, or nothing when it was never ours.
    pub fn bucket(self, id: &str) -> Option<Bucket> {
        let (head, rest) = id.split_at_checked(Head::LENGTH)?;
        let ours = head.bytes().all(|letter| Alphabet::Base62.digit(letter).is_some());
        ours.then(|| IdShape::rest().bucket(rest)).flatten()
    }
}

/// FNV-1a, folded. It is computed for every id in a row that is read, and only has to look like chance.
fn mask(rest: &str) -> u16 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = rest.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    ((hash >> 32) ^ hash) as u16 % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;

    #[test]
    fn a_handle_gives_back_its_bucket_in_every_alphabet() {
        let at = Moment::new(Timestamp(0), [7; 32]);
        let mut random = at.random("test");
        for alphabet in [Alphabet::Hex, Alphabet::Base36, Alphabet::Base62] {
            let shape = Shape { prefix: "28101013".into(), ..Shape::plain(alphabet, 24) };
            for number in 0..BUCKETS {
                let handle = shape.mint(Bucket::new(number), &mut random);
                assert_eq!(handle.len(), 32);
                assert_eq!(shape.bucket(&handle), Some(Bucket::new(number)), "{handle}");
            }
        }
    }

    #[test]
    fn a_dated_handle_gives_back_its_bucket_and_its_time_in_every_alphabet() {
        for alphabet in [Alphabet::Hex, Alphabet::Base36, Alphabet::Base62] {
            let shape = Shape { prefix: "28101003".into(), ..Shape::plain(alphabet, 40).dated() };
            for now in [0, 1, 1_795_393_139_058, (1 << 48) - 1] {
                let mut random = Moment::new(Timestamp(now), [7; 32]).random("test");
                let handle = shape.mint(Bucket::new(77), &mut random);
                assert_eq!((handle.len(), shape.bucket(&handle)), (48, Some(Bucket::new(77))), "{handle}");
                assert_eq!(shape.time(&handle), now.to_be_bytes()[2..].try_into().ok(), "{handle}");
                assert_eq!(Shape { dated: false, ..shape.clone() }.time(&handle), None);
            }
        }
        for text in ["", "FFFFFFFFFFF", "FFFFFFFFFFFf", "FFFFFF+FFFFF", "FFFFFFFFFF\u{e4}"] {
            assert_eq!(Shape::plain(Alphabet::Hex, 40).dated().time(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_in_time_gives_back_its_bucket_and_stands_behind_those_before() {
        let mut before = String::new();
        for (number, now) in (0..BUCKETS).zip((1_700_000_000_000..).step_by(59)) {
            let mut random = Moment::new(Timestamp(now), [7; 32]).random("test");
            let id = IdShape.mint(Head::Time, Bucket::new(number), &mut random);
            assert_eq!((id.len(), IdShape.bucket(&id)), (26, Some(Bucket::new(number))), "{id}");
            assert_eq!(IdShape.millis(&id), Some(now), "{id}");
            assert!(before < id, "{before} before {id}");
            before = id;
            let id = IdShape.mint(Head::Chance, Bucket::new(number), &mut random);
            assert_eq!((id.len(), IdShape.bucket(&id)), (26, Some(Bucket::new(number))), "{id}");
        }
        for now in [i64::MIN, -1, 0, i64::MAX] {
            let id = IdShape.mint(
                Head::Time,
                Bucket::new(3),
                &mut Moment::new(Timestamp(now), [7; 32]).random("test"),
            );
            assert_eq!((id.len(), IdShape.bucket(&id)), (26, Some(Bucket::new(3))), "{id}");
        }
        for text in ["", "short", "0000000\u{e4}00000000000000000", "-0000000000000000000000000"] {
            assert_eq!(IdShape.bucket(text), None, "{text}");
        }
        for text in ["", "short", "0000000\u{e4}00000000000000000", "-0000000000000000000000000"] {
            assert_eq!(IdShape.millis(text), None, "{text}");
        }
    }

    #[test]
    fn a_letter_is_worth_its_place() {
        for (place, letter) in Alphabet::LETTERS.iter().enumerate() {
            assert_eq!(Alphabet::Base62.digit(*letter), Some(place as u16));
        }
        for letter in 0..=255_u8 {
            assert_eq!(Alphabet::Base62.digit(letter).is_some(), letter.is_ascii_alphanumeric(), "{letter}");
        }
        assert_eq!((Alphabet::Hex.digit(b'G'), Alphabet::Base36.digit(b'a')), (None, None));
    }

    #[test]
    fn the_mask_looks_like_chance() {
        let mut random = Moment::new(Timestamp(0), [7; 32]).random("test");
        let mut seen = vec![0_u32; usize::from(BUCKETS)];
        for _ in 0..64 * u32::from(BUCKETS) {
            let handle = Shape::plain(Alphabet::Base62, 18).mint(Bucket::new(0), &mut random);
            seen[usize::from(mask(&handle[2..]))] += 1;
        }
        // 64 of each are expected, eight standard deviations are borne.
        assert!(seen.iter().all(|count| count.abs_diff(64) < 64), "{seen:?}");
    }

    #[test]
    fn a_foreign_text_has_no_bucket() {
        let shape = Shape::plain(Alphabet::Base36, 24);
        for text in ["", "short", "ÄÄÄÄÄÄÄÄÄÄÄÄ", "0000000000000000000000a0", "ZZ0000000000000000000000!"]
        {
            assert_eq!(shape.bucket(text), None, "{text}");
        }
    }
}
