use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

fn profiles(values: &BTreeMap<String, [f64; 3]>) -> Profiles {
    let mut table = TableBuilder::with_columns(1, 3);
    for (value, windows) in values {
        table.push(value, windows.iter().copied());
    }
    let empty = TableBuilder::with_columns(2, 1);
    Profiles::build(
        Timestamp::from_millisecond(1_769_850_000_000).unwrap(),
        vec![table, empty],
    )
    .unwrap()
}

proptest! {
    #[test]
    fn every_pushed_value_is_found_and_no_other(
        values in prop::collection::btree_map("[a-d]{0,3}|\\PC{1,9}", any::<[f64; 3]>(), 0..300),
        others in prop::collection::vec("[a-d]{0,3}", 0..50),
    ) {
        let built = profiles(&values);
        let read = Profiles::from_bytes(&built.to_bytes()).unwrap();
        prop_assert_eq!(read.to_bytes(), built.to_bytes());
        prop_assert_eq!((read.len(), read.cut_off()), (values.len(), built.cut_off()));
        for (value, windows) in &values {
            let row = read.find(0, value).unwrap();
            for (column, window) in windows.iter().enumerate() {
                let found = read.numbers(0, row, column)[0];
                prop_assert!(found == *window || found.is_nan() && window.is_nan());
            }
        }
        for other in others.iter().filter(|other| !values.contains_key(*other)) {
            prop_assert_eq!(read.find(0, other), None);
        }
        prop_assert_eq!(read.find(1, "a"), None);
        prop_assert_eq!(read.find(2, "a"), None);
    }

    #[test]
    fn a_corrupt_file_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..100usize, byte in any::<u8>()) {
        let _ = Profiles::from_bytes(&bytes);
        let values = BTreeMap::from([("a".to_owned(), [1.0; 3]), ("b".to_owned(), [2.0; 3])]);
        let mut file = profiles(&values).to_bytes();
        let end = at.min(file.len());
        prop_assert!(Profiles::from_bytes(&file[..end]).is_err() || end == file.len());
        if let Some(old) = file.get_mut(at) {
            *old = byte;
        }
        if let Ok(read) = Profiles::from_bytes(&file) {
            read.find(0, "a").map(|row| read.numbers(0, row, 2).len());
        }
    }
}

#[test]
fn a_value_with_two_profiles_is_refused() {
    let mut table = TableBuilder::with_columns(1, 1);
    ["a", "b", "a"]
        .into_iter()
        .for_each(|value| table.push(value, [1.0].into_iter()));
    assert_eq!(
        Profiles::build(Timestamp::UNIX_EPOCH, vec![table]),
        Err(ProfilesError::Twice(1))
    );
}

#[test]
fn the_file_has_the_documented_layout() {
    let bytes = profiles(&BTreeMap::from([("C1".to_owned(), [1.0, 2.0, f64::NAN])])).to_bytes();
    assert_eq!(bytes.len(), 8 + 4 + 4 + 8 + 2 * 16 + 8 + 3 * 8);
    assert_eq!(
        (&bytes[..8], &bytes[8..12]),
        (&b"SLPROFIL"[..], &[2, 0, 0, 0][..])
    );
    // The first 8 bytes of the SHA-256 of "C1", as a big-endian number.
    let key = u64::from_le_bytes(bytes[56..64].try_into().unwrap());
    assert_eq!(key.to_be_bytes()[..], Sha256::digest(b"C1")[..8]);
}
