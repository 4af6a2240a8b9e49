//! The optimizer as a service: the reference system's REST interface over the exact planner, the queue
//! analyser beside it, and a page for people.
//!
//! ```text
//! body -> scenario -> planner, on a thread of its own -> answer          a client that leaves stops it
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`routes`] | every route in one table: what is served and what `/openapi.json` says are made from it |
//! | `optimize` | `/optimizeOne`, `/optimize`, `/applyAllocation`, `/report` |
//! | `handlers` | asking and changing the kept system |
//! | `answer` | a plan as its client gets it |
//! | `compatible` | what the reference's clients expect otherwise |
//! | `kept`, `system` | what a stateful service keeps, and what `/get*` answer from |
//! | `analyser` | `/solve`, `/target`, `/optimize-concurrency` |
//! | `page` | the page at `/` |
//!
//! | for every service | what |
//! |---|---|
//! | [`http`] | listening, TLS, a token, limits, health, metrics, an orderly end |
//! | [`planning`] | from a scenario to a checked plan |
//! | [`logging`], [`runtime`] | the log; the threads |
//!
//! The offline tool does without this crate: the binary takes it in by the feature `serve`. What the field's reference
//! system calls its parts (optimizer, collector, actuator, controller) keeps those names here and in the control loop,
//! which stands on this crate for HTTP and planning; and its clients keep working.

mod analyser;
mod answer;
mod compatible;
mod handlers;
pub mod http;
mod json;
mod kept;
pub mod logging;
mod openapi;
mod optimize;
mod page;
pub mod planning;
pub mod routes;
pub mod runtime;
mod system;

use std::sync::{Arc, Mutex, PoisonError};

use isocost_model::queue::stop::{Stop, within};
use isocost_solver::Backend;

use crate::http::{App, Deadline, Error, Registry};
use crate::planning::{Options, Planner};
use crate::runtime::blocking;
use kept::Kept;
use system::Manner;

/// What every route has at hand.
pub struct Optimizer {
    planner: Arc<Planner>,
    kept: Mutex<Kept>,
    stateful: bool,
}

impl Optimizer {
    /// What is kept, to be asked or changed; on a thread that may block, as what was posted last is read here.
    fn kept<T>(&self, with: impl FnOnce(&mut Kept) -> T) -> T {
        // What is kept is whole between any two of its changes.
        with(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does work that reads or writes documents, off the threads that connections are served on; it ends with its
    /// time.
    async fn off<T: Send + 'static>(
        self: &Arc<Self>,
        deadline: Deadline,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let optimizer = Arc::clone(self);
        let stop = Stop::new(move || deadline.left().is_zero());
        blocking(move || within(&stop, || work(&optimizer))).await.map_err(Error::from).flatten()
    }

    fn is_compatible(&self) -> bool {
        self.planner.options().compatible
    }
}

/// The service: stateless, or `stateful` with a kept system.
pub fn app(options: Options, backend: Box<dyn Backend>, stateful: bool) -> App {
    let mut registry = Registry::with_prefix("isocost");
    let planner = Arc::new(Planner::new(options, backend, &mut registry));
    let manner = match planner.options().compatible {
        true => Manner::Reference,
        false => Manner::Own,
    };
    let kept = Mutex::new(Kept::new(manner));
    let optimizer = Arc::new(Optimizer { planner, kept, stateful });
    App { routes: routes::router(&optimizer), open: page::router(), registry }
}
