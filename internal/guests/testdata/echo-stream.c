// echo-stream sends every piece of the body back as soon as it has come, head
// first. ?size= bounds a piece.
#include "cgi.h"

int main(void) {
	static char buffer[65536];
	long long size = query_number("size", sizeof buffer);
	if (size < 1 || size > (long long)sizeof buffer) size = sizeof buffer;
	cgi_send_text("Content-Type: application/octet-stream\r\n\r\n");
	for (;;) {
		ssize_t n = read(STDIN_FILENO, buffer, (size_t)size);
		if (n < 0) return 1;
		if (n == 0) return 0;
		cgi_send(buffer, (size_t)n);
	}
}
