//! Completion events on EventBridge.

use std::time::Duration;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde_json::json;

use crate::faults::Delivery;
use crate::statements::StatementRecord;

#[derive(Clone, Debug)]
pub enum Events {
    EventBridge(aws_sdk_eventbridge::Client),
    Nowhere,
}

impl Events {
    /// Sends the completion event of a statement. An error is only logged: the real service does
    /// not guarantee the delivery either.
    pub(crate) async fn send(&self, record: &StatementRecord, region: &str, delivery: Delivery) {
        let Self::EventBridge(client) = self else {
            return;
        };
        if delivery.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(delivery.delay_ms)).await;
        }
        let resource = match (&record.target.cluster, &record.target.workgroup) {
            (Some(cluster), _) => {
                format!("arn:aws:redshift:{region}:000000000000:cluster:{cluster}")
            }
            (None, Some(workgroup)) => {
                format!("arn:aws:redshift-serverless:{region}:000000000000:workgroup/{workgroup}")
            }
            (None, None) => return,
        };
        let mut detail = json!({
            "principal": "arn:aws:iam::000000000000:root",
            "statementId": record.id,
            "redshiftQueryId": -1,
            "state": record.status.name(),
            "rows": record.subs.last().map_or(-1, |sub| sub.result_rows),
            "expireAt": record.created as i64 + 24 * 3600,
        });
        if let (Some(name), Some(detail)) = (&record.name, detail.as_object_mut()) {
            detail.insert("statementName".to_owned(), json!(name));
        }
        for _ in 0..delivery.copies {
            let entry = PutEventsRequestEntry::builder()
                .source("aws.redshift-data")
                .detail_type("Redshift Data Statement Status Change")
                .resources(resource.clone())
                .detail(detail.to_string())
                .build();
            if let Err(error) = client.put_events().entries(entry).send().await {
                eprintln!(
                    "redshift-data: cannot send the completion event of {}: {error:?}",
                    record.id
                );
            }
        }
    }
}
