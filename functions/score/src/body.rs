use std::io::{self, Write};

use decision::Batch;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::line::{self, Line};

/// Builds the body of the batch's object under `transactions/`. Lines are collected and compressed
/// in chunks.
pub(crate) struct Body {
    lines: Vec<u8>,
    gzip: GzEncoder<Vec<u8>>,
}

impl Body {
    const CHUNK_BYTES: usize = 64 * 1024;

    /// A body with room for these transactions.
    pub(crate) fn new<'b>(batches: impl Iterator<Item = &'b Batch<'b>>) -> Self {
        let estimate: usize = batches.map(estimated_bytes).sum();
        // Gzip shrinks the lines to about a fifth.
        let gzip = GzEncoder::new(Vec::with_capacity(estimate / 4 + 256), Compression::fast());
        Self {
            lines: Vec::with_capacity(Self::CHUNK_BYTES * 2),
            gzip,
        }
    }

    pub(crate) fn push_line(&mut self, line: &Line<'_>) {
        let written = line::write(&mut self.lines, line);
        debug_assert!(written.is_ok(), "writing into a Vec cannot fail");
        if self.lines.len() >= Self::CHUNK_BYTES {
            let compressed = self.compress();
            debug_assert!(compressed.is_ok(), "writing into a Vec cannot fail");
        }
    }

    fn compress(&mut self) -> io::Result<()> {
        self.gzip.write_all(&self.lines)?;
        self.lines.clear();
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        // INVARIANT: writing into a Vec cannot fail.
        let finished = self.compress().and_then(|()| self.gzip.finish());
        finished.unwrap_or_default()
    }
}

/// Before compression. Besides the transaction, a line has about 400 bytes.
fn estimated_bytes(batch: &Batch<'_>) -> usize {
    (0..batch.len()).map(|row| batch.raw(row).len() + 400).sum()
}
