/// The features of one look.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The columns of the look's matrix, in order, as indexes into
    /// [`super::Definition::features`].
    pub features: Vec<usize>,
}
