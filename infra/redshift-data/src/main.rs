//! Starts the stand-in from the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region};
use clap::Parser;
use redshift_data::{Events, Options, Quotas, Rates, Server, Storage};
use tokio::signal::unix::{SignalKind, signal};

/// A stand-in for the Redshift Data API on 127.0.0.1. It runs statements on your PostgreSQL.
///
/// Example:
///   redshift-data --port 8099 --postgres "host=127.0.0.1 user=me dbname=dev" --s3-folder /tmp/s3
#[derive(Parser)]
#[command(version, verbatim_doc_comment)]
struct Args {
    /// The port on 127.0.0.1. 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The connection string of a PostgreSQL, version 15 or newer.
    #[arg(long)]
    postgres: String,
    /// The URL of S3 and EventBridge, for example of a LocalStack. Without it, no completion events
    /// are sent.
    #[arg(long)]
    endpoint_url: Option<String>,
    /// A folder for COPY and UNLOAD instead of S3. It contains one folder for each bucket.
    #[arg(long)]
    s3_folder: Option<PathBuf>,
    /// The AWS region for requests and ARNs.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// How many statements may be submitted and not yet ended.
    #[arg(long, default_value_t = Quotas::default().active_statements)]
    active_statements: usize,
    /// How many calls of ExecuteStatement are accepted within one second.
    #[arg(long, default_value_t = Rates::default().execute)]
    execute_per_second: usize,
    /// How many calls of BatchExecuteStatement are accepted within one second.
    #[arg(long, default_value_t = Rates::default().batch_execute)]
    batch_execute_per_second: usize,
    /// How many calls of DescribeStatement are accepted within one second.
    #[arg(long, default_value_t = Rates::default().describe)]
    describe_per_second: usize,
    /// How many calls of GetStatementResult and GetStatementResultV2 are accepted within one
    /// second.
    #[arg(long, default_value_t = Rates::default().get_result)]
    get_result_per_second: usize,
    /// How many calls of CancelStatement are accepted within one second.
    #[arg(long, default_value_t = Rates::default().cancel)]
    cancel_per_second: usize,
    /// How many calls of ListStatements are accepted within one second.
    #[arg(long, default_value_t = Rates::default().list)]
    list_per_second: usize,
    /// The number of rows in a page of a result.
    #[arg(long, default_value_t = Quotas::default().page_rows)]
    page_rows: usize,
    /// How many statements run at the same time.
    #[arg(long, default_value_t = Quotas::default().concurrency)]
    concurrency: usize,
    /// The time in milliseconds after which a SQL statement is cancelled. 0 means never.
    #[arg(long, default_value_t = 0)]
    statement_timeout_ms: u64,
    /// How long statements and results are kept, in seconds.
    #[arg(long, default_value_t = Quotas::default().result_lifetime.as_secs())]
    result_lifetime_seconds: u64,
}

impl Args {
    const fn quotas(&self) -> Quotas {
        Quotas {
            active_statements: self.active_statements,
            rates: Rates {
                execute: self.execute_per_second,
                batch_execute: self.batch_execute_per_second,
                describe: self.describe_per_second,
                get_result: self.get_result_per_second,
                cancel: self.cancel_per_second,
                list: self.list_per_second,
            },
            page_rows: self.page_rows,
            concurrency: self.concurrency,
            statement_timeout: Duration::from_millis(self.statement_timeout_ms),
            result_lifetime: Duration::from_secs(self.result_lifetime_seconds),
        }
    }
}

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "a program that starts it waits for this line"
)]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let quotas = args.quotas();
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).region(Region::new(args.region.clone()));
    if let Some(url) = &args.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let config = loader.load().await;
    let s3 = aws_sdk_s3::config::Builder::from(&config)
        .force_path_style(args.endpoint_url.is_some())
        .build();
    let options = Options {
        port: args.port,
        postgres: args.postgres,
        storage: match args.s3_folder {
            Some(folder) => Storage::Folder(folder),
            None => Storage::S3(aws_sdk_s3::Client::from_conf(s3)),
        },
        events: match args.endpoint_url {
            Some(_) => Events::EventBridge(aws_sdk_eventbridge::Client::new(&config)),
            None => Events::Nowhere,
        },
        region: args.region,
        quotas,
    };
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let server = Server::start(options).await?;
    println!("listening on http://{}", server.address());
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
