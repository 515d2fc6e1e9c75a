use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::Error;

/// `bytes` as gzip, at the fastest level. The same bytes give the same gzip: no time is written in it.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(
        Vec::with_capacity(bytes.len() / 4 + 64),
        Compression::fast(),
    );
    // INVARIANT: writing into a Vec cannot fail.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// What [`gzip`] made of bytes, undone. `name` is for the error.
pub fn gunzip(name: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut plain = Vec::with_capacity(bytes.len() * 4);
    MultiGzDecoder::new(bytes)
        .read_to_end(&mut plain)
        .map_err(|e| Error::NotGzip(name.to_owned(), e))?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_undone_and_the_same_every_time() {
        let text = b"a line\n".repeat(1000);
        assert_eq!(gunzip("x", &gzip(&text)).unwrap(), text);
        assert_eq!(gzip(&text), gzip(&text));
        assert_eq!(gunzip("x", &gzip(b"")).unwrap(), b"");
        assert_eq!(
            gunzip("labels/x.gz", b"plain").unwrap_err().to_string(),
            "labels/x.gz is not gzip"
        );
    }
}
