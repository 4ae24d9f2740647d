//! The nodes of a graph in an order in which they can be computed.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

/// The nodes that can be computed, inputs before those that read them and otherwise as they come; then those that cannot,
/// because they wait for themselves.
pub struct Order {
    pub computable: Vec<usize>,
    pub loops: Vec<usize>,
}

/// Orders nodes, each of which reads certain outputs of others.
pub fn order(reads: &[Vec<(usize, usize)>]) -> Order {
    let mut readers: Vec<Vec<usize>> = vec![vec![]; reads.len()];
    for (node, inputs) in reads.iter().enumerate() {
        for &(input, _) in inputs {
            readers[input].push(node);
        }
    }
    let mut missing: Vec<usize> = reads.iter().map(Vec::len).collect();
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..reads.len()).filter(|&node| missing[node] == 0).map(Reverse).collect();
    let mut computable = Vec::with_capacity(reads.len());
    while let Some(Reverse(node)) = ready.pop() {
        computable.push(node);
        for &reader in &readers[node] {
            missing[reader] -= 1;
            if missing[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    let loops = (0..reads.len()).filter(|&node| missing[node] > 0).collect();
    Order { computable, loops }
}

/// Where `input` of a node comes from: the node and which of its outputs; nothing for `^node`.
pub fn source(input: &str) -> Option<(&str, usize)> {
    if input.starts_with('^') {
        return None;
    }
    match input.rsplit_once(':') {
        Some((node, output)) => match output.parse() {
            Ok(output) => Some((node, output)),
            Err(_) => Some((input, 0)),
        },
        None => Some((input, 0)),
    }
}

/// The place of each name, or the name that two nodes have.
pub fn places<'a>(names: impl Iterator<Item = &'a str>) -> Result<HashMap<&'a str, usize>, &'a str> {
    let mut places = HashMap::new();
    for (place, name) in names.enumerate() {
        if places.insert(name, place).is_some() {
            return Err(name);
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(nodes: &[&[usize]]) -> Vec<Vec<(usize, usize)>> {
        nodes.iter().map(|inputs| inputs.iter().map(|&input| (input, 0)).collect()).collect()
    }

    #[test]
    fn inputs_come_first_and_loops_last() {
        // 0 reads 3; 1 and 2 read each other; 4 reads 2 and 3.
        let Order { computable, loops } = order(&reads(&[&[3], &[2], &[1], &[], &[2, 3]]));
        assert_eq!(computable, [3, 0]);
        assert_eq!(loops, [1, 2, 4], "also who reads one of a loop");
    }

    #[test]
    fn a_node_that_reads_one_twice_waits_once_for_each() {
        assert_eq!(order(&reads(&[&[1, 1], &[]])).computable, [1, 0]);
    }

    #[test]
    fn an_input_says_which_output() {
        assert_eq!(source("split:2"), Some(("split", 2)));
        assert_eq!(source("a/b"), Some(("a/b", 0)));
        assert_eq!(source("^assert"), None);
    }
}
