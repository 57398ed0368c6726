//! Text from outside, made harmless for a mail: names, reasons and what programs wrote may hold anything, of any length.

use crate::model::danger::is_dangerous;

/// `text` in one line of at most so many characters: what is dangerous becomes a space, what is too long ends with `…`.
pub fn line(text: &str, most: usize) -> String {
    let mut short: String = text
        .chars()
        .take(most)
        .map(|c| if is_dangerous(c) { ' ' } else { c })
        .collect();
    if text.chars().nth(most).is_some() {
        short.pop();
        short.push('…');
    }
    short.trim().to_owned()
}

/// The last so many lines of what a program wrote, each of at most so many characters: without colours and other escape
/// sequences, of a line that was overwritten (progress bars) only what was seen last, tabs as spaces.
pub fn last_lines(written: &[u8], lines: usize, most: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(written);
    let mut last: Vec<&str> = text.lines().rev().take(lines).collect();
    last.reverse();
    let seen = |text: &str| {
        let overwritten = text.trim_end_matches('\r').rsplit('\r').next();
        let plain = without_escapes(overwritten.unwrap_or_default());
        let plain = plain.replace('\t', "    ");
        let indent: String = plain.chars().take_while(|c| *c == ' ').collect();
        format!("{indent}{}", line(&plain, most))
    };
    last.into_iter().map(seen).collect()
}

/// `text` without the escape sequences of terminals (`ESC [ … letter`, and `ESC` with what follows it).
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            plain.push(c);
            continue;
        }
        if rest.next() == Some('[') {
            // Up to the letter that says what it does.
            for c in rest.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    break;
                }
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_stays_one_and_short() {
        assert_eq!(
            line("pi\r\nBcc: eve@example.org", 80),
            "pi  Bcc: eve@example.org"
        );
        assert_eq!(line("a\u{1b}[31mb\u{202e}c\u{2028}d\0", 80), "a [31mb c d");
        assert_eq!(line("abcdef", 6), "abcdef");
        assert_eq!(line("abcdefg", 6), "abcde…");
        assert_eq!(line(&"é".repeat(1 << 20), 5), "éééé…");
    }

    #[test]
    fn of_what_was_written_the_end_is_left() {
        let written = b"one\ntwo\n\x1b[31mred\x1b[0m\n 10%\r 50%\r100%\r\n\tindented\n\xff\n";
        assert_eq!(
            last_lines(written, 4, 20),
            ["red", "100%", "    indented", "\u{fffd}"]
        );
        assert_eq!(last_lines(b"", 4, 20), [""; 0]);
        assert_eq!(last_lines(&vec![b'x'; 1 << 20], 4, 3), ["xx…"]);
        assert_eq!(last_lines(b"a\x1b", 1, 9), ["a"]);
        assert_eq!(last_lines(b"a\x1b[12", 1, 9), ["a"]);
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(text in ".*", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!line(&text, 50).chars().any(is_dangerous));
            for one in last_lines(&bytes, 5, 50) {
                prop_assert!(!one.chars().any(is_dangerous));
            }
        }
    }
}
