//! The objects, and what may be done to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fields::{self, Owners, Path};

/// Kind (plural), namespace (empty where there is none), name.
pub type Id = (String, String, String);

/// An answer that is no object: code, reason, message.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused(pub u16, pub &'static str, pub String);

struct Object {
    value: Value,
    owners: Owners,
}

/// What happened: `ADDED`, `MODIFIED` or `DELETED`.
#[derive(Clone)]
pub struct Event {
    pub version: u64,
    pub what: &'static str,
    pub id: Id,
    pub object: Value,
}

/// The objects.
#[derive(Default)]
pub struct Store {
    version: u64,
    made: u64,
    objects: BTreeMap<Id, Object>,
    events: Vec<Event>,
    /// Versions up to this are forgotten: tokens and watches from before it are gone.
    forgotten: u64,
}

type Answer = Result<Value, Refused>;

/// How a write is made.
pub struct Write<'a> {
    pub manager: &'a str,
    pub force: bool,
    pub dry_run: bool,
}

fn id(kind: &str, namespace: &str, name: &str) -> Id {
    (kind.to_owned(), namespace.to_owned(), name.to_owned())
}

fn text(value: &Value, path: &[&str]) -> Option<String> {
    path.iter().try_fold(value, |v, key| v.get(key))?.as_str().map(str::to_owned)
}

fn conflict(message: String) -> Refused {
    Refused(409, "Conflict", message)
}

impl Store {
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Forgets what was: tokens and watches from before now are gone.
    pub fn forget(&mut self) {
        self.forgotten = self.version;
        self.events.clear();
    }

    pub fn is_forgotten(&self, version: u64) -> bool {
        version < self.forgotten
    }

    /// What happened after a version.
    pub fn since(&self, version: u64) -> Vec<Event> {
        self.events.iter().filter(|e| e.version > version).cloned().collect()
    }

    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Answer {
        let missing = || Refused(404, "NotFound", format!("{kind} \"{name}\" not found"));
        self.objects.get(&id(kind, namespace, name)).map(shown).ok_or_else(missing)
    }

    /// Objects of a kind, of one namespace where it is given, in order.
    pub fn list(&self, kind: &str, namespace: Option<&str>) -> Vec<(Id, Value)> {
        let of = |id: &Id| id.0 == kind && namespace.is_none_or(|n| n == id.1);
        self.objects.iter().filter(|(id, _)| of(id)).map(|(i, o)| (i.clone(), shown(o))).collect()
    }

    pub fn create(
        &mut self,
        kind: &str,
        namespace: &str,
        body: Value,
        write: &Write<'_>,
    ) -> Answer {
        let name = text(&body, &["metadata", "name"]).unwrap_or_default();
        if name.is_empty() {
            return Err(Refused(422, "Invalid", "metadata.name: Required value".to_owned()));
        }
        if self.get(kind, namespace, &name).is_ok() {
            return Err(Refused(409, "AlreadyExists", format!("{kind} \"{name}\" already exists")));
        }
        // Who creates owns what the server fills in as well; who applies server-side does not.
        let mut filled = body;
        fill_in(kind, &mut filled);
        let owned = fields::leaves(&filled).into_keys().collect();
        let owners = [((write.manager.to_owned(), "Update"), owned)].into();
        self.add(id(kind, namespace, &name), filled, owners, write)
    }

