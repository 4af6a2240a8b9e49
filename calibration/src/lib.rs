//! Service parameters fitted to measured latencies.
