//! The state dict in what was saved, which may have been saved along with other things.

use std::collections::BTreeMap;

use super::{
    globals::REMEDY,
    shown,
    tensor::View,
    values::{Ref, Value, Values},
};

/// What training programs call the state dict in a checkpoint, best first.
///
/// As in timm, `load_state_dict` in `models/_helpers.py`, with what others call it after that.
const NAMES: &[&str] =
    &["state_dict_ema", "model_ema", "state_dict", "model_state", "model_state_dict", "model", "module"];

/// What wrappers put before every name: DataParallel, Lightning and `torch.compile`.
const PREFIXES: &[&str] = &["module.", "model.", "_orig_mod."];

/// How many dictionaries may be around a state dict.
const DEEPEST: usize = 4;

/// The tensors of the state dict in `root`, by name, without the prefixes that all names have.
pub fn tensors(values: &Values, root: Ref) -> Result<BTreeMap<String, &View>, String> {
    let tensors: Vec<(&str, &View)> = named_tensors(values, find(values, root)?).collect();
    let mut start = 0;
    let common = |start: usize| {
        PREFIXES.iter().find(|prefix| tensors.iter().all(|(name, _)| name[start..].starts_with(**prefix)))
    };
    while let Some(prefix) = common(start) {
        start += prefix.len();
    }
    Ok(tensors.into_iter().map(|(name, view)| (name[start..].to_owned(), view)).collect())
}

/// The dictionary that holds the tensors, at least one: `root` or one within it.
fn find(values: &Values, root: Ref) -> Result<Ref, String> {
    let tensors = |dict| named_tensors(values, dict).count();
    let dicts = |dict| entries(values, dict).filter(|(_, value)| values.entries(*value).is_some());
    let promising = |&dict: &Ref| tensors(dict) > 0 || dicts(dict).any(|(name, _)| NAMES.contains(&name));
    let mut dict = root;
    for _ in 0..DEEPEST {
        let inner: BTreeMap<&str, Ref> = dicts(dict).collect();
        if let Some(known) = NAMES.iter().filter_map(|name| inner.get(name).copied()).find(promising) {
            dict = known;
            continue;
        }
        let own = tensors(dict);
        let mut richer: BTreeMap<Ref, &str> = inner.into_iter().map(|(name, dict)| (dict, name)).collect();
        richer.retain(|&dict, _| tensors(dict) > own);
        match richer.pop_first() {
            None if own > 0 => return Ok(dict),
            None => break,
            Some((only, _)) if richer.is_empty() => dict = only,
            Some((_, first)) => {
                let (first, second) = (shown(first), richer.values().next().map_or(String::new(), |name| shown(name)));
                return Err(format!(
                    "it holds several state dicts, `{first}` and `{second}` among them; save one alone"
                ));
            }
        }
    }
    Err(format!("it holds no state dict; {REMEDY}"))
}

fn named_tensors(values: &Values, dict: Ref) -> impl Iterator<Item = (&str, &View)> {
    entries(values, dict).filter_map(|(name, value)| match &values[value] {
        Value::Tensor(view) => Some((name, &**view)),
        _ => None,
    })
}

/// The entries of a dictionary whose keys are text.
fn entries(values: &Values, dict: Ref) -> impl Iterator<Item = (&str, Ref)> {
    let entries = values.entries(dict).unwrap_or_default();
    entries.iter().filter_map(|&(key, value)| Some((values.text(key)?, value)))
}
