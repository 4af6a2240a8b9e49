//! Bracketing root finder for rising functions.

/// Ends of a bracket: the function is at most 0 at `low` and above 0 at `high`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bracket {
    /// (argument, value at most 0)
    pub low: (f64, f64),
    /// (argument, value above 0)
    pub high: (f64, f64),
}

/// Narrows the bracket of a rising `f` to a width of `tolerance` times its upper end and returns
/// the lower end, at which `f` is at most 0.
///
/// Chandrupatla's method (Advances in Engineering Software 28, 1997): inverse quadratic
/// interpolation where three points allow it, bisection otherwise; it converges superlinearly and
/// never slower than bisection.
pub(crate) fn narrow(bracket: Bracket, tolerance: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    let (mut a, mut b) = (bracket.low, bracket.high);
    let mut t = a.1 / (a.1 - b.1);
    for _ in 0..MAX_STEPS {
        let width = (b.0 - a.0).abs();
        let least = tolerance * b.0.abs().max(a.0.abs());
        if width <= least {
            break;
        }
        // A step of at least half the tolerance, so that both ends close in.
        let shortest = (0.5 * least / width).min(0.5);
        let x = a.0 + t.clamp(shortest, 1.0 - shortest) * (b.0 - a.0);
        let point = (x, f(x));
        // The point that leaves the bracket still guides the interpolation.
        let c = if (point.1 <= 0.0) == (a.1 <= 0.0) { a } else { std::mem::replace(&mut b, a) };
        a = point;
        t = next_fraction(a, b, c);
    }
    if a.1 <= 0.0 { a.0 } else { b.0 }
}

const MAX_STEPS: u32 = 200;

/// Where in `a..b` to look next, as a share of the way from `a`.
fn next_fraction(a: (f64, f64), b: (f64, f64), c: (f64, f64)) -> f64 {
    let xi = (a.0 - b.0) / (c.0 - b.0);
    let phi = (a.1 - b.1) / (c.1 - b.1);
    if phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi {
        let alpha = (c.0 - a.0) / (b.0 - a.0);
        a.1 / (b.1 - a.1) * c.1 / (b.1 - c.1) + alpha * a.1 / (c.1 - a.1) * b.1 / (c.1 - b.1)
    } else {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(f: impl Fn(f64) -> f64, low: f64, high: f64) -> (f64, u32) {
        let mut count = 0;
        let bracket = Bracket { low: (low, f(low)), high: (high, f(high)) };
        let root = narrow(bracket, 1e-12, |x| {
            count += 1;
            f(x)
        });
        (root, count)
    }

    #[test]
    fn converges_superlinearly_and_stays_on_the_low_side() {
        let cubic = |x: f64| x.powi(3) - 2.0;
        let (root, count) = steps(cubic, 0.0, 2.0);
        assert!((root - 2f64.cbrt()).abs() < 1e-11 && cubic(root) <= 0.0, "{root}");
        assert!(count < 14, "{count} steps, bisection takes 41");
    }

    #[test]
    fn survives_a_jump() {
        let (root, count) = steps(|x| if x <= 0.7 { -1.0 } else { 1.0 }, 0.0, 1.0);
        assert!(root <= 0.7 && root > 0.7 - 1e-11);
        assert!(count < 60);
    }
}
