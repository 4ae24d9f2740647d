//! The command that was given, to be given again.

/// The command line as one would type it, without what only matters once.
pub fn command_line() -> String {
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--resume");
    let quoted: Vec<String> = ["entoptic".to_owned()].into_iter().chain(arguments.map(quoted)).collect();
    quoted.join(" ")
}

/// An argument as a shell reads it as one.
fn quoted(argument: String) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,=+%@".contains(letter);
    match !argument.is_empty() && argument.chars().all(plain) {
        true => argument,
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (argument, expected) in [("fire8:188", "fire8:188"), ("a b", "'a b'"), ("", "''"), ("it's", r"'it'\''s'")] {
            assert_eq!(quoted(argument.into()), expected);
        }
    }
}
