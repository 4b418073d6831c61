// slow-out sends ?n= bytes (default 10), one each ?ms= milliseconds (default
// 100), head at once.
#include "cgi.h"
#include <time.h>

int main(void) {
	long long ms = query_number("ms", 100);
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	cgi_send_text("Content-Type: text/plain\r\n\r\n");
	for (long long n = query_number("n", 10); n > 0; n--) {
		if (nanosleep(&t, NULL) != 0) return 1;
		cgi_send(".", 1);
	}
	return 0;
}
