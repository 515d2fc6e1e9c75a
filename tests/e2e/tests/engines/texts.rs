//! Every SQL text that is committed beside a shipped bundle runs as it stands.

use std::fs;
use std::path::Path;

use features::History;
use warehouse::Statement;

use crate::world::{World, run};

const BUNDLES: [&str; 3] = ["card-fraud", "flight-delays", "ulb-cards"];
/// The bucket that the texts name.
const BUCKET: &str = "bucket";

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_sql_of_each_bundle_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/bundles");
    let folders = fs::read_dir(&root).unwrap().count();
    assert_eq!(folders, BUNDLES.len());
    for bundle in BUNDLES {
        let folder = root.join(bundle);
        let definition = fs::read_to_string(folder.join("bundle.toml")).unwrap();
        let world = World::new(&definition, History::default()).await;
        // The manifest lists no object.
        let bucket = world.folder.path().join(BUCKET);
        fs::create_dir_all(&bucket).unwrap();
        fs::write(bucket.join("manifest.json"), r#"{"entries": []}"#).unwrap();
        for file in fs::read_dir(folder.join("sql")).unwrap() {
            let file = file.unwrap().path();
            println!("{}", file.display());
            let text = fs::read_to_string(&file).unwrap();
            let (_, text) = text.split_once('\n').unwrap();
            let statements = text.trim_end().trim_end_matches(';').split(";\n\n");
            let statements: Vec<String> = statements.map(str::to_owned).collect();
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let ids = ["id_0", "id_1"].map(|id| (id.to_owned(), "0-1-0".to_owned()));
            let takes_ids = statements.iter().any(|text| text.contains(":id_0"));
            let parameters = if takes_ids { ids.to_vec() } else { Vec::new() };
            run(
                &world.warehouse,
                &Statement::new(name, 1, statements, parameters),
            )
            .await;
        }
    }
}
