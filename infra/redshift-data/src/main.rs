//! The program `redshift-data`.

use std::path::PathBuf;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region};
use clap::Parser;
use redshift_data::{Events, Options, Quotas, Server, Storage};
use tokio::signal::unix::{SignalKind, signal};

/// The Redshift Data API on 127.0.0.1, over your PostgreSQL.
///
/// Example: redshift-data --port 8099 --postgres "host=127.0.0.1 user=me dbname=dev" --s3-folder
/// /tmp/s3
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The port. 0 takes any free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The libpq connection string of a PostgreSQL 15 or newer.
    #[arg(long)]
    postgres: String,
    /// The endpoint of S3 and EventBridge, such as a LocalStack. Without it, no completion events
    /// are sent.
    #[arg(long)]
    endpoint_url: Option<String>,
    /// A folder that replaces S3 for COPY and UNLOAD, with one folder per bucket.
    #[arg(long)]
    s3_folder: Option<PathBuf>,
    /// The region of clients and ARNs.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Quota: statements that were submitted and have not ended.
    #[arg(long, default_value_t = Quotas::default().active_statements)]
    active_statements: usize,
    /// Quota: submissions within any second.
    #[arg(long, default_value_t = Quotas::default().submissions_per_second)]
    submissions_per_second: usize,
    /// Rows per page of a result.
    #[arg(long, default_value_t = Quotas::default().page_rows)]
    page_rows: usize,
    /// Statements that run at the same time.
    #[arg(long, default_value_t = Quotas::default().concurrency)]
    concurrency: usize,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "who started it waits for this line")]
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
    let mut terminated = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
    let server = Server::start(options).await?;
    println!("listening on http://{}", server.address());
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
