//! Reads the pointer to a bundle's versions, and changes it by compare-and-swap.

use std::time::Duration;

use bundle::{Pointer, PointerError};
use jiff::Timestamp;
use store::{Objects, PutNew, Replace};

use crate::BundleError;

/// How often a promotion that loses to another one begins again.
const MAX_TRIES: usize = 10;

/// A version that is to become active.
#[derive(Clone, Copy, Debug)]
pub struct Promotion<'a> {
    pub bundle: &'a str,
    pub version: &'a str,
    /// The version that the new one was derived from. The promotion is refused if another version
    /// has become the latest one since. `None` for a version that is not derived from another.
    pub replaces: Option<&'a str>,
    /// How long before its activation a version is announced.
    pub lead: Duration,
    /// The version is not active before this time: its profiles are for what arrives from then on.
    pub not_before: Option<Timestamp>,
}

/// Why a version was not promoted. The pointer is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum PromotionError {
    #[error(transparent)]
    Pointer(#[from] BundleError),
    #[error("version {found} was activated meanwhile, expected {expected}: begin again")]
    Overtaken { found: String, expected: String },
    #[error("{0} was changed by others in {MAX_TRIES} tries")]
    Contended(String),
}

impl From<store::Error> for PromotionError {
    fn from(error: store::Error) -> Self {
        Self::Pointer(error.into())
    }
}

/// The bundle's pointer.
pub async fn read_pointer(bundle: &str, objects: &impl Objects) -> Result<Pointer, BundleError> {
    let key = bundle::keys::pointer(bundle);
    match objects.get(&key).await? {
        Some(bytes) => parse(&key, &bytes),
        None => Err(BundleError::NoPointer(key)),
    }
}

pub(crate) async fn active_version(
    bundle: &str,
    now: Timestamp,
    objects: &impl Objects,
) -> Result<String, BundleError> {
    let pointer = read_pointer(bundle, objects).await?;
    Ok(pointer.version_at(now).to_owned())
}

/// Adds the version to the pointer. Returns the time from which it is active: `lead` from now, but
/// not before [`Promotion::not_before`]; or now for the first version of a bundle. A version that is the latest one already stays as it is.
///
/// All files of the version must have been written. Of two promotions at once, both versions end in
/// the pointer.
pub async fn promote(
    promotion: &Promotion<'_>,
    objects: &impl Objects,
    clock: impl Fn() -> Timestamp,
) -> Result<Timestamp, PromotionError> {
    let key = bundle::keys::pointer(promotion.bundle);
    for _ in 0..MAX_TRIES {
        let now = clock();
        let Some(found) = objects.get(&key).await? else {
            let first = encode(&key, &Pointer::first(promotion.version, now))?;
            if objects.put_new(&key, first).await? == PutNew::Written {
                return Ok(now);
            }
            continue;
        };
        let pointer = parse(&key, &found)?;
        let latest = pointer.latest();
        if latest.version == promotion.version {
            return Ok(latest.active_from);
        }
        if let Some(expected) = promotion.replaces.filter(|base| **base != latest.version) {
            return Err(PromotionError::Overtaken {
                found: latest.version.clone(),
                expected: expected.to_owned(),
            });
        }
        let lead = promotion.lead;
        let announced = now.saturating_add(lead).unwrap_or(Timestamp::MAX);
        let at = promotion.not_before.unwrap_or(announced).max(announced);
        let changed = pointer.activate(promotion.version, at, now, lead);
        let changed = changed.map_err(|source| BundleError::Pointer(key.clone(), source))?;
        let bytes = encode(&key, &changed)?;
        if objects.replace(&key, &found, bytes).await? == Replace::Written {
            check_lead(promotion, at, clock());
            return Ok(at);
        }
    }
    Err(PromotionError::Contended(key))
}

/// INVARIANT: a copy of the pointer is used for half of the lead, so the pointer must have been
/// written half of the lead before the activation. The write may have been retried for longer.
fn check_lead(promotion: &Promotion<'_>, at: Timestamp, written_at: Timestamp) {
    if at.duration_since(written_at).unsigned_abs() < promotion.lead / 2 || at < written_at {
        tracing::error!(
            bundle = promotion.bundle,
            version = promotion.version,
            active_from = at.to_string(),
            "bundle version announced too late: a record that is delivered twice around its \
             activation may get two decisions"
        );
    }
}

