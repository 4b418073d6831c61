//! Behaviours about the rest of WASI: clocks, random, cli, files.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::{env, fs, io};

use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::io::poll::poll;
use wasi::random::{insecure, insecure_seed, random as secure};

use crate::Call;

thread_local!(static COUNT: Cell<u32> = const { Cell::new(0) });

/// How many requests this instance has seen.
pub fn counter(call: Call) {
    COUNT.set(COUNT.get() + 1);
    call.reply.text(&format!("{}\n", COUNT.get()));
}

/// Waits ?ms= (100). ?head=1 sends the head first.
pub fn sleep(call: Call) {
    let pause = call.query.millis("ms").unwrap_or(100_000_000);
    let wait = || monotonic_clock::subscribe_duration(pause).block();
    if call.query.get("head").is_some() {
        let mut body = call.reply.start();
        wait();
        body.write(b"slept\n");
        body.finish();
        return;
    }
    wait();
    call.reply.text("slept\n");
}

/// Polls timers of ?ms= each, any number of them, until all were ready; tells
/// the order in which they were.
pub fn timers(call: Call) {
    let asked: Vec<&str> = call.query.all("ms").collect();
    let mut left: Vec<_> = asked
        .iter()
        .map(|ms| {
            let ns = ms.parse::<u64>().expect("ms") * 1_000_000;
            (*ms, monotonic_clock::subscribe_duration(ns))
        })
        .collect();
    let mut text = String::new();
    while !left.is_empty() {
        let pollables: Vec<_> = left.iter().map(|(_, pollable)| pollable).collect();
        let ready = poll(&pollables);
        for i in ready.iter().rev() {
            let (ms, pollable) = left.remove(*i as usize);
            assert!(pollable.ready(), "poll said it is");
            writeln!(text, "{ms}").unwrap();
        }
    }
    call.reply.text(&text);
}

pub fn clock(call: Call) {
    let wall = wall_clock::now();
    let (first, second) = (monotonic_clock::now(), monotonic_clock::now());
    call.reply.text(&format!(
        "wall={}.{:09} monotonic={first} later={}\n",
        wall.seconds,
        wall.nanoseconds,
        second - first
    ));
}

/// 16 bytes of each source in hex; no two answers have one in common.
pub fn random(call: Call) {
    let mut text = String::new();
    let seed = insecure_seed::insecure_seed();
    for (name, bytes) in [
        ("bytes", secure::get_random_bytes(16)),
        ("u64", secure::get_random_u64().to_le_bytes().to_vec()),
        ("insecure", insecure::get_insecure_random_bytes(16)),
        ("seed", seed.0.to_le_bytes().to_vec()),
    ] {
        write!(text, "{name}=").unwrap();
        for byte in bytes {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
    call.reply.text(&text);
}

pub fn env(call: Call) {
    let mut text = String::new();
    for (name, value) in env::vars() {
        writeln!(text, "{name}={value}").unwrap();
    }
    call.reply.text(&text);
}

pub fn args(call: Call) {
    let args: Vec<String> = env::args().collect();
    call.reply.text(&format!("{}\n", args.join("\n")));
}

/// How many bytes stdin has.
pub fn stdin(call: Call) {
    let mut bytes = Vec::new();
    let end = io::stdin().read_to_end(&mut bytes);
    call.reply.text(&format!("{end:?}\n"));
}

/// Prints ?out= on stdout and ?err= on stderr, each with a newline.
pub fn print(call: Call) {
    if let Some(text) = call.query.get("out") {
        println!("{text}");
        io::stdout().flush().unwrap();
    }
    if let Some(text) = call.query.get("err") {
        eprintln!("{text}");
    }
    call.reply.text("printed\n");
}

/// The bytes of the file ?path=, or 404 and why not.
pub fn read(call: Call) {
    match fs::read(call.query.get("path").expect("?path=")) {
        Ok(bytes) => {
            let mut body = call.reply.start();
            body.write(&bytes);
            body.finish();
        }
        Err(why) => call.reply.status(404).text(&format!("{why}\n")),
    }
}

/// Writes ?text= to the file ?path=, or 403 and why not.
pub fn write(call: Call) {
    let text = call.query.get("text").unwrap_or("");
    match fs::write(call.query.get("path").expect("?path="), text) {
        Ok(()) => call.reply.text(&format!("wrote {}\n", text.len())),
        Err(why) => call.reply.status(403).text(&format!("{why}\n")),
    }
}

/// The sorted names in the directory ?path=, `/` after directories.
pub fn list(call: Call) {
    let entries = match fs::read_dir(call.query.get("path").unwrap_or("/")) {
        Ok(entries) => entries,
        Err(why) => return call.reply.status(404).text(&format!("{why}\n")),
    };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => name + "/",
                Ok(kind) if kind.is_symlink() => name + "@",
                _ => name,
            }
        })
        .collect();
    names.sort();
    call.reply.text(&format!("{}\n", names.join("\n")));
}
