//! Names written as a shell's patterns: `unit_{1..3}/{add,Relu}`.

/// The words of a text, each once for every choice in its braces, the first braces turning slowest.
pub fn expand(text: &str) -> Vec<String> {
    text.split_whitespace().flat_map(expand_word).collect()
}

fn expand_word(word: &str) -> Vec<String> {
    let Some((before, rest)) = word.split_once('{') else { return vec![word.to_owned()] };
    let (choices, after) = rest.split_once('}').expect("a brace that opens closes");
    let choices = match choices.split_once("..") {
        Some((first, last)) => {
            let number = |text: &str| text.parse::<usize>().expect("a range is of numbers");
            (number(first)..=number(last)).map(|i| i.to_string()).collect()
        }
        None => choices.split(',').map(str::to_owned).collect::<Vec<_>>(),
    };
    let after = expand_word(after);
    choices.iter().flat_map(|choice| after.iter().map(move |after| format!("{before}{choice}{after}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_choices_and_ranges() {
        assert_eq!(expand("conv1 b{1..2}/{add,Relu}"), ["conv1", "b1/add", "b1/Relu", "b2/add", "b2/Relu"]);
        assert_eq!(expand(""), [""; 0]);
        assert_eq!(expand("unit_{9..11}").len(), 3);
    }
}
