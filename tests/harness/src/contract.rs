//! The contract of buckets, streams and warehouses, for in-memory twins and real adapters. Each
//! suite panics with the broken rule. Suites use unique names, so they may run side by side.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use store::{Objects, PutNew, Replace, Stream, StreamRecord};
use warehouse::{Error, Row, Statement, StatementId, Status, Value, Warehouse};

/// A unique name.
fn unique() -> String {
    format!("contract-{}", jiff::Timestamp::now().as_nanosecond())
}

/// The checks of [`Objects`].
pub async fn objects(bucket: &impl Objects) {
    let root = unique();
    let key = |name: &str| format!("{root}/{name}");

    let absent = key("absent");
    assert_eq!(
        bucket.get(&absent).await.unwrap(),
        None,
        "an object that was never written"
    );
    bucket.delete(&absent).await.unwrap();
    assert_eq!(
        bucket.list(&format!("{root}/")).await.unwrap(),
        [],
        "nothing was written yet"
    );

    for name in [
        "plain.json",
        "with space + plus",
        "percent%2Fencoded",
        "ä'\"<&>",
        "a=b/c=d.gz",
    ] {
        let key = key(name);
        bucket.put(&key, b"first".to_vec()).await.unwrap();
        bucket.put(&key, Vec::new()).await.unwrap();
        assert_eq!(
            bucket.get(&key).await.unwrap(),
            Some(Vec::new()),
            "{key} was written over"
        );
        let listed = bucket.list(&key).await.unwrap();
        assert_eq!(
            listed
                .iter()
                .map(|l| (l.key.as_str(), l.bytes))
                .collect::<Vec<_>>(),
            [(key.as_str(), 0)]
        );
        let copy = format!("{key}.copy");
        assert!(bucket.copy(&key, &copy).await.unwrap(), "{key} is there");
        assert_eq!(bucket.get(&copy).await.unwrap(), Some(Vec::new()), "{copy}");
        bucket.delete(&copy).await.unwrap();
        let age = jiff::Timestamp::now().duration_since(listed.first().unwrap().modified);
        assert!(
            age.unsigned_abs() < Duration::from_secs(3600),
            "{key} was written {age:?} ago"
        );
        bucket.delete(&key).await.unwrap();
        assert_eq!(bucket.get(&key).await.unwrap(), None, "{key} was deleted");
    }

    let copied = bucket.copy(&absent, &key("copy")).await.unwrap();
    assert!(!copied, "there is nothing to copy");
    assert_eq!(bucket.get(&key("copy")).await.unwrap(), None);

    let once = key("once");
    assert_eq!(
        bucket.put_new(&once, b"one".to_vec()).await.unwrap(),
        PutNew::Written
    );
    assert_eq!(
        bucket.put_new(&once, b"one".to_vec()).await.unwrap(),
        PutNew::Written,
        "our own write came back"
    );
    assert_eq!(
        bucket.put_new(&once, b"two".to_vec()).await.unwrap(),
        PutNew::Exists(b"one".to_vec())
    );
    assert_eq!(
        bucket.get(&once).await.unwrap().as_deref(),
        Some(&b"one"[..]),
        "the first write stays"
    );
    bucket.delete(&once).await.unwrap();
    assert_eq!(
        bucket.put_new(&once, b"two".to_vec()).await.unwrap(),
        PutNew::Written,
        "free again"
    );

    let race = key("race");
    let racers = join_all((0..16_u8).map(|racer| bucket.put_new(&race, vec![racer]))).await;
    let winner = bucket.get(&race).await.unwrap().unwrap();
    for (racer, result) in (0..16_u8).zip(racers) {
        let expected = if winner == [racer] {
            PutNew::Written
        } else {
            PutNew::Exists(winner.clone())
        };
        assert_eq!(
            result.unwrap(),
            expected,
            "racer {racer}, winner {winner:?}"
        );
    }

    replacement(bucket, &key("replaced")).await;

    // More than the 1,000 objects of a page.
    let many: Vec<String> = (0..1_050).map(|i| key(&format!("many/{i:04}"))).collect();
    stream::iter(&many)
        .map(|key| bucket.put(key, vec![1]))
        .buffer_unordered(16)
        .try_collect::<()>()
        .await
        .unwrap();
    let listed: Vec<String> = bucket
        .list(&key("many/"))
        .await
        .unwrap()
        .into_iter()
        .map(|listed| listed.key)
        .collect();
    assert_eq!(listed, many, "a listing has all pages, in order");
    let page = bucket.list_after(&key("many/"), &key("many/0007"), 2).await;
    let page: Vec<String> = page.unwrap().into_iter().map(|info| info.key).collect();
    let expected = [key("many/0008"), key("many/0009")];
    assert_eq!(page, expected, "a listing begins after the given key");
    stream::iter(&many)
        .map(|key| bucket.delete(key))
        .buffer_unordered(16)
        .try_collect::<()>()
        .await
        .unwrap();
    assert_eq!(
        bucket.list(&key("many/")).await.unwrap(),
        [],
        "all were deleted"
    );
}

