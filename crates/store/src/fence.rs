//! The fence around a store that is being moved: a setting that the one who serves obeys.
//!
//! A fenced store still answers whatever only reads. It lives in the settings so that it is set in one transaction
//! after which nothing is written, and so that it outlives every process.

/// The setting's name. It is a store's own: moving does not copy it.
pub const FENCE: &str = "store.fence";

/// Why a store takes no writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// What is going on.
    pub stage: Stage,
    /// Names this one move, in the source and in the target.
    pub id: String,
    /// The other store, without password.
    pub other: String,
}

/// How far a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The source, while it is copied.
    Moving,
    /// The source, when all of it is in the target.
    Moved,
    /// The target, until all is there.
    Filling,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Stage::Moving => "moving",
            Stage::Moved => "moved",
            Stage::Filling => "filling",
        }
    }
}

impl Fence {
    /// As it is kept.
    pub(crate) fn written(&self) -> String {
        format!("{} {} {}", self.stage.as_str(), self.id, self.other)
    }

    /// Reads what is kept. A fence that nobody understands is a fence all the same.
    pub fn read(text: &str) -> Fence {
        let mut parts = text.splitn(3, ' ');
        let stage = match parts.next() {
            Some("moved") => Stage::Moved,
            Some("filling") => Stage::Filling,
            _ => Stage::Moving,
        };
        let mut next = || parts.next().unwrap_or_default().to_owned();
        Fence { stage, id: next(), other: next() }
    }

    /// What whoever wanted to write, or to serve, is told.
    pub fn sentence(&self) -> String {
        let other = &self.other;
        match self.stage {
            Stage::Moving => format!(
                "this store is being moved to {other} and takes no writes: let `accord move` finish, or `accord move --abort`"
            ),
            Stage::Moved => format!("this store was moved to {other}: serve from there"),
            Stage::Filling => {
                format!(
                    "this store is being filled from {other}: let `accord move` finish, then serve from it"
                )
            }
        }
    }
}
