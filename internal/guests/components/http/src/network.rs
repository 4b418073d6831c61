//! Behaviours about wasi:sockets.

use std::fmt::Write;
use std::net::SocketAddr;

use wasi::sockets::instance_network::instance_network;
use wasi::sockets::ip_name_lookup::resolve_addresses;
use wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasi::sockets::tcp_create_socket::create_tcp_socket;
use wasi::sockets::udp::OutgoingDatagram;
use wasi::sockets::udp_create_socket::create_udp_socket;

use crate::body::drain;
use crate::Call;

/// Connects to ?to=, sends ?send=, shuts that side down, and answers with what
/// comes until the end.
pub fn tcp(call: Call) {
    let text = exchange(
        call.query.get("to").expect("?to="),
        call.query.get("send").unwrap_or(""),
    );
    call.reply.text(&text.unwrap_or_else(said));
}

fn exchange(to: &str, send: &str) -> Result<String, (&'static str, ErrorCode)> {
    let (family, address) = address(to);
    let network = instance_network();
    let socket = create_tcp_socket(family).map_err(|code| ("create", code))?;
    socket
        .start_connect(&network, address)
        .map_err(|code| ("start-connect", code))?;
    let ready = socket.subscribe();
    let (input, output) = loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => ready.block(),
            done => break done.map_err(|code| ("finish-connect", code))?,
        }
    };
    let mut text = String::new();
    for piece in send.as_bytes().chunks(4096) {
        if output.blocking_write_and_flush(piece).is_err() {
            text.push_str("write: failed\n");
            break;
        }
    }
    socket
        .shutdown(wasi::sockets::tcp::ShutdownType::Send)
        .map_err(|code| ("shutdown", code))?;
    let end = drain(&input, 65536, |piece| {
        text += &String::from_utf8_lossy(piece);
        true
    });
    if let Err(why) = end {
        writeln!(text, "read: {why}").unwrap();
    }
    drop((input, output, ready));
    Ok(text)
}

/// Sends ?send= in a datagram to ?to= and answers with the first that comes.
pub fn udp(call: Call) {
    let text = datagram(
        call.query.get("to").expect("?to="),
        call.query.get("send").unwrap_or(""),
    );
    call.reply.text(&text.unwrap_or_else(said));
}

fn datagram(to: &str, send: &str) -> Result<String, (&'static str, ErrorCode)> {
    let (family, to) = address(to);
    let (_, any) = address(match family {
        IpAddressFamily::Ipv4 => "0.0.0.0:0",
        IpAddressFamily::Ipv6 => "[::]:0",
    });
    let network = instance_network();
    let socket = create_udp_socket(family).map_err(|code| ("create", code))?;
    socket
        .start_bind(&network, any)
        .map_err(|code| ("start-bind", code))?;
    let ready = socket.subscribe();
    while let Err(code) = socket.finish_bind() {
        match code {
            ErrorCode::WouldBlock => ready.block(),
            code => return Err(("finish-bind", code)),
        }
    }
    let (incoming, outgoing) = socket.stream(None).map_err(|code| ("stream", code))?;
    let writable = outgoing.subscribe();
    while outgoing.check_send().map_err(|code| ("check-send", code))? == 0 {
        writable.block();
    }
    outgoing
        .send(&[OutgoingDatagram {
            data: send.as_bytes().to_vec(),
            remote_address: Some(to),
        }])
        .map_err(|code| ("send", code))?;
    let readable = incoming.subscribe();
    let answer = loop {
        match incoming.receive(1).map_err(|code| ("receive", code))?.pop() {
            Some(datagram) => break String::from_utf8_lossy(&datagram.data).into_owned(),
            None => readable.block(),
        }
    };
    drop((readable, writable, ready));
    Ok(answer)
}

/// The addresses of ?name=, one a line.
pub fn resolve(call: Call) {
    let text = addresses(call.query.get("name").expect("?name="));
    call.reply.text(&text.unwrap_or_else(said));
}

fn addresses(name: &str) -> Result<String, (&'static str, ErrorCode)> {
    let network = instance_network();
    let stream = resolve_addresses(&network, name).map_err(|code| ("resolve-addresses", code))?;
    let ready = stream.subscribe();
    let mut text = String::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(IpAddress::Ipv4((a, b, c, d)))) => {
                writeln!(text, "{}", std::net::Ipv4Addr::new(a, b, c, d)).unwrap();
            }
            Ok(Some(IpAddress::Ipv6((a, b, c, d, e, f, g, h)))) => {
                writeln!(text, "{}", std::net::Ipv6Addr::new(a, b, c, d, e, f, g, h)).unwrap();
            }
            Ok(None) => break,
            Err(ErrorCode::WouldBlock) => ready.block(),
            Err(code) => return Err(("resolve-next-address", code)),
        }
    }
    drop(ready);
    Ok(text)
}

fn said((what, code): (&'static str, ErrorCode)) -> String {
    format!("{what}: {}\n", code.name())
}

fn address(text: &str) -> (IpAddressFamily, IpSocketAddress) {
    match text.parse().expect("ADDRESS:PORT") {
        SocketAddr::V4(v4) => {
            let [a, b, c, d] = v4.ip().octets();
            let address = Ipv4SocketAddress {
                port: v4.port(),
                address: (a, b, c, d),
            };
            (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(address))
        }
        SocketAddr::V6(v6) => {
            let [a, b, c, d, e, f, g, h] = v6.ip().segments();
            let address = Ipv6SocketAddress {
                port: v6.port(),
                flow_info: v6.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: v6.scope_id(),
            };
            (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(address))
        }
    }
}
