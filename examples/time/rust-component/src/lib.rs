//! A sidecar that tells the time, as a component for wasi:http/proxy: the host
//! calls handle for each request, in an instance of its own.

use wasi::clocks::wall_clock;
use wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasi::random::random::get_random_u64;

struct Time;

impl wasi::exports::http::incoming_handler::Guest for Time {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let now = wall_clock::now().seconds;
        let time = rfc3339(now);
        let target = request.path_with_query().unwrap_or_default();
        if target.ends_with("?format=text") {
            return answer(out, "text/plain", &format!("{time}\n"));
        }

        // Drawn anew in each instance, so a caller can tell them apart.
        let id = get_random_u64();
        let body = format!(
            "{{\"time\": \"{time}\", \"unix\": {now}, \"instance\": \"{id:016x}\", \"language\": \"rust\"}}\n"
        );
        answer(out, "application/json", &body);
    }
}

fn answer(out: ResponseOutparam, content_type: &str, text: &str) {
    let fields = Fields::new();
    fields
        .append("content-type", content_type.as_bytes())
        .expect("a field a response may have");
    let response = OutgoingResponse::new(fields);
    let body = response.body().expect("the first body");
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().expect("the first stream");
    // It fails when the caller has gone: then there is nobody to tell.
    let _ = stream.blocking_write_and_flush(text.as_bytes());
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

/// Neither std nor WASI knows a calendar. The Gregorian one repeats every 400
/// years (146097 days); counted from 1 March, a leap day is the last day of its
/// year.
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
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

wasi::http::proxy::export!(Time);

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
