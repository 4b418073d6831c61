// trap ends in an unreachable instruction three named functions down, before
// any output. Its name section is kept: the stack must read c, b, a.
__attribute__((noinline)) void c(void) { __builtin_trap(); }
__attribute__((noinline)) void b(void) { c(); __asm__ volatile(""); }
__attribute__((noinline)) void a(void) { b(); __asm__ volatile(""); }

int main(void) {
	a();
	return 0;
}
