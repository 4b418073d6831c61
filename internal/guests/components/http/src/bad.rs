//! What a guest should not do.

use std::hint::black_box;

use wasi::clocks::monotonic_clock::subscribe_duration;
use wasi::http::types::{DnsErrorPayload, ErrorCode, Fields, OutgoingResponse};

use crate::Call;

/// Returns without an answer. ?drop=1 drops the response-outparam first.
pub fn never(call: Call) {
    let out = call.reply.into_outparam();
    match call.query.get("drop") {
        Some(_) => drop(out),
        None => std::mem::forget(out),
    }
}

/// Answers with an error-code: ?code=, `internal-error` when it is not there.
pub fn error(call: Call) {
    let code = match call.query.get("code") {
        Some("dns") => ErrorCode::DnsError(DnsErrorPayload {
            rcode: Some("NXDOMAIN".to_string()),
            info_code: Some(3),
        }),
        Some("timeout") => ErrorCode::ConnectionReadTimeout,
        Some("denied") => ErrorCode::HttpRequestDenied,
        Some("loop") => ErrorCode::LoopDetected,
        Some("body-size") => ErrorCode::HttpRequestBodySize(Some(1 << 40)),
        _ => ErrorCode::InternalError(Some("as asked".to_string())),
    };
    call.reply.fail(code);
}

/// Traps before any answer. ?panic=1 by way of a message on stderr.
pub fn trap(call: Call) {
    if call.query.get("panic").is_some() {
        panic!("as asked");
    }
    std::arch::wasm32::unreachable()
}

/// Sends the head and ?n= zero bytes (8), then traps.
pub fn trap_after_head(call: Call) {
    let mut body = call.reply.start();
    crate::body::zeroes(&mut body, call.query.number("n", 8));
    std::arch::wasm32::unreachable()
}

/// Sends the head and ?n= zero bytes (8), then drops the body unfinished.
pub fn unfinished(call: Call) {
    let mut body = call.reply.start();
    crate::body::zeroes(&mut body, call.query.number("n", 8));
    body.abandon();
}

/// Announces ?announce= bytes (10) and sends ?send= (5).
pub fn length(call: Call) {
    let announce = call.query.number("announce", 10).to_string();
    let mut body = call.reply.field("content-length", &announce).start();
    crate::body::zeroes(&mut body, call.query.number("send", 5));
    body.finish();
}

/// Answers, then makes a second response that nobody can send.
pub fn twice(call: Call) {
    call.reply.text("once\n");
    let second = OutgoingResponse::new(Fields::new());
    let body = second.body().unwrap();
    let stream = body.write().unwrap();
    match stream.blocking_write_and_flush(b"twice\n") {
        Ok(()) => eprintln!("second: written"),
        Err(_) => eprintln!("second: refused"),
    }
}

/// Loops for ever without a call to the host. ?head=1 answers first.
pub fn spin(call: Call) {
    if call.query.get("head").is_some() {
        call.reply.text("spinning\n");
    }
    let mut n = 0u64;
    loop {
        n = black_box(n + 1);
    }
}

/// Recurses until the call stack is full.
pub fn recurse(_: Call) {
    black_box(deeper(black_box(1)));
}

#[inline(never)]
fn deeper(n: u64) -> u64 {
    if black_box(n) == 0 {
        return 0;
    }
    black_box(deeper(n + 1)) + 1
}

/// Exits with ?code= (0) by wasi:cli/exit. ?head=1 answers first.
pub fn exit(call: Call) {
    if call.query.get("head").is_some() {
        call.reply.text("exiting\n");
    }
    std::process::exit(call.query.number("code", 0) as i32);
}

/// Takes memory, ?step= KiB (1024) at a time, until ?max= KiB (none) are had or
/// no more is given, and says how many it got.
pub fn allocate(call: Call) {
    let step = call.query.number("step", 1024) as usize;
    let max = call.query.number("max", u64::MAX);
    let (mut kept, mut got) = (Vec::new(), 0);
    while got < max {
        let mut block: Vec<u8> = Vec::new();
        if block.try_reserve_exact(step << 10).is_err() {
            call.reply.text(&format!("refused at {got} KiB\n"));
            return;
        }
        block.resize(step << 10, 1);
        kept.push(black_box(block));
        got += step as u64;
    }
    call.reply.text(&format!("reached {got} KiB\n"));
}

/// Makes ?n= handles (1000) of every kind it can and drops none.
pub fn handles(call: Call) {
    for _ in 0..call.query.number("n", 1000) {
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().unwrap();
        let stream = body.write().unwrap();
        std::mem::forget(stream.subscribe());
        std::mem::forget((stream, body, response));
        std::mem::forget(subscribe_duration(1));
    }
    call.reply.text("made\n");
}

/// Answers in full, runs on for ?ms= (100) and says so on stderr.
pub fn late(call: Call) {
    let pause = call.query.millis("ms").unwrap_or(100_000_000);
    call.reply.text("answered\n");
    subscribe_duration(pause).block();
    eprintln!("late: done");
}
