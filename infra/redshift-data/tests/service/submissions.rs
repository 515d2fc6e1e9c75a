//! Parameters and sizes of submissions.

use aws_sdk_redshiftdata::types::StatusString;

use crate::service::{Service, code, parameter, unlimited};

#[tokio::test]
async fn parameters_are_bound_and_checked_as_the_real_service_does() {
    let service = Service::start(unlimited()).await;
    let client = &service.client;
    let hostile = "'; DROP TABLE t; --";
    let id = service
        .execute("SELECT :a AS a, :b || :a AS b")
        .parameters(parameter("a", hostile));
    let id = id
        .parameters(parameter("b", ":a"))
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        service.ended(&id).await.status(),
        Some(&StatusString::Finished)
    );
    let answer = client.get_statement_result().id(&id).send().await.unwrap();
    assert_eq!(answer.records()[0][0].as_string_value().unwrap(), hostile);
    assert_eq!(
        answer.records()[0][1].as_string_value().unwrap(),
        &format!(":a{hostile}")
    );

    let empty = service
        .execute("SELECT :a")
        .parameters(parameter("a", ""))
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        service.ended(&empty).await.status(),
        Some(&StatusString::Failed),
        "an empty string fails, later"
    );
    let missing = service
        .execute("SELECT :a")
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        service.ended(&missing).await.status(),
        Some(&StatusString::Failed)
    );
    let unused = service
        .execute("SELECT 1")
        .parameters(parameter("a", "1"))
        .send()
        .await
        .unwrap_err();
    let twice = service
        .execute("SELECT :a")
        .parameters(parameter("a", "1"))
        .parameters(parameter("a", "2"));
    let twice = twice.send().await.unwrap_err();
    assert_eq!(
        (code(&unused), code(&twice)),
        ("ValidationException", "ValidationException")
    );

    // As large as the request may be where ours are largest, far above a web framework's usual
    // limit.
    let large = "x".repeat(3_000_000);
    let id = service
        .execute("SELECT LEN(:a) AS n")
        .parameters(parameter("a", &large))
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        service.ended(&id).await.status(),
        Some(&StatusString::Finished)
    );
}
