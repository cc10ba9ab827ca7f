//! What an image is, judged by its bytes: one of four raster kinds, of a size that a page can bear. No name and no
//! `Content-Type` is believed. SVG is no raster: it can hold scripts and is never taken.

use imagesize::{ImageError, ImageSize, ImageType};

/// Most bytes of a logo.
pub const MOST_BYTES: usize = 512 * 1024;
/// Most pixels on a side: a few bytes can claim a picture that fills a phone's memory.
pub const MOST_PIXELS: usize = 2048;

/// A kind of image that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
}

impl Kind {
    /// What a browser is told.
    pub fn media_type(self) -> &'static str {
        match self {
            Kind::Png => "image/png",
            Kind::Jpeg => "image/jpeg",
            Kind::Webp => "image/webp",
            Kind::Gif => "image/gif",
        }
    }
}

/// The kind of these bytes, or why they are not taken.
pub fn judge(bytes: &[u8]) -> Result<Kind, &'static str> {
    if bytes.len() > MOST_BYTES {
        return Err("more bytes than a logo may have");
    }
    let kind = match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => Kind::Png,
        Ok(ImageType::Jpeg) => Kind::Jpeg,
        Ok(ImageType::Webp) => Kind::Webp,
        Ok(ImageType::Gif) => Kind::Gif,
        Ok(_) | Err(ImageError::NotSupported) => return Err("neither PNG, JPEG, WebP nor GIF"),
        Err(_) => return Err("broken off"),
    };
    let unreadable = "its size cannot be read";
    let ImageSize { width, height } = imagesize::blob_size(bytes).map_err(|_| unreadable)?;
    let (width, height) = match kind {
        Kind::Gif => gif_reach(bytes).ok_or(unreadable)?,
        Kind::Png | Kind::Jpeg | Kind::Webp => (width, height),
    };
    match (width, height) {
        (0, _) | (_, 0) => Err("no pixels"),
        (width, height) if width > MOST_PIXELS || height > MOST_PIXELS => {
            Err("more pixels than a logo may have")
        }
        _ => Ok(kind),
    }
}

/// How far the pictures of a GIF reach: browsers make room for one that is larger than the screen it is said to stand on.
/// Nothing where its blocks make no sense; one that is broken off ends there.
fn gif_reach(bytes: &[u8]) -> Option<(usize, usize)> {
    let word = |at: usize| Some(usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let behind_parts = |mut at: usize| {
        while let Some(length) = bytes.get(at).filter(|length| **length > 0) {
            at += 1 + usize::from(*length);
        }
        at + 1
    };
    let (mut width, mut height) = (word(6)?, word(8)?);
    if width == 0 || height == 0 {
        return Some((width, height));
    }
    let mut at = 13 + colours(*bytes.get(10)?);
    loop {
        match bytes.get(at) {
            Some(0x21) => at = behind_parts(at + 2),
            Some(0x2c) => {
                width = width.max(word(at + 1)? + word(at + 5)?);
                height = height.max(word(at + 3)? + word(at + 7)?);
                at = behind_parts(at + 11 + colours(*bytes.get(at + 9)?));
            }
            Some(0x3b) | None => return Some((width, height)),
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    fn gif(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend(width.to_le_bytes());
        bytes.extend(height.to_le_bytes());
        bytes.extend([0, 0, 0, 0x3b]);
        bytes
    }

    /// A GIF of 64 by 64 with two pictures, the second of that place and size.
    fn gif_with(left: u16, top: u16, width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"GIF89a\x40\0\x40\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
        bytes.extend(b"!\xf9\x04\0\0\0\0\0");
        bytes.extend(b",\0\0\0\0\x40\0\x40\0\0\x02\x02\x4c\x01\0");
        bytes.push(b',');
        bytes.extend([left, top, width, height].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(b"\x81\0\0\0\x01\x01\x01\x02\x02\x02\x03\x03\x03\x02\x02\x4c\x01\0;");
        bytes
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08".to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff, 0xd9]);
        bytes
    }

    fn webp(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
        bytes.extend(&(width - 1).to_le_bytes()[..3]);
        bytes.extend(&(height - 1).to_le_bytes()[..3]);
        bytes
    }

    #[test]
    fn four_kinds_are_known_by_their_bytes() {
        assert_eq!(judge(&png(56, 56)), Ok(Kind::Png));
        assert_eq!(judge(&gif(56, 56)), Ok(Kind::Gif));
        assert_eq!(judge(&jpeg(56, 56)), Ok(Kind::Jpeg));
        assert_eq!(judge(&webp(56, 56)), Ok(Kind::Webp));
    }

    #[test]
    fn nothing_else_is_an_image_whatever_it_calls_itself() {
        for bytes in [
            &b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"[..],
            b"<?xml version=\"1.0\"?><svg/>",
            b"<html><script>alert(1)</script></html>",
            b"<!-- GIF89a --><script>alert(1)</script>",
            b"%PDF-1.7",
            b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
            b"",
            b"\x89PNG",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"GIF89a",
            b"RIFF\0\0\0\0WEBP",
        ] {
            assert!(judge(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_bomb_is_known_by_its_header() {
        assert_eq!(judge(&png(2048, 2048)), Ok(Kind::Png));
        for bytes in [
            png(2049, 1),
            png(1, 2049),
            png(60_000, 60_000),
            gif(65_535, 1),
            jpeg(1, 65_535),
            webp(16_384, 1),
        ] {
            assert_eq!(judge(&bytes), Err("more pixels than a logo may have"));
        }
        assert_eq!(judge(&gif_with(0, 0, 64, 64)), Ok(Kind::Gif));
        assert_eq!(judge(&gif_with(0, 0, 2048, 2048)), Ok(Kind::Gif));
        for bytes in [gif_with(0, 0, 2049, 1), gif_with(0, 0, 64, 65_535), gif_with(65_535, 0, 64, 64)] {
            assert_eq!(judge(&bytes), Err("more pixels than a logo may have"));
        }
        let mut nonsense = gif_with(0, 0, 64, 64);
        nonsense[19] = b'?';
        assert_eq!(judge(&nonsense), Err("its size cannot be read"));
        assert_eq!(judge(&gif_with(0, 0, 64, 64)[..40]), Ok(Kind::Gif), "broken off");
        for bytes in [png(0, 5), gif(5, 0)] {
            assert!(judge(&bytes).is_err());
        }
        let mut long = png(5, 5);
        long.resize(MOST_BYTES + 1, 0);
        assert_eq!(judge(&long), Err("more bytes than a logo may have"));
    }
}
