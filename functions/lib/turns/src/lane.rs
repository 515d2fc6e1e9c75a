use std::fmt;

/// A queue of work for the warehouse. A lane runs one statement at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Batches of the stream and files of history, into `transactions` and `holds`.
    Transactions,
    /// Evidence for held transactions. Several such lanes run side by side.
    Evidence(u16),
    Labels,
    Outcomes,
}

impl Lane {
    /// The lane with this name; `None` if no lane has it.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "transactions" => Some(Self::Transactions),
            "labels" => Some(Self::Labels),
            "outcomes" => Some(Self::Outcomes),
            other => {
                let number = other.strip_prefix("evidence-")?;
                let canonical = number == "0" || !number.starts_with('0');
                let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
                let number = number.parse().ok().filter(|_| canonical && digits)?;
                Some(Self::Evidence(number))
            }
        }
    }

    /// Whether statements of this lane load objects with COPY.
    pub const fn loads(self) -> bool {
        !matches!(self, Self::Evidence(_))
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transactions => f.write_str("transactions"),
            Self::Evidence(number) => write!(f, "evidence-{number}"),
            Self::Labels => f.write_str("labels"),
            Self::Outcomes => f.write_str("outcomes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_read_back_from_its_name() {
        let lanes = [
            Lane::Transactions,
            Lane::Evidence(0),
            Lane::Evidence(12),
            Lane::Labels,
            Lane::Outcomes,
        ];
        for lane in lanes {
            assert_eq!(Lane::from_name(&lane.to_string()), Some(lane));
        }
        for other in [
            "",
            "evidence-",
            "evidence-01",
            "evidence-+1",
            "evidence--1",
            "holds",
        ] {
            assert_eq!(Lane::from_name(other), None, "{other}");
        }
    }
}
