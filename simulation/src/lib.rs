//! Discrete-event simulation of continuous-batching replicas, to hold the queueing model against.
