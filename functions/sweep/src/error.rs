/// Why a sweep ends with an error. All other steps were made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "{failed} parts of the sweep failed: the log has the errors, the next sweep tries again"
    )]
    Incomplete { failed: usize },
}
