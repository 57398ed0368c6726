//! Takes apart Docker's multiplexed stream of two outputs: frames of one byte for the output, three of nothing, four for
//! the length (big-endian), and that many bytes. Used for logs and for commands without a terminal.

use bytes::{Buf, Bytes, BytesMut};

use crate::engine::Output;

const HEADER: usize = 8;

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) enum Frame {
    /// What was written.
    Written(Output, Bytes),
    /// What the daemon itself has to say: why no more comes.
    Trouble(Bytes),
}

/// Bytes that are no such stream.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) struct NoFrame;

/// Collects pieces and gives whole frames.
#[derive(Debug, Default)]
pub(in crate::engine) struct Frames(BytesMut);

impl Frames {
    /// Adds what came.
    pub(in crate::engine) fn push(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
    }

    /// The next whole frame, if it is there.
    pub(in crate::engine) fn next(&mut self) -> Result<Option<Frame>, NoFrame> {
        let Some((&[kind, _, _, _, a, b, c, d], _)) = self.0.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        // What was typed (0) is echoed like output.
        let frame: fn(Bytes) -> Frame = match kind {
            0 | 1 => |bytes| Frame::Written(Output::Stdout, bytes),
            2 => |bytes| Frame::Written(Output::Stderr, bytes),
            3 => Frame::Trouble,
            _ => return Err(NoFrame),
        };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).map_err(|_| NoFrame)?;
        if self.0.len() - HEADER < length {
            return Ok(None);
        }
        self.0.advance(HEADER);
        Ok(Some(frame(self.0.split_to(length).freeze())))
    }

    /// Whether nothing of a frame is left over.
    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![kind, 0, 0, 0];
        frame.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
        frame.extend(payload);
        frame
    }

    proptest! {
        #[test]
        fn frames_come_out_however_the_stream_is_cut(
            payloads in proptest::collection::vec((1u8..4, proptest::collection::vec(any::<u8>(), 0..50)), 0..8),
            cut in 1usize..20,
        ) {
            let stream: Vec<u8> = payloads.iter().flat_map(|(kind, bytes)| frame(*kind, bytes)).collect();
            let mut frames = Frames::default();
            let mut seen = Vec::new();
            for piece in stream.chunks(cut) {
                frames.push(piece);
                while let Some(frame) = frames.next().unwrap() {
                    seen.push(match frame {
                        Frame::Written(Output::Stdout, bytes) => (1, bytes.to_vec()),
                        Frame::Written(Output::Stderr, bytes) => (2, bytes.to_vec()),
                        Frame::Trouble(bytes) => (3, bytes.to_vec()),
                    });
                }
            }
            prop_assert!(frames.is_empty());
            prop_assert_eq!(seen, payloads);
        }
    }

    #[test]
    fn what_is_no_frame_is_seen() {
        let mut frames = Frames::default();
        frames.push(b"plain text");
        assert_eq!(frames.next(), Err(NoFrame));
    }
}
