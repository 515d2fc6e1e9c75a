//! A small stack: two shards, a lane of transactions, two evidence lanes, and a simple settlement.
//!
//! Settlement here is the shortest that keeps the ledger's rule: outcomes by conditional write,
//! publish, and delete a ledger object only when all its holds were published.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use harness::memory;
use jiff::{SignedDuration, Timestamp};
use store::{Objects as _, PutNew};
use turns::{
    BatchEntry, Claim, Completed, EvidenceEntry, HoldRange, HourRanges, Lane, Limits, Load, Plan,
    Settings, Sql, TurnId, Turns, VersionHolds, WaitingEntry, Work, batch_holds, evidence_entries,
    split,
};

use crate::warehouse::TestWarehouse;

pub(crate) const EVIDENCE_LANES: u16 = 2;
/// The most holds of an evidence entry: small, so that a turn makes several.
const MOST_HOLDS: u32 = 2;

/// A batch of the stream: its name in the ledger and its holds.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) entry: BatchEntry,
    /// Transaction ids, in the ledger's order.
    pub(crate) holds: Vec<&'static str>,
}

impl Batch {
    /// A batch of shard `shard`, records `first` to `last`.
    pub(crate) fn new(shard: &str, first: u32, last: u32, holds: &[&'static str]) -> Self {
        let arrived_at = Timestamp::from_second(1_000 + i64::from(first)).unwrap();
        let held = VersionHolds {
            version: "v1".to_owned(),
            holds: u32::try_from(holds.len()).unwrap(),
        };
        let entry = BatchEntry {
            arrived_at,
            shard: shard.to_owned(),
            first: first.to_string(),
            last: last.to_string(),
            bytes: 100,
            held: if holds.is_empty() {
                Vec::new()
            } else {
                vec![held]
            },
            due: (!holds.is_empty()).then(|| Timestamp::from_second(1_200).unwrap()),
            hours: HourRanges::from_timestamps([arrived_at]),
        };
        Self {
            entry,
            holds: holds.to_vec(),
        }
    }

    pub(crate) fn object_key(&self) -> String {
        decision::keys::transactions(self.entry.arrived_at, &self.entry.batch_name())
    }

    pub(crate) fn ledger_key(&self) -> String {
        let BatchEntry {
            shard, first, last, ..
        } = &self.entry;
        format!("holds/{shard}-{first}-{last}")
    }

    pub(crate) fn waiting_key(&self) -> String {
        WaitingEntry::Batch(self.entry.clone()).key()
    }
}

/// Everything that outlives a process.
pub(crate) struct World {
    pub(crate) objects: memory::Objects,
    pub(crate) warehouse: TestWarehouse,
    pub(crate) settings: Settings,
    /// The keys of the loaded objects.
    pub(crate) loaded: Mutex<BTreeSet<String>>,
    /// Final decisions that were published, by hold: the batch's ledger key and the transaction.
    pub(crate) published: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// Batches, by object key, of which a waiting entry was seen.
    waited: Mutex<BTreeSet<String>>,
    /// Wake-ups of lanes that were not delivered yet.
    pub(crate) notifications: Mutex<Vec<Lane>>,
    pub(crate) violations: Mutex<Vec<String>>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl World {
    pub(crate) fn new() -> Self {
        let objects = memory::Objects::new();
        objects.set_time(Timestamp::UNIX_EPOCH);
        Self {
            objects,
            warehouse: TestWarehouse::default(),
            settings: Settings {
                bucket: "b".to_owned(),
                stack: "s".to_owned(),
                limits: Limits {
                    objects: 3,
                    bytes: 1_000,
                    holds: 1_000,
                    hold_groups: 1_000,
                },
                load_interval: SignedDuration::from_secs(300),
                turn_interval: SignedDuration::ZERO,
                grace: SignedDuration::from_secs(60),
                random_id: || NEXT_ID.fetch_add(1, Ordering::Relaxed).to_string(),
            },
            loaded: Mutex::default(),
            published: Mutex::default(),
            waited: Mutex::default(),
            notifications: Mutex::default(),
            violations: Mutex::default(),
        }
    }

    pub(crate) fn turns(&self) -> Turns<'_, memory::Objects, TestWarehouse, Self> {
        Turns {
            objects: &self.objects,
            warehouse: &self.warehouse,
            work: self,
            settings: &self.settings,
        }
    }

