use decision::{Origin, Provisional};
use store::StreamRecord;

/// The most bytes of a record that holds several decisions. Kinesis charges for each 25 KB begun,
/// so that larger records cost the same; smaller ones spread better over the stream's shards, of
/// which each accepts 1 MB a second, and let a consumer begin earlier.
const PACK_BYTES: usize = 25 * 1024;

/// The records for the stream. A hold is a record of its own, under its first entity. Approvals
/// share records, one a line, under the first entity of the first of them.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) records: Vec<StreamRecord>,
    /// For each of `records`, the index of the first record of the batch in it. Ascending.
    pub(crate) firsts: Vec<u32>,
    /// The index of the record that the next approval goes into.
    pack: Option<usize>,
    line: Vec<u8>,
}

impl Outgoing {
    pub(crate) fn push_alone(&mut self, decision: &Provisional<'_>, origin: Origin) {
        self.write_line(decision);
        self.open(decision, origin);
    }

    pub(crate) fn push_packed(&mut self, decision: &Provisional<'_>, origin: Origin) {
        self.write_line(decision);
        let pack = self.pack.and_then(|index| self.records.get_mut(index));
        if let Some(pack) = pack {
            let bytes = pack.partition_key.len() + pack.data.len() + 1 + self.line.len();
            if bytes <= PACK_BYTES {
                pack.data.push(b'\n');
                pack.data.append(&mut self.line);
                return;
            }
        }
        self.pack = Some(self.records.len());
        self.open(decision, origin);
    }

    fn write_line(&mut self, decision: &Provisional<'_>) {
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, decision);
        debug_assert!(written.is_ok(), "writing into a Vec cannot fail");
    }

    /// Makes a record of the line.
    fn open(&mut self, decision: &Provisional<'_>, origin: Origin) {
        self.records.push(StreamRecord {
            partition_key: decision.batch.partition_key(decision.row).to_owned(),
            data: std::mem::take(&mut self.line),
        });
        self.firsts.push(origin.record);
    }
}
