//! `isocost control`, `collect` and `actuate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::FalseyValueParser;
use isocost_kubernetes::actuate::{ActuateOptions, Ownership};
use isocost_kubernetes::cluster::{Access, Products};
use isocost_kubernetes::collect::{Grouping, PrometheusOptions};

use super::SizingArgs;
use super::service::{ListenArgs, LogArgs};
use super::stability::StabilityArgs;
use super::values::{seconds, share};

/// `isocost control`.
#[derive(Debug, clap::Args)]
#[command(after_help = CONTROL)]
pub struct ControlArgs {
    /// Directory with accelerator-data.json, model-data.json, serviceclass-data.json, and optionally
    /// optimizer-data.json and capacity-data.json
    #[arg(long, value_name = "DIR", env = "INFERNO_DATA_PATH", default_value = ".")]
    pub data: PathBuf,
    /// Read the static data anew each cycle; card counts are in any case
    #[arg(long, env = "INFERNO_CONTROL_DYNAMIC", value_parser = FalseyValueParser::new())]
    pub dynamic: bool,
    /// Time between two cycles; 0 runs them on demand alone
    #[arg(long, value_name = "SECONDS", env = "INFERNO_CONTROL_PERIOD", default_value = "60", value_parser = seconds)]
    pub period: Duration,
    /// Log of the cycles, a JSON object a line; `-` writes none
    #[arg(
        long,
        value_name = "FILE",
        env = "INFERNO_CYCLE_LOG",
        default_value = "inferno-cycles.jsonl"
    )]
    pub cycle_log: PathBuf,
    /// Size at which the cycle log begins anew; the one before is kept under its name with .1
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub cycle_log_limit: u32,
    /// Where card counts come from
    #[arg(long, value_enum, default_value_t = CapacityFrom::File)]
    pub capacity: CapacityFrom,
    #[command(flatten)]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    pub prometheus: PrometheusArgs,
    #[command(flatten)]
    pub stability: StabilityArgs,
    #[command(flatten)]
    pub actuate: ChangeArgs,
    #[command(flatten)]
    pub parts: PartsArgs,
    #[command(flatten)]
    pub election: ElectionArgs,
    #[command(flatten, next_help_heading = "Planning")]
    pub sizing: SizingArgs,
    /// Solver: highs or microlp, as far as built [default: highs where built]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// Plan for so long at most in a cycle, and then take the best plan so far
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub plan_limit: Duration,
    /// Relative gap between cost and bound at which to stop planning
    #[arg(long, value_name = "SHARE", default_value_t = 1e-4, value_parser = share)]
    pub gap: f64,
    /// Listen beyond this machine without a token: whoever reaches the address may use it
    #[arg(long)]
    pub open: bool,
    #[command(flatten)]
    pub listen: ListenArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

const CONTROL: &str = "\
GET or POST /invoke runs a cycle; / shows the last ones, /cycles gives them as JSON, /metrics is for
Prometheus. The cluster is the one of KUBECONFIG, or the pod's own.
Host and port come from CONTROLLER_HOST and CONTROLLER_PORT where no flag gives them; else 127.0.0.1 and 3300.";

/// `isocost collect`.
#[derive(Debug, clap::Args)]
#[command(after_help = COLLECT)]
pub struct CollectArgs {
    /// Answer GET /collect, instead of printing the fleet once
    #[arg(long = "listen")]
    pub serve: bool,
    #[command(flatten)]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    pub prometheus: PrometheusArgs,
    /// Listen beyond this machine without a token: whoever reaches the address may use it
    #[arg(long)]
    pub open: bool,
    #[command(flatten)]
    pub listen: ListenArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

const COLLECT: &str = "\
The cluster is the one of KUBECONFIG, or the pod's own.
Host and port come from COLLECTOR_HOST and COLLECTOR_PORT where no flag gives them; else 127.0.0.1 and 3301.";

/// `isocost actuate`.
#[derive(Debug, clap::Args)]
#[command(after_help = ACTUATE)]
pub struct ActuateArgs {
    /// JSON file with allocations and kube-resources, carried out once
    #[arg(value_name = "FILE", required_unless_present = "serve", conflicts_with = "serve")]
    pub file: Option<PathBuf>,
    /// Take POST /update, instead of a file
    #[arg(long = "listen")]
    pub serve: bool,
    #[command(flatten)]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    pub actuate: ChangeArgs,
    /// Listen beyond this machine without a token: whoever reaches the address may use it
    #[arg(long)]
    pub open: bool,
    #[command(flatten)]
    pub listen: ListenArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

const ACTUATE: &str = "\
The cluster is the one of KUBECONFIG, or the pod's own.
Host and port come from ACTUATOR_HOST and ACTUATOR_PORT where no flag gives them; else 127.0.0.1 and 3303.";

/// Where card counts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CapacityFrom {
    /// The file capacity-data.json, read each cycle
    File,
    /// The nodes' allocatable nvidia.com/gpu, by the label nvidia.com/gpu.product
    Nodes,
}

/// Who sets the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScaleBy {
    /// The loop, by patches of Deployments
    Patch,
    /// Autoscalers that read its metrics
    Metrics,
}

