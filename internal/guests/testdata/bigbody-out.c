// bigbody-out answers ?n= bytes (default 1 MiB), byte i being i modulo 251.
// ?length=1 announces the length first.
#include "cgi.h"

int main(void) {
	long long n = query_number("n", 1 << 20);
	char line[64];
	cgi_send_text("Content-Type: application/octet-stream\r\n");
	if (query_number("length", 0)) {
		snprintf(line, sizeof line, "Content-Length: %lld\r\n", n);
		cgi_send_text(line);
	}
	cgi_send_text("\r\n");
	// A whole number of periods, so that every piece starts the pattern anew.
	static unsigned char piece[251 * 256];
	for (size_t i = 0; i < sizeof piece; i++) piece[i] = (unsigned char)(i % 251);
	for (; n > 0; n -= (long long)sizeof piece)
		cgi_send(piece, n < (long long)sizeof piece ? (size_t)n : sizeof piece);
	return 0;
}
