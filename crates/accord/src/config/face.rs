//! `messages` and `[brand]`: the languages and the looks of the pages.

use super::check::Collector;
use accord_core::user::Language;
use accord_server::pages::brand::{self, Accents, Logo};
use accord_server::pages::i18n::catalogue::{self, MessageFile};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The operator's brand; what is absent is accord's own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// The wallet's name, by language.
    #[serde(default)]
    pub name: BTreeMap<String, String>,
    /// A square picture: PNG, JPEG, WebP or SVG.
    pub logo: Option<PathBuf>,
    /// Colour of buttons and links on light pages.
    pub accent: Option<String>,
    /// The same on dark pages.
    pub accent_dark: Option<String>,
}

/// Languages and looks, judged.
#[derive(Debug, Clone, Default)]
pub struct Face {
    brand: brand::Brand,
    messages: Vec<MessageFile>,
}

impl Face {
    /// Every language of this wallet.
    pub fn languages(&self) -> Vec<Language> {
        let more = self.messages.iter().map(|file| file.language);
        Language::BUILT_IN.iter().copied().chain(more).collect()
    }

    /// Puts it on, for the life of the process. What a language leaves out is told to the log.
    pub fn put_on(&self) {
        for file in &self.messages {
            let missing = file.missing();
            if let Some(first) = missing.first() {
                let (language, count) = (file.language, missing.len());
                tracing::warn!(%language, count, first, "messages are missing and are said in English");
            }
        }
        if !(catalogue::add(&self.messages) && brand::set(self.brand.clone())) {
            tracing::error!("the brand was set before and stays as it was");
        }
    }
}

/// Judges both; faults go to `notes`. Files are read from `dir`.
pub fn check(section: Brand, messages: Option<&Path>, dir: &Path, notes: &mut Collector<'_>) -> Face {
    let messages = messages.map(|folder| read_messages(&dir.join(folder), notes)).unwrap_or_default();
    let mut face = Face { messages, ..Face::default() };
    let spoken = face.languages();
    for (tag, name) in section.name {
        let key = format!("brand.name.{tag}");
        let language = Language::parse(&tag).filter(|language| spoken.contains(language));
        let known = language.ok_or("no language of this wallet: see `messages`");
        let short = !name.trim().is_empty() && name.chars().count() <= 40;
        if !short || name.chars().any(char::is_control) {
            notes.fault(&key, "must have 1 to 40 characters");
        } else if let Some(language) = notes.take(&key, known) {
            face.brand.names.push((language, name.trim().to_owned()));
        }
    }
    // Where a language has no name, it is called as in the first that has one: English, if it is named.
    face.brand.names.sort_by_key(|(language, _)| spoken.iter().position(|known| known == language));
    if let Some(file) = section.logo {
        let path = dir.join(file);
        let read =
            std::fs::read(&path).map_err(|fault| format!("{} cannot be read ({fault})", path.display()));
        face.brand.logo = notes.take("brand.logo", read.and_then(Logo::read));
    }
    let (light, dark) = (section.accent.as_deref(), section.accent_dark.as_deref());
    if let Some(accents) = notes.take("brand.accent", Accents::read(light, dark)) {
        face.brand.accents = accents;
    }
    face
}

fn read_messages(folder: &Path, notes: &mut Collector<'_>) -> Vec<MessageFile> {
    let listed = std::fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|fault| format!("the directory {} cannot be read ({fault})", folder.display()));
    let mut paths: Vec<PathBuf> =
        notes.take("messages", listed).unwrap_or_default().iter().map(std::fs::DirEntry::path).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ftl"));
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let language = Language::parse(name)
            .ok_or_else(|| format!("`{name}` is no tag of a language such as ckb-IQ: rename the file"))?;
        let text = std::fs::read_to_string(path).map_err(|fault| format!("cannot be read ({fault})"))?;
        MessageFile::read(language, &text)
    };
    let mut files = Vec::new();
    for path in paths {
        let file = read(&path).map_err(|fault| format!("{}: {fault}", path.display()));
        files.extend(notes.take("messages", file));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(section: &str, messages: Option<&Path>) -> (Face, String) {
        let mut notes = Collector::new(Path::new("accord.toml"));
        let section = toml::from_str(section).unwrap();
        let face = check(section, messages, Path::new(""), &mut notes);
        (face, notes.faults.join("\n"))
    }

    #[test]
    fn a_brand_that_cannot_be_shown_is_refused_with_its_key() {
        for (section, parts) in [
            ("name.fr = \"Portefeuille\"", ["`brand.name.fr`", "no language of this wallet"]),
            ("name.en-US = \"\"", ["`brand.name.en-US`", "1 to 40"]),
            ("logo = \"nowhere.png\"", ["`brand.logo`", "nowhere.png cannot be read"]),
            ("accent = \"#ffcc00\"", ["`brand.accent`", "take a darker one"]),
        ] {
            let (_, faults) = said(section, None);
            for part in parts {
                assert!(faults.contains(part), "{section}: {faults}");
            }
        }
        let (face, faults) =
            said("name.ar-IQ = \"محفظة\"\nname.en-US = \"Wallet\"\naccent = \"#7a1f5c\"", None);
        assert_eq!(faults, "");
        assert_eq!(face.brand.names.first().map(|(language, _)| *language), Some(Language::English));
    }

    #[test]
    fn a_directory_of_messages_brings_languages() {
        let dir = std::env::temp_dir().join(format!("accord-messages-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("ckb-IQ.ftl"), "pin = x\n").unwrap();
        std::fs::write(dir.join("README"), "not read").unwrap();
        let (face, faults) = said("name.ckb-IQ = \"x\"", Some(&dir));
        assert_eq!((faults.as_str(), face.languages().len()), ("", 3));
        std::fs::write(dir.join("klingon.ftl"), "pin = x\n").unwrap();
        std::fs::write(dir.join("ar-IQ.ftl"), "pin = x\n").unwrap();
        let (_, faults) = said("", Some(&dir));
        assert!(faults.contains("rename the file") && faults.contains("comes with the wallet"), "{faults}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
