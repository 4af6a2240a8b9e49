//! The measured systems, as the catalogue knows them.

use std::path::Path;

use isocost_calibration::{Bench, Course, Point, predict, read, systems};
use isocost_catalogue::{
    Card, Catalogue, Efficiency, Memory, Model, Pass, Placement, Precision, Quantization,
};
use isocost_model::queue::{EngineSettings, Roofline, ServiceModel};

/// A measured system.
pub struct System {
    pub name: String,
    pub model: Model,
    pub card: Card,
    pub placement: Placement,
    pub points: Vec<Point>,
    /// How the benchmark's clients kept step.
    pub course: Course,
}

/// Tokens that a pass works off at most, and requests in service, where nobody says.
const TOKEN_BUDGET: u32 = 8192;

impl System {
    /// The service model that the catalogue gives it.
    pub fn roofline(&self, efficiency: &Efficiency) -> Roofline {
        let pass = Pass::new(&self.model, &self.card, &self.placement, efficiency);
        pass.roofline(&self.model, efficiency)
    }

    /// What it is taken to have been measured with.
    pub fn bench(&self) -> Bench {
        self.bench_of(self.course)
    }

    fn bench_of(&self, course: Course) -> Bench {
        let memory = Memory::new(&self.model, &self.card, &self.placement);
        let engine = EngineSettings {
            token_budget: TOKEN_BUDGET,
            kv_tokens: Some(memory.kv_tokens(self.placement.dp) as u64),
            chunked_prefill: course != Course::Together,
        };
        Bench { engine, course, ..Bench::for_clients(&self.points) }
    }

    /// How its clients kept step: a condition of the benchmark that no file tells, and that first tokens show by
    /// factors. Of the ways to, the one with which `roofline` is nearest to them.
    fn course(&self, roofline: Roofline) -> Course {
        let off = |course: &Course| {
            let bench = self.bench_of(*course);
            let each = self.points.iter().filter_map(|point| {
                let found = predict(ServiceModel::Roofline(roofline), &bench, point)?;
                Some((found.ttft_ms / point.ttft_ms?).ln().abs())
            });
            each.sum::<f64>()
        };
        let all = Course::ALL.into_iter();
        all.min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or_default()
    }
}

/// The systems of the measured closed loops; none where they are not here.
pub fn measured() -> Vec<System> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/reference/measured/closed-loop.csv");
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return Vec::new();
    }
    let points = read::load(&[path]).expect("the measured points are sound").points;
    let catalogue = Catalogue::builtin();
    systems(&points).into_iter().map(|name| system(name, &catalogue, &points)).collect()
}

/// A system's name ends in engine, version, precision, tp and ep.
fn system(name: String, catalogue: &Catalogue, points: &[Point]) -> System {
    let words: Vec<&str> = name.split(' ').collect();
    let end = words.len();
    let [precision, tp, ep] = [words[end - 3], words[end - 2], words[end - 1]];
    let published = words[0].trim_end_matches("-Instruct").trim_end_matches("-FP8");
    let model = catalogue.model(published).expect("the catalogue has the measured models");
    let card = catalogue.card(words[1]).expect("the catalogue has the measured cards").clone();
    let precision: Precision = precision.parse().expect("a known precision");
    let own = model.quantization.precision == precision;
    let quantization =
        if own { model.quantization } else { Quantization { precision, experts_only: false } };
    // TensorRT-LLM keeps a cache of 8 bits beside weights of 8 bits and fewer; the others do not.
    let small_cache = name.contains("trtllm") && precision != Precision::Bf16;
    let tp: u32 = tp.parse().expect("a whole number");
    let mut placement = Placement {
        whole_experts: ep != "1",
        quantization,
        kv_precision: if small_cache { Precision::Fp8 } else { Precision::Bf16 },
        ..Placement::new(&model, tp)
    };
    let points: Vec<Point> = points.iter().filter(|p| p.system == name).cloned().collect();
    placement.max_batch = Bench::for_clients(&points).batch;
    let course = Course::default();
    let mut system = System { name, model, card, placement, points, course };
    system.course = system.course(system.roofline(&Efficiency::of(&system.card)));
    system
}
