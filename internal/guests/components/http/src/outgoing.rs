//! Behaviours about wasi:http/outgoing-handler.

use std::fmt::Write;

use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasi::io::poll::poll;

use crate::body::{drain, lines, trailers_text};
use crate::query::Query;
use crate::Call;

/// The name of an error-code as WIT has it, with its payload.
pub fn describe(code: &ErrorCode) -> String {
    let debug = format!("{code:?}").replace("ErrorCode::", "");
    let (name, payload) = match debug.find('(') {
        Some(at) => debug.split_at(at),
        None => (debug.as_str(), ""),
    };
    let mut text = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text + payload
}

/// Asks for ?url= (or the header `x-url`) and reports: status, fields, an empty
/// line, body; after `trailers:` the trailers. What went wrong is told instead.
/// ?method=, ?field=name:value, ?body= (sent in one piece), ?length= for a
/// content-length, ?trailer=name:value; ?connect-ms=, ?first-byte-ms= and
/// ?between-ms= for the timeouts.
pub fn get(call: Call) {
    let url = url(&call);
    let text = report(&call.query, &url).unwrap_or_else(|why| format!("{why}\n"));
    call.reply.text(&text);
}

fn report(query: &Query, url: &str) -> Result<String, String> {
    let future = send(query, url)?;
    let response = wait(&future)?;
    let mut text = format!("status {}\n{}\n", response.status(), lines(&response.headers()));
    let incoming = response.consume().map_err(|()| "consume: refused")?;
    let stream = incoming.stream().map_err(|()| "stream: refused")?;
    let mut bytes = Vec::new();
    let end = drain(&stream, 65536, |piece| {
        bytes.extend_from_slice(piece);
        true
    });
    drop(stream);
    text += &String::from_utf8_lossy(&bytes);
    match end {
        Err(why) => writeln!(text, "\nread: {why}").unwrap(),
        Ok(()) => match trailers_text(IncomingBody::finish(incoming)).as_str() {
            "none\n" => {}
            trailers => write!(text, "\ntrailers:\n{trailers}").unwrap(),
        },
    }
    Ok(text)
}

fn url(call: &Call) -> String {
    match call.query.get("url") {
        Some(url) => url.to_string(),
        None => match call.request.headers().get("x-url").first() {
            Some(url) => String::from_utf8_lossy(url).into_owned(),
            None => String::new(),
        },
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_string()),
    }
}

/// A request to `url`, its method and fields from the query, not sent yet.
fn request(query: &Query, url: &str) -> Result<OutgoingRequest, String> {
    let fields = Fields::new();
    for field in query.all("field") {
        let (name, value) = field.split_once(':').expect("name:value");
        if let Err(why) = fields.append(name, value.as_bytes()) {
            return Err(format!("field {name}: {why:?}"));
        }
    }
    if let Some(length) = query.get("length") {
        if let Err(why) = fields.set("content-length", &[length.as_bytes().to_vec()]) {
            return Err(format!("content-length: {why:?}"));
        }
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let scheme = match scheme {
        "" => None,
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        other => Some(Scheme::Other(other.to_string())),
    };
    let request = OutgoingRequest::new(fields);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
    for (what, set) in [
        ("method", request.set_method(&method(query.get("method").unwrap_or("GET")))),
        ("scheme", request.set_scheme(scheme.as_ref())),
        ("authority", request.set_authority(some(authority).as_deref())),
        ("path", request.set_path_with_query(some(path).as_deref())),
    ] {
        set.map_err(|()| format!("set {what}: refused"))?;
    }
    Ok(request)
}

fn options(query: &Query) -> Result<Option<RequestOptions>, String> {
    let names = ["connect-ms", "first-byte-ms", "between-ms"];
    if names.iter().all(|name| query.get(name).is_none()) {
        return Ok(None);
    }
    let options = RequestOptions::new();
    for (what, set) in [
        ("connect", options.set_connect_timeout(query.millis(names[0]))),
        ("first-byte", options.set_first_byte_timeout(query.millis(names[1]))),
        ("between-bytes", options.set_between_bytes_timeout(query.millis(names[2]))),
    ] {
        set.map_err(|()| format!("{what}-timeout: refused"))?;
    }
    Ok(Some(options))
}

/// Sends a request with the body of the query.
fn send(query: &Query, url: &str) -> Result<FutureIncomingResponse, String> {
    let request = request(query, url)?;
    let body = request.body().map_err(|()| "body: refused")?;
    let future = handle(request, options(query)?)?;
    if let Some(text) = query.get("body") {
        let stream = body.write().map_err(|()| "write: refused")?;
        for piece in text.as_bytes().chunks(4096) {
            if stream.blocking_write_and_flush(piece).is_err() {
                break; // the answer says why
            }
        }
    }
    let trailers = Fields::new();
    for trailer in query.all("trailer") {
        let (name, value) = trailer.split_once(':').expect("name:value");
        trailers
            .append(name, value.as_bytes())
            .map_err(|why| format!("trailer {name}: {why:?}"))?;
    }
    let trailers = query.get("trailer").map(|_| trailers);
    OutgoingBody::finish(body, trailers).map_err(|code| format!("finish: {}", describe(&code)))?;
    Ok(future)
}

fn handle(
    request: OutgoingRequest,
    options: Option<RequestOptions>,
) -> Result<FutureIncomingResponse, String> {
    outgoing_handler::handle(request, options).map_err(|code| format!("handle: {}", describe(&code)))
}

fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    future.subscribe().block();
    match future.get() {
        None => Err("get: not ready".to_string()),
        Some(Err(())) => Err("get: taken".to_string()),
        Some(Ok(Err(code))) => Err(format!("error: {}", describe(&code))),
        Some(Ok(Ok(response))) => Ok(response),
    }
}

