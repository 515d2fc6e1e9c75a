//! Objects that COPY cannot read.

use crate::service::{Service, gzip, unlimited};

const COPY: &str = "COPY t FROM 's3://b/manifest' FORMAT JSON 'auto' GZIP MANIFEST MAXERROR 100";

#[tokio::test]
async fn an_object_that_cannot_be_read_fails_the_copy_and_is_named() {
    let service = Service::start(unlimited()).await;
    service.run("CREATE TABLE t (id VARCHAR(4))").await;
    let mut truncated = gzip("{\"id\":\"a\"}\n");
    truncated.truncate(truncated.len() - 10);
    service.put("good", &gzip("{\"id\":\"b\"}\n"));
    service.put("plain", b"{\"id\":\"c\"}\n");
    service.put("truncated", &truncated);
    let faults = [
        ("plain", "failed to inflate with gzip: not in gzip format."),
        (
            "truncated",
            "failed to inflate with gzip: unexpected end of file.",
        ),
        (
            "missing",
            "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey",
        ),
    ];
    for (object, text) in faults {
        service.put_manifest("manifest", &["good", object]);
        let error = service.failure(COPY).await;
        assert!(error.starts_with(&format!("ERROR: {text}")), "{error}");
        let context = format!("S3 key being read : s3://b/{object}\n");
        assert!(error.contains(&context), "{error}");
    }
    let missing = service
        .failure("COPY t FROM 's3://b/no-manifest' FORMAT JSON 'auto' MANIFEST")
        .await;
    assert!(missing.starts_with("ERROR: Problem reading manifest file - S3Service"));
    assert!(missing.contains("s3://b/no-manifest"), "{missing}");
    assert_eq!(service.count("t").await, 0);
    assert_eq!(service.count("sys_load_error_detail").await, 0);
}

#[tokio::test]
async fn objects_without_bytes_are_ignored() {
    let service = Service::start(unlimited()).await;
    service.run("CREATE TABLE t (id VARCHAR(4))").await;
    service.put("empty", b"");
    service.put("good", &gzip("{\"id\":\"b\"}\n"));
    service.put_manifest("manifest", &["empty", "good"]);
    service.run(COPY).await;
    assert_eq!(service.count("t").await, 1);
}
