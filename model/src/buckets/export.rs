//! A spread as JSON and CSV.

use crate::export::cells;
use serde_json::{Value, json};

use super::{Bucket, Buckets, Gpu, Spread, count_for};

/// What is written down.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The question.
    pub question: &'a Buckets,
    /// The answer.
    pub spread: &'a Spread,
    /// Seconds in sizing (0 where the rates were given) and in solving.
    pub seconds: (f64, f64),
}

/// A GPU type that serves everything alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Single {
    /// Index of the GPU type.
    pub gpu: usize,
    /// GPUs of it.
    pub count: u64,
    /// Cost in the question's currency per hour.
    pub cost_per_h: f64,
}

impl Buckets {
    /// What it takes to serve everything on one GPU type; `None` where it cannot serve a bucket or
    /// there are too few. Nothing is to be cut, so that slices do not matter.
    pub fn single(&self, gpu: usize) -> Option<Single> {
        let loads: Option<Vec<f64>> = self.asked().map(|b| self.load(b, gpu)).collect();
        let count = count_for(loads?.iter().sum());
        let mut counts = vec![0; self.gpus.len()];
        counts[gpu] = count;
        let cost_per_h = self.gpus[gpu].cost_per_h * count as f64;
        self.allows(&counts).then_some(Single { gpu, count, cost_per_h })
    }

    /// The cheapest way to serve everything on one GPU type.
    pub fn best_single(&self) -> Option<Single> {
        let singles = (0..self.gpus.len()).filter_map(|g| self.single(g));
        singles.min_by(|a, b| a.cost_per_h.total_cmp(&b.cost_per_h))
    }
}

impl Report<'_> {
    /// Share of a bucket that a GPU type serves.
    pub fn share(&self, bucket: usize, gpu: usize) -> f64 {
        let whole = self.question.slices.whole();
        self.spread.slices.get(bucket).map_or(0.0, |row| row[gpu] / whole)
    }

    /// GPUs of a type that its parts keep busy.
    pub fn load(&self, gpu: usize) -> f64 {
        let load = |b| self.share(b, gpu) * self.question.load(b, gpu).unwrap_or(0.0);
        self.question.asked().map(load).sum()
    }

    /// GPUs of a type.
    pub fn count(&self, gpu: usize) -> u64 {
        self.spread.counts.get(gpu).copied().unwrap_or(0)
    }

    /// Mean utilisation of a type's GPUs; `None` where there are none.
    pub fn utilisation(&self, gpu: usize) -> Option<f64> {
        let count = self.count(gpu);
        (count > 0).then(|| self.load(gpu) / count as f64)
    }

    /// All of it.
    pub fn json(&self) -> Value {
        let Self { question, spread, seconds } = self;
        let finite = |x: f64| x.is_finite().then_some(x);
        let gpus = question.gpus.iter().enumerate().map(|(g, gpu)| self.gpu(g, gpu));
        let buckets = question.asked().map(|b| self.bucket(b, &question.buckets[b]));
        let best = question.best_single().map(|single| {
            json!({
                "gpu": question.gpus[single.gpu].name,
                "count": single.count,
                "costPerHour": single.cost_per_h,
            })
        });
        json!({
            "status": spread.status.word(),
            "costPerHour": finite(spread.cost_per_h),
            "bound": finite(spread.bound_per_h),
            "gap": finite(spread.gap()),
            "currency": question.currency,
            "provenance": question.provenance,
            "requestsPerSecond": question.rate_per_s(),
            "sliceFactor": question.slices.to_string(),
            "formulation": spread.formulation,
            "backend": spread.backend,
            "gpus": gpus.collect::<Vec<_>>(),
            "buckets": buckets.collect::<Vec<_>>(),
            "bestSingleType": best,
            "notes": spread.notes,
            "sizingSeconds": seconds.0,
            "solvingSeconds": seconds.1,
            "version": env!("CARGO_PKG_VERSION"),
        })
    }

    fn gpu(&self, g: usize, gpu: &Gpu) -> Value {
        let alone = self.question.single(g);
        json!({
            "name": gpu.name,
            "costPerHourEach": gpu.cost_per_h,
            "count": self.count(g),
            "most": self.question.most(g),
            "load": self.load(g),
            "utilisation": self.utilisation(g),
            "costPerHour": gpu.cost_per_h * self.count(g) as f64,
            "aloneCount": alone.map(|a| a.count),
            "aloneCostPerHour": alone.map(|a| a.cost_per_h),
        })
    }

    fn bucket(&self, b: usize, bucket: &Bucket) -> Value {
        let whole = self.question.slices.whole();
        let parts = self.question.gpus.iter().enumerate().filter(|(g, _)| self.share(b, *g) > 0.0);
        let parts = parts.map(|(g, gpu)| {
            let share = self.share(b, g);
            json!({ "gpu": gpu.name, "share": share, "slices": share * whole })
        });
        json!({
            "input": bucket.input,
            "output": bucket.output,
            "requestsPerSecond": bucket.rate_per_s,
            "parts": parts.collect::<Vec<_>>(),
        })
    }

    /// One row a GPU type.
    pub fn gpus_csv(&self) -> Vec<u8> {
        let header = ["gpu", "cost_per_h_each", "count", "load", "utilisation", "cost_per_h"];
        let header: Vec<String> = header.into_iter().map(str::to_owned).collect();
        let rows = self.question.gpus.iter().enumerate().map(|(g, gpu)| {
            vec![
                gpu.name.clone(),
                gpu.cost_per_h.to_string(),
                self.count(g).to_string(),
                self.load(g).to_string(),
                self.utilisation(g).map_or(String::new(), |u| u.to_string()),
                (gpu.cost_per_h * self.count(g) as f64).to_string(),
            ]
        });
        csv_text(&header, rows)
    }

    /// One row a bucket, with its share on each GPU type.
    pub fn buckets_csv(&self) -> Vec<u8> {
        let question = self.question;
        let names = question.gpus.iter().map(|gpu| format!("share_{}", gpu.name));
        let header = ["input", "output", "rate_per_s"].map(str::to_owned);
        let header: Vec<String> = header.into_iter().chain(names).collect();
        let rows = question.asked().map(|b| {
            let bucket = &question.buckets[b];
            let start =
                [bucket.input.clone(), bucket.output.clone(), bucket.rate_per_s.to_string()];
            let shares = (0..question.gpus.len()).map(|g| self.share(b, g).to_string());
            start.into_iter().chain(shares).collect()
        });
        csv_text(&header, rows)
    }
}

fn csv_text(header: &[String], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // A vector takes every write, and every row has the header's length.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(cells(&row));
    }
    writer.into_inner().unwrap_or_default()
}
