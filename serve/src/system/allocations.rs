//! What the last plan wants of the servers, and making it what there is.

use serde_json::{Value, json};

use super::{Manner, SERVERS, System};
use crate::compatible::shape::{ALLOCATION, shaped};
use crate::http::Error;
use crate::json::{field, set};

impl System {
    /// Notes for each server what a plan wants of it, as `desiredAlloc`.
    pub fn desire(&mut self, answer: &Value) {
        for server in &mut self.servers {
            let allocation = answer.get("allocations").and_then(|all| all.get(server.name()));
            let mut desired =
                json!({"accelerator": "", "numReplicas": 0, "maxBatch": 0, "cost": 0});
            for key in [
                "accelerator",
                "numReplicas",
                "maxBatch",
                "cost",
                "itlAverage",
                "ttftAverage",
                "load",
            ] {
                if let Some(value) = allocation.and_then(|a| a.get(key)) {
                    set(&mut desired, key, value.clone());
                }
            }
            server.change(SERVERS, |server| {
                let load = field(server, "currentAlloc").and_then(|a| field(a, "load"));
                if let Some(load) = load.filter(|_| field(&desired, "load").is_none()) {
                    set(&mut desired, "load", load.clone());
                }
                set(server, "desiredAlloc", desired);
            });
        }
        self.planned = true;
    }

    /// Makes what the last plan wants what there is; a server's load stays what it was. The reference does so before
    /// anything was planned too, and takes the load along.
    pub fn apply(&mut self) -> Result<(), Error> {
        let as_there = self.manner == Manner::Reference;
        if !self.planned && !as_there {
            return Err(Error::conflict("nothing was planned yet; POST /optimize first"));
        }
        for server in &mut self.servers {
            server.change(SERVERS, |server| apply(server, as_there));
        }
        Ok(())
    }
}

/// Makes of what is wanted of a server what there is, `as_there` as the reference does.
fn apply(server: &mut Value, as_there: bool) {
    let desired = field(server, "desiredAlloc").cloned();
    if as_there {
        let desired = shaped(&desired.unwrap_or_default(), ALLOCATION);
        set(server, "currentAlloc", desired);
        return;
    }
    let Some(mut desired) = desired else { return };
    let load = field(server, "currentAlloc").and_then(|a| field(a, "load"));
    if let Some(load) = load {
        set(&mut desired, "load", load.clone());
    }
    set(server, "currentAlloc", desired);
}
