//! Reproducible comparisons of formulations, backends and scale. Empty until its first experiment.
