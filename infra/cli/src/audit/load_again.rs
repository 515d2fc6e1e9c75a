//! Commands that load an object again. Each writes a waiting entry: loads leave out the rows that
//! the warehouse already has.

use decision::keys;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use store::ObjectInfo;
use turns::{FileEntry, HourRanges, SliceEntry, WaitingEntry};

/// For a batch. Its entry is that of a file of history.
pub(super) fn batch(bucket: &str, object: &ObjectInfo) -> String {
    write_entry(bucket, &WaitingEntry::History(file(object)), &object.key)
}

/// For a file of fraud reports.
pub(super) fn label_file(bucket: &str, object: &ObjectInfo) -> String {
    write_entry(bucket, &WaitingEntry::Labels(file(object)), &object.key)
}

/// For a slice of final decisions. `None` if the object is not at the key of a slice.
pub(super) fn slice(bucket: &str, object: &ObjectInfo) -> Option<String> {
    let path = object.key.strip_prefix(keys::OUTCOME_SLICES)?;
    let (date, name) = path.strip_suffix(".ndjson.gz")?.split_once('/')?;
    let date: Date = date.parse().ok()?;
    let entry = WaitingEntry::Outcomes(SliceEntry {
        decided_at: TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?,
        name: name.to_owned(),
        bytes: object.bytes,
    });
    Some(write_entry(bucket, &entry, ""))
}

fn file(object: &ObjectInfo) -> FileEntry {
    let mut id = hex::encode(Sha256::digest(&object.key));
    id.truncate(16);
    FileEntry {
        arrived_at: object.modified,
        id,
        bytes: object.bytes,
        // The command does not read the file.
        hours: HourRanges::default(),
    }
}

fn write_entry(bucket: &str, entry: &WaitingEntry, content: &str) -> String {
    let content = content.replace('\'', r"'\''");
    let key = entry.key();
    format!("printf %s '{content}' | aws s3 cp - 's3://{bucket}/{key}'")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use turns::Lane;

    use super::*;

    fn object(key: &str) -> ObjectInfo {
        ObjectInfo {
            key: key.to_owned(),
            modified: Timestamp::from_second(1_000_000).unwrap(),
            bytes: 7,
        }
    }

    /// The entry that a command writes.
    fn entry(command: &str) -> WaitingEntry {
        let (_, key) = command.split_once("s3://bucket/").unwrap();
        WaitingEntry::parse(key.trim_end_matches('\'')).unwrap()
    }

    #[test]
    fn each_command_writes_an_entry_of_the_lane() {
        let key = "outcomes/dt=2026-01-31/0a.ndjson.gz";
        let commands = [
            (
                batch("bucket", &object("transactions/a")),
                Lane::Transactions,
            ),
            (label_file("bucket", &object("labels/a")), Lane::Labels),
            (slice("bucket", &object(key)).unwrap(), Lane::Outcomes),
        ];
        for (command, lane) in commands {
            assert_eq!(entry(&command).lane(), lane, "{command}");
        }
        assert_eq!(slice("bucket", &object("outcomes/x")), None);
    }

    #[test]
    fn the_entry_of_a_slice_names_its_object() {
        let key = "outcomes/dt=2026-01-31/0a.ndjson.gz";
        let WaitingEntry::Outcomes(entry) = entry(&slice("bucket", &object(key)).unwrap()) else {
            panic!("expected an entry of the outcomes");
        };
        assert_eq!(keys::outcome_slice(entry.decided_at, &entry.name), key);
    }

    #[test]
    fn files_of_one_second_and_size_have_different_entries() {
        let commands = ["labels/a", "labels/b"].map(|key| label_file("bucket", &object(key)));
        let [one, two] = commands.each_ref().map(|command| entry(command));
        assert_ne!(one, two);
    }

    #[test]
    fn a_key_with_a_quote_is_one_word_of_the_shell() {
        let command = label_file("bucket", &object("labels/it's"));
        assert!(
            command.starts_with(r"printf %s 'labels/it'\''s' |"),
            "{command}"
        );
    }
}
