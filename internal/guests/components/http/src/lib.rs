//! The behaviours of wasi:http that tests want to see, one for each path. The
//! table in internal/guests/README.md says what each does.

mod bad;
mod body;
mod head;
mod network;
mod outgoing;
mod query;
mod reply;
mod system;

use wasi::http::types::{IncomingRequest, ResponseOutparam};

use query::Query;
use reply::Reply;

/// A request, taken apart, and where its answer goes.
struct Call {
    request: IncomingRequest,
    path: String,
    query: Query,
    reply: Reply,
}

struct Http;

impl wasi::exports::http::incoming_handler::Guest for Http {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        dispatch(Call {
            path: path.to_string(),
            query: Query::parse(query),
            reply: Reply::new(out),
            request,
        });
    }
}

fn dispatch(call: Call) {
    match call.path.as_str() {
        "/hello" => call.reply.text("hello\n"),
        "/counter" => system::counter(call),

        "/request" => head::request(call),
        "/status" => head::status(call),
        "/fields" => head::fields(call),
        "/rules" => head::rules(call),

        "/echo" => body::echo(call),
        "/upload" => body::upload(call),
        "/ignore" => call.reply.text("ignored\n"),
        "/download" => body::download(call),
        "/chunks" => body::chunks(call),
        "/splice" => body::splice(call),
        "/trailers" => body::trailers(call),
        "/no-body" => body::none(call),

        "/never" => bad::never(call),
        "/error" => bad::error(call),
        "/trap" => bad::trap(call),
        "/trap-after-head" => bad::trap_after_head(call),
        "/unfinished" => bad::unfinished(call),
        "/length" => bad::length(call),
        "/twice" => bad::twice(call),
        "/spin" => bad::spin(call),
        "/recurse" => bad::recurse(call),
        "/exit" => bad::exit(call),
        "/allocate" => bad::allocate(call),
        "/handles" => bad::handles(call),
        "/late" => bad::late(call),

        "/sleep" => system::sleep(call),
        "/timers" => system::timers(call),
        "/clock" => system::clock(call),
        "/random" => system::random(call),
        "/env" => system::env(call),
        "/args" => system::args(call),
        "/stdin" => system::stdin(call),
        "/print" => system::print(call),
        "/read" => system::read(call),
        "/write" => system::write(call),
        "/list" => system::list(call),

        "/get" => outgoing::get(call),
        "/relay" => outgoing::relay(call),
        "/both" => outgoing::both(call),
        "/cancel" => outgoing::cancel(call),

        "/tcp" => network::tcp(call),
        "/udp" => network::udp(call),
        "/resolve" => network::resolve(call),

        path => {
            let path = format!("{path}: no such behaviour\n");
            call.reply.status(404).text(&path)
        }
    }
}

wasi::http::proxy::export!(Http);