/// The checks of [`Objects::replace`].
async fn replacement(bucket: &impl Objects, key: &str) {
    let one = b"one".to_vec();
    let two = b"two".to_vec();
    let absent = bucket.replace(key, b"one", two.clone()).await.unwrap();
    assert_eq!(absent, Replace::Changed(None), "there is no object");
    assert_eq!(bucket.get(key).await.unwrap(), None, "none was written");

    bucket.put(key, one.clone()).await.unwrap();
    let other = bucket.replace(key, b"zero", two.clone()).await.unwrap();
    assert_eq!(other, Replace::Changed(Some(one)), "other bytes stay");
    let first = bucket.replace(key, b"one", two.clone()).await.unwrap();
    assert_eq!(first, Replace::Written);
    let again = bucket.replace(key, b"one", two.clone()).await.unwrap();
    assert_eq!(again, Replace::Written, "our own write came back");
    assert_eq!(bucket.get(key).await.unwrap(), Some(two));

    let racers = (0..16_u8).map(|racer| bucket.replace(key, b"two", vec![racer]));
    let results = join_all(racers).await;
    let winner = bucket.get(key).await.unwrap().unwrap();
    for (racer, result) in (0..16_u8).zip(results) {
        let expected = if winner == [racer] {
            Replace::Written
        } else {
            Replace::Changed(Some(winner.clone()))
        };
        assert_eq!(result.unwrap(), expected, "racer {racer}");
    }
    bucket.delete(key).await.unwrap();
}

/// The checks of [`Stream`]: more records than one call takes are all published. Returns the
/// records, so that the caller can find them on the stream.
pub async fn decisions(stream: &impl Stream) -> Vec<StreamRecord> {
    let root = unique();
    assert_eq!(
        stream.publish(&[]).await.unwrap(),
        [0; 0],
        "nothing is published at once"
    );
    let sent: Vec<StreamRecord> = (0..1_001)
        .map(|i| StreamRecord {
            partition_key: format!("customer-{}", i % 7),
            data: format!("{{\"decision_id\":\"{root}-{i}\"}}").into_bytes(),
        })
        .collect();
    assert_eq!(
        stream.publish(&sent).await.unwrap(),
        [0; 0],
        "all are accepted"
    );
    sent
}

/// A query that [`warehouse()`] submits: one row, `one` = 1.
pub const SELECT_ONE: &str = "SELECT 1 AS one";
/// A query that [`warehouse()`] submits: one row, `word` = its parameter `:word`.
pub const SELECT_WORD: &str = "SELECT CAST(:word AS VARCHAR(64)) AS word";
/// A query that [`warehouse()`] submits: it fails.
pub const SELECT_NOWHERE: &str = "SELECT one FROM second_look_no_such_table";

/// The answers of a twin to these queries.
pub fn answer(sql: &str, parameters: &[(String, String)]) -> crate::memory::Answer {
    match sql {
        SELECT_ONE => Ok(vec![Row::from([("one", Value::Integer(1))])]),
        SELECT_WORD => {
            let word = parameters
                .iter()
                .find(|(name, _)| name == "word")
                .map_or("", |(_, value)| value);
            Ok(vec![Row::from([("word", Value::Text(word.to_owned()))])])
        }
        other => Err(format!("no such table in {other}")),
    }
}

/// The checks of [`Warehouse`].
pub async fn warehouse(warehouse: &impl Warehouse) {
    const AT_MOST: Duration = Duration::from_secs(60);
    let root = unique();
    let statement = |attempt, sqls: &[&str], parameters: &[(&str, &str)]| {
        let parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Statement::new(
            root.clone(),
            attempt,
            sqls.iter().map(|sql| (*sql).to_owned()).collect(),
            parameters,
        )
    };

    let one = statement(1, &[SELECT_ONE], &[]);
    let id = warehouse.submit(&one).await.unwrap();
    assert_eq!(
        warehouse.wait(&id, AT_MOST).await.unwrap(),
        Status::Finished
    );
    assert_eq!(warehouse.status(&id).await.unwrap(), Status::Finished);
    let rows = warehouse.rows(&id, 1).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.number("one")).collect::<Vec<_>>(),
        [Some(1.0)]
    );

    assert_eq!(
        warehouse.submit(&one).await.unwrap(),
        id,
        "the same token is the same statement"
    );
    let again = warehouse
        .submit(&statement(2, &[SELECT_ONE], &[]))
        .await
        .unwrap();
    assert_ne!(again, id, "another attempt is another statement");

    // Values with SQL syntax, which must be bound.
    let word = "'; DROP TABLE transactions; -- :one";
    let both = warehouse
        .submit(&statement(1, &[SELECT_ONE, SELECT_WORD], &[("word", word)]))
        .await
        .unwrap();
    assert_eq!(
        warehouse.wait(&both, AT_MOST).await.unwrap(),
        Status::Finished
    );
    let rows = warehouse.rows(&both, 2).await.unwrap();
    assert_eq!(rows.len(), 2, "the rows of all SQLs");
    assert_eq!(rows.first().unwrap().number("one"), Some(1.0));
    assert_eq!(rows.last().unwrap().text("word"), Some(word));

    let fails = warehouse
        .submit(&statement(1, &[SELECT_NOWHERE], &[]))
        .await
        .unwrap();
    match warehouse.wait(&fails, AT_MOST).await.unwrap() {
        Status::Failed { error } => assert!(!error.is_empty(), "a failure says why"),
        other => panic!("a query of a table that is not there ended as {other:?}"),
    }

    let unknown = StatementId::from("00000000-0000-4000-8000-00000000dead");
    match warehouse.status(&unknown).await {
        Err(Error::Unknown(id)) => assert_eq!(id, unknown),
        other => panic!("a statement that was never submitted has the status {other:?}"),
    }
}
