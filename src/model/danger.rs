//! Characters that do something where text is shown, instead of being shown.

/// Whether a character could move a cursor, end a line or a header, change colours, reorder what is read, or be there without being
/// seen. The joiners that scripts and emoji need are not among them.
pub fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Line and paragraph separators.
            '\u{2028}' | '\u{2029}'
            // What changes the direction of text.
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // What is not seen: soft hyphen, spaces without width, invisible operators, old format characters, marks of byte order,
            // annotations, tags.
            | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What a library says of a text, for a sentence of ours: it may hold the text as it is, and all of it. What is dangerous is
/// shown as escapes, what is long ends with `…`.
pub fn told(said: &impl std::fmt::Display) -> String {
    const MOST: usize = 300;
    let said = said.to_string();
    let mut told = String::new();
    for c in said.chars().take(MOST) {
        if is_dangerous(c) {
            told.extend(c.escape_default());
        } else {
            told.push(c);
        }
    }
    if said.chars().nth(MOST).is_some() {
        told.push('…');
    }
    told
}

#[cfg(test)]
mod tests {
    use super::{is_dangerous, told};

    #[test]
    fn what_libraries_say_is_harmless_and_short() {
        assert_eq!(told(&"no `\u{9b}2J\n☃`"), "no `\\u{9b}2J\\n☃`");
        assert_eq!(told(&"x".repeat(1 << 20)).chars().count(), 301);
    }

    #[test]
    fn what_people_write_is_harmless() {
        assert!(!"naïve ☃ 👩\u{200d}🚀 \u{645}\u{6cc}\u{200c}\u{62e} 日本".contains(is_dangerous));
        for bad in [
            '\0',
            '\n',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{202e}',
            '\u{feff}',
            '\u{200b}',
            '\u{e0041}',
        ] {
            assert!(is_dangerous(bad), "{bad:?}");
        }
    }
}
