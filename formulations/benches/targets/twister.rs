//! The Mersenne Twister MT19937 and normal draws by the polar angle, in the order of Python's
//! `random.gauss`. Source: Matsumoto and Nishimura (1998); Box and Muller (1958).

const N: usize = 624;
const M: usize = 397;

/// A generator with its state.
pub(super) struct Twister {
    state: [u32; N],
    next: usize,
    /// The second of a pair of normal draws.
    spare: Option<f64>,
}

impl Twister {
    /// Seeded by the array of one word `seed`.
    pub fn new(seed: u32) -> Self {
        let mut state = [0_u32; N];
        state[0] = 19_650_218;
        for i in 1..N {
            state[i] = mixed(state[i - 1]).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        let mut i = 1;
        for _ in 0..N {
            let before = mixed(state[i - 1]).wrapping_mul(1_664_525);
            state[i] = (state[i] ^ before).wrapping_add(seed);
            i = following(&mut state, i);
        }
        for _ in 1..N {
            let before = mixed(state[i - 1]).wrapping_mul(1_566_083_941);
            state[i] = (state[i] ^ before).wrapping_sub(i as u32);
            i = following(&mut state, i);
        }
        state[0] = 1 << 31;
        Self { state, next: N, spare: None }
    }

    /// 32 random bits.
    fn word(&mut self) -> u32 {
        if self.next == N {
            self.turn();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn turn(&mut self) {
        for i in 0..N {
            let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % N] & 0x7fff_ffff);
            let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + M) % N] ^ (y >> 1) ^ twist;
        }
        self.next = 0;
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        let (a, b) = (self.word() >> 5, self.word() >> 6);
        (f64::from(a) * 67_108_864.0 + f64::from(b)) / 9_007_199_254_740_992.0
    }

    /// Normal with mean 0 and standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        self.spare.take().unwrap_or_else(|| {
            let angle = self.uniform() * std::f64::consts::TAU;
            let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
            self.spare = Some(angle.sin() * radius);
            angle.cos() * radius
        })
    }
}

fn mixed(word: u32) -> u32 {
    word ^ (word >> 30)
}

/// The index after `i`, round the state.
fn following(state: &mut [u32; N], i: usize) -> usize {
    if i + 1 < N {
        return i + 1;
    }
    state[0] = state[N - 1];
    1
}

/// Holds the draws to those of `random.Random(1).gauss(0, 0.7)`.
pub(super) fn check() {
    let mut draws = Twister::new(1);
    for expected in [
        0.901_729_327_208_823_9,
        1.014_611_926_089_839_6,
        0.046_435_066_256_783_335,
        -0.535_180_555_680_142_2,
    ] {
        assert!((0.7 * draws.normal() - expected).abs() < 1e-15, "the generator is not Python's");
    }
}
