//! Texts as they can be seen.
//!
//! A name goes to terminals, logs and files. Characters that a terminal takes for orders, that break lines or that turn
//! the order of what is read around are no part of one: they are read as what they are called, so that nobody who
//! prints a name has to look at it again.

use std::borrow::Cow;

/// A text with what cannot be seen written out, as `\u{1b}` or `\n`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_hidden(c) {
            true => seen.extend(c.escape_default()),
            false => seen.push(c),
        }
    }
    Cow::Owned(seen)
}

/// Controls, and what breaks or turns lines.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        for plain in ["", "a b", "größe", "名前", r"a\n"] {
            assert_eq!(visible(plain), plain);
        }
        assert_eq!(visible("\u{1b}[31mred\u{7}"), r"\u{1b}[31mred\u{7}");
        assert_eq!(visible("a\nb\r\tc"), r"a\nb\r\tc");
        assert_eq!(visible("x\u{202e}y\u{9b}31m"), r"x\u{202e}y\u{9b}31m");
    }
}
