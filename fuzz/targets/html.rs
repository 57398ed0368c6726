//! HTML as a browser takes it apart, as far as zoe writes it: tags, with text between them.

/// The tags in their order, each as it is written; panics where something in the text between them, or in a value, is not text.
pub fn tags(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        is_text(&rest[..at]);
        let end = rest[at..].find('>').expect("a tag ends") + at;
        let tag = &rest[at + 1..end];
        let first = tag.trim_start_matches(['/', '!']).chars().next();
        assert!(first.is_some_and(|c| c.is_ascii_alphabetic()), "<{tag}>");
        assert!(
            !tag.contains('<') && tag.matches('"').count().is_multiple_of(2),
            "<{tag}>"
        );
        tags.push(tag.to_owned());
        rest = &rest[end + 1..];
    }
    is_text(rest);
    tags
}

/// No `<`, `>` and no `&` but in the references that zoe writes.
fn is_text(text: &str) {
    assert!(!text.contains('>'), "{text:?}");
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        assert!(
            known.iter().any(|known| text[at..].starts_with(known)),
            "{text:?}"
        );
    }
}
