//! The memory that reading a training set takes.

mod unloaded;

use allocation_counter::measure;
use features::Definition;
use harness::fixture::DEFINITION;
use train::TrainingSetReader;

use self::unloaded::{csv, lines};

const ROWS: usize = 80_000;
const FILES: usize = 4;
/// Time, amount, label and the one window.
const BYTES_OF_A_ROW: usize = 16 + 8 + 1 + 8;
/// Buffers of the decompression and of the CSV.
const BUFFERS: usize = 300_000;

/// `make bench-quality PART=unloaded` measures two million rows.
#[test]
fn files_are_read_as_streams_into_columns() {
    let definition = Definition::parse(DEFINITION).unwrap();
    let lines = lines(ROWS);
    let texts: Vec<String> = lines.chunks(ROWS / FILES).map(csv).collect();
    let files: Vec<Vec<u8>> = texts
        .iter()
        .map(|text| store::gzip(text.as_bytes()))
        .collect();
    assert!(texts.iter().all(|text| text.len() > 4 * BUFFERS));
    let mut reader = None;
    let reading = measure(|| {
        let mut new = TrainingSetReader::new(&definition, ROWS);
        for file in &files {
            new.read(store::gunzip_reader(file)).unwrap();
        }
        reader = Some(new);
    });
    let columns = ROWS * BYTES_OF_A_ROW;
    let peak = reading.bytes_max as usize;
    assert!(peak < columns + BUFFERS, "{peak} bytes, columns {columns}");

    // Rows are sorted by their places; then one column after the other is copied.
    let reader = reader.unwrap();
    let mut set = None;
    let sorting = measure(|| set = Some(reader.finish()));
    assert_eq!(set.unwrap().len(), ROWS);
    let places_and_column = ROWS * (4 + 16);
    let peak = sorting.bytes_max as usize;
    assert!(peak < places_and_column + BUFFERS, "{peak} bytes");
}
