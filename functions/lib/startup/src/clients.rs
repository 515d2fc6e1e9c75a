use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use store::{KinesisStream, S3};
use warehouse::{Database, RedshiftData};

/// Builds AWS clients from the usual AWS configuration: environment, profile or role.
///
/// `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_REDSHIFT_DATA` replace the endpoints of AWS.
#[derive(Clone, Debug)]
pub struct Clients {
    config: SdkConfig,
    /// Replaces the endpoint of the Data API that the configuration gives.
    data_api: Option<String>,
}

impl Clients {
    /// Reads the configuration. Calls no service.
    pub async fn load() -> Self {
        Self {
            config: defaults().load().await,
            data_api: None,
        }
    }

    /// Clients of LocalStack at `url`, with the Data API at `data_api`. LocalStack checks neither
    /// keys nor region.
    pub async fn at(url: &str, data_api: Option<&str>) -> Self {
        let keys = Credentials::new("test", "test", None, None, "local");
        let config = defaults()
            .endpoint_url(url)
            .region(Region::new("us-east-1"))
            .credentials_provider(keys);
        Self {
            config: config.load().await,
            data_api: data_api.map(str::to_owned),
        }
    }

    /// The AWS configuration, for clients that this type does not build.
    pub const fn config(&self) -> &SdkConfig {
        &self.config
    }

    pub fn objects(&self, bucket: &str) -> S3 {
        // Outside AWS, a bucket has no host name of its own.
        let path_style = self.config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(path_style)
            .build();
        S3::new(aws_sdk_s3::Client::from_conf(config), bucket)
    }

    pub fn decisions(&self, stream: &str) -> KinesisStream {
        KinesisStream::new(aws_sdk_kinesis::Client::new(&self.config), stream)
    }

    pub fn warehouse(&self, database: Database) -> RedshiftData {
        let mut config = aws_sdk_redshiftdata::config::Builder::from(&self.config);
        if let Some(url) = &self.data_api {
            config = config.endpoint_url(url);
        }
        RedshiftData::new(
            aws_sdk_redshiftdata::Client::from_conf(config.build()),
            database,
        )
    }
}

fn defaults() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        // Longer than the 30 s that a call of the Data API may wait for its result.
        .operation_attempt_timeout(Duration::from_secs(40))
        .build();
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts)
}
