use std::sync::Arc;
use std::time::Duration;

use bundle::{Bundle, Pointer};
use jiff::{SignedDuration, Timestamp};
use store::Objects;

use crate::bundle::{is_any, is_folder, open_first, read_folder};
use crate::pointer::read_pointer;
use crate::{BundleError, chain};

/// How many versions are open at once, at most.
const MOST_OPEN: usize = 3;
/// A replaced version stays open for records that arrived this long ago.
const LATE_RECORDS: SignedDuration = SignedDuration::from_mins(5);

/// The bundles of the first look: which one judges a record depends on the record's arrival and on
/// the pointer alone.
///
/// INVARIANT: a record is judged by a copy of the pointer that is at most half of the lead old. An
/// activation is written the whole lead before it, so the copy has every activation up to now. The
/// other half is for the write itself and for differences between clocks.
#[derive(Clone, Debug)]
pub struct Bundles {
    bundle: String,
    lead: Duration,
    pointer: Pointer,
    source: Source,
    /// The most recently used last.
    open: Vec<Arc<Bundle>>,
    /// The version that was refused before its activation: it is not tried again until then.
    refused: Option<String>,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    /// It never changes.
    Folder,
    Bucket {
        /// When the copy of the pointer was read.
        read_at: Timestamp,
    },
}

impl Bundles {
    /// Opens the version that is active at `now`. `bundle` is a name in the bucket, or the path of
    /// a folder if it begins with `/` or `.`. A change is announced `lead` before its activation.
    pub async fn open(
        bundle: &str,
        lead: Duration,
        now: Timestamp,
        objects: &impl Objects,
    ) -> Result<Self, BundleError> {
        if is_folder(bundle) {
            let opened = Bundle::open(&read_folder(bundle, is_any)?);
            let refused = |source| BundleError::refused(bundle.to_owned(), source);
            return Ok(Self::fixed(opened.map_err(refused)?));
        }
        let mut bundles = Self {
            bundle: bundle.to_owned(),
            lead,
            pointer: read_pointer(bundle, objects).await?,
            source: Source::Bucket { read_at: now },
            open: Vec::new(),
            refused: None,
        };
        bundles.bundle_at(now, objects).await?;
        Ok(bundles)
    }

    /// One bundle that judges all records.
    pub fn fixed(bundle: Bundle) -> Self {
        Self {
            bundle: bundle.definition().name.clone(),
            lead: Duration::ZERO,
            pointer: Pointer::first(bundle.version(), Timestamp::UNIX_EPOCH),
            source: Source::Folder,
            open: vec![Arc::new(bundle)],
            refused: None,
        }
    }

    /// Reads the pointer again if the copy is too old to judge records at `now`. On an error, no
    /// record may be judged.
    pub async fn follow(
        &mut self,
        now: Timestamp,
        objects: &impl Objects,
    ) -> Result<(), BundleError> {
        let Source::Bucket { read_at } = self.source else {
            return Ok(());
        };
        let age = now.duration_since(read_at);
        if age.is_negative() || age.unsigned_abs() > self.lead / 2 {
            self.pointer = read_pointer(&self.bundle, objects).await?;
            self.source = Source::Bucket { read_at: now };
        }
        Ok(())
    }

    /// The version that judges a record with this arrival. Call [`Bundles::follow`] before.
    pub fn version_at(&self, arrival: Timestamp) -> &str {
        self.pointer.version_at(arrival)
    }

    /// The bundle that judges a record with this arrival. Call [`Bundles::follow`] before.
    pub async fn bundle_at(
        &mut self,
        arrival: Timestamp,
        objects: &impl Objects,
    ) -> Result<Arc<Bundle>, BundleError> {
        let version = self.version_at(arrival).to_owned();
        self.by_version(&version, objects).await
    }

    /// This version. A refused version is an error with an alarm, also when it is active: another
    /// version would judge other records than the function that has this one open.
    pub async fn by_version(
        &mut self,
        version: &str,
        objects: &impl Objects,
    ) -> Result<Arc<Bundle>, BundleError> {
        let known = |open: &Arc<Bundle>| open.version() == version;
        if let Some(place) = self.open.iter().position(known) {
            let bundle = self.open.remove(place);
            self.open.push(Arc::clone(&bundle));
            return Ok(bundle);
        }
        if matches!(self.source, Source::Folder) {
            return Err(BundleError::NoVersion {
                bundle: self.bundle.clone(),
                version: version.to_owned(),
            });
        }
        let opened = open_first(&self.bundle, version, &self.open, objects).await;
        if let Err(error) = &opened
            && !error.is_transient()
        {
            // The template counts this message: see `RefusedBundles` there.
            tracing::error!(
                bundle = self.bundle,
                version,
                error = chain(error),
                "bundle version refused"
            );
        }
        let bundle = Arc::new(opened?);
        tracing::info!(bundle = self.bundle, version, "bundle version opened");
        self.open.push(Arc::clone(&bundle));
        let excess = self.open.len().saturating_sub(MOST_OPEN);
        self.open.drain(..excess);
        Ok(bundle)
    }

    /// Opens the version of the next activation, so that no batch waits for it, and closes replaced
    /// versions. Call it after a batch. Failures are logged: the version is tried again, at the
    /// latest when a record needs it.
    pub async fn open_next(&mut self, now: Timestamp, objects: &impl Objects) {
        let next = self.pointer.next_after(now);
        let next = next.map(|activation| activation.version.clone());
        if let Some(version) = &next
            && self.refused.as_ref() != Some(version)
            && let Err(error) = self.by_version(version, objects).await
        {
            tracing::warn!(
                bundle = self.bundle,
                version,
                error = chain(&error),
                "bundle version not opened ahead of its activation"
            );
            if !error.is_transient() {
                self.refused = Some(version.clone());
            }
        }
        let since = now.saturating_sub(LATE_RECORDS).unwrap_or(Timestamp::MIN);
        let mut needed = vec![self.pointer.version_at(since)];
        for activation in self.pointer.activations() {
            if activation.active_from > since {
                needed.push(&activation.version);
            }
        }
        self.open.retain(|open| needed.contains(&open.version()));
    }
}

#[cfg(test)]
mod tests;
