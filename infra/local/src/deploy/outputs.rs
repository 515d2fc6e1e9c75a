use std::collections::BTreeMap;

use super::error::Error;

/// The outputs of a deployed stack, by name.
#[derive(Clone, Debug, Default)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    pub(crate) fn new(outputs: BTreeMap<String, String>) -> Self {
        Self(outputs)
    }

    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    pub fn get(&self, name: &'static str) -> Result<&str, Error> {
        self.0
            .get(name)
            .map(String::as_str)
            .ok_or(Error::NoOutput(name))
    }

    pub fn bucket(&self) -> Result<&str, Error> {
        self.get("Bucket")
    }

    pub fn transactions_stream(&self) -> Result<&str, Error> {
        self.get("TransactionsStream")
    }

    pub fn decisions_stream(&self) -> Result<&str, Error> {
        self.get("DecisionsStream")
    }

    /// The deployed name of a function. `name` is the name of its program, such as `score`.
    pub fn function(&self, name: &str) -> Result<&str, Error> {
        self.get(match name {
            "score" => "ScoreFunction",
            "confirm" => "ConfirmFunction",
            "sweep" => "SweepFunction",
            "load" => "LoadFunction",
            "train" => "TrainFunction",
            _ => "for a function of that name",
        })
    }
}
