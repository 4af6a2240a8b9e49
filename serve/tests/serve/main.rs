//! The services over real connections.

mod analyser;
mod document;
mod http;
mod page;
mod plan;
mod state;
mod stopping;
mod support;
