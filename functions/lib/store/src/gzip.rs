use std::io::{BufRead, BufReader, Read, Write};

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

/// The content of a gzip, decompressed as it is read. Damage is an error of the read.
pub fn gunzip_reader(bytes: &[u8]) -> impl Read {
    MultiGzDecoder::new(bytes)
}

/// The lines of a gzip, decompressed as they are read. A line that is not UTF-8 has the replacement
/// character in place of each bad sequence. Reading ends at the first damage.
pub fn gunzip_lines(bytes: &[u8]) -> impl Iterator<Item = String> {
    let lines = BufReader::new(MultiGzDecoder::new(bytes)).split(b'\n');
    lines
        .map_while(Result::ok)
        .map(|line| String::from_utf8_lossy(&line).into_owned())
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

    #[test]
    fn a_reader_reads_all_members_and_fails_at_the_first_damage() {
        let read = |bytes: &[u8]| {
            let mut text = String::new();
            let ended = gunzip_reader(bytes).read_to_string(&mut text);
            (text, ended.is_ok())
        };
        let two = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(read(&two), ("one\ntwo\n".to_owned(), true));
        let cut = &gzip(&b"line\n".repeat(1_000))[..30];
        assert!(!read(cut).1);
    }

    #[test]
    fn lines_are_read_up_to_the_first_damage() {
        let lines = |bytes: &[u8]| gunzip_lines(bytes).collect::<Vec<_>>();
        assert_eq!(lines(&gzip(b"a\n\xFF\n\nb")), ["a", "\u{FFFD}", "", "b"]);
        assert_eq!(lines(b"plain"), [""; 0]);
        let damaged = [gzip(b"whole\n"), b"damage".to_vec()].concat();
        assert_eq!(lines(&damaged), ["whole"]);
    }
}
