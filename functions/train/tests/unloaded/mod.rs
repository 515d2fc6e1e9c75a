//! A training set as the warehouse unloads it.

use jiff::{Timestamp, tz::TimeZone};

/// Seven days of transactions. An amount of 600 or more is suspicious. It is a fraud if the
/// customer's mean amount is low, which the first look does not know. The profile has one
/// transaction of 40.5, and one more came since the cut-off.
pub(crate) fn lines(rows: usize) -> Vec<String> {
    let line = |row: usize| {
        let occurred_at = time(1_767_225_600 + row * 7 * 86_400 / rows);
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
        let amount = amount as f64 + 0.5;
        let recent = 3.0 * (mean as f64 + 0.25) - 40.5 - amount;
        format!(
            "{occurred_at},{occurred_at},{amount},C{row},S{row},1,40.5,1,{recent},{},T{row}",
            u8::from(is_large && has_low_mean)
        )
    };
    (0..rows).map(line).collect()
}

fn time(seconds: usize) -> String {
    let time = Timestamp::from_second(seconds as i64).unwrap_or_default();
    let time = TimeZone::UTC.to_datetime(time);
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(crate) const HEADER: &str = "occurred_at,arrived_at,amount,customer_id,terminal_id,\
    _profile_customer_mean_7d_values,_profile_customer_mean_7d_sum,\
    _recent_customer_mean_7d_values,_recent_customer_mean_7d_sum,label,transaction_id";

pub(crate) fn csv(lines: &[String]) -> String {
    format!("{HEADER}\n{}\n", lines.join("\n"))
}
