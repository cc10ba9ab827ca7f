//! The operator's brand: what the wallet is called, its picture, its colours. Set once, before anything is shown.
//!
//! Colours are held to WCAG 2.2: what is written in the accent, and what is written on it, has a contrast of 4.5:1 or
//! more to every surface that it stands on. A colour that has not is refused at the start, with a sentence.

use accord_core::user::Language;
use bytes::Bytes;
use std::sync::OnceLock;

/// The least contrast of text, in hundredths (WCAG 2.2, 1.4.3).
const LEAST_CONTRAST: u32 = 450;
/// The largest picture.
const LARGEST_LOGO: usize = 64 * 1024;

/// Surfaces that the accent stands on, as `accord.css` names them: ground, card and panel.
const LIGHT: [Colour; 3] =
    [Colour([0xf2, 0xf5, 0xf4]), Colour([0xff, 0xff, 0xff]), Colour([0xf6, 0xf9, 0xf8])];
const DARK: [Colour; 3] =
    [Colour([0x0d, 0x13, 0x11]), Colour([0x18, 0x20, 0x1d]), Colour([0x1f, 0x29, 0x26])];
const WHITE: Colour = Colour([0xff, 0xff, 0xff]);
const BLACK: Colour = Colour([0x06, 0x12, 0x0e]);

/// What an operator chooses. The default is accord's own.
#[derive(Debug, Clone, Default)]
pub struct Brand {
    /// The wallet's name, by language; the message files name it where there is none.
    pub names: Vec<(Language, String)>,
    /// The picture beside the name.
    pub logo: Option<Logo>,
    /// Buttons and links on light pages, and on dark ones.
    pub accents: Accents,
}

/// A picture: square, as it is shown so.
#[derive(Debug, Clone)]
pub struct Logo {
    content_type: &'static str,
    bytes: Bytes,
}

impl Logo {
    /// Judges a file of the operator's by its content: PNG, JPEG, WebP or SVG, 64 KiB at most.
    pub fn read(bytes: Vec<u8>) -> Result<Logo, String> {
        if bytes.len() > LARGEST_LOGO {
            let size = bytes.len() / 1024;
            return Err(format!("the file has {size} KiB, 64 are allowed: every first page carries it"));
        }
        let content_type = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            text if text.starts_with(b"<svg") || text.starts_with(b"<?xml") => "image/svg+xml",
            _ => return Err("the file is no PNG, JPEG, WebP or SVG".to_owned()),
        };
        Ok(Logo { content_type, bytes: bytes.into() })
    }
}

/// The accent on light and on dark pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accents {
    light: Option<Colour>,
    dark: Option<Colour>,
}

impl Accents {
    /// Judges both colours; nothing: accord's own.
    pub fn read(light: Option<&str>, dark: Option<&str>) -> Result<Accents, String> {
        let judge = |text: Option<&str>, surfaces: &[Colour], remedy: &str| {
            let Some(text) = text else { return Ok(None) };
            let colour = Colour::parse(text)
                .ok_or_else(|| format!("`{text}` is no colour: write `#` and six hexadecimal digits"))?;
            let least = surfaces.iter().map(|surface| colour.contrast(*surface)).min().unwrap_or_default();
            if least < LEAST_CONTRAST {
                let (whole, part) = (least / 100, least % 100);
                return Err(format!(
                    "{text} has a contrast of {whole}.{part:02}:1 to the page it is written on, 4.5:1 is needed: \
                     take a {remedy} one"
                ));
            }
            Ok(Some(colour))
        };
        Ok(Accents { light: judge(light, &LIGHT, "darker")?, dark: judge(dark, &DARK, "lighter")? })
    }

    /// What the style sheet says in the brand's colours; nothing where accord's own stay.
    fn css(&self) -> String {
        let rule = |colour: Colour| {
            let on = if colour.contrast(WHITE) >= colour.contrast(BLACK) { WHITE } else { BLACK };
            format!(":root {{ --accent: {colour}; --on-accent: {on}; }}")
        };
        let light = self.light.map(|colour| format!("{}\n", rule(colour))).unwrap_or_default();
        // A light accent comes later than the sheet's dark one: the dark is said again after it.
        let dark = match (self.dark, self.light) {
            (Some(dark), _) => Some(dark),
            (None, Some(_)) => Some(Colour([0x74, 0xd6, 0xbc])),
            (None, None) => None,
        };
        let dark = dark.map(|colour| format!("@media (prefers-color-scheme: dark) {{ {} }}\n", rule(colour)));
        light + &dark.unwrap_or_default()
    }
}

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour([u8; 3]);

