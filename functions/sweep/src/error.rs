#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source names the prefix.
    #[error("can't list the ledger")]
    List(#[from] store::Error),
    /// The sweep did all its other work before it returned this error.
    #[error(
        "the sweep is incomplete: {failed} entries failed, {unreadable} are unreadable, \
         {given_up} loads failed for good: see the errors logged before"
    )]
    Incomplete {
        /// Entries and tables; the next sweep tries them again.
        failed: usize,
        unreadable: usize,
        given_up: usize,
    },
}
