//! Quotas on calls, and how long statements may run and are kept.

use std::time::Duration;

use aws_sdk_redshiftdata::types::StatusString;
use redshift_data::{Quotas, Rates};

use crate::service::{Service, code, unlimited};

/// The errors of one call of each operation, in the order of [`Rates`]. Empty for no error.
async fn errors(service: &Service, id: &str) -> [String; 6] {
    let client = &service.client;
    let execute = service.execute("SELECT 1").send().await;
    let batch = service.batch(&["SELECT 1"]).send().await;
    let describe = client.describe_statement().id(id).send().await;
    let result = client.get_statement_result().id(id).send().await;
    let cancel = client.cancel_statement().id(id).send().await;
    let list = client.list_statements().send().await;
    [
        execute.err().map(|error| code(&error).to_owned()),
        batch.err().map(|error| code(&error).to_owned()),
        describe.err().map(|error| code(&error).to_owned()),
        result.err().map(|error| code(&error).to_owned()),
        cancel.err().map(|error| code(&error).to_owned()),
        list.err().map(|error| code(&error).to_owned()),
    ]
    .map(Option::unwrap_or_default)
}

#[tokio::test]
async fn each_operation_is_throttled_by_its_own_quota() {
    let rates = unlimited().rates;
    let limits: [fn(&mut Rates); 6] = [
        |rates| rates.execute = 0,
        |rates| rates.batch_execute = 0,
        |rates| rates.describe = 0,
        |rates| rates.get_result = 0,
        |rates| rates.cancel = 0,
        |rates| rates.list = 0,
    ];
    for (place, limit) in limits.iter().enumerate() {
        let mut rates = rates;
        limit(&mut rates);
        let service = Service::start(Quotas {
            rates,
            ..unlimited()
        })
        .await;
        let errors = errors(&service, "2b3dc0a0-0000-4000-8000-000000000000").await;
        for (other, error) in errors.iter().enumerate() {
            let is_throttled = error == "ThrottlingException";
            assert_eq!(is_throttled, other == place, "{place}: {errors:?}");
        }
    }
}

#[tokio::test]
async fn a_statement_ends_at_its_timeout() {
    let service = Service::start(unlimited()).await;
    let sqls = ["SET statement_timeout TO 100", "SELECT pg_sleep(60)"];
    let id = service.batch(&sqls).send().await.unwrap().id.unwrap();
    let ended = service.ended(&id).await;
    assert_eq!(ended.status(), Some(&StatusString::Failed));
    assert_eq!(
        ended.error(),
        Some("ERROR: Query cancelled on user's request")
    );
}

#[tokio::test]
async fn the_server_has_a_timeout_that_a_batch_can_replace() {
    let service = Service::start(Quotas {
        statement_timeout: Duration::from_millis(500),
        ..unlimited()
    })
    .await;
    let error = service.failure("SELECT pg_sleep(60)").await;
    assert_eq!(error, "ERROR: Query cancelled on user's request");
    let sqls = ["SET statement_timeout TO 0", "SELECT pg_sleep(1)"];
    service.run_batch(&sqls).await;
}

#[tokio::test]
async fn statements_and_results_are_forgotten_after_their_lifetime() {
    let service = Service::start(unlimited()).await;
    let client = &service.client;
    let id = service.run("SELECT 1").await;
    service.inject(r#"{"result_lifetime_ms":0}"#).await;
    let described = client.describe_statement().id(&id).send().await;
    let result = client.get_statement_result().id(&id).send().await;
    assert_eq!(code(&described.unwrap_err()), "ResourceNotFoundException");
    assert_eq!(code(&result.unwrap_err()), "ResourceNotFoundException");
    let listed = client.list_statements().send().await.unwrap();
    assert!(listed.statements().is_empty());
    service.inject("{}").await;
    assert_eq!(
        service.ended(&id).await.status(),
        Some(&StatusString::Finished)
    );
    assert_eq!(service.rows(&id).await, ["1"]);

    let service = Service::start(Quotas {
        result_lifetime: Duration::ZERO,
        ..unlimited()
    })
    .await;
    let id = service.run("SELECT 1").await;
    let forgotten = service.client.get_statement_result().id(&id).send().await;
    assert_eq!(code(&forgotten.unwrap_err()), "ResourceNotFoundException");
}
