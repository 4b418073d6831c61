//! Implements `words`: what the component in front of it calls.

use std::cell::Cell;

wit_bindgen::generate!({
    path: ["../../../../examples/wit/wasi-http.wit", "../wit"],
    world: "mayfly:guests/speaker",
});

use exports::mayfly::guests::words::{
    Counter, CounterBorrow, Guest, GuestCounter, Marks, Name, Problem, Tone,
};

thread_local!(static COUNTERS: Cell<u32> = const { Cell::new(0) });

struct Words;

impl Guest for Words {
    type Counter = Count;

    fn greet(who: Name, tone: Tone, marks: Marks) -> Result<String, Problem> {
        match who.first.len() {
            0 => return Err(Problem::Nobody),
            n if n > 100 => return Err(Problem::TooLong(n as u32)),
            _ if who.first == "root" => return Err(Problem::NotAllowed(who.first)),
            _ => {}
        }
        let mut text = match who.last {
            Some(last) => format!("hello {} {last}", who.first),
            None => format!("hello {}", who.first),
        };
        if tone == Tone::Loud {
            text = text.to_uppercase();
        }
        for (mark, sign) in [
            (Marks::QUESTION, "?"),
            (Marks::EXCLAMATION, "!"),
            (Marks::DOTS, "..."),
        ] {
            if marks.contains(mark) {
                text += sign;
            }
        }
        Ok(text)
    }

    fn sums(numbers: Vec<i64>) -> (i64, f64) {
        let sum: i64 = numbers.iter().sum();
        (sum, sum as f64 / numbers.len() as f64)
    }

    fn chars(text: String) -> Vec<char> {
        text.chars().collect()
    }

    fn twice(text: Vec<String>) -> Vec<String> {
        text.iter().map(|t| t.repeat(2)).collect()
    }

    fn join(
        a: u8,
        b: i8,
        c: u16,
        d: i16,
        e: u32,
        f: i32,
        g: u64,
        h: i64,
        i: f32,
        j: f64,
        k: char,
        l: bool,
        m: String,
        n: Option<u8>,
        o: Result<u8, u8>,
    ) -> String {
        format!("{a} {b} {c} {d} {e} {f} {g} {h} {i} {j} {k} {l} {m} {n:?} {o:?}")
    }

    fn counters() -> u32 {
        COUNTERS.get()
    }

    fn fail() {
        std::arch::wasm32::unreachable()
    }
}

struct Count(Cell<u32>);

impl Count {
    fn counted(start: u32) -> Count {
        COUNTERS.set(COUNTERS.get() + 1);
        Count(Cell::new(start))
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        COUNTERS.set(COUNTERS.get() - 1);
    }
}

impl GuestCounter for Count {
    fn new(start: u32) -> Count {
        Count::counted(start)
    }

    fn next(&self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }

    fn plus(&self, other: CounterBorrow<'_>) -> u32 {
        self.0.get() + other.get::<Count>().0.get()
    }

    fn merge(a: Counter, b: Counter) -> Counter {
        let (a, b): (Count, Count) = (a.into_inner(), b.into_inner());
        Counter::new(Count::counted(a.0.get() + b.0.get()))
    }
}

export!(Words);
