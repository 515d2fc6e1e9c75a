//! The twins keep the contract and fail on demand.

use harness::contract;
use harness::memory::{Fault, Faults, Objects, Stream, Warehouse};
use store::{Objects as _, PutNew, Stream as _, StreamRecord};
use warehouse::{Statement, Status, Warehouse as _};

#[tokio::test]
async fn the_bucket_in_memory_keeps_the_contract() {
    contract::objects(&Objects::new()).await;
}

#[tokio::test]
async fn the_stream_in_memory_keeps_the_contract() {
    let stream = Stream::new();
    let sent = contract::decisions(&stream).await;
    assert_eq!(stream.published(), sent);
}

#[tokio::test]
async fn the_warehouse_in_memory_keeps_the_contract() {
    contract::warehouse(&Warehouse::new().answering(contract::answer)).await;
}

#[tokio::test]
async fn a_fault_affects_only_the_calls_that_it_names() {
    let bucket = Objects::new();
    bucket
        .faults()
        .add(Fault::on("put").name("a/").after(1).times(1));
    bucket.put("a/1", vec![1]).await.unwrap();
    bucket.put("b/1", vec![1]).await.unwrap();
    assert!(bucket.put("a/2", vec![1]).await.unwrap_err().is_transient());
    bucket.put("a/2", vec![2]).await.unwrap();
    bucket.faults().add(Fault::on("put_new").late());
    bucket.put_new("c", vec![3]).await.unwrap_err();
    bucket.faults().clear();
    assert_eq!(bucket.put_new("c", vec![3]).await.unwrap(), PutNew::Written);
}

#[tokio::test]
async fn one_record_may_be_refused() {
    let stream = Stream::new();
    stream.faults().add(Fault::on("record").after(1).times(1));
    let record = |n| StreamRecord {
        partition_key: "k".into(),
        data: vec![n],
    };
    assert_eq!(
        stream
            .publish(&[record(0), record(1), record(2)])
            .await
            .unwrap(),
        [1]
    );
    assert_eq!(stream.published(), [record(0), record(2)]);
}

#[tokio::test]
async fn a_dead_process_does_nothing_until_its_faults_are_cleared() {
    let faults = Faults::none();
    let (bucket, warehouse) = (Objects::with(&faults), Warehouse::with(&faults));
    faults.die_after(1);
    bucket.put("a", vec![]).await.unwrap();
    let statement = Statement::new("s".into(), 1, vec!["select 1".into()], vec![]);
    warehouse.submit(&statement).await.unwrap_err();
    bucket.get("a").await.unwrap_err();
    faults.clear();
    let id = warehouse.submit(&statement).await.unwrap();
    warehouse.script([Status::Running, Status::Aborted]);
    assert_eq!(warehouse.status(&id).await.unwrap(), Status::Running);
    assert_eq!(warehouse.status(&id).await.unwrap(), Status::Aborted);
    assert_eq!(warehouse.status(&id).await.unwrap(), Status::Finished);
}
