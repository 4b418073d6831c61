//! Answers a request with what the component behind `words` says; the path is
//! the function.

wit_bindgen::generate!({
    path: ["../../../../examples/wit/wasi-http.wit", "../wit"],
    world: "mayfly:guests/front",
    generate_all,
});

use exports::wasi::http::incoming_handler::Guest;
use mayfly::guests::words::{self, Counter, Marks, Name, Tone};
use wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Front;

impl Guest for Front {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (status, text) = match said(path, query) {
            Some(text) => (200, text),
            None => (404, format!("{path}: no such word")),
        };
        let response = OutgoingResponse::new(Fields::new());
        response.set_status_code(status).expect("a status code");
        let body = response.body().expect("the first body");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("the first stream");
        for piece in format!("{text}\n").as_bytes().chunks(4096) {
            if stream.blocking_write_and_flush(piece).is_err() {
                break; // nobody reads any more
            }
        }
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}

fn said(path: &str, query: &str) -> Option<String> {
    Some(match path {
        "/greet" => {
            let (first, last) = query.split_once('+').map_or((query, None), |(f, l)| (f, Some(l)));
            let who = Name {
                first: first.to_string(),
                last: last.map(str::to_string),
            };
            match words::greet(&who, Tone::Plain, Marks::DOTS) {
                Ok(text) => text,
                Err(why) => format!("{why:?}"),
            }
        }
        "/shout" => {
            let who = Name {
                first: query.to_string(),
                last: None,
            };
            format!("{:?}", words::greet(&who, Tone::Loud, Marks::all()))
        }
        "/sums" => {
            let numbers: Vec<i64> = query.split('+').filter_map(|n| n.parse().ok()).collect();
            format!("{:?}", words::sums(&numbers))
        }
        "/chars" => format!("{:?}", words::chars("a\u{e9}\u{20ac}\u{1f98b}")),
        "/twice" => {
            let parts: Vec<String> = query.split('+').map(str::to_string).collect();
            words::twice(&parts).join(" ")
        }
        // A text of ?N bytes there and, doubled, back.
        "/long" => {
            let text = "x".repeat(query.parse().ok()?);
            words::twice(&[text])[0].len().to_string()
        }
        "/join" => words::join(
            1, -2, 3, -4, 5, -6, 7, -8, 1.5, -2.25, '\u{1f98b}', true, "m", Some(9), Err(10),
        ),
        "/counters" => counters(),
        // As many calls as ?N, for who wants to know what one costs.
        "/calls" => {
            let counter = Counter::new(0);
            let calls: u32 = query.parse().ok()?;
            (0..calls).map(|_| counter.next()).last()?.to_string()
        }
        "/fail" => {
            words::fail();
            "did not".to_string()
        }
        "/environment" => format!("{}", wasi::cli::environment::get_arguments().len()),
        _ => return None,
    })
}

fn counters() -> String {
    let (a, b) = (Counter::new(10), Counter::new(20));
    let next = (a.next(), a.next(), b.next());
    let plus = (a.plus(&b), a.plus(&a));
    let two = words::counters();
    let merged = Counter::merge(a, b);
    let one = words::counters();
    let last = merged.next();
    drop(merged);
    format!("{next:?} {plus:?} {two} {one} {last} {}", words::counters())
}

export!(Front);