fn parse(key: &str, bytes: &[u8]) -> Result<Pointer, BundleError> {
    Pointer::parse(bytes).map_err(|source| BundleError::Pointer(key.to_owned(), source))
}

fn encode(key: &str, pointer: &Pointer) -> Result<Vec<u8>, BundleError> {
    let bytes = pointer.to_bytes();
    bytes.map_err(|source: PointerError| BundleError::Pointer(key.to_owned(), source))
}

#[cfg(test)]
mod tests {
    use futures_util::future::join;
    use harness::memory::{Fault, Faults, Objects as Memory};

    use super::*;

    const LEAD: Duration = Duration::from_secs(60);

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    const fn promotion(version: &str) -> Promotion<'_> {
        Promotion {
            bundle: "small",
            version,
            replaces: None,
            lead: LEAD,
            not_before: None,
        }
    }

    async fn promote_at(objects: &Memory, version: &str, now: i64) -> Timestamp {
        let promoted = promote(&promotion(version), objects, || second(now)).await;
        promoted.unwrap()
    }

    async fn versions(objects: &Memory) -> Vec<String> {
        let pointer = read_pointer("small", objects).await.unwrap();
        pointer.activations().map(|a| a.version.clone()).collect()
    }

    #[tokio::test]
    async fn the_first_version_is_active_at_once_and_the_next_after_the_lead() {
        let objects = Memory::new();
        assert_eq!(promote_at(&objects, "a", 0).await, second(0));
        assert_eq!(promote_at(&objects, "b", 10).await, second(70));
        assert_eq!(promote_at(&objects, "b", 20).await, second(70), "unchanged");
        assert_eq!(versions(&objects).await, ["a", "b"]);
    }

    #[tokio::test]
    async fn of_two_promotions_at_once_both_versions_end_in_the_pointer() {
        for there in [&[][..], &["a"][..]] {
            let objects = Memory::new();
            for version in there {
                promote_at(&objects, version, 0).await;
            }
            let one = promotion("b");
            let two = promotion("c");
            let one = promote(&one, &objects, || second(1));
            let two = promote(&two, &objects, || second(2));
            let ended = join(one, two).await;
            ended.0.unwrap();
            ended.1.unwrap();
            let mut found = versions(&objects).await;
            found.sort();
            assert_eq!(found, [there, &["b", "c"]].concat());
        }
    }

    #[tokio::test]
    async fn a_promotion_with_a_lost_answer_is_not_made_twice() {
        let faults = Faults::none();
        let objects = Memory::with(&faults);
        promote_at(&objects, "a", 0).await;
        faults.add(Fault::on("replace").late());
        let lost = promote(&promotion("b"), &objects, || second(1)).await;
        assert!(lost.is_err());
        faults.clear();
        assert_eq!(promote_at(&objects, "b", 5).await, second(61));
        assert_eq!(versions(&objects).await, ["a", "b"]);
    }

    #[tokio::test]
    async fn new_profiles_become_active_at_their_time_or_after_the_lead() {
        let objects = Memory::new();
        promote_at(&objects, "a", 0).await;
        let lead = LEAD.as_secs() as i64;
        for (version, not_before, at) in [("b", lead + 50, lead + 50), ("c", 10, lead + 1)] {
            let promotion = Promotion {
                not_before: Some(second(not_before)),
                ..promotion(version)
            };
            let promoted = promote(&promotion, &objects, || second(1)).await;
            assert_eq!(promoted.unwrap(), second(at), "{version}");
        }
    }

    #[tokio::test]
    async fn a_version_derived_from_a_replaced_one_is_refused() {
        let objects = Memory::new();
        promote_at(&objects, "a", 0).await;
        promote_at(&objects, "b", 1).await;
        let derived = Promotion {
            replaces: Some("a"),
            ..promotion("a-with-new-profiles")
        };
        let refused = promote(&derived, &objects, || second(2)).await;
        assert!(matches!(refused, Err(PromotionError::Overtaken { .. })));
        assert_eq!(versions(&objects).await, ["a", "b"]);
    }

    #[tokio::test]
    async fn an_invalid_pointer_is_never_replaced() {
        let objects = Memory::new();
        let key = bundle::keys::pointer("small");
        objects.set(&key, "not a pointer");
        let refused = promote(&promotion("a"), &objects, || second(0)).await;
        assert!(refused.is_err());
        assert_eq!(objects.bytes(&key).unwrap(), b"not a pointer");
    }
}
