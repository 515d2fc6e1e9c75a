use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use scoring::MISSING;

use super::labelled::LabelledArgs;

/// Write the training features of a look as CSV, to train a model of your own.
///
/// One line for each row of the training set, by time: the features of the look in their order,
/// is_fraud, held_out and weight. Train on the rows with held_out = 0: thresholds are chosen on the
/// others. The weight is the number of transactions that a row stands for. A missing value is an empty field, which most readers take as NaN. Keep it as NaN. If a
/// library takes no NaN, use 3.4028235e38, the value that models see in serving.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look features --history history.csv.zst --look first > first.csv
  look features --history cards.ndjson --labels labels.ndjson --look confirm > confirm.csv

To serve the trained models: look train --first-model FILE --confirm-model FILE")]
pub struct FeaturesArgs {
    #[command(flatten)]
    labelled: LabelledArgs,
    /// The look to write the features of.
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
        let windows = match self.look {
            Which::First => &set.profiles,
            Which::Confirm => &set.windows,
        };
        let matrix = set.matrix(definition, look, windows);
        let mut out = csv::Writer::from_writer(std::io::stdout().lock());
        out.write_record(
            definition
                .names(look)
                .into_iter()
                .chain(["is_fraud", "held_out", "weight"]),
        )?;
        let weight = |is_fraud: bool| if is_fraud { 1.0 } else { set.good_weight }.to_string();
        let flag = |flag: bool| if flag { "1" } else { "0" }.to_owned();
        // Converted to f64 first, so that every digit of the served f32 is written.
        let value = |value: &f32| {
            if *value == MISSING {
                String::new()
            } else {
                f64::from(*value).to_string()
            }
        };
        for (row, (fraud, in_training)) in set
            .frauds
            .iter()
            .zip(set.training_rows(definition))
            .enumerate()
        {
            out.write_record(matrix.row(row).iter().map(value).chain([
                flag(*fraud),
                flag(!in_training),
                weight(*fraud),
            ]))?;
        }
        out.into_inner()
            .map_err(csv::IntoInnerError::into_error)?
            .flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
