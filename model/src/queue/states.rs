//! The chain state by state: how likely it is that so many requests are in service.

use super::analysis::Analysis;

impl Analysis {
    /// Probabilities that `n = 0..=N` requests are in service; the last holds every state with all
    /// places taken, however many wait. They add up to 1.
    ///
    /// Weights are summed as logarithms: at a low rate `p(N)`, at a high one `p(0)` is smaller than
    /// any number that an `f64` holds.
    pub fn in_service_probabilities(&self) -> Vec<f64> {
        let log_ratio = |n: u32| (self.rate_per_s / self.station.service_rate_per_s(n)).ln();
        let mut log_weights = vec![0.0];
        let mut log = 0.0f64;
        for n in 1..self.batch {
            log += log_ratio(n);
            log_weights.push(log);
        }
        let highest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut probabilities: Vec<f64> =
            log_weights.into_iter().map(|w| (w - highest).exp()).collect();
        let scale = (1.0 - self.chain.busy) / probabilities.iter().sum::<f64>();
        probabilities.iter_mut().for_each(|p| *p *= scale);
        probabilities.push(self.chain.busy);
        probabilities
    }
}

#[cfg(test)]
mod tests {
    use crate::queue::{ServiceModel, Station};

    #[test]
    fn states_add_up_to_the_mean_in_service() {
        let service =
            ServiceModel::Iteration { alpha_ms: 20.58, beta_ms: 0.041, gamma_ms: 1.28e-3 };
        for (queue, batch, share) in [
            (None, 1, 0.5),
            (None, 48, 0.9),
            (Some(10), 64, 3.0),
            (None, 900, 1e-4),
            (Some(0), 900, 40.0),
        ] {
            let station = Station::new(service, 128.0, 1024.0, queue);
            let rate = station.service_rate_per_s(batch) * share;
            let analysis = station.analyze(batch, rate).expect("a steady state");
            let states = analysis.in_service_probabilities();
            assert_eq!(states.len(), batch as usize + 1);
            let total: f64 = states.iter().sum();
            let mean: f64 = states.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
            assert!((total - 1.0).abs() < 1e-9, "{total}");
            let off = (mean - analysis.mean_in_service).abs();
            assert!(off < 1e-9 * analysis.mean_in_service, "{mean} {}", analysis.mean_in_service);
        }
    }
}
