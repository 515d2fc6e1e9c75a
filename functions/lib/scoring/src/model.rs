use crate::{Forest, ForestError, Linear, LinearError, Matrix, forest, linear};

/// Why a model's file is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Trees.
    #[error(transparent)]
    Forest(#[from] ForestError),
    /// A linear model.
    #[error(transparent)]
    Linear(#[from] LinearError),
    /// Neither.
    #[error("it begins with neither SLFOREST nor SLLINEAR")]
    Kind,
}

/// A model as a bundle serves it.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// Boosted trees or a random forest.
    Forest(Forest),
    /// Logistic regression.
    Linear(Linear),
}

impl From<Forest> for Model {
    fn from(forest: Forest) -> Self {
        Self::Forest(forest)
    }
}

impl From<Linear> for Model {
    fn from(linear: Linear) -> Self {
        Self::Linear(linear)
    }
}

impl Model {
    /// Number of columns.
    pub fn features(&self) -> usize {
        match self {
            Self::Forest(forest) => forest.features(),
            Self::Linear(linear) => linear.features(),
        }
    }

    /// Probabilities of all rows, in `scores`, which is emptied first. Rows of another width give none.
    pub fn score(&self, rows: &Matrix, scores: &mut Vec<f64>) {
        match self {
            Self::Forest(forest) => forest.score(rows, scores),
            Self::Linear(linear) => linear.score(rows, scores),
        }
    }

    /// Probability of one row; of a row of another width, none.
    pub fn score_one(&self, rows: &Matrix, row: usize) -> Option<f64> {
        match self {
            Self::Forest(forest) => forest.score_one(rows, row),
            Self::Linear(linear) => linear.score_one(rows, row),
        }
    }

    /// What each column added to one row's sum: log odds, or of [`crate::Link::Probability`] a
    /// probability before its calibration. With [`Model::expected`] that is all of the sum.
    pub fn contributions(&self, rows: &Matrix, row: usize) -> Vec<f64> {
        match self {
            Self::Forest(forest) => forest.contributions(rows, row),
            Self::Linear(linear) => linear.contributions(rows, row),
        }
    }

    /// The sum before any column has added to it.
    pub fn expected(&self) -> f64 {
        match self {
            Self::Forest(forest) => forest.expected(),
            Self::Linear(linear) => linear.expected(),
        }
    }

    /// The file's bytes. The same model gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Forest(forest) => forest.to_bytes(),
            Self::Linear(linear) => linear.to_bytes(),
        }
    }

    /// Reads a file of either kind and checks all of it: nothing in it is believed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        match bytes.first_chunk() {
            Some(forest::MAGIC) => Ok(Forest::from_bytes(bytes)?.into()),
            Some(linear::MAGIC) => Ok(Linear::from_bytes(bytes)?.into()),
            _ => Err(ModelError::Kind),
        }
    }
}
