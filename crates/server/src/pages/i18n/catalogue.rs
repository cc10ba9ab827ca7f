//! The message files: those compiled in, and those that the operator adds.
//!
//! A further language is one file, `TAG.ftl`, that begins as a copy of `en-US.ftl`. The catalogue is set once, before
//! anything is said; from then on nothing changes it.

use super::{ARABIC, ENGLISH};
use accord_core::user::Language;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentMessage, FluentResource};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;
use unic_langid::LanguageIdentifier;

type Bundle = FluentBundle<FluentResource>;

/// Every language of this wallet with its words; the ones compiled in come first.
pub(super) struct Catalogue {
    bundles: Vec<(Language, Bundle)>,
    version: String,
}

/// A message file of the operator's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFile {
    /// Its language, as the file is named.
    pub language: Language,
    /// Its content.
    pub text: String,
}

impl MessageFile {
    /// Reads a file: it must be Fluent in every part. A fault names the first line that is not.
    pub fn read(language: Language, text: &str) -> Result<MessageFile, String> {
        if Language::BUILT_IN.contains(&language) {
            return Err(format!("{language} comes with the wallet: leave the file out"));
        }
        match FluentResource::try_new(text.to_owned()) {
            Ok(_) => Ok(MessageFile { language, text: text.to_owned() }),
            Err((_, faults)) => {
                let at = faults.first().map_or(0, |fault| fault.pos.start);
                let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
                Err(format!("line {line} is no Fluent message: correct it"))
            }
        }
    }

    /// Keys of the English file that this one lacks: they are said in English.
    pub fn missing(&self) -> Vec<String> {
        let bundle = bundle(self.language, &self.text);
        let keys = ENGLISH.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key);
        keys.filter(|key| is_key(key) && !bundle.has_message(key)).map(str::to_owned).collect()
    }
}

fn is_key(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();

/// Adds the operator's languages. False when words were said before: then nothing is added.
pub fn add(files: &[MessageFile]) -> bool {
    CATALOGUE.set(Catalogue::of(files)).is_ok()
}

/// The catalogue; without [`add`], what is compiled in.
pub(super) fn catalogue() -> &'static Catalogue {
    CATALOGUE.get_or_init(|| Catalogue::of(&[]))
}

/// The languages of this wallet.
pub fn spoken() -> Vec<Language> {
    catalogue().bundles.iter().map(|(language, _)| *language).collect()
}

/// The language of that tag, if the wallet speaks it.
pub fn find(tag: &str) -> Option<Language> {
    Language::parse(tag).filter(|language| catalogue().bundles.iter().any(|(known, _)| known == language))
}

impl Catalogue {
    fn of(files: &[MessageFile]) -> Catalogue {
        let own = [(Language::English, ENGLISH), (Language::Arabic, ARABIC)];
        let more = files.iter().map(|file| (file.language, file.text.as_str()));
        let texts: Vec<_> = own.into_iter().chain(more).collect();
        let mut hash = Sha256::new();
        let templates =
            [include_str!("../../../templates/base.html"), include_str!("../../../templates/authorize.html")];
        for text in texts.iter().map(|(_, text)| *text).chain(templates) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let version = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let bundles = texts.into_iter().map(|(language, text)| (language, bundle(language, text)));
        Catalogue { bundles: bundles.collect(), version }
    }

    /// The message, in that language or else in English, with the bundle that it is formatted by.
    pub(super) fn message(&self, language: Language, key: &str) -> Option<(&Bundle, FluentMessage<'_>)> {
        let own = self.bundles.iter().find(|(known, _)| *known == language);
        own.into_iter().chain(self.bundles.first()).find_map(|(_, bundle)| {
            let message = bundle.get_message(key)?;
            Some((bundle, message))
        })
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }
}

/// Reads one file. A part that is no Fluent is left out: [`MessageFile::read`] refuses such files, and a test over all
/// keys would find it missing in ours.
fn bundle(language: Language, file: &str) -> Bundle {
    let id: LanguageIdentifier = language.as_str().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    bundle.set_use_isolating(true);
    let resource = FluentResource::try_new(file.to_owned()).unwrap_or_else(|(readable, _)| readable);
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kurdish() -> Language {
        Language::parse("ckb-IQ").unwrap()
    }

    #[test]
    fn a_third_language_is_a_file_and_says_the_rest_in_english() {
        let file = MessageFile::read(kurdish(), "pin = ژمارەی نهێنی\ndirection = rtl\n").unwrap();
        let catalogue = Catalogue::of(std::slice::from_ref(&file));
        let said = |language, key| {
            let (bundle, message) = catalogue.message(language, key)?;
            Some(bundle.format_pattern(message.value()?, None, &mut Vec::new()).into_owned())
        };
        assert_eq!(said(kurdish(), "pin").as_deref(), Some("ژمارەی نهێنی"));
        assert_eq!(said(kurdish(), "approve"), said(Language::English, "approve"));
        assert_eq!(said(Language::Arabic, "direction").as_deref(), Some("rtl"));
        assert!(
            file.missing().contains(&"approve".to_owned()) && !file.missing().contains(&"pin".to_owned())
        );
        assert_ne!(catalogue.version(), Catalogue::of(&[]).version(), "what is shown has another version");
    }

    #[test]
    fn a_file_that_is_no_fluent_is_refused_with_its_line() {
        assert_eq!(
            MessageFile::read(kurdish(), "pin = a\n\n= b\n").unwrap_err(),
            "line 3 is no Fluent message: correct it"
        );
        assert!(MessageFile::read(Language::Arabic, "pin = a\n").is_err());
    }
}
