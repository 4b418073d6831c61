// trap-late sends its head and ?n= bytes of body (default 8), then traps.
#include "cgi.h"

int main(void) {
	cgi_send_text("Content-Type: text/plain\r\n\r\n");
	for (long long n = query_number("n", 8); n > 0; n--) cgi_send("x", 1);
	__builtin_trap();
}
