//! How commands end.
use crate::error::CliError;

/// What every client command gives back.
pub(crate) type Done = Result<(), CliError>;
