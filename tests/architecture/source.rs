//! Reads Rust as text, as far as finding out which paths it names.

/// A name, `::` or another character, and its line from 1.
pub type Token = (usize, String);

/// A path and its line from 1.
pub type Found = (usize, Vec<String>);

/// The paths into the crate, from its root, with their lines.
pub fn imports(
    tokens: &[Token],
    modules: &[String],
    is_module: &dyn Fn(&str) -> bool,
) -> Vec<Found> {
    let mut found = Vec::new();
    for (line, path) in paths(tokens) {
        let supers = path.iter().take_while(|part| *part == "super").count();
        let rest = match path.first().map(String::as_str) {
            Some("crate" | "zoe") => path.get(1..),
            // In a module inside the file `super` is the file itself: only what has a module's name leaves it.
            Some("super") if supers >= modules.len() => path
                .get(supers..)
                .filter(|rest| rest.first().is_some_and(|r| is_module(r))),
            _ => None,
        };
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            found.push((line, rest.to_vec()));
        }
    }
    found
}

/// All paths of names and `::` in the text, groups `a::{b, c::d}` written out.
pub fn paths(tokens: &[Token]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((_, token)) = tokens.get(at) {
        if is_name(token) {
            at = path_at(tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads the path at a position behind a prefix; returns where it ends.
fn path_at(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Found>) -> usize {
    let mut path = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.0);
    let token = |at: usize| tokens.get(at).map(|(_, token)| token.as_str());
    loop {
        match token(at) {
            Some("{") => {
                at += 1;
                while let Some(next) = token(at) {
                    match next {
                        "}" => return at + 1,
                        name if is_name(name) => at = path_at(tokens, at, &path, found),
                        _ => at += 1,
                    }
                }
                return at;
            }
            Some(name) if is_name(name) => path.push(name.to_owned()),
            _ => break,
        }
        at += 1;
        if token(at) != Some("::") {
            break;
        }
        at += 1;
    }
    found.push((line, path));
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single other characters, each with its line from 1.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let name = |c: char| c.is_alphanumeric() || c == '_';
            let length = if name(first) {
                rest.find(|c| !name(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                found.push((number + 1, rest[..length].to_owned()));
            }
            rest = &rest[length..];
        }
    }
    found
}

/// The text with comments, strings and character literals turned into blanks; lines stay.
pub fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_name = false;
    while let Some(first) = rest.chars().next() {
        let skip = if in_name { 0 } else { literal(rest) };
        if skip == 0 {
            out.push(first);
            in_name = first.is_alphanumeric() || first == '_';
            rest = &rest[first.len_utf8()..];
        } else {
            let keep = |c: char| if c == '\n' { '\n' } else { ' ' };
            out.extend(rest[..skip].chars().map(keep));
            in_name = false;
            rest = &rest[skip..];
        }
    }
    out
}

/// How many bytes the comment, string or character that begins here has; 0 if none begins.
fn literal(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    let prefix = text.find(|c: char| !"bcr".contains(c)).unwrap_or(0);
    let (letters, body) = text.split_at(prefix.min(2));
    if letters.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        if body[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let inside = &body[hashes + 1..];
            let end = inside
                .find(&close)
                .map_or(inside.len(), |at| at + close.len());
            return letters.len() + hashes + 1 + end;
        }
    }
    if body.starts_with('"') {
        return letters.len() + quoted(body, '"');
    }
    if let Some(inside) = body.strip_prefix('\'') {
        // A lifetime has no closing quote right after its one character.
        let mut inside = inside.chars();
        return match (inside.next(), inside.next()) {
            (Some('\\'), _) => letters.len() + quoted(body, '\''),
            (Some(character), Some('\'')) => letters.len() + character.len_utf8() + 2,
            _ => 0,
        };
    }
    0
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    loop {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            let Some(next) = rest.chars().next() else {
                return at;
            };
            at += next.len_utf8();
        }
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}
