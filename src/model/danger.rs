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

#[cfg(test)]
mod tests {
    use super::is_dangerous;

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