    pub(crate) fn lanes() -> Vec<Lane> {
        let evidence = (0..EVIDENCE_LANES).map(Lane::Evidence);
        std::iter::once(Lane::Transactions)
            .chain(evidence)
            .collect()
    }

    pub(crate) fn violation(&self, text: String) {
        self.violations.lock().unwrap().push(text);
    }

    /// Whether the batch waits now or did before.
    pub(crate) fn waited(&self, batch: &Batch, waits: bool) -> bool {
        let mut waited = self.waited.lock().unwrap();
        if waits {
            waited.insert(batch.object_key());
        }
        waited.contains(&batch.object_key())
    }

    pub(crate) fn is_published(&self, ledger_key: &str, holds: usize) -> bool {
        let published = self.published.lock().unwrap();
        published
            .get(ledger_key)
            .is_some_and(|done| done.len() == holds)
    }

    /// What score does for a batch, up to the waiting entry.
    pub(crate) async fn score(&self, batch: &Batch) {
        let lines = batch.holds.join("\n").into_bytes();
        self.objects
            .put(&batch.object_key(), b"rows".to_vec())
            .await
            .unwrap();
        if !batch.holds.is_empty() {
            self.objects.put(&batch.ledger_key(), lines).await.unwrap();
        }
        self.put_waiting(&WaitingEntry::Batch(batch.entry.clone()))
            .await;
    }

    async fn put_waiting(&self, entry: &WaitingEntry) {
        self.objects.put(&entry.key(), Vec::new()).await.unwrap();
        if entry.is_held() {
            self.notifications.lock().unwrap().push(entry.lane());
        }
    }

    /// Settles the holds of one ledger object that lie in `range` of its lines.
    async fn settle(&self, ledger_key: &str, range: std::ops::Range<usize>, how: &str) {
        let Some(bytes) = self.objects.get(ledger_key).await.unwrap() else {
            return;
        };
        let text = String::from_utf8(bytes).unwrap();
        let holds: Vec<&str> = text.lines().collect();
        let mut ours = BTreeSet::new();
        for (place, hold) in holds.iter().enumerate() {
            let key = format!("outcomes/{hold}");
            if range.contains(&place) {
                let put = self.objects.put_new(&key, how.as_bytes().to_vec()).await;
                let (PutNew::Written | PutNew::Exists(_)) = put.unwrap();
                ours.insert((*hold).to_owned());
            } else if self.objects.get(&key).await.unwrap().is_some() {
                ours.insert((*hold).to_owned());
            }
        }
        let all = ours.len() == holds.len();
        tokio::task::yield_now().await;
        self.publish(ledger_key, ours);
        if all {
            self.objects.delete(ledger_key).await.unwrap();
        }
    }

    fn publish(&self, ledger_key: &str, holds: BTreeSet<String>) {
        let mut published = self.published.lock().unwrap();
        published
            .entry(ledger_key.to_owned())
            .or_default()
            .extend(holds);
    }

    /// The sweep's part for a ledger object that no waiting entry and no unmarked turn names.
    pub(crate) async fn forgotten(&self, batch: &Batch) {
        if self.objects.bytes(&batch.ledger_key()).is_none() {
            return;
        }
        let pending = self.turns().pending_batches(EVIDENCE_LANES).await.unwrap();
        if pending.contains(&batch.entry.batch_name()) {
            return;
        }
        self.settle(&batch.ledger_key(), 0..0, "").await;
        if self
            .objects
            .get(&batch.ledger_key())
            .await
            .unwrap()
            .is_some()
        {
            self.put_waiting(&WaitingEntry::Batch(batch.entry.clone()))
                .await;
        }
    }

