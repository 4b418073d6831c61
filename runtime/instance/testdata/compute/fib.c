// fib computes a Fibonacci number by recursion: hardly anything but calls.
typedef unsigned int u32;

__attribute__((noinline)) static u32 fib(u32 n) {
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

__attribute__((export_name("run"))) u32 run(u32 n) { return fib(n); }
