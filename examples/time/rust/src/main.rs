//! A sidecar that tells the time, as a CGI program (RFC 3875): the request
//! comes in environment variables, the answer goes to stdout. Each request runs
//! main in an instance of its own.

use std::collections::hash_map::RandomState;
use std::env;
use std::hash::{BuildHasher, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_secs();
    let time = rfc3339(now);

    if env::var("QUERY_STRING").as_deref() == Ok("format=text") {
        print!("Content-Type: text/plain\r\n\r\n{}\n", time);
        return;
    }

    // Drawn anew in each instance, so a caller can tell them apart: std seeds
    // its hash maps from the host's randomness.
    let id = RandomState::new().build_hasher().finish();
    print!("Content-Type: application/json\r\n\r\n");
    println!(
        r#"{{"time": "{}", "unix": {}, "instance": "{:016x}", "language": "rust"}}"#,
        time, now, id
    );
}

/// std knows no calendar. The Gregorian one repeats every 400 years (146097
/// days); counted from 1 March, a leap day is the last day of its year.
fn rfc3339(unix: u64) -> String {
    let (days, second) = (unix / 86400 + 719468, unix % 86400);
    let (era, day_of_era) = (days / 146097, days % 146097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months = (5 * day_of_year + 2) / 153; // since March
    let day = day_of_year - (153 * months + 2) / 5 + 1;
    let month = if months < 10 { months + 3 } else { months - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        year,
        month,
        day,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn leap_days_and_ends_of_years_are_right() {
        for (unix, want) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(unix), want);
        }
    }
}
