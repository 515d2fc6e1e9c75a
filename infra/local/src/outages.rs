//! Ends the warehouse of a running system as a crash does, and starts it again at its address.

use crate::{Error, Local, postgres, processes, stand_in};

impl Local {
    /// Kills the stand-in. The statements that it ran are rolled back, and it forgets all
    /// statements and results.
    pub fn kill_stand_in(&self) -> Result<(), Error> {
        let service = self.state.redshift_data.as_ref();
        if let Some(pid) = service.and_then(|service| service.pid) {
            processes::kill(pid)?;
        }
        Ok(())
    }

    /// Starts the stand-in again after [`kill_stand_in`](Self::kill_stand_in).
    pub fn start_stand_in(&mut self) -> Result<(), Error> {
        let state = &self.state;
        if let (Some(postgres), Some(localstack), Some(service)) =
            (&state.postgres, &state.localstack, &state.redshift_data)
        {
            let peers = stand_in::Peers {
                postgres: &postgres.endpoint,
                aws: &localstack.endpoint,
            };
            let service = stand_in::start_again(&self.options, peers, service)?;
            self.state.redshift_data = Some(service);
        }
        Ok(self.state.save()?)
    }

    /// Ends PostgreSQL in the middle of its statements, as a crash does.
    pub fn crash_postgres(&self) -> Result<(), Error> {
        let service = self.state.postgres.as_ref();
        Ok(service.map_or(Ok(()), postgres::crash)?)
    }

    /// Starts PostgreSQL again after [`crash_postgres`](Self::crash_postgres), on the same data.
    pub fn start_postgres(&mut self) -> Result<(), Error> {
        if let Some(service) = &self.state.postgres {
            let patience = self.options.patience;
            let folder = &self.options.state;
            let service = postgres::start_again(&self.venv, folder, service, patience)?;
            self.state.postgres = Some(service);
        }
        Ok(self.state.save()?)
    }
}
