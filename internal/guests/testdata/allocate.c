// allocate grows its memory ?step= KiB at a time (default 1024) until it is
// refused or ?max= KiB (default: no end) are had, writes to every new page of
// 4 KiB, and answers "refused at N" or "reached N", N in bytes.
#include "cgi.h"

int main(void) {
	size_t step = (size_t)query_number("step", 1024) / 64;
	size_t max = (size_t)query_number("max", 4 << 20) / 64;
	const char *outcome = "reached";
	if (step < 1) step = 1;
	while (__builtin_wasm_memory_size(0) < max) {
		size_t before = __builtin_wasm_memory_grow(0, step);
		if (before == SIZE_MAX) {
			outcome = "refused at";
			break;
		}
		volatile char *page = (volatile char *)(before << 16);
		for (size_t i = 0; i < step << 16; i += 4096) page[i] = 1;
	}
	head();
	printf("%s %llu\n", outcome, (unsigned long long)__builtin_wasm_memory_size(0) << 16);
	return 0;
}