impl Colour {
    fn parse(text: &str) -> Option<Colour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
        Some(Colour([part(0)?, part(2)?, part(4)?]))
    }

    /// The contrast ratio, in hundredths, rounded down (WCAG 2.2).
    fn contrast(self, other: Colour) -> u32 {
        let (a, b) = (self.luminance(), other.luminance());
        #[expect(clippy::float_arithmetic, reason = "light, not money")]
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 100 and 2100")]
        let hundredths = ((a.max(b) + 0.05) / (a.min(b) + 0.05) * 100.0) as u32;
        hundredths
    }

    #[expect(clippy::float_arithmetic, reason = "light, not money")]
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Colour([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

static BRAND: OnceLock<Brand> = OnceLock::new();

/// Sets the brand. False when something was shown before: then nothing changes.
pub fn set(brand: Brand) -> bool {
    BRAND.set(brand).is_ok()
}

fn brand() -> &'static Brand {
    BRAND.get_or_init(Brand::default)
}

/// What this wallet is called in that language, if the operator says.
pub(super) fn name(language: Language) -> Option<String> {
    let names = &brand().names;
    let own = names.iter().find(|(known, _)| *known == language);
    own.or(names.first()).map(|(_, name)| name.clone())
}

/// The brand's rules, for the end of the style sheet.
pub(super) fn css() -> String {
    brand().accents.css()
}

/// Media type and bytes of the operator's picture.
pub(super) fn logo() -> Option<(&'static str, Bytes)> {
    brand().logo.as_ref().map(|logo| (logo.content_type, logo.bytes.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        let contrast = |a: &str, b: &str| Colour::parse(a).unwrap().contrast(Colour::parse(b).unwrap());
        assert_eq!(contrast("#000000", "#ffffff"), 2100);
        assert_eq!(contrast("#777777", "#ffffff"), 447);
        assert_eq!(contrast("#767676", "#ffffff"), 454);
        assert_eq!(contrast("#123456", "#123456"), 100);
    }

    #[test]
    fn a_colour_that_cannot_be_read_is_refused_with_a_sentence() {
        for (light, dark, part) in [
            (Some("#f4c95d"), None, "take a darker one"),
            (Some("#777777"), None, "#777777 has a contrast of 4.0"),
            (None, Some("#0b5d4b"), "take a lighter one"),
            (Some("green"), None, "`green` is no colour"),
            (Some("#12345é"), None, "is no colour"),
            (Some("#+12345"), None, "is no colour"),
        ] {
            let said = Accents::read(light, dark).unwrap_err();
            assert!(said.contains(part), "{said}");
        }
        assert!(Accents::read(Some("#0b5d4b"), Some("#74d6bc")).is_ok());
    }

    #[test]
    fn text_on_the_accent_is_white_or_black_whichever_is_read_better() {
        let css = Accents::read(Some("#7a1f5c"), Some("#ffd75e")).unwrap().css();
        assert!(css.contains(":root { --accent: #7a1f5c; --on-accent: #ffffff; }"), "{css}");
        assert!(css.contains("--accent: #ffd75e; --on-accent: #06120e"), "{css}");
        assert_eq!(Accents::default().css(), "");
    }

    #[test]
    fn accords_own_colours_are_those_that_are_judged_against() {
        let sheet = include_str!("../../assets/accord.css");
        let (light, dark) = sheet.split_once("@media (prefers-color-scheme: dark)").unwrap();
        for (part, surfaces) in [(light, LIGHT), (dark, DARK)] {
            for (name, colour) in ["ground", "card", "panel"].into_iter().zip(surfaces) {
                let rule = format!("--{name}: {colour};");
                assert!(part.contains(&rule), "{rule}");
            }
        }
    }

    #[test]
    fn a_picture_is_known_by_its_content() {
        for (bytes, content_type) in [
            (&b"\x89PNG\r\n"[..], "image/png"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"<svg xmlns=''/>", "image/svg+xml"),
        ] {
            assert_eq!(Logo::read(bytes.to_vec()).unwrap().content_type, content_type);
        }
        assert!(Logo::read(b"GIF89a".to_vec()).is_err());
        assert!(Logo::read(vec![0x89; LARGEST_LOGO + 1]).is_err());
    }
}
