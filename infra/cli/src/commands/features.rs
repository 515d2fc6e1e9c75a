use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use scoring::MISSING;

use super::labelled::LabelledArgs;

/// Write what a look learns from, as CSV, to train a model of your own on.
///
/// A line for each transaction of the training span, by time: the look's features in its order, is_fraud,
/// and held_out, which is 1 in the rows that thresholds are chosen on: learn from the others. A missing
/// value is an empty field, NaN to most readers. Leave it so; only where a library takes no NaN, put
/// 3.4028235e38 in its place, which is what the models then find in serving.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look features --history history.csv.zst --look first > first.csv
  look features --history cards/transactions.ndjson --labels cards/labels.ndjson --look confirm > confirm.csv

What is trained on it is served by: look train --first-model FILE --confirm-model FILE")]
pub struct FeaturesArgs {
    #[command(flatten)]
    labelled: LabelledArgs,
    #[arg(long)]
    look: Which,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    First,
    Confirm,
}

impl FeaturesArgs {
    pub fn main(&self) -> Result<ExitCode> {
        let labelled = self.labelled.read()?;
        let (definition, set) = (&labelled.definition, &labelled.set);
        let look = match self.look {
            Which::First => &definition.first,
            Which::Confirm => &definition.confirm,
        };
        let matrix = set.matrix(definition, look);
        let mut out = csv::Writer::from_writer(std::io::stdout().lock());
        out.write_record(
            definition
                .names(look)
                .into_iter()
                .chain(["is_fraud", "held_out"]),
        )?;
        let flag = |flag: bool| if flag { "1" } else { "0" }.to_owned();
        // The f32 that is served, to its last digit: as f64 its shortest form would be another number.
        let value = |value: &f32| {
            if *value == MISSING {
                String::new()
            } else {
                f64::from(*value).to_string()
            }
        };
        for (row, (fraud, learnt)) in set
            .frauds
            .iter()
            .zip(set.training_rows(definition))
            .enumerate()
        {
            out.write_record(
                matrix
                    .row(row)
                    .iter()
                    .map(value)
                    .chain([flag(*fraud), flag(!learnt)]),
            )?;
        }
        out.into_inner()
            .map_err(csv::IntoInnerError::into_error)?
            .flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