/// Which cluster, and which part of it.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// Namespace whose Deployments are managed [default: all]
    #[arg(long, value_name = "NAME", env = "WATCH_NAMESPACE")]
    pub namespace: Option<String>,
    /// Longest wait for an answer of the API server
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub api_timeout: Duration,
}

impl ClusterArgs {
    /// As the cluster takes it.
    pub fn access(&self) -> Access {
        Access { namespace: self.namespace(), timeout: self.api_timeout }
    }

    /// The namespace; an empty variable is how a manifest says "all".
    pub fn namespace(&self) -> Option<String> {
        self.namespace.clone().filter(|name| !name.is_empty())
    }
}

/// Where loads are measured.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Prometheus")]
pub struct PrometheusArgs {
    /// Base URL of Prometheus [default: none, loads come from the labels]
    #[arg(long, value_name = "URL", env = "INFERNO_PROMETHEUS_URL")]
    pub prometheus: Option<String>,
    /// File with the bearer token for it, read for each query; INFERNO_PROMETHEUS_TOKEN_PATH names it too
    #[arg(long, value_name = "FILE", env = "INFERNO_PROMETHEUS_TOKEN_FILE")]
    pub prometheus_token_file: Option<PathBuf>,
    /// File with the certificates, PEM, that its own is held against; INFERNO_PROMETHEUS_CA_PATH names it too
    /// [default: the system's]
    #[arg(long, value_name = "FILE", env = "INFERNO_PROMETHEUS_CA_FILE")]
    pub prometheus_ca_file: Option<PathBuf>,
    /// Time over which rates are taken
    #[arg(long, value_name = "SECONDS", env = "INFERNO_PROMETHEUS_WINDOW", default_value = "120", value_parser = seconds)]
    pub prometheus_window: Duration,
    /// Longest wait for an answer of it
    #[arg(long, value_name = "SECONDS", env = "INFERNO_PROMETHEUS_TIMEOUT", default_value = "5", value_parser = seconds)]
    pub prometheus_timeout: Duration,
    /// Label of its samples that names the Deployment [default: the name of the pod in `pod`]
    #[arg(long, value_name = "NAME", value_parser = label_name)]
    pub prometheus_label: Option<String>,
}

impl PrometheusArgs {
    /// As the client takes it; `None` where there is no Prometheus.
    pub fn options(&self, namespace: Option<String>) -> Option<PrometheusOptions> {
        // As the reference names them.
        let some = |file: &Option<PathBuf>, other: &str| {
            let other = || std::env::var_os(other).map(PathBuf::from);
            file.clone().or_else(other).filter(|f| !f.as_os_str().is_empty())
        };
        Some(PrometheusOptions {
            url: self.prometheus.clone().filter(|url| !url.is_empty())?,
            token_file: some(&self.prometheus_token_file, "INFERNO_PROMETHEUS_TOKEN_PATH"),
            ca_file: some(&self.prometheus_ca_file, "INFERNO_PROMETHEUS_CA_PATH"),
            window: self.prometheus_window,
            timeout: self.prometheus_timeout,
            grouping: self.prometheus_label.clone().map_or(Grouping::Pod, Grouping::Label),
            namespace,
        })
    }
}

/// How Deployments are changed.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Changes")]
pub struct ChangeArgs {
    /// Say what would be changed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Who sets the replicas: the loop patches Deployments, or autoscalers (HPA, KEDA) read what it wants, by the
    /// metric isocost_control_desired_replicas or GET /desired/NAMESPACE/DEPLOYMENT; then nothing moves to another
    /// accelerator
    #[arg(long, value_enum, default_value_t = ScaleBy::Patch)]
    pub scale_by: ScaleBy,
    /// Take over replicas and labels that others own (kubectl, Helm), once, of Deployments that the loop has not
    /// changed yet; what others set after that is theirs [default: Deployments of others are left alone]
    #[arg(long)]
    pub take_over: bool,
    /// Take them over whenever others set them
    #[arg(long, conflicts_with = "take_over")]
    pub force_conflicts: bool,
    /// Changes in work at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub at_once: u32,
    /// Label of nodes that pod templates select the accelerator by, e.g. nvidia.com/gpu.product
    /// [default: none, a move changes labels alone]
    #[arg(long, value_name = "LABEL")]
    pub node_selector_key: Option<String>,
    /// Card type of a GPU product; may be given several times
    #[arg(long, value_name = "PRODUCT=TYPE", value_parser = product)]
    pub gpu_product: Vec<(String, String)>,
}

