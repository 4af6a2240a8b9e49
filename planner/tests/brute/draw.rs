//! Cases from seeds: every rule alone and together, numbers that meet often.

use super::case::{Accelerator, Budget, Case, NodeKind, Profile, Server};
use super::nodes;

/// Numbers from a seed (splitmix64: Steele, Lea and Flood 2014).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `least` to `most`.
    pub fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// True `percent` times of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.within(1, 100) <= percent
    }

    /// One of `some`.
    pub fn pick<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.within(0, some.len() as u64 - 1) as usize]
    }

    /// A number from `least` to `most`, `percent` times of a hundred.
    fn some(&mut self, percent: u64, least: u64, most: u64) -> Option<u64> {
        self.chance(percent).then(|| self.within(least, most))
    }
}

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    let mut dice = Dice::new(seed);
    let dice = &mut dice;
    let types = dice.within(1, 3) as usize;
    let mut case = Case {
        cents: dice.pick(&[1.0, 1.0, 0.25, 0.01, 0.001, 1.0 / 3.0]),
        per_min: dice.pick(&[1.0, 0.1, 60.0, 37.3, 1.0 / 7.0]),
        unlimited: dice.chance(10),
        mixed: dice.chance(60),
        transition: dice.chance(40),
        max_moves: dice.some(30, 0, 2),
        policy: (dice.within(0, 3) as u8, dice.chance(50)),
        without: if dice.chance(50) { 0 } else { dice.within(0, 127) as u8 },
        ..Case::default()
    };
    let prices = dice.within(0, 3);
    case.accelerators = (0..dice.within(types as u64, 4) as usize)
        .map(|a| Accelerator { card_type: a.min(types - 1), ..accelerator(dice, prices) })
        .collect();
    let scarce = dice.pick(&[3, 6, 9, 20]);
    case.cards = (0..types).map(|_| dice.some(75, 0, scarce)).collect();
    case.budgets = (0..dice.within(0, 2)).filter_map(|_| budget(dice, types)).collect();
    let near = prices == 3;
    case.models = (0..dice.within(1, 3)).map(|_| model(dice, &case.accelerators, near)).collect();
    let most_servers = dice.pick(&[1, 2, 2, 3, 3, 4]);
    for _ in 0..most_servers {
        let server = server(dice, &case);
        case.servers.push(server);
    }
    if dice.chance(40) {
        put_into_nodes(dice, &mut case, types, prices);
    }
    case
}

/// Puts cards of some types into nodes.
fn put_into_nodes(dice: &mut Dice, case: &mut Case, types: usize, prices: u64) {
    let paid = dice.chance(50);
    case.multi_node = dice.chance(25);
    for _ in 0..dice.pick(&[1, 1, 2, 3]) {
        let first = dice.within(0, types as u64 - 1) as usize;
        let size = dice.pick(&[2, 3, 4, 5, 6, 7, 8]);
        let mut cards = vec![(first, size)];
        if types > 1 && dice.chance(25) {
            cards.push(((first + 1) % types, dice.pick(&[1, 2, 4])));
        }
        let cuts = match cards.len() == 1 && dice.chance(20) {
            true => (0..dice.within(1, 3)).map(|_| cut(dice, size)).collect(),
            false => Vec::new(),
        };
        let most = if prices == 2 { 0 } else { 1 };
        let price = paid.then(|| most + size * accelerator(dice, prices).price);
        case.nodes.push(NodeKind { cards, price, count: dice.some(80, 0, 4), cuts });
    }
    let kept = case.clone();
    for model in &mut case.models {
        let unit = |p: &Profile| &kept.accelerators[p.accelerator];
        model.retain(|p| nodes::holds_one(&kept, nodes::size(unit(p), p)));
    }
}

/// A way to cut `cards`.
fn cut(dice: &mut Dice, cards: u64) -> Vec<u64> {
    let (mut left, mut cut) = (cards, Vec::new());
    while left > 0 && cut.len() < 4 {
        let part = dice.within(1, left);
        cut.push(part);
        left -= part;
    }
    cut
}

/// An accelerator of a kind of prices: few and small, any, some free, in the thousands.
fn accelerator(dice: &mut Dice, prices: u64) -> Accelerator {
    Accelerator {
        card_type: 0,
        multiplicity: dice.pick(&[1, 1, 1, 2, 3]),
        watts: dice.pick(&[0, 70, 300, 350, 700]),
        price: match prices {
            0 => dice.within(1, 4),
            1 => dice.within(1, 500),
            2 => dice.within(0, 9),
            _ => dice.within(900, 2000),
        },
    }
}

fn budget(dice: &mut Dice, types: usize) -> Option<Budget> {
    let counted: Vec<usize> = (0..types).filter(|_| dice.chance(60)).collect();
    let cards = dice.some(50, 0, 20);
    let watts = dice.some(50, 0, 9000);
    let limits = !counted.is_empty() && (cards.is_some() || watts.is_some());
    limits.then_some(Budget { types: counted, cards, watts })
}

/// A model on some of the accelerators; where ties are to be `near`, the rate of a replica is nearly in
/// proportion to its price.
fn model(dice: &mut Dice, accelerators: &[Accelerator], near: bool) -> Vec<Profile> {
    let mut profiles = Vec::new();
    for (accelerator, unit) in accelerators.iter().enumerate() {
        if !dice.chance(90) {
            continue;
        }
        let units = dice.pick(&[1, 1, 1, 2]);
        let rate = match near {
            true => 50 * unit.price * units + dice.within(0, 40),
            false => dice.within(1, 9),
        };
        profiles.push(Profile { accelerator, units, rate });
    }
    profiles
}

fn server(dice: &mut Dice, case: &Case) -> Server {
    let model = dice.within(0, case.models.len() as u64 - 1) as usize;
    let fastest = case.models[model].iter().map(|p| p.rate).max().unwrap_or(1);
    let least = dice.some(40, 0, 3).unwrap_or(0);
    let most = dice.chance(40).then(|| least + dice.pick(&[0, 1, 2, 3, 4, 6]));
    let accelerators = case.accelerators.len() as u64;
    let now = dice.chance(60).then(|| dice.within(0, accelerators - 1) as usize);
    // Whole replicas' worth now and then, or any load of up to a few.
    let load = match dice.within(0, 9) {
        0 | 1 => 0,
        2..=4 => 10 * fastest * dice.within(1, 3),
        _ => dice.within(1, 35 * fastest),
    };
    Server {
        model,
        load,
        least,
        most,
        types: dice.some(20, 0, 3).unwrap_or(0),
        now: now.map(|a| (a, dice.within(0, 4) * case.accelerators[a].price + dice.within(0, 3))),
        priority: dice.pick(&[1, 1, 2, 2, 7]) as u32,
    }
}
