//! The answer: its head, then its body as a stream.

use wasi::http::types::{
    ErrorCode, Fields, OutgoingBody, OutgoingResponse, ResponseOutparam, Trailers,
};
use wasi::io::streams::{OutputStream, StreamError};

pub struct Reply {
    out: ResponseOutparam,
    status: u16,
    fields: Fields,
}

impl Reply {
    pub fn new(out: ResponseOutparam) -> Reply {
        Reply {
            out,
            status: 200,
            fields: Fields::new(),
        }
    }

    pub fn status(mut self, status: u16) -> Reply {
        self.status = status;
        self
    }

    pub fn field(self, name: &str, value: &str) -> Reply {
        self.fields
            .append(name, value.as_bytes())
            .expect("a field a response may have");
        self
    }

    pub fn text(self, text: &str) {
        let mut body = self.field("content-type", "text/plain").start();
        body.write(text.as_bytes());
        body.finish();
    }

    /// Sends the head; the body follows.
    pub fn start(self) -> Body {
        let (out, response) = self.response();
        let body = response.body().expect("the first body");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("the first stream");
        Body { body, stream }
    }

    /// The head as a response that was not sent yet.
    pub fn response(self) -> (ResponseOutparam, OutgoingResponse) {
        let response = OutgoingResponse::new(self.fields);
        response
            .set_status_code(self.status)
            .expect("a status code");
        (self.out, response)
    }

    pub fn fail(self, code: ErrorCode) {
        ResponseOutparam::set(self.out, Err(code));
    }

    /// Gives back what takes the answer, unset.
    pub fn into_outparam(self) -> ResponseOutparam {
        self.out
    }
}

/// The body of an answer whose head was sent.
pub struct Body {
    body: OutgoingBody,
    pub stream: OutputStream,
}

impl Body {
    /// Writes all of it, waiting where the host is not ready. Nobody reads any
    /// more: it says so on stderr and the rest is dropped.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        for piece in bytes.chunks(4096) {
            match self.stream.blocking_write_and_flush(piece) {
                Ok(()) => {}
                Err(StreamError::Closed) => {
                    eprintln!("write: closed");
                    return false;
                }
                Err(StreamError::LastOperationFailed(why)) => {
                    eprintln!("write: {}", why.to_debug_string());
                    return false;
                }
            }
        }
        true
    }

    pub fn finish(self) {
        self.finish_with(None);
    }

    pub fn finish_with(self, trailers: Option<Trailers>) {
        drop(self.stream);
        if let Err(code) = OutgoingBody::finish(self.body, trailers) {
            eprintln!("finish: {}", crate::outgoing::describe(&code));
        }
    }

    /// Drops the body without finishing it.
    pub fn abandon(self) {
        drop(self.stream);
        drop(self.body);
    }
}
