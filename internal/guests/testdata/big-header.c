// big-header sends one header field of ?n= bytes (default 1 MiB), or with
// ?fields= that many small ones, then a good answer.
#include "cgi.h"

int main(void) {
	long long fields = query_number("fields", 0);
	long long n = fields ? 0 : query_number("n", 1 << 20);
	for (long long i = 0; i < fields; i++) printf("X-Field-%lld: x\r\n", i);
	if (n) fputs("X-Big: ", stdout);
	for (long long i = 0; i < n; i++) putchar('x');
	if (n) fputs("\r\n", stdout);
	head();
	puts("sent");
	return 0;
}