    fn add(&mut self, id: Id, mut value: Value, owners: Owners, write: &Write<'_>) -> Answer {
        self.made += 1;
        value["metadata"]["namespace"] = json!(id.1);
        value["metadata"]["uid"] = json!(format!("uid-{}", self.made));
        value["metadata"]["generation"] = json!(1);
        value["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        fill_in(&id.0, &mut value);
        valid(&id, &value)?;
        self.put("ADDED", id, Object { value, owners }, write)
    }

    pub fn replace(&mut self, at: &Id, mut body: Value, write: &Write<'_>) -> Answer {
        let old = self.current(at, &body)?;
        if let Some(status) = old.value.get("status") {
            body["status"] = status.clone();
        }
        self.change(at, body, write)
    }

    pub fn merge(&mut self, at: &Id, patch: &Value, write: &Write<'_>) -> Answer {
        let mut value = self.current(at, patch)?.value.clone();
        fields::merge(&mut value, patch);
        self.change(at, value, write)
    }

    /// Sets the status, and nothing else.
    pub fn set_status(&mut self, at: &Id, body: &Value, write: &Write<'_>) -> Answer {
        let old = self.current(at, body)?;
        let (mut value, owners) = (old.value.clone(), old.owners.clone());
        let status = body.get("status").cloned().unwrap_or_else(|| json!({}));
        fields::merge(&mut value, &json!({ "status": status }));
        self.put("MODIFIED", at.clone(), Object { value, owners }, write)
    }

    /// Sets the replicas by the scale subresource.
    pub fn set_scale(&mut self, at: &Id, body: &Value, write: &Write<'_>) -> Answer {
        let mut value = self.current(at, body)?.value.clone();
        value["spec"]["replicas"] = body["spec"]["replicas"].clone();
        self.change(at, value, write)
    }

    pub fn delete(&mut self, at: &Id) -> Answer {
        let found = self.get(&at.0, &at.1, &at.2)?;
        self.version += 1;
        self.objects.remove(at);
        if at.0 == "namespaces" {
            let inside: Vec<Id> = self.objects.keys().filter(|i| i.1 == at.2).cloned().collect();
            for id in inside {
                let _ = self.delete(&id);
            }
        }
        let (version, id, object) = (self.version, at.clone(), found.clone());
        self.events.push(Event { version, what: "DELETED", id, object });
        Ok(found)
    }

    /// Server-side apply.
    pub fn apply(&mut self, at: &Id, config: &Value, write: &Write<'_>) -> Answer {
        let wanted_uid = text(config, &["metadata", "uid"]);
        let new = fields::leaves(config);
        let me = (write.manager.to_owned(), "Apply");
        let Some(old) = self.objects.get(at) else {
            if let Some(uid) = wanted_uid {
                return Err(conflict(format!(
                    "Operation cannot be fulfilled on {} \"{}\": uid mismatch: the provided object \
                     specified uid {uid}, and no existing object was found",
                    at.0, at.2
                )));
            }
            let owners = [(me, new.into_keys().collect())].into();
            return self.add(at.clone(), config.clone(), owners, write);
        };
        let uid = text(&old.value, &["metadata", "uid"]).unwrap_or_default();
        if let Some(wanted) = wanted_uid.filter(|wanted| *wanted != uid) {
            return Err(conflict(format!(
                "Operation cannot be fulfilled on {} \"{}\": Precondition failed: UID in precondition: \
                 {wanted}, UID in object meta: {uid}",
                at.0, at.2
            )));
        }
        self.current(at, config)?;
        let (mut value, mut owners) = (old.value.clone(), old.owners.clone());
        let differs = |path: &Path, wanted: &Value| fields::get(&value, path) != Some(wanted);
        let contested: Vec<(String, Path)> = owners
            .iter()
            .filter(|(owner, _)| **owner != me)
            .flat_map(|(owner, paths)| paths.iter().map(|p| (owner.0.clone(), p.clone())))
            .filter(|(_, path)| new.get(path).is_some_and(|wanted| differs(path, wanted)))
            .collect();
        if !contested.is_empty() && !write.force {
            let rows =
                contested.iter().map(|(m, p)| format!("conflict with \"{m}\": .{}", p.join(".")));
            let rows: Vec<String> = rows.collect();
            let (n, rows) = (rows.len(), rows.join("\n"));
            return Err(conflict(format!("Apply failed with {n} conflicts: {rows}")));
        }
        for (_, path) in &contested {
            owners.iter_mut().filter(|(owner, _)| **owner != me).for_each(|(_, paths)| {
                paths.remove(path);
            });
        }
        // What it named before and does not name now goes, unless somebody else owns it; what is needed is
        // filled in again.
        let before = owners.remove(&me).unwrap_or_default();
        for path in before.iter().filter(|path| !new.contains_key(*path)) {
            if !owners.values().any(|paths| paths.contains(path)) {
                fields::remove(&mut value, path);
            }
        }
        for (path, wanted) in &new {
            fields::set(&mut value, path, wanted.clone());
        }
        owners.insert(me, new.into_keys().collect());
        fill_in(&at.0, &mut value);
        valid(at, &value)?;
        self.put("MODIFIED", at.clone(), Object { value, owners }, write)
    }

    /// The object, if the body's resource version, where it has one, is the object's.
    fn current(&self, at: &Id, body: &Value) -> Result<&Object, Refused> {
        let missing = || Refused(404, "NotFound", format!("{} \"{}\" not found", at.0, at.2));
        let object = self.objects.get(at).ok_or_else(missing)?;
        let wanted = text(body, &["metadata", "resourceVersion"]).filter(|v| !v.is_empty());
        match wanted {
            Some(v)
                if Some(&v) != text(&object.value, &["metadata", "resourceVersion"]).as_ref() =>
            {
                Err(conflict(format!(
                    "Operation cannot be fulfilled on {} \"{}\": the object has been modified; please \
                     apply your changes to the latest version and try again",
                    at.0, at.2
                )))
            }
            _ => Ok(object),
        }
    }

    /// Takes a new value; what changed belongs to the writer alone.
    fn change(&mut self, at: &Id, mut value: Value, write: &Write<'_>) -> Answer {
        let old = &self.objects[at];
        for key in ["uid", "creationTimestamp", "namespace", "generation"] {
            value["metadata"][key] = old.value["metadata"][key].clone();
        }
        valid(at, &value)?;
        let (was, is) = (fields::leaves(&old.value), fields::leaves(&value));
        let mut owners = old.owners.clone();
        let changed: Vec<&Path> =
            was.keys().chain(is.keys()).filter(|p| was.get(*p) != is.get(*p)).collect();
        for path in changed {
            for paths in owners.values_mut() {
                paths.remove(path);
            }
            if is.contains_key(path) {
                let mine = owners.entry((write.manager.to_owned(), "Update")).or_default();
                mine.insert(path.clone());
            }
        }
        self.put("MODIFIED", at.clone(), Object { value, owners }, write)
    }

    fn put(&mut self, what: &'static str, id: Id, mut object: Object, write: &Write<'_>) -> Answer {
        if write.dry_run {
            return Ok(shown(&object));
        }
        self.version += 1;
        let version = self.version;
        object.value["metadata"]["resourceVersion"] = json!(version.to_string());
        let value = shown(&object);
        self.objects.insert(id.clone(), object);
        self.events.push(Event { version, what, id, object: value.clone() });
        Ok(value)
    }
}

/// What the server fills in where an object does not say.
fn fill_in(kind: &str, value: &mut Value) {
    if kind == "deployments" && value["spec"].get("replicas").is_none_or(Value::is_null) {
        value["spec"]["replicas"] = json!(1);
    }
}

fn shown(object: &Object) -> Value {
    let mut value = object.value.clone();
    value["metadata"]["managedFields"] = fields::shown(&object.owners);
    value
}

/// The few rules that the suite asks for.
fn valid(id: &Id, value: &Value) -> Result<(), Refused> {
    let invalid =
        |what: String| Refused(422, "Invalid", format!("{} \"{}\" is invalid: {what}", id.0, id.2));
    if let Some(labels) = value["metadata"]["labels"].as_object() {
        for (key, label) in labels {
            let Some(label) = label.as_str() else {
                return Err(Refused(
                    400,
                    "BadRequest",
                    format!("metadata.labels.{key}: not a string"),
                ));
            };
            let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
            let inner = label.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            if label.len() > 63
                || !inner
                || !edge(label.chars().next())
                || !edge(label.chars().last())
            {
                return Err(invalid(format!("metadata.labels: Invalid value: \"{label}\"")));
            }
        }
    }
    if id.0 != "deployments" {
        return Ok(());
    }
    if value["spec"]["replicas"].as_i64().is_none_or(|n| n < 0) {
        let replicas = &value["spec"]["replicas"];
        return Err(invalid(format!(
            "spec.replicas: Invalid value: {replicas}: must be non-negative"
        )));
    }
    for needed in ["selector", "template"] {
        if !value["spec"][needed].is_object() {
            return Err(invalid(format!("spec.{needed}: Required value")));
        }
    }
    Ok(())
}
