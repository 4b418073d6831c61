//! Behaviours about methods, targets, status codes and fields.

use std::fmt::{Display, Write};

use wasi::http::types::{Fields, HeaderError, Method, OutgoingResponse, Scheme};

use crate::Call;

/// The request as the guest sees it, a line for each part.
pub fn request(call: Call) {
    let mut text = String::new();
    let r = &call.request;
    writeln!(text, "method: {}", method(&r.method())).unwrap();
    writeln!(text, "scheme: {}", scheme(r.scheme().as_ref())).unwrap();
    writeln!(text, "authority: {}", or_none(r.authority())).unwrap();
    writeln!(text, "path: {}", or_none(r.path_with_query())).unwrap();
    for (name, value) in r.headers().entries() {
        writeln!(text, "header: {name}={}", value.escape_ascii()).unwrap();
    }
    call.reply.text(&text);
}

pub fn method(method: &Method) -> String {
    match method {
        Method::Other(name) => format!("other {name}"),
        known => format!("{known:?}").replace("Method::", "").to_lowercase(),
    }
}

fn scheme(scheme: Option<&Scheme>) -> String {
    match scheme {
        None => "none".to_string(),
        Some(Scheme::Http) => "http".to_string(),
        Some(Scheme::Https) => "https".to_string(),
        Some(Scheme::Other(name)) => format!("other {name}"),
    }
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| "none".to_string())
}

/// ?code= with ?body= and any number of ?field=name:value.
pub fn status(call: Call) {
    let mut reply = call.reply.status(call.query.number("code", 200) as u16);
    for field in call.query.all("field") {
        let (name, value) = field.split_once(':').expect("name:value");
        reply = reply.field(name, value);
    }
    let mut body = reply.start();
    if let Some(text) = call.query.get("body") {
        body.write(text.as_bytes());
    }
    body.finish();
}

/// What the host says to each ?name= as the name of a field, and to each
/// ?value= as a value: `ok` or the header-error.
pub fn fields(call: Call) {
    let mut text = String::new();
    for name in call.query.all("name") {
        let appended = Fields::new().append(name, b"value");
        let listed = Fields::from_list(&[(name.to_string(), b"value".to_vec())]).map(drop);
        writeln!(text, "name {name}: append {}, from-list {}", said(appended), said(listed)).unwrap();
    }
    for value in call.query.all("value") {
        let set = Fields::new().set("x-test", &[value.as_bytes().to_vec()]);
        writeln!(text, "value {}: set {}", value.escape_default(), said(set)).unwrap();
    }
    call.reply.text(&text);
}

/// The rules of the resource `fields`, one a line.
pub fn rules(call: Call) {
    let mut text = String::new();
    let mut rule = |name: &str, got: &dyn Display| writeln!(text, "{name}: {got}").unwrap();

    let fields = Fields::new();
    rule("get of none", &fields.get("x-a").len());
    fields.append("X-A", b"1").unwrap();
    fields.append("x-a", b"2").unwrap();
    rule("names ignore case", &fields.get("x-A").len());
    rule("has", &fields.has("X-a"));
    rule("entries keep order", &names(&fields));
    fields.set("x-a", &[b"3".to_vec()]).unwrap();
    rule("set replaces", &fields.get("x-a").len());
    let clone = fields.clone();
    fields.delete("x-A").unwrap();
    rule("delete", &fields.has("x-a"));
    rule("a clone is another", &clone.has("x-a"));
    fields.set("x-none", &[]).unwrap();
    rule("set to nothing", &fields.has("x-none"));
    rule("get of a bad name", &fields.get("bad name").len());
    rule("delete of a bad name", &said(fields.delete("bad name")));

    let request = call.request.headers();
    rule("request append", &said(request.append("x-b", b"1")));
    rule("request set", &said(request.set("x-b", &[])));
    rule("request delete", &said(request.delete("x-b")));
    rule("clone of the request's", &said(request.clone().append("x-b", b"1")));

    let response = OutgoingResponse::new(Fields::new());
    rule("response status", &response.status_code());
    rule("status 99", &response.set_status_code(99).is_ok());
    rule("status 1000", &response.set_status_code(1000).is_ok());
    rule("response append", &said(response.headers().append("x-c", b"1")));
    let body = response.body();
    rule("body", &body.is_ok());
    rule("body again", &response.body().is_ok());
    let body = body.unwrap();
    let stream = body.write();
    rule("write", &stream.is_ok());
    rule("write again", &body.write().is_ok());
    let consumed = call.request.consume();
    rule("consume", &consumed.is_ok());
    rule("consume again", &call.request.consume().is_ok());
    let consumed = consumed.unwrap();
    let read = consumed.stream();
    rule("stream", &read.is_ok());
    rule("stream again", &consumed.stream().is_ok());
    // Children before parents.
    drop((stream, read));
    drop((body, consumed));
    call.reply.text(&text);
}

fn names(fields: &Fields) -> String {
    let entries = fields.entries();
    let pairs: Vec<String> = entries
        .iter()
        .map(|(name, value)| format!("{name}={}", value.escape_ascii()))
        .collect();
    pairs.join(" ")
}

fn said(result: Result<(), HeaderError>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(HeaderError::InvalidSyntax) => "invalid-syntax",
        Err(HeaderError::Forbidden) => "forbidden",
        Err(HeaderError::Immutable) => "immutable",
    }
}
