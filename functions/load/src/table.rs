/// A table that this function loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WarehouseTable {
    /// Transactions with their provisional decisions, written by score.
    Transactions,
    /// Fraud reports, put under `labels/` by the user.
    FraudReports,
    /// Final decisions, written in batches by confirm and sweep.
    Outcomes,
}

impl WarehouseTable {
    pub const ALL: [Self; 3] = [Self::Transactions, Self::FraudReports, Self::Outcomes];

    /// The name in the warehouse.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::FraudReports => "fraud_reports",
            Self::Outcomes => "outcomes",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The table of an object. `None` for objects that are not loaded, such as
    /// `outcomes/by-transaction/`.
    pub fn of_object(key: &str) -> Option<Self> {
        const PREFIXES: [(&str, WarehouseTable); 3] = [
            ("transactions/", WarehouseTable::Transactions),
            ("labels/", WarehouseTable::FraudReports),
            ("outcomes/dt=", WarehouseTable::Outcomes),
        ];
        PREFIXES
            .into_iter()
            .find(|(prefix, _)| key.starts_with(prefix))
            .map(|(_, table)| table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_an_object_gives_its_table() {
        let table = |key| WarehouseTable::of_object(key).map(WarehouseTable::name);
        assert_eq!(
            table("transactions/dt=2026-01-31/hh=09/0-1-2.ndjson.gz"),
            Some("transactions")
        );
        assert_eq!(table("labels/monday.ndjson.gz"), Some("fraud_reports"));
        assert_eq!(
            table("outcomes/dt=2026-01-31/x.ndjson.gz"),
            Some("outcomes")
        );
        assert_eq!(table("outcomes/by-transaction/x.json"), None);
        assert_eq!(table("pending/x.json"), None);
        assert_eq!(
            WarehouseTable::ALL.map(|table| WarehouseTable::of_name(table.name())),
            WarehouseTable::ALL.map(Some)
        );
    }
}
