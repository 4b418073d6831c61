//! A command on the standard library alone; its first argument says what it
//! does. internal/guests/README.md has the table.

use std::io::{self, BufRead, Write};
use std::process::exit;
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs};

fn main() {
    let args: Vec<String> = env::args().collect();
    let second = || args.get(2).map(String::as_str).unwrap_or_default();
    let done = match args.get(1).map(String::as_str) {
        None | Some("hello") => {
            println!("hello");
            eprintln!("on stderr");
            Ok(())
        }
        Some("args") => {
            args[2..].iter().for_each(|arg| println!("{arg}"));
            Ok(())
        }
        Some("env") => {
            env::vars().for_each(|(name, value)| println!("{name}={value}"));
            Ok(())
        }
        Some("cat") => io::copy(&mut io::stdin(), &mut io::stdout()).map(drop),
        Some("lines") => lines(),
        Some("exit") => exit(second().parse().expect("a code")),
        Some("panic") => panic!("as asked"),
        Some("read") => fs::read(second()).and_then(|bytes| io::stdout().write_all(&bytes)),
        Some("write") => fs::write(second(), &args[3]),
        Some("sleep") => {
            sleep(Duration::from_millis(second().parse().expect("milliseconds")));
            Ok(())
        }
        Some(other) => {
            eprintln!("{other}: no such behaviour");
            exit(2)
        }
    };
    if let Err(why) = done {
        eprintln!("{why}");
        exit(1);
    }
}

/// Each line of stdin with its number, as soon as it is there.
fn lines() -> io::Result<()> {
    for (i, line) in io::stdin().lock().lines().enumerate() {
        println!("{} {}", i + 1, line?);
    }
    Ok(())
}