/// A proxy: method, fields and body go to ?url= (or `x-url`) as they come, the
/// answer comes back as it comes. What went wrong is a 502 that says what.
pub fn relay(call: Call) {
    let url = url(&call);
    let sent = relay_request(&call, &url);
    let (future, outgoing) = match sent {
        Ok(sent) => sent,
        Err(why) => return call.reply.status(502).text(&format!("{why}\n")),
    };
    let incoming = call.request.consume().unwrap();
    let stream = incoming.stream().unwrap();
    let sink = outgoing.write().unwrap();
    while sink.blocking_splice(&stream, 65536).is_ok() {}
    drop((stream, sink));
    let _ = OutgoingBody::finish(outgoing, None);
    let response = match wait(&future) {
        Ok(response) => response,
        Err(why) => return call.reply.status(502).text(&format!("{why}\n")),
    };
    let mut reply = call.reply.status(response.status());
    for (name, value) in response.headers().entries() {
        reply = reply.field(&name, &String::from_utf8_lossy(&value));
    }
    let body = response.consume().unwrap();
    let stream = body.stream().unwrap();
    let out = reply.start();
    while out.stream.blocking_splice(&stream, 65536).is_ok() {}
    out.finish();
}

fn relay_request(
    call: &Call,
    url: &str,
) -> Result<(FutureIncomingResponse, OutgoingBody), String> {
    let outgoing = request(&call.query, url)?;
    outgoing
        .set_method(&call.request.method())
        .map_err(|()| "set method: refused")?;
    let body = outgoing.body().map_err(|()| "body: refused")?;
    Ok((handle(outgoing, options(&call.query)?)?, body))
}

/// Asks for every ?url= at once and reports their status codes in the order in
/// which they come.
pub fn both(call: Call) {
    let urls: Vec<&str> = call.query.all("url").collect();
    let mut text = String::new();
    let mut left = Vec::new();
    for url in urls {
        match send(&call.query, url) {
            Ok(future) => left.push((url, future.subscribe(), future)),
            Err(why) => writeln!(text, "{url} {why}").unwrap(),
        }
    }
    while !left.is_empty() {
        let pollables: Vec<_> = left.iter().map(|(_, pollable, _)| pollable).collect();
        for i in poll(&pollables).iter().rev() {
            let (url, pollable, future) = left.remove(*i as usize);
            drop(pollable);
            match wait(&future) {
                Ok(response) => writeln!(text, "{url} {}", response.status()).unwrap(),
                Err(why) => writeln!(text, "{url} {why}").unwrap(),
            }
        }
    }
    call.reply.text(&text);
}

/// Sends a request to ?url= and drops what would bring the answer: at once, or
/// with ?after=head the body only.
pub fn cancel(call: Call) {
    let sent = send(&call.query, &url(&call));
    let text = match (sent, call.query.get("after")) {
        (Err(why), _) => why,
        (Ok(future), Some("head")) => match wait(&future) {
            Ok(response) => format!("dropped after {}", response.status()),
            Err(why) => why,
        },
        (Ok(_), _) => "dropped".to_string(),
    };
    call.reply.text(&format!("{text}\n"));
}
