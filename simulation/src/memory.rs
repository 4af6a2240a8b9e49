//! The KV cache of a replica, in blocks.
//!
//! A request holds a block for every [`BLOCK`] tokens of its context, the last one begun or full.
//! All requests that decode grow by one token a step, so that a request takes another block at every
//! [`BLOCK`]-th step: those that do so at the same steps form a class, and what a step takes is
//! their number. A step costs the same however many requests decode.

/// Tokens of a block (vLLM's default).
pub(crate) const BLOCK: u64 = 16;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Memory {
    total: u64,
    free: u64,
    /// Requests that decode, by the step, modulo the block, that takes another block for them.
    classes: [u64; BLOCK as usize],
}

impl Memory {
    /// A cache of that many tokens; one that is not known never runs out.
    pub fn new(kv_tokens: Option<u64>) -> Self {
        let total = kv_tokens.map_or(u64::MAX, |tokens| tokens / BLOCK);
        Self { total, free: total, classes: [0; BLOCK as usize] }
    }

    /// Whether a request can grow to a context of `tokens` where it is alone.
    pub fn can_hold(&self, tokens: u64) -> bool {
        blocks(tokens) <= self.total
    }

    /// Whether a request of `tokens` fits beside what `step` takes for those that decode.
    pub fn has_room(&self, tokens: u64, step: u64) -> bool {
        blocks(tokens) + self.wanted(step) <= self.free
    }

    /// Whether `step` takes more blocks than are free.
    pub fn is_short(&self, step: u64) -> bool {
        self.wanted(step) > self.free
    }

    pub fn take(&mut self, tokens: u64) {
        self.free -= blocks(tokens);
    }

    pub fn give_back(&mut self, tokens: u64) {
        self.free += blocks(tokens);
    }

    /// A request with that context decodes from `step` on.
    pub fn join(&mut self, context: u64, step: u64) {
        self.classes[class(context, step)] += 1;
    }

    /// A request that has that context before `step` decodes no more; its blocks are free again.
    pub fn leave(&mut self, context: u64, step: u64) {
        self.classes[class(context, step)] -= 1;
        self.give_back(context);
    }

    /// Takes what `step` needs.
    pub fn step(&mut self, step: u64) {
        self.free -= self.wanted(step);
    }

    /// Tokens that the blocks in use have room for.
    pub fn used_tokens(&self) -> u64 {
        (self.total - self.free) * BLOCK
    }

    fn wanted(&self, step: u64) -> u64 {
        self.classes[(step % BLOCK) as usize]
    }
}

/// A context that fills its blocks takes another one at the next step.
fn class(context: u64, step: u64) -> usize {
    (step.wrapping_sub(context) % BLOCK) as usize
}

fn blocks(tokens: u64) -> u64 {
    tokens.div_ceil(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_takes_a_block_for_every_sixteenth_token() {
        let mut memory = Memory::new(Some(100 * BLOCK + 5));
        let (start, context) = (7, 30);
        memory.take(context);
        memory.join(context, start);
        for step in start..start + 200 {
            assert_eq!(memory.used_tokens(), (context + step - start).div_ceil(BLOCK) * BLOCK);
            memory.step(step);
        }
        memory.leave(context + 200, start + 200);
        assert_eq!(memory, Memory::new(Some(100 * BLOCK)));
        assert!(memory.can_hold(1600) && !memory.can_hold(1601));
        assert!(memory.has_room(1600, 0) && !memory.is_short(0));
    }
}
