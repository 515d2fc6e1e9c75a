//! A training set as the warehouse unloads it.

/// Seven days of transactions. An amount of 600 or more is suspicious. It is a fraud if the
/// customer's mean amount is low, which the first look does not know.
pub(crate) fn lines(rows: usize) -> Vec<String> {
    let line = |row: usize| {
        let occurred_at = 1_767_225_600 + row * 7 * 86_400 / rows;
        let is_large = row.is_multiple_of(10);
        let has_low_mean = row.is_multiple_of(20) || !is_large && row.is_multiple_of(3);
        let amount = if is_large {
            600 + row % 50
        } else {
            20 + row % 50
        };
        let mean = if has_low_mean {
            30 + row % 10
        } else {
            500 + row % 100
        };
        format!(
            "{occurred_at},{amount}.5,C{row},S{row},{mean}.25,{},T{row}",
            u8::from(is_large && has_low_mean)
        )
    };
    (0..rows).map(line).collect()
}

pub(crate) const HEADER: &str =
    "occurred_at,amount,customer_id,terminal_id,customer_mean_7d,label,transaction_id";

pub(crate) fn csv(lines: &[String]) -> String {
    format!("{HEADER}\n{}\n", lines.join("\n"))
}
