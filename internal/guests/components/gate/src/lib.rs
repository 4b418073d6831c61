//! Stands before another handler: /closed it answers itself, every other
//! request it hands on as it is.

wit_bindgen::generate!({
    path: ["../../../../examples/wit/wasi-http.wit", "../wit"],
    world: "mayfly:guests/gate",
    generate_all,
});

use exports::wasi::http::incoming_handler::Guest;
use wasi::http::incoming_handler;
use wasi::http::types::{Fields, IncomingRequest, OutgoingResponse, ResponseOutparam};

struct Gate;

impl Guest for Gate {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        if request.path_with_query().as_deref() != Some("/closed") {
            return incoming_handler::handle(request, out);
        }
        let response = OutgoingResponse::new(Fields::new());
        response.set_status_code(403).expect("a status code");
        ResponseOutparam::set(out, Ok(response));
    }
}

export!(Gate);
