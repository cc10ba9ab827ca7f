//! A QR code as an SVG image, drawn by us: one path on white, with the quiet zone that cameras need.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Modules of white around the code (ISO/IEC 18004).
const QUIET: usize = 4;

/// The image; nothing when the text is longer than a QR code can say.
pub fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (row, line) in colors.chunks(width).enumerate() {
        let mut column = 0;
        while let Some(start) = line.iter().skip(column).position(|color| *color == Color::Dark) {
            let start = column + start;
            let length = line.iter().skip(start).take_while(|color| **color == Color::Dark).count();
            // Writing into memory does not fail.
            let _ = write!(path, "M{} {}h{length}v1h-{length}z", start + QUIET, row + QUIET);
            column = start + length;
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_once_and_nothing_in_the_quiet_zone() {
        let text = format!("https://wallet.example/q/{}", "aB3_".repeat(14));
        let code = QrCode::with_error_correction_level(&text, EcLevel::M).unwrap();
        let image = svg(&text).unwrap();
        let path = image.split("fill=\"#000\" d=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut drawn = std::collections::BTreeSet::new();
        for run in path.split('M').skip(1) {
            let (place, rest) = run.split_once('h').unwrap();
            let (column, row) = place.split_once(' ').unwrap();
            let (column, row): (usize, usize) = (column.parse().unwrap(), row.parse().unwrap());
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            for column in column..column + length {
                assert!(drawn.insert((column - QUIET, row - QUIET)), "twice");
            }
        }
        let colors = code.to_colors();
        let dark = colors.iter().enumerate().filter(|(_, color)| **color == Color::Dark);
        let expected = dark.map(|(index, _)| (index % code.width(), index / code.width())).collect();
        assert_eq!(drawn, expected);
        assert!(image.contains(&format!("viewBox=\"0 0 {0} {0}\"", code.width() + 8)));
    }

    #[test]
    fn a_text_that_is_too_long_has_no_code() {
        assert_eq!(svg(&"a".repeat(3_000)), None);
    }
}
