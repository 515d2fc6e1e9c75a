//! Starts the stand-in from the command line.

use std::path::PathBuf;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region};
use clap::Parser;
use redshift_data::{Events, Options, Quotas, Server, Storage};
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
    /// How many submissions are accepted within one second.
    #[arg(long, default_value_t = Quotas::default().submissions_per_second)]
    submissions_per_second: usize,
    /// The number of rows in a page of a result.
    #[arg(long, default_value_t = Quotas::default().page_rows)]
    page_rows: usize,
    /// How many statements run at the same time.
    #[arg(long, default_value_t = Quotas::default().concurrency)]
    concurrency: usize,
}

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "a program that starts it waits for this line"
)]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
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
        quotas: Quotas {
            active_statements: args.active_statements,
            submissions_per_second: args.submissions_per_second,
            page_rows: args.page_rows,
            concurrency: args.concurrency,
        },
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
