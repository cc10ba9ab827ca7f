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
