/// A table that objects are loaded into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WarehouseTable {
    /// Every transaction with its provisional decision, as score writes them.
    Transactions,
    /// Known frauds, as the user puts them under `labels/`.
    FraudReports,
    /// Final decisions in batches, as confirm and sweep write them.
    Outcomes,
}

impl WarehouseTable {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Transactions, Self::FraudReports, Self::Outcomes];

    /// Its name in the warehouse.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::FraudReports => "fraud_reports",
            Self::Outcomes => "outcomes",
        }
    }

    /// The table with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The table that an object's rows belong into; none for what is not to be loaded, such as
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
    fn an_object_belongs_into_the_table_of_its_prefix() {
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
