//! The KV cache that the points of closed loops show.
//!
//! By Little's law `throughput x (out - 1) x ITL` requests decode. Where that is well below the
//! number of clients while first tokens take long, requests wait for a place; if the batch size would
//! hold them, it is the KV cache that does not. Then it holds about as many tokens as the most that
//! any point shows in it, `in + out` for each request that decodes, which is what the replay takes.
//! Prompts that are all worked off before anybody decodes look much the same: which of the two it is,
//! the fit finds out ([`Guess`](crate::course::Guess)).

use crate::point::{Arrivals, Point};
use crate::predict::Bench;

/// Clients wait for a place where fewer than this share of them decode ...
const DECODING: f64 = 0.7;

/// ... and a first token takes longer than this share of the whole answer.
const WAITING: f64 = 0.3;

/// Tokens of the KV cache that the points show, where its size is not given.
pub(crate) fn shown(bench: &Bench, points: &[&Point]) -> Option<u64> {
    if bench.engine.kv_tokens.is_some() || !points.iter().any(|p| waits(bench, p)) {
        return None;
    }
    let held = points.iter().filter_map(|p| held_tokens(p)).fold(0.0, f64::max);
    Some(held.round() as u64)
}

/// Whether a point shows clients that wait for a place.
fn waits(bench: &Bench, point: &Point) -> bool {
    let Arrivals::Closed { clients } = point.arrivals else { return false };
    let (Some(ttft_ms), Some(decode_ms)) = (point.ttft_ms, decode_ms(point)) else { return false };
    let decoding = point.rate_per_s * decode_ms / 1000.0;
    clients > 1
        && clients <= bench.batch
        && decoding < DECODING * f64::from(clients)
        && ttft_ms > WAITING * (ttft_ms + decode_ms)
        && ttft_ms > f64::from(clients).sqrt() * point.itl_ms.unwrap_or(ttft_ms)
}

/// Time for which a request decodes, ms.
fn decode_ms(point: &Point) -> Option<f64> {
    Some((point.output_tokens - 1.0) * point.itl_ms?)
}

/// Tokens that the requests of a closed loop hold while they decode.
fn held_tokens(point: &Point) -> Option<f64> {
    let Arrivals::Closed { .. } = point.arrivals else { return None };
    let decoding = point.rate_per_s * decode_ms(point)? / 1000.0;
    Some(decoding * (point.input_tokens + point.output_tokens))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(clients: u32, ttft_ms: f64, itl_ms: f64) -> Point {
        let latency_ms = ttft_ms + 1023.0 * itl_ms;
        let rate_per_s = f64::from(clients) * 1000.0 / latency_ms;
        let arrivals = Arrivals::Closed { clients };
        let mut point = Point::new(String::new(), arrivals, rate_per_s, 4096.0, 1024.0);
        (point.ttft_ms, point.itl_ms) = (Some(ttft_ms), Some(itl_ms));
        point
    }

    #[test]
    fn clients_that_wait_show_the_memory() {
        // 128 clients, of which 62.7 decode: Qwen3-32B on two H100.
        let (few, many) = (point(32, 979.0, 29.3), point(128, 58_753.0, 55.2));
        assert_eq!(shown(&Bench::default(), &[&few]), None);
        let found = shown(&Bench::default(), &[&few, &many]);
        assert_eq!(found, Some(321_186), "62.73 requests of 5,120 tokens");
        let given = Bench { batch: 64, ..Bench::default() };
        assert_eq!(shown(&given, &[&few, &many]), None, "the batch size waits");
    }

    #[test]
    fn one_client_never_waits() {
        let mut long = point(1, 200.0, 11.5);
        long.output_tokens = 8.0;
        assert_eq!(shown(&Bench::default(), &[&long]), None);
    }
}
