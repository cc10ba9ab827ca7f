//! `accord config example` and `accord config check`.

use super::check;
use crate::exit::Exit;
use clap::Subcommand;
use std::path::PathBuf;

/// The complete commented example.
pub const EXAMPLE: &str = include_str!("../../assets/accord.example.toml");

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print a complete, commented configuration file.
    Example,
    /// Read a configuration file and its keys, and say what is wrong.
    Check {
        /// The file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

/// `accord config …`.
pub fn run(command: ConfigCommand) -> anyhow::Result<Exit> {
    match command {
        ConfigCommand::Example => {
            print!("{EXAMPLE}");
            Ok(Exit::Done)
        }
        ConfigCommand::Check { config } => {
            let settings = check::load(&config)?;
            settings.keys()?;
            println!("{}: no fault found", config.display());
            Ok(Exit::Done)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EXAMPLE;

    #[test]
    fn the_operators_page_names_every_key_of_the_example() {
        let page = include_str!("../../../../docs/operating.md");
        for line in EXAMPLE.lines().map(|line| line.trim_start_matches("# ").trim()) {
            let name = match line.strip_prefix('[') {
                Some(section) => section.trim_matches(['[', ']']).rsplit('.').next(),
                None => line.split_once(" = ").map(|(key, _)| key),
            };
            let Some(name) = name.filter(|name| !name.contains(' ')) else { continue };
            assert!(page.contains(name), "docs/operating.md does not name `{name}`");
        }
    }
}
