//! The manifests under `deploy/` name commands, flags and variables that there are.
#![cfg(feature = "kubernetes")]

use std::path::{Path, PathBuf};
use std::process::Command;

use isocost_model::input::reading::{Node, Report, Value, parse};

/// YAML files under a folder.
fn manifests(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(manifests(&path));
        } else if path.extension().is_some_and(|e| e == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn field<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Value::Object(entries) = &node.value else { return None };
    entries.iter().find(|e| e.0 == key).map(|e| &e.1)
}

fn texts(node: &Node) -> Vec<&str> {
    let Value::List(items) = &node.value else { return Vec::new() };
    items
        .iter()
        .map(|item| match &item.value {
            Value::Text(text) | Value::Number(text) => text.as_str(),
            other => panic!("an argument is {}", other.kind()),
        })
        .collect()
}

/// Every object within that runs the image `isocost`, of whatever tag.
fn containers<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    let image = field(node, "image").map(|n| &n.value);
    let ours = |image: &str| image == "isocost" || image.starts_with("isocost:");
    if matches!(image, Some(Value::Text(image)) if ours(image)) {
        found.push(node);
    }
    match &node.value {
        Value::Object(entries) => entries.iter().for_each(|(_, n)| containers(n, found)),
        Value::List(items) => items.iter().for_each(|n| containers(n, found)),
        _ => {}
    }
}

/// Names of a container's environment variables.
fn variables(container: &Node) -> Vec<&str> {
    let Some(Value::List(items)) = field(container, "env").map(|n| &n.value) else {
        return Vec::new();
    };
    let name = |item| match field(item, "name").map(|n| &n.value) {
        Some(Value::Text(name)) => name.as_str(),
        _ => panic!("a variable without a name"),
    };
    items.iter().map(name).collect()
}

#[test]
fn manifests_name_what_there_is() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let mut checked = 0;
    let folders = ["kustomize", "inferno"].map(|folder| manifests(&deploy.join(folder)));
    for path in folders.concat() {
        let text = std::fs::read_to_string(&path).expect("readable");
        for document in text.split("\n---\n") {
            let mut report = Report::default();
            let node = parse("manifest.yaml", document, &mut report);
            let problems: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
            assert_eq!(problems, [""; 0], "{}", path.display());
            let mut found = Vec::new();
            containers(node.as_ref().expect("a document"), &mut found);
            for container in found {
                check(container, &path);
                checked += 1;
            }
        }
    }
    assert!(checked >= 10, "{checked} containers");
}

/// The command takes the arguments, and its help names the variables.
fn check(container: &Node, path: &Path) {
    let args = texts(field(container, "args").expect("arguments"));
    // What stands before --help is read before it, and a flag that is not there is an error.
    let help = Command::new(env!("CARGO_BIN_EXE_isocost")).args(&args).arg("--help").output();
    let help = help.expect("it runs");
    let errors = String::from_utf8_lossy(&help.stderr);
    assert!(help.status.success(), "{}: {args:?}: {errors}", path.display());
    let text = String::from_utf8_lossy(&help.stdout);
    let words = || text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
    // Another variable of the manifest is made of it.
    for variable in variables(container).into_iter().filter(|name| *name != "POD_IP") {
        let named = words().any(|word| word == variable);
        assert!(named, "{}: {variable} is not read by {}", path.display(), args[0]);
    }
}

#[test]
fn without_a_token_the_parts_of_the_loop_listen_on_this_machine_alone() {
    for part in [&["control"][..], &["collect", "--listen"], &["actuate", "--listen"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
        let ended = command.args(part).args(["--host", "0.0.0.0", "--port", "0"]);
        let ended = ended.env_remove("ISOCOST_TOKEN").output().expect("it runs");
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{part:?}: {errors}");
        assert!(errors.contains("--token-file") && errors.contains("--open"), "{part:?}: {errors}");
    }
}
