//! What is kept from request to request.
//!
//! A stateless service keeps the last system that it planned for, for the `/get*` that ask about it; that costs
//! nothing until somebody asks. A stateful one keeps the system itself.

use axum::body::Bytes;
use serde_json::Value;

use crate::system::{Manner, System};

/// The kept system.
pub struct Kept {
    system: System,
    manner: Manner,
    /// A later one, as it was posted, with its answer: read when it is asked for.
    last: Option<(Bytes, Bytes)>,
}

impl Kept {
    /// An empty system.
    pub fn new(manner: Manner) -> Self {
        Self { system: System::empty(manner), manner, last: None }
    }

    /// A scenario in JSON was planned for, whole: it is the system from now on.
    pub fn planned_for(&mut self, scenario: Bytes, answer: Bytes) {
        self.last = Some((scenario, answer));
    }

    /// The system.
    pub fn system(&mut self) -> &mut System {
        if let Some((scenario, answer)) = self.last.take() {
            // Both were read or written as JSON before.
            let read = |bytes: &Bytes| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
            self.system = System::new(&read(&scenario), self.manner);
            self.system.desire(&read(&answer));
        }
        &mut self.system
    }
}
