use crate::{Forest, ForestError, Linear, LinearError, Matrix, forest, linear};

/// Why a model's file is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error(transparent)]
    Forest(#[from] ForestError),
    #[error(transparent)]
    Linear(#[from] LinearError),
    /// The file's first 8 bytes are those of neither kind.
    #[error("not a model file: it begins with neither SLFOREST nor SLLINEAR")]
    Kind,
}

/// A forest or a logistic regression, behind one interface.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// Gradient-boosted trees, or a random forest.
    Forest(Forest),
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
    /// Number of columns of the rows that it scores.
    pub fn features(&self) -> usize {
        match self {
            Self::Forest(forest) => forest.features(),
            Self::Linear(linear) => linear.features(),
        }
    }

    /// Replaces the content of `scores` with one probability for each row. `scores` stays empty if
    /// the rows have another width. Does not allocate if `scores` has room for all rows and no
    /// split has [`crate::Split::missing_below`].
    pub fn score(&self, rows: &Matrix, scores: &mut Vec<f64>) {
        match self {
            Self::Forest(forest) => forest.score(rows, scores),
            Self::Linear(linear) => linear.score(rows, scores),
        }
    }

    /// The probability of one row. `None` if there is no such row, or if the rows have another
    /// width.
    pub fn score_one(&self, rows: &Matrix, row: usize) -> Option<f64> {
        match self {
            Self::Forest(forest) => forest.score_one(rows, row),
            Self::Linear(linear) => linear.score_one(rows, row),
        }
    }

    /// What each column adds to the sum of one row. The sum of all contributions and of
    /// [`Model::expected`] is the sum of the row: log odds, or, for [`crate::Link::Probability`], a
    /// probability before calibration. All zeros if there is no such row, or if it has another
    /// width. [`Forest::contributions`] and [`Linear::contributions`] name the methods.
    pub fn contributions(&self, rows: &Matrix, row: usize) -> Vec<f64> {
        match self {
            Self::Forest(forest) => forest.contributions(rows, row),
            Self::Linear(linear) => linear.contributions(rows, row),
        }
    }

    /// The part of the sum that is the same for all rows.
    pub fn expected(&self) -> f64 {
        match self {
            Self::Forest(forest) => forest.expected(),
            Self::Linear(linear) => linear.expected(),
        }
    }

    /// The bytes of the model's file. Equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Forest(forest) => forest.to_bytes(),
            Self::Linear(linear) => linear.to_bytes(),
        }
    }

    /// Reads a file of either kind, and checks all of it.
    ///
    /// # Errors
    /// If the file is of neither kind, has another format version, or is corrupt in a way that
    /// scoring would notice.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        match bytes.first_chunk() {
            Some(forest::MAGIC) => Ok(Forest::from_bytes(bytes)?.into()),
            Some(linear::MAGIC) => Ok(Linear::from_bytes(bytes)?.into()),
            _ => Err(ModelError::Kind),
        }
    }
}
