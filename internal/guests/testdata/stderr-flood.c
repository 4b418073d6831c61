// stderr-flood writes ?n= bytes (default 1 MiB) to stderr without one newline,
// and answers.
#include "cgi.h"

int main(void) {
	char piece[4096];
	memset(piece, 'x', sizeof piece);
	for (long long n = query_number("n", 1 << 20); n > 0; n -= (long long)sizeof piece) {
		size_t size = n < (long long)sizeof piece ? (size_t)n : sizeof piece;
		if (write(STDERR_FILENO, piece, size) != (ssize_t)size) return 1;
	}
	head();
	puts("wrote to stderr");
	return 0;
}
