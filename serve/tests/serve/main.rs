//! The services over real connections.

mod analyser;
mod attack;
mod connections;
mod contract;
mod document;
mod http;
mod page;
mod plan;
mod state;
mod stopping;
mod support;