impl ChangeArgs {
    /// As the actuator takes it.
    pub fn options(&self) -> ActuateOptions {
        ActuateOptions {
            dry_run: self.dry_run,
            publish: self.scale_by == ScaleBy::Metrics,
            ownership: self.ownership(),
            at_once: self.at_once as usize,
            node_selector_key: self.node_selector_key.clone(),
            products: self.products(),
        }
    }

    /// What becomes of fields that others own.
    pub fn ownership(&self) -> Ownership {
        match (self.force_conflicts, self.take_over) {
            (true, _) => Ownership::Force,
            (false, true) => Ownership::TakeOver,
            (false, false) => Ownership::Respect,
        }
    }

    /// Card types by product.
    pub fn products(&self) -> Products {
        Products(self.gpu_product.iter().cloned().collect())
    }
}

/// Parts that run as services of their own.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Parts elsewhere")]
pub struct PartsArgs {
    /// Base URL of a collector [default: COLLECTOR_HOST and COLLECTOR_PORT where the port is set, else in this process]
    #[arg(long, value_name = "URL", env = "INFERNO_COLLECTOR_URL")]
    pub collector: Option<String>,
    /// Base URL of an optimizer [default: INFERNO_HOST and INFERNO_PORT where the port is set, else in this process]
    #[arg(long, value_name = "URL", env = "INFERNO_OPTIMIZER_URL")]
    pub optimizer: Option<String>,
    /// Base URL of an actuator [default: ACTUATOR_HOST and ACTUATOR_PORT where the port is set, else in this process]
    #[arg(long, value_name = "URL", env = "INFERNO_ACTUATOR_URL")]
    pub actuator: Option<String>,
    /// Longest wait for an answer of one of them
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub part_timeout: Duration,
}

/// Which of several replicas acts.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Replicas of the control loop")]
pub struct ElectionArgs {
    /// Act only while holding a Lease
    #[arg(long)]
    pub leader_elect: bool,
    /// Name of the Lease
    #[arg(long, value_name = "NAME", default_value = "isocost-control")]
    pub lease: String,
    /// Its namespace
    #[arg(long, value_name = "NAME", env = "POD_NAMESPACE", default_value = "default")]
    pub lease_namespace: String,
    /// Base URL at which other replicas reach this one, e.g. http://$(POD_IP):3300: they pass /invoke on
    #[arg(long, value_name = "URL", env = "ISOCOST_ADVERTISE")]
    pub advertise: Option<String>,
    /// Another replica takes over where it was not renewed for so long
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = term)]
    pub lease_term: Duration,
}

impl PartsArgs {
    /// The URL of a part elsewhere: by flag or variable, else as the reference's variables of host and port say.
    pub fn elsewhere(&self, url: &Option<String>, part: &str) -> Option<String> {
        let set = |name: String| std::env::var(name).ok().filter(|value| !value.is_empty());
        let by_port = || {
            let port = set(format!("{part}_PORT"))?;
            // A host to listen on is none to ask.
            let host = set(format!("{part}_HOST")).filter(|host| host != "0.0.0.0");
            Some(format!("http://{}:{port}", host.as_deref().unwrap_or("localhost")))
        };
        match url {
            Some(url) => Some(url.clone()).filter(|url| !url.is_empty()),
            None => by_port(),
        }
    }
}

fn term(text: &str) -> Result<Duration, String> {
    let term = seconds(text)?;
    let sensible = (1..=3600).contains(&term.as_secs()) && term.subsec_nanos() == 0;
    if sensible { Ok(term) } else { Err("expected whole seconds, 1 to 3600".to_owned()) }
}

fn product(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((product, kind)) if !product.is_empty() && !kind.is_empty() => {
            Ok((product.to_owned(), kind.to_owned()))
        }
        _ => Err("expected PRODUCT=TYPE, e.g. NVIDIA-A100-SXM4-80GB=A100".to_owned()),
    }
}

fn label_name(text: &str) -> Result<String, String> {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if first && rest {
        Ok(text.to_owned())
    } else {
        Err("expected a label's name: letters, digits and _".to_owned())
    }
}
