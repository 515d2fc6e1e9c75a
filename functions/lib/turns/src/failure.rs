/// Why a statement failed, as far as it decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The rows or objects are at fault: the same statement would fail again.
    Data,
    /// The statement was cancelled or timed out. The second time in a turn counts as
    /// [`Failure::Data`].
    Timeout,
    /// Anything else: the warehouse is busy, unreachable or not set up, or the text is not known.
    ///
    /// Such a statement is tried again until it succeeds. A missing grant must not send good
    /// objects to quarantine.
    Transient,
}

/// Texts of errors that rows or objects cause, in lower case. From Redshift's documentation of
/// COPY's errors and of the error codes that queries return, and PostgreSQL's class 22.
const DATA: [&str; 19] = [
    "sys_load_error_detail",
    "stl_load_errors",
    "load into table",
    "invalid digit",
    "invalid input syntax",
    "invalid json",
    "invalid byte sequence",
    "invalid value",
    "value too long",
    "numeric data overflow",
    "out of range",
    "division by zero",
    "divide by zero",
    "not in gzip format",
    "failed to inflate",
    "the specified key does not exist",
    "unexpected end of file",
    "date/time field value",
    "cannot insert a null value",
];

const TIMEOUT: [&str; 5] = [
    "statement timeout",
    "query timeout",
    "cancelled on user",
    "canceling statement",
    "cancelled by",
];

impl Failure {
    /// Reads the warehouse's error text.
    pub fn from_text(text: &str) -> Self {
        let text = text.to_lowercase();
        if TIMEOUT.iter().any(|known| text.contains(known)) {
            Self::Timeout
        } else if DATA.iter().any(|known| text.contains(known)) {
            Self::Data
        } else {
            Self::Transient
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_texts_blame_the_data() {
        let cases = [
            (
                "Load into table 'staging' failed.  Check 'sys_load_error_detail' system table for details.",
                Failure::Data,
            ),
            (
                "ERROR: value too long for type character varying(256)",
                Failure::Data,
            ),
            // A retry would not bring a deleted object back.
            (
                "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey",
                Failure::Data,
            ),
            (
                "ERROR: canceling statement due to statement timeout",
                Failure::Timeout,
            ),
            ("Query (123) cancelled on user's request", Failure::Timeout),
            (
                "ERROR: 1023 Serializable isolation violation on table",
                Failure::Transient,
            ),
            (
                "ERROR: permission denied for relation transactions",
                Failure::Transient,
            ),
            ("connection reset by peer", Failure::Transient),
            ("", Failure::Transient),
        ];
        for (text, failure) in cases {
            assert_eq!(Failure::from_text(text), failure, "{text}");
        }
    }
}
