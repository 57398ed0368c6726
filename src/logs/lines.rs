//! How a chunk is written in an archive: as rows that a person can read and that give back every byte.
//!
//! ```text
//! 2026-11-22T10:00:00.123456789Z o a line of standard output
//! 2026-11-22T10:00:00.123456790Z e one of standard error
//! 2026-11-22T10:00:01.000000000Z o- a part of a line: it has no newline of its own
//! 2026-11-22T10:00:01.000000001Z o+ a line that is not the last of its chunk
//! 2026-11-22T10:00:01.000000001Z o  the last line of that chunk, indented by one blank
//! ```
//!
//! The text begins after exactly one blank and goes up to the newline; nothing in it is changed.

use std::io::{self, BufRead, Write};

use jiff::Timestamp;

use crate::engine::{LogChunk, Output};

/// What follows the text of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// A newline, and the chunk is complete.
    Line,
    /// Nothing: the chunk is complete without a newline.
    Part,
    /// A newline, and the chunk goes on in the next row.
    More,
}

/// Writes a chunk as rows.
pub fn write(out: &mut impl Write, chunk: &LogChunk) -> io::Result<()> {
    let mut row = |text: &[u8], end: End| {
        let output = match chunk.output {
            Output::Stdout => 'o',
            Output::Stderr => 'e',
        };
        let mark = match end {
            End::Line => "",
            End::Part => "-",
            End::More => "+",
        };
        write!(out, "{:.9} {output}{mark} ", chunk.at)?;
        out.write_all(text)?;
        out.write_all(b"\n")
    };
    let mut rest: &[u8] = &chunk.bytes;
    loop {
        match rest.iter().position(|byte| *byte == b'\n') {
            None => return row(rest, End::Part),
            Some(at) => {
                let (text, after) = rest.split_at(at);
                rest = after.get(1..).unwrap_or_default();
                if rest.is_empty() {
                    return row(text, End::Line);
                }
                row(text, End::More)?;
            }
        }
    }
}

/// Reads the next chunk; None at the end.
///
/// # Errors
/// Those of the reader, and `InvalidData` where rows are not as [`write`] makes them.
pub fn read(input: &mut impl BufRead) -> io::Result<Option<LogChunk>> {
    let mut bytes = Vec::new();
    let mut chunk: Option<(Timestamp, Output)> = None;
    let mut row = Vec::new();
    loop {
        row.clear();
        if input.read_until(b'\n', &mut row)? == 0 {
            return match chunk {
                None => Ok(None),
                Some(_) => Err(invalid("it ends within a chunk")),
            };
        }
        let (at, output, end, text) = parse(&row).ok_or_else(|| {
            invalid(&format!(
                "'{}' is no log row",
                crate::model::ids::shorten(&String::from_utf8_lossy(&row))
            ))
        })?;
        if *chunk.get_or_insert((at, output)) != (at, output) {
            return Err(invalid("a chunk is interrupted by another"));
        }
        bytes.extend_from_slice(text);
        if end != End::Part {
            bytes.push(b'\n');
        }
        if end != End::More {
            let bytes = bytes.into();
            return Ok(Some(LogChunk { at, output, bytes }));
        }
    }
}

fn parse(row: &[u8]) -> Option<(Timestamp, Output, End, &[u8])> {
    let row = row.strip_suffix(b"\n")?;
    let mut fields = row.splitn(3, |byte| *byte == b' ');
    let at = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let (output, end) = match fields.next()? {
        b"o" => (Output::Stdout, End::Line),
        b"o-" => (Output::Stdout, End::Part),
        b"o+" => (Output::Stdout, End::More),
        b"e" => (Output::Stderr, End::Line),
        b"e-" => (Output::Stderr, End::Part),
        b"e+" => (Output::Stderr, End::More),
        _ => return None,
    };
    Some((at, output, end, fields.next()?))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunk(nanosecond: i128, output: Output, bytes: &[u8]) -> LogChunk {
        LogChunk {
            at: Timestamp::from_nanosecond(nanosecond).unwrap(),
            output,
            bytes: bytes.to_vec().into(),
        }
    }

    #[test]
    fn rows_can_be_read_by_people() {
        let mut rows = Vec::new();
        for (output, bytes) in [
            (Output::Stdout, "a line\n"),
            (Output::Stderr, "a part"),
            (Output::Stdout, "\n two\n\n"),
            (Output::Stdout, ""),
        ] {
            write(&mut rows, &chunk(1, output, bytes.as_bytes())).unwrap();
        }
        insta::assert_snapshot!(String::from_utf8(rows).unwrap().replace(" \n", " $\n"), @r"
        1970-01-01T00:00:00.000000001Z o a line
        1970-01-01T00:00:00.000000001Z e- a part
        1970-01-01T00:00:00.000000001Z o+ $
        1970-01-01T00:00:00.000000001Z o+  two
        1970-01-01T00:00:00.000000001Z o $
        1970-01-01T00:00:00.000000001Z o- $
        ");
    }

    #[test]
    fn what_is_no_log_is_refused() {
        let row = "1970-01-01T00:00:00.000000001Z o+ a\n";
        for bad in [
            "x\n",
            "\n",
            "1970-01-01T00:00:00Z o\n",
            "1970-01-01T00:00:00Z x a\n",
            "1970-01-01T00:00:00Z o a",
            row,
            &format!("{row}{}", row.replace("o+", "e")),
        ] {
            let error = read(&mut bad.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bad:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn chunks_come_back_as_they_were(
            chunks in proptest::collection::vec(
                (any::<i64>(), any::<bool>(), proptest::collection::vec(
                    prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), Just(b'o'), any::<u8>()], 0..40)),
                0..20),
        ) {
            let chunks: Vec<LogChunk> = chunks
                .iter()
                .map(|(at, error, bytes)| {
                    let output = if *error { Output::Stderr } else { Output::Stdout };
                    chunk(i128::from(*at), output, bytes)
                })
                .collect();
            let mut rows = Vec::new();
            for chunk in &chunks {
                write(&mut rows, chunk).unwrap();
            }
            let mut input = rows.as_slice();
            let mut back = Vec::new();
            while let Some(chunk) = read(&mut input).unwrap() {
                back.push(chunk);
            }
            prop_assert_eq!(back, chunks);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&mut bytes.as_slice());
        }
    }
}
