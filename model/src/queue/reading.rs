//! The two readings of a replica.

use super::objective::Objectives;

/// What a replica is taken to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reading {
    /// What an engine really does: passes, prompts that share them, a KV cache.
    #[default]
    Engine,
    /// As the reference optimizer reads the same input, to its digits.
    Reference,
}

impl Reading {
    /// Stated objectives as they are kept: tokens per second are asked of a server by the
    /// reference's reading alone; an engine keeps them for each request, as a limit of ITL.
    pub fn objectives(self, stated: Objectives) -> Objectives {
        match self {
            Self::Engine => stated.per_request(),
            Self::Reference => stated,
        }
    }
}
