//! Behaviours about bodies and trailers, both ways.

use std::fmt::Write;

use wasi::clocks::monotonic_clock::subscribe_duration;
use wasi::http::types::{Fields, FutureTrailers, IncomingBody};
use wasi::io::streams::{InputStream, StreamError};

use crate::reply::{Body, Reply};
use crate::{outgoing, Call};

/// Reads piece by piece until the end and gives each to `each`, which says
/// whether to go on. Returns the error that ended it early.
pub fn drain(
    stream: &InputStream,
    size: u64,
    mut each: impl FnMut(&[u8]) -> bool,
) -> Result<(), String> {
    loop {
        match stream.blocking_read(size) {
            Ok(piece) if !each(&piece) => return Ok(()),
            Ok(_) => {}
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(why)) => return Err(why.to_debug_string()),
        }
    }
}

/// Waits for the trailers and returns them, one a line.
pub fn trailers_text(future: FutureTrailers) -> String {
    future.subscribe().block();
    match future.get() {
        None => "not ready\n".to_string(),
        Some(Err(())) => "taken\n".to_string(),
        Some(Ok(Err(code))) => format!("error {}\n", outgoing::describe(&code)),
        Some(Ok(Ok(None))) => "none\n".to_string(),
        Some(Ok(Ok(Some(fields)))) => lines(&fields),
    }
}

pub fn lines(fields: &Fields) -> String {
    let mut text = String::new();
    for (name, value) in fields.entries() {
        writeln!(text, "{name}={}", value.escape_ascii()).unwrap();
    }
    text
}

/// Sends each piece of the body back as it comes, with the content-type of the
/// request. ?size= bounds a piece.
pub fn echo(call: Call) {
    let kind = call.request.headers().get("content-type");
    let reply = match kind.first() {
        Some(kind) => call
            .reply
            .field("content-type", &String::from_utf8_lossy(kind)),
        None => call.reply,
    };
    let incoming = call.request.consume().unwrap();
    let stream = incoming.stream().unwrap();
    let mut body = reply.start();
    let end = drain(&stream, call.query.number("size", 65536), |piece| {
        body.write(piece)
    });
    if let Err(why) = end {
        eprintln!("read: {why}");
    }
    body.finish();
}

/// Counts the body: bytes, CRC-32 (IEEE), pieces are not told.
pub fn upload(call: Call) {
    let incoming = call.request.consume().unwrap();
    let stream = incoming.stream().unwrap();
    let (mut n, mut crc) = (0u64, !0u32);
    let end = drain(&stream, call.query.number("size", 65536), |piece| {
        n += piece.len() as u64;
        crc = piece.iter().fold(crc, |crc, byte| crc32(crc, *byte));
        true
    });
    drop(stream);
    let end = match end {
        Ok(()) => format!("trailers: {}", trailers_text(IncomingBody::finish(incoming))),
        Err(why) => format!("failed: {why}\n"),
    };
    call.reply.text(&format!("{n} {:08x}\n{end}", !crc));
}

fn crc32(crc: u32, byte: u8) -> u32 {
    (0..8).fold(crc ^ u32::from(byte), |crc, _| {
        (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
    })
}

/// ?n= bytes (1 MiB), byte i is i modulo 251, as fast as the host takes them:
/// check-write, write, and one flush at the end. ?length=1 announces them.
pub fn download(call: Call) {
    let n = call.query.number("n", 1 << 20);
    let mut reply = call.reply.field("content-type", "application/octet-stream");
    if call.query.get("length").is_some() {
        reply = reply.field("content-length", &n.to_string());
    }
    let pattern: Vec<u8> = (0..65536usize + 251).map(|i| (i % 251) as u8).collect();
    let body = reply.start();
    let ready = body.stream.subscribe();
    let mut sent = 0;
    while sent < n {
        let room = match body.stream.check_write() {
            Ok(0) => {
                ready.block();
                continue;
            }
            Ok(room) => room.min(n - sent).min(65536) as usize,
            Err(_) => break,
        };
        let from = (sent % 251) as usize;
        if body.stream.write(&pattern[from..from + room]).is_err() {
            break;
        }
        sent += room as u64;
    }
    drop(ready);
    if body.stream.blocking_flush().is_err() {
        eprintln!("download: cut");
    }
    body.finish();
}

/// ?n= pieces (10) of ?size= bytes (8) each, flushed one by one, ?ms= apart.
pub fn chunks(call: Call) {
    let size = call.query.number("size", 8) as usize;
    let pause = call.query.millis("ms").unwrap_or(0);
    let mut body = call.reply.field("content-type", "text/plain").start();
    for i in 0..call.query.number("n", 10) {
        if i > 0 && pause > 0 {
            subscribe_duration(pause).block();
        }
        let mut piece = format!("{i:0>width$}", width = size.saturating_sub(1));
        piece.push('\n');
        if !body.write(piece.as_bytes()) {
            break;
        }
    }
    body.finish();
}

/// The body back without the guest seeing it: splice. ?size= bounds a piece.
pub fn splice(call: Call) {
    let size = call.query.number("size", 65536);
    let incoming = call.request.consume().unwrap();
    let stream = incoming.stream().unwrap();
    let body = call.reply.start();
    while body.stream.blocking_splice(&stream, size).is_ok() {}
    body.finish();
}

/// Echoes the body, then sends as trailers ?trailer=name:value, any number of
/// them, and `x-request-` in front of each trailer of the request.
pub fn trailers(call: Call) {
    let incoming = call.request.consume().unwrap();
    let stream = incoming.stream().unwrap();
    let names: Vec<&str> = call
        .query
        .all("trailer")
        .filter_map(|t| t.split(':').next())
        .collect();
    let reply = match names.len() {
        0 => call.reply,
        _ => call.reply.field("trailer", &names.join(", ")),
    };
    let mut body = reply.start();
    let _ = drain(&stream, 65536, |piece| body.write(piece));
    drop(stream);

    let out = Fields::new();
    for trailer in call.query.all("trailer") {
        let (name, value) = trailer.split_once(':').expect("name:value");
        out.append(name, value.as_bytes()).expect("a trailer");
    }
    let future = IncomingBody::finish(incoming);
    future.subscribe().block();
    if let Some(Ok(Ok(Some(fields)))) = future.get() {
        for (name, value) in fields.entries() {
            out.append(&format!("x-request-{name}"), &value)
                .expect("a trailer");
        }
    }
    body.finish_with(Some(out));
}

/// A response whose body the guest never asks for. ?code= is its status.
pub fn none(call: Call) {
    let status = call.query.number("code", 200) as u16;
    call.reply.status(status).without_body();
}

impl Reply {
    fn without_body(self) {
        let (out, response) = self.response();
        wasi::http::types::ResponseOutparam::set(out, Ok(response));
    }
}

/// Zeroes through write-zeroes, so that the guest needs no memory for them.
pub fn zeroes(body: &mut Body, n: u64) {
    let mut left = n;
    while left > 0 {
        let piece = left.min(4096);
        if body.stream.blocking_write_zeroes_and_flush(piece).is_err() {
            return;
        }
        left -= piece;
    }
}
