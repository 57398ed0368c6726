//! Text inside HTML and XML, whoever wrote it.

/// `text` where HTML or XML may have text or a value: nothing in it is markup, and control characters and what no XML document
/// may have are shown as U+FFFD.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::escape;

    #[test]
    fn what_is_markup_is_not_any_more() {
        assert_eq!(
            escape("<script src=\"x\">'&\u{1b}\u{ffff}é"),
            "&lt;script src=&quot;x&quot;&gt;&#39;&amp;\u{fffd}\u{fffd}é"
        );
    }

    proptest! {
        #[test]
        fn it_never_has_markup(text: String) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']) && !escaped.contains(char::is_control));
        }
    }
}