    /// The sweep's part for a batch after its deadline.
    pub(crate) async fn expire(&self, batch: &Batch) {
        self.settle(&batch.ledger_key(), 0..usize::MAX, "expired")
            .await;
    }

    async fn settle_range(&self, entry: &EvidenceEntry, how: &str) {
        let turn = TurnId {
            lane: Lane::Transactions,
            number: entry.turn,
        };
        let bytes = self.objects.get(&turn.claim_key()).await.unwrap().unwrap();
        let claim: Claim = serde_json::from_slice(&bytes).unwrap();
        for holds in batch_holds(&claim) {
            let from = entry.from.max(holds.first);
            let to = entry.to.min(holds.end());
            if from >= to {
                continue;
            }
            let Some(WaitingEntry::Batch(batch)) = claim.entries[holds.place].entry() else {
                unreachable!("only batches have holds");
            };
            let BatchEntry {
                shard, first, last, ..
            } = batch;
            let range = (from - holds.first) as usize..(to - holds.first) as usize;
            self.settle(&format!("holds/{shard}-{first}-{last}"), range, how)
                .await;
        }
    }
}

/// A statement about these objects. Its text is the plan.
fn statement(
    plan: &Plan,
    objects: impl IntoIterator<Item = String>,
) -> Result<Sql, Box<dyn StdError + Send + Sync>> {
    let parameters = objects.into_iter().map(|key| ("object".to_owned(), key));
    Ok(Sql {
        sqls: vec![serde_json::to_string(plan)?],
        parameters: parameters.collect(),
    })
}

impl Work for World {
    async fn load_sql(&self, load: Load<'_>) -> Result<Sql, Box<dyn StdError + Send + Sync>> {
        let claimed = load.entries.iter().map(|place| &load.claim.entries[*place]);
        let plan = Plan::Load {
            entries: load.entries.to_vec(),
            on_bad_rows: load.on_bad_rows,
            quarantined: Vec::new(),
        };
        statement(&plan, claimed.map(|entry| entry.object_key().unwrap()))
    }

    async fn evidence_sql(
        &self,
        holds: &HoldRange,
    ) -> Result<Option<Sql>, Box<dyn StdError + Send + Sync>> {
        let entry = WaitingEntry::Evidence(EvidenceEntry {
            lane: 0,
            turn: holds.turn,
            from: holds.from,
            to: holds.to,
        });
        statement(&Plan::Evidence, [entry.key()]).map(Some)
    }

    async fn complete(
        &self,
        completed: Completed<'_>,
        _: Timestamp,
    ) -> Result<Vec<Lane>, Box<dyn StdError + Send + Sync>> {
        let Completed {
            turn, claim, plan, ..
        } = completed;
        let mut lanes = Vec::new();
        if turn.lane == Lane::Transactions {
            let covered = completed.covered();
            let entries =
                evidence_entries(turn.number, claim, &covered, MOST_HOLDS, EVIDENCE_LANES);
            for entry in entries {
                lanes.push(Lane::Evidence(entry.lane));
                self.put_waiting(&WaitingEntry::Evidence(entry)).await;
            }
            return Ok(lanes);
        }
        let Some(WaitingEntry::Evidence(entry)) = claim.entries[0].entry() else {
            unreachable!("an evidence lane has evidence entries");
        };
        match (plan, split(&entry)) {
            (Plan::Split, Some(halves)) => {
                for half in halves {
                    lanes.push(Lane::Evidence(half.lane));
                    self.put_waiting(&WaitingEntry::Evidence(half)).await;
                }
            }
            (Plan::WithoutEvidence, _) => self.settle_range(&entry, "without evidence").await,
            _ => self.settle_range(&entry, "evidence").await,
        }
        Ok(lanes)
    }

    fn completes(&self, _: Lane) -> bool {
        true
    }
}
