//! What a model is made of, and how many numbers that is.
//!
//! A decoder-only transformer of `L` layers and hidden size `h`, with a gated feed-forward part (three
//! matrices) in each layer:
//!
//! ```text
//! attention, grouped      h H d + h K (d + v) + H v h        H heads, K of keys and values, sizes d and v
//! attention, latent       h q + q H (n + r) + h (k + r) + k H (n + v) + H v h      ranks q and k (MLA)
//! feed-forward, dense     3 h f
//! feed-forward, experts   E experts of 3 h e, of which a token takes some; shared ones beside; h E to choose
//! embedding and head      V h each, or one for both where they are tied
//! cache a token           K (d + v) a layer; k + r where attention is latent
//! ```
//!
//! DeepSeek-V2 (arXiv 2405.04434) is the source of latent attention.

/// A model's sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// Hidden size.
    pub hidden: f64,
    /// Layers.
    pub layers: f64,
    /// Tokens of the vocabulary.
    pub vocabulary: f64,
    /// Embedding and head are one matrix.
    pub tied: bool,
    /// Attention, of all layers that see the whole context.
    pub attention: Attention,
    /// Layers that see the last tokens only.
    pub window: Option<Window>,
    /// Feed-forward parts that every token goes through.
    pub dense: Dense,
    /// Mixture of experts.
    pub experts: Option<Experts>,
}

/// How a layer attends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Attention {
    /// Several heads share keys and values; one each where `kv_heads` is `heads`.
    Grouped {
        /// Heads.
        heads: f64,
        /// Heads of keys and values.
        kv_heads: f64,
        /// Numbers of a key.
        key: f64,
        /// Numbers of a value.
        value: f64,
    },
    /// Keys and values are kept as one short vector (multi-head latent attention).
    Latent {
        /// Heads.
        heads: f64,
        /// Rank of queries; 0 where they are not compressed.
        query_rank: f64,
        /// Rank of keys and values.
        kv_rank: f64,
        /// Numbers of a key without position.
        nope: f64,
        /// Numbers of a key with position.
        rope: f64,
        /// Numbers of a value.
        value: f64,
    },
}

/// Layers with a sliding window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Tokens that a layer sees.
    pub tokens: f64,
    /// Such layers.
    pub layers: f64,
    /// Heads of keys and values in them.
    pub kv_heads: f64,
}

/// Dense feed-forward parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dense {
    /// Layers that have one.
    pub layers: f64,
    /// Its inner size.
    pub intermediate: f64,
}

/// A mixture of experts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Experts {
    /// Layers that have one.
    pub layers: f64,
    /// Experts in each.
    pub count: f64,
    /// Experts that a token takes.
    pub per_token: f64,
    /// Inner size of an expert.
    pub intermediate: f64,
    /// Inner size of what every token takes beside them.
    pub shared: f64,
}

impl Architecture {
    /// Parameters of all attention.
    pub fn attention_parameters(&self) -> f64 {
        let windowed = self.window.map_or(0.0, |w| {
            w.layers * self.attention.with_kv_heads(w.kv_heads).parameters(self.hidden)
        });
        self.full_layers() * self.attention.parameters(self.hidden) + windowed
    }

    /// Layers that see the whole context.
    pub fn full_layers(&self) -> f64 {
        self.layers - self.window.map_or(0.0, |w| w.layers)
    }

    /// Parameters that every token goes through besides attention and head: dense parts, shared
    /// experts, and what chooses experts.
    pub fn dense_parameters(&self) -> f64 {
        let dense = self.dense.layers * 3.0 * self.hidden * self.dense.intermediate;
        let beside = self
            .experts
            .map_or(0.0, |e| e.layers * (3.0 * self.hidden * e.shared + self.hidden * e.count));
        dense + beside
    }

    /// Parameters of all experts that a token may take.
    pub fn expert_parameters(&self) -> f64 {
        self.experts.map_or(0.0, |e| e.layers * e.count * 3.0 * self.hidden * e.intermediate)
    }

    /// The head's matrix, and that of the embedding.
    pub fn head_parameters(&self) -> f64 {
        self.vocabulary * self.hidden
    }

    /// Parameters in all.
    pub fn parameters(&self) -> f64 {
        let ends = if self.tied { 1.0 } else { 2.0 } * self.head_parameters();
        self.attention_parameters() + self.dense_parameters() + self.expert_parameters() + ends
    }

    /// Parameters that a token is multiplied by: all but the embedding, and of the experts those it
    /// takes.
    pub fn active_parameters(&self) -> f64 {
        let share = self.experts.map_or(0.0, |e| e.per_token / e.count);
        let taken = share * self.expert_parameters();
        self.attention_parameters() + self.dense_parameters() + taken + self.head_parameters()
    }

    /// Share of the experts of a layer that `tokens` tokens take in all, each at random.
    pub fn coverage(&self, tokens: f64) -> f64 {
        self.experts.map_or(0.0, |e| 1.0 - (1.0 - e.per_token / e.count).powf(tokens))
    }

    /// Numbers that the cache keeps of a token over `tp` cards, on each of them, in the layers that
    /// see the whole context.
    pub fn cached(&self, tp: f64) -> f64 {
        self.full_layers() * self.attention.cached(tp)
    }

    /// The same in the layers with a window, while the token is in it.
    pub fn cached_in_window(&self, tp: f64) -> f64 {
        self.window.map_or(0.0, |w| w.layers * self.attention.with_kv_heads(w.kv_heads).cached(tp))
    }

    /// FLOPs of attention within a prompt, for each square of its tokens. Layers with a window are left
    /// out: their work grows with the tokens alone.
    pub fn attention_flops(&self) -> f64 {
        let per_pair = match self.attention {
            Attention::Grouped { heads, key, value, .. } => heads * (key + value),
            Attention::Latent { heads, nope, rope, value, .. } => heads * (nope + rope + value),
        };
        // Two FLOPs a number, and a token sees half of the others on average.
        self.full_layers() * per_pair
    }
}

impl Attention {
    /// Heads, which tensor parallelism splits.
    pub fn heads(self) -> f64 {
        match self {
            Self::Grouped { heads, .. } | Self::Latent { heads, .. } => heads,
        }
    }

    fn with_kv_heads(self, kv_heads: f64) -> Self {
        match self {
            Self::Grouped { heads, key, value, .. } => {
                Self::Grouped { heads, kv_heads, key, value }
            }
            latent => latent,
        }
    }

    fn parameters(self, hidden: f64) -> f64 {
        match self {
            Self::Grouped { heads, kv_heads, key, value } => {
                hidden * (heads * key + kv_heads * (key + value) + heads * value)
            }
            Self::Latent { heads, query_rank, kv_rank, nope, rope, value } => {
                let queries = if query_rank > 0.0 {
                    query_rank * (hidden + heads * (nope + rope))
                } else {
                    hidden * heads * (nope + rope)
                };
                let keys = hidden * (kv_rank + rope) + kv_rank * heads * (nope + value);
                queries + keys + heads * value * hidden
            }
        }
    }

    /// Numbers of a token in a layer's cache on each of `tp` cards: heads of keys and values are
    /// split as far as there are any, and a latent vector is kept whole by every card.
    fn cached(self, tp: f64) -> f64 {
        match self {
            Self::Grouped { kv_heads, key, value, .. } => (kv_heads / tp).max(1.0) * (key + value),
            Self::Latent { kv_rank, rope, .. } => kv_rank + rope,
        }
    }
}
