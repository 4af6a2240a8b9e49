//! The table: every entity of a scenario with its fields.

use super::Form::{
    self, Amounts, Counts, Flag, Geometries, List, Names, Number, Object, Text, Whole, Word,
};
use super::{Entity, Field};
use crate::input::fields::ABSURD;
use crate::input::servers::{MANY, MAX_TOKENS};
use crate::input::weights::PRECISIONS;
use crate::queue::MAX_BATCH;

const fn required(name: &'static str, form: Form, meaning: &'static str) -> Field {
    Field { name, form, default: None, meaning }
}

const fn optional(
    name: &'static str,
    form: Form,
    default: &'static str,
    meaning: &'static str,
) -> Field {
    Field { name, form, default: Some(default), meaning }
}

const MS: Form = Number("ms", 0.0, ABSURD);
const WATTS: Form = Number("W", 0.0, ABSURD);
const CARDS: Form = Whole("cards", 0, 1_000_000_000);
const PERCENTILE: Form = Number("%", 1.0, 99.999);

/// Every entity, outer before inner.
pub const ENTITIES: &[Entity] = &[
    Entity {
        name: "accelerator",
        place: "`acceleratorData`, `accelerators` (accelerator-data.json)",
        fields: &[
            required("name", Text, "unique"),
            optional("type", Text, "the name", "kind of card that capacity is counted in"),
            optional("multiplicity", Whole("cards", 0, 4096), "1", "cards in it; 0 reads as 1"),
            required("cost", Number("cents/h", 0.0, ABSURD), "price of the whole accelerator"),
            optional("memSize", Number("GB", 0.0, ABSURD), "0", "memory"),
            optional("memBW", Number("GB/s", 0.0, ABSURD), "0", "memory bandwidth"),
            optional("power", Object("power"), "none", "what it draws"),
            optional("nodes", List("node"), "cards one by one", "machines in which its cards come"),
            optional(
                "availability",
                Number("", 0.01, 1.0),
                "1",
                "share of the time that a replica on it is there (spot): those that are carry the load of those that \
                 are not, within their limits",
            ),
            optional("zone", Text, "none", "where it stands; servers may name `zones`"),
            optional(
                "carbonIntensity",
                Number("g/kWh", 0.0, ABSURD),
                "that of the optimizer",
                "carbon dioxide of the current where it stands",
            ),
            optional(
                "kvLinkGBs",
                Number("GB/s", 0.0, ABSURD),
                "not known",
                "at which a replica on it sends or receives KV cache, where prefill and decode are apart",
            ),
        ],
    },
    Entity {
        name: "power",
        place: "`power` of an accelerator",
        fields: &[
            optional("idle", WATTS, "0", "at utilisation 0"),
            optional("midPower", WATTS, "0", "at utilisation `midUtil`"),
            optional("full", WATTS, "0", "at utilisation 1"),
            optional("midUtil", Number("", 0.0, 1.0), "0", "where the curve bends; 0: nowhere"),
        ],
    },
    Entity {
        name: "model on an accelerator",
        place: "`modelData`, `models` (model-data.json)",
        fields: &[
            required("name", Text, "the model"),
            required("acc", Text, "the accelerator; each pair once"),
            optional(
                "accCount",
                Whole("accelerators", 0, 4096),
                "1",
                "that one replica takes; 0 reads as 1",
            ),
            optional(
                "multiNode",
                Flag,
                "false",
                "a replica that no node holds may take several whole nodes of one kind",
            ),
            optional(
                "kvBytesPerToken",
                Number("bytes", 0.0, ABSURD),
                "not known",
                "that a token takes in the KV cache: what is sent where prefill and decode are apart",
            ),
            optional(
                "weightsGB",
                Number("GB", 0.0, ABSURD),
                "what name and precision tell",
                "that the weights of a replica take; what its accelerators cannot hold is refused",
            ),
            optional(
                "precision",
                Word(&PRECISIONS),
                "what the name tells",
                "how weights are stored",
            ),
            optional(
                "maxBatchSize",
                Whole("requests", 0, MAX_BATCH),
                "256",
                "largest batch, at `atTokens` where they are given; 0 reads as 256",
            ),
            optional(
                "atTokens",
                Whole("tokens", 0, 100_000_000),
                "all lengths",
                "output tokens a request at which `maxBatchSize` holds; the limit at other lengths is \
                 max(1, floor(maxBatchSize * atTokens / avgOutTokens)). Absent or 0: `maxBatchSize` is a \
                 ceiling at any length, and the reference's reading takes the least batch near the best rate \
                 below it",
            ),
            optional("perfParms", Object("perfParms"), "one of three", "the iteration model"),
            optional("decodeParms", Object("decodeParms"), "one of three", "the linear model"),
            optional("prefillParms", Object("prefillParms"), "no prefill", "the linear model"),
            optional(
                "rooflineParms",
                Object("rooflineParms"),
                "one of three",
                "the roofline model",
            ),
            optional(
                "maxBatchedTokens",
                Whole("tokens", 1, 100_000_000),
                "`--token-budget`",
                "that a pass works off at most (vLLM's `max_num_batched_tokens`); no batch is larger",
            ),
            optional(
                "kvTokens",
                Whole("tokens", 16, 1_000_000_000),
                "`--kv-tokens`, else assumed",
                "that a replica's KV cache holds, as vLLM logs it; assumed are 2 * maxBatchSize * atTokens: \
                 so many requests of `atTokens` output tokens with prompts as long; at least one request, \
                 and never short without `atTokens` or where the server has a `maxBatchSize` of its own",
            ),
            optional(
                "chunkedPrefill",
                Flag,
                "true, but for `--no-chunked-prefill`",
                "whether prompts are cut into chunks that share passes with decoding",
            ),
            optional(
                "provenance",
                Word(&["estimated", "calibrated"]),
                "unstated",
                "where the service times come from",
            ),
            optional("calibration", Object("calibration"), "none", "what a fit says of its error"),
        ],
    },
    Entity {
        name: "perfParms",
        place: "`perfParms` of a model on an accelerator",
        fields: &[
            optional("alpha", MS, "0", "an iteration"),
            optional("beta", MS, "0", "a token computed"),
            optional("gamma", MS, "0", "a token and token of its context"),
        ],
    },
    Entity {
        name: "decodeParms",
        place: "`decodeParms` of a model on an accelerator",
        fields: &[
            optional("alpha", MS, "0", "a decode step"),
            optional("beta", MS, "0", "a decode step and request in the batch"),
        ],
    },
    Entity {
        name: "prefillParms",
        place: "`prefillParms` of a model on an accelerator",
        fields: &[
            optional("gamma", MS, "0", "a prefill"),
            optional("delta", MS, "0", "a prefill, input token and request in the batch"),
        ],
    },
    Entity {
        name: "rooflineParms",
        place: "`rooflineParms` of a model on an accelerator",
        fields: &[
            optional("alpha", MS, "0", "a step: reading the weights"),
            optional("beta", MS, "0", "a step and request in the batch"),
            optional("gamma", MS, "0", "a step and token of context"),
            optional("delta", MS, "0", "a token of a step beyond `hidden`"),
            optional("delta2", MS, "0", "attention in a prompt, for each square of its tokens"),
            optional(
                "hidden",
                Number("tokens", 0.0, ABSURD),
                "0",
                "of a step that cost no time; delta * hidden is at most alpha",
            ),
            optional("overhead", MS, "0", "of the first token, outside the engine"),
            optional(
                "lag",
                Number("steps", 0.0, ABSURD),
                "0",
                "until a request that finds the replica busy joins",
            ),
            optional("experts", MS, "0", "reading the weights of all experts of a mixture"),
            optional(
                "expertShare",
                Number("", 0.0, 1.0),
                "0",
                "of the experts that a token is computed by",
            ),
        ],
    },
    Entity {
        name: "calibration",
        place: "`calibration` of a model on an accelerator, as `isocost fit` writes it",
        fields: &[
            optional("itlError", Number("", 0.0, ABSURD), "0", "mean share that ITL is off by"),
            optional("ttftError", Number("", 0.0, ABSURD), "0", "mean share that TTFT is off by"),
            optional("level", Number("", 0.0, 1.0), "0.95", "confidence of the region"),
            optional("optimistic", Object("end of a region"), "no region", "its fast end"),
            optional("pessimistic", Object("end of a region"), "no region", "its slow end"),
        ],
    },
    Entity {
        name: "end of a region",
        place: "`optimistic` and `pessimistic` of a calibration",
        fields: &[
            optional("perfParms", Object("perfParms"), "one of three", "the iteration model"),
            optional("decodeParms", Object("decodeParms"), "one of three", "the linear model"),
            optional("prefillParms", Object("prefillParms"), "no prefill", "the linear model"),
            optional(
                "rooflineParms",
                Object("rooflineParms"),
                "one of three",
                "the roofline model",
            ),
        ],
    },
    Entity {
        name: "service class",
        place: "`serviceClassData`, `serviceClasses` (serviceclass-data.json)",
        fields: &[
            required("name", Text, "unique"),
            optional("priority", Whole("", 1, 100), "100", "1 is the highest"),
            optional(
                "weight",
                Number("", 0.001, 1000.0),
                "1",
                "where shortage is shared fairly (round-robin), a class of 2 gets twice the share of its load",
            ),
            optional("modelTargets", List("target"), "none", "objectives, a model each"),
        ],
    },
    Entity {
        name: "target",
        place: "`modelTargets` of a service class",
        fields: &[
            required("model", Text, "each model once"),
            optional("slo-itl", MS, "no objective", "inter-token latency"),
            optional("slo-tpot", MS, "`slo-itl`", "another name of it: time per output token"),
            optional("slo-ttft", MS, "no objective", "time to first token"),
            optional("slo-ttw", MS, "no objective", "wait before service"),
            optional("slo-e2e", MS, "no objective", "from arrival to the last token"),
            optional(
                "slo-tps",
                Number("tokens/s", 0.0, ABSURD),
                "no objective",
                "that each request gets while it decodes: ITL is at most 1000 / `slo-tps`, or \
                 `slo-itl` where that is less; under `--reading reference` what the server has to \
                 produce, in place of its arrival rate",
            ),
            optional(
                "itl-over",
                Word(&["requests", "gaps"]),
                "requests",
                "what a percentile of ITL is over: requests, each by the mean of its own gaps (TPOT, as most \
                 benchmarks report), or the gaps between tokens",
            ),
            optional("percentile", PERCENTILE, "the mean", "that the latencies hold for"),
            optional("itl-percentile", PERCENTILE, "`percentile`", "that ITL's limits hold for"),
            optional("tpot-percentile", PERCENTILE, "`itl-percentile`", "another name of it"),
            optional("ttft-percentile", PERCENTILE, "`percentile`", "that `slo-ttft` holds for"),
            optional("ttw-percentile", PERCENTILE, "`percentile`", "that `slo-ttw` holds for"),
            optional("e2e-percentile", PERCENTILE, "`percentile`", "that `slo-e2e` holds for"),
        ],
    },
    Entity {
        name: "server",
        place: "`serverData`, `servers` (server-data.json)",
        fields: &[
            required("name", Text, "unique"),
            optional("class", Text, "Free", "its service class"),
            required("model", Text, "the model it serves"),
            optional("minNumReplicas", Whole("replicas", 0, MANY), "0", "also at zero load"),
            optional(
                "minTokensPerSecond",
                Number("tokens/s", 0.0, ABSURD),
                "0",
                "output tokens that its replicas are able to write together within their limits, whatever arrives",
            ),
            optional("maxNumReplicas", Whole("replicas", 0, MANY), "no limit", "at most"),
            optional("maxBatchSize", Whole("requests", 0, MAX_BATCH), "the model's", "0 likewise"),
            optional(
                "maxQueueSize",
                Whole("requests", 0, MANY),
                "`--max-queue`",
                "that may wait at a replica",
            ),
            optional("keepAccelerator", Flag, "false", "stay on the accelerator of `currentAlloc`"),
            optional("allow", Names, "all", "accelerators it may use"),
            optional("deny", Names, "none", "accelerators it may not use"),
            optional(
                "zones",
                Amounts("ms"),
                "all, and no time on the way",
                "zones of accelerators it may run in, with the time on the way there and back: part of the time to \
                 the first token and to the last",
            ),
            optional("minTypes", Whole("types", 0, 1000), "0", "that its replicas are spread over"),
            optional(
                "share",
                Text,
                "it shares with none",
                "a group: its servers of one model may share replicas where that is cheaper",
            ),
            optional(
                "disaggregate",
                Flag,
                "false",
                "prompts may be computed on other replicas than those that write answers, where that is cheaper",
            ),
            required(
                "currentAlloc",
                Object("current allocation"),
                "its load, and where it runs now",
            ),
        ],
    },
    Entity {
        name: "current allocation",
        place: "`currentAlloc` of a server",
        fields: &[
            required("load", Object("load"), "what it has to serve"),
            optional("accelerator", Text, "it runs nowhere", "where it runs now"),
            optional("numReplicas", Whole("replicas", 0, MANY), "0", "that it has now"),
            optional("cost", Number("cents/h", 0.0, ABSURD * 1e3), "0", "of these"),
        ],
    },
    Entity {
        name: "load",
        place: "`load` of a current allocation",
        fields: &[
            optional(
                "arrivalRate",
                Number("requests/min", 0.0, ABSURD),
                "0",
                "that arrive; less than 1e-9 is none",
            ),
            optional("avgInTokens", Number("tokens", 0.0, MAX_TOKENS), "0", "mean of a prompt"),
            optional(
                "avgOutTokens",
                Number("tokens", 0.0, MAX_TOKENS),
                "0",
                "mean of an answer; at least 1 where requests arrive",
            ),
            optional("arrivalScv", SCV, "1", "of the times between arrivals; 1 is Poisson"),
            optional("tokenScv", SCV, "1", "of output tokens"),
            optional("inputScv", SCV, "0", "of prompt tokens; 0: all prompts are alike"),
            optional(
                "prefixHitShare",
                Number("", 0.0, 1.0),
                "0",
                "of the prompt tokens that the prefix cache holds: they need no computing",
            ),
        ],
    },
    Entity {
        name: "capacity",
        place: "`capacityData`, `count` (capacity-data.json; without it there is no limit)",
        fields: &[
            required(
                "type",
                Text,
                "a type of accelerators; one without an entry counts as 0 cards",
            ),
            required("count", CARDS, "that exist"),
            optional("spare", CARDS, "0", "of these to keep free (N + k)"),
        ],
    },
    Entity {
        name: "cards",
        place: "`capacityData` (capacity-data.json)",
        fields: &[
            optional("count", List("capacity"), "no limit", "cards by type"),
            optional("nodes", List("node"), "cards one by one", "machines in which cards come"),
        ],
    },
    Entity {
        name: "node",
        place: "`nodes` of `capacityData`, or of an accelerator",
        fields: &[
            required("name", Text, "unique, e.g. p5.48xlarge"),
            required("cards", Counts, "types of accelerators with the cards of one node"),
            optional(
                "price",
                Number("cents/h", 0.0, ABSURD),
                "paid by the card",
                "of a whole node; its cards then cost nothing beside it",
            ),
            optional("count", CARDS, "no limit", "nodes that exist; they count the cards too"),
            optional("spare", CARDS, "0", "of these to keep free; nothing is charged for them"),
            optional("zone", Text, "none", "where they stand, for reports"),
            optional("mig", Flag, "false", "a card of 7 slices, cut as MIG allows"),
            optional(
                "geometries",
                Geometries,
                "any that add up",
                "ways to cut a node, each the cards of the replicas that fit it together",
            ),
        ],
    },
    Entity {
        name: "optimizer",
        place: "`optimizerData`, `optimizer` (optimizer-data.json, may be left out)",
        fields: &[
            optional("unlimited", Flag, "false", "ignore how many cards exist"),
            optional("heterogeneous", Flag, "false", "several accelerators may serve one server"),
            optional(
                "saturationPolicy",
                Word(&["None", "PriorityExhaustive", "PriorityRoundRobin", "RoundRobin"]),
                "None",
                "what `--shortage scenario` does when not all can be served",
            ),
            optional(
                "delayedBestEffort",
                Flag,
                "false",
                "best effort only after all had their turn",
            ),
            optional("budgets", List("budget"), "none", "limits that several types share"),
            optional(
                "currency",
                Text,
                "x 100 cents",
                "name of what a hundred cents are, for sums by the month; nothing is converted",
            ),
            optional(
                "carbonIntensity",
                Number("g/kWh", 0.0, ABSURD),
                "unknown",
                "carbon dioxide of the current, where an accelerator says nothing of its own",
            ),
            optional(
                "carbonPrice",
                Number("cents/kg", 0.0, ABSURD),
                "0",
                "of carbon dioxide, part of what a replica costs, at its sized rate; every accelerator then needs a \
                 `carbonIntensity`",
            ),
        ],
    },
    Entity {
        name: "budget",
        place: "`budgets` of the optimizer",
        fields: &[
            required("name", Text, "for reports"),
            optional("types", Names, "all", "card types that count"),
            optional("cards", CARDS, "no limit", "at most"),
            optional("watts", WATTS, "no limit", "at most, every card at full load"),
            optional(
                "centsPerHour",
                Number("cents/h", 0.0, ABSURD),
                "no limit",
                "that replicas cost at most, `--unlimited` or not",
            ),
            optional(
                "gramsPerHour",
                Number("g/h", 0.0, ABSURD),
                "no limit",
                "of carbon dioxide at most, every card at full load, `--unlimited` or not; every \
                 accelerator that counts then needs a `carbonIntensity`",
            ),
        ],
    },
];

/// A squared coefficient of variation.
const SCV: Form = Number("", 0.0, 1e4);
