use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

/// Error codes of every AWS service that mean: this caller may not make this call. Another try has
/// the same credentials and the same rights.
const REFUSALS: [&str; 9] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidSignatureException",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Whether a service's error code refuses the caller.
pub fn refuses_caller(code: &str) -> bool {
    REFUSALS.contains(&code)
}

/// Whether a call failed because no credentials are set, or because their settings are wrong. The
/// SDK reports that as a failed connection, so the source of the error has to be read.
pub fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(credentials) = error.downcast_ref::<CredentialsError>() {
            return matches!(
                credentials,
                CredentialsError::CredentialsNotLoaded(_)
                    | CredentialsError::InvalidConfiguration(_)
            );
        }
        cause = error.source();
    }
    false
}
