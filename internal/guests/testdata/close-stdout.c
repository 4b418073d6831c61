// close-stdout answers, closes its stdout, and runs on for ?ms= milliseconds
// (default 100).
#include "cgi.h"
#include <time.h>

int main(void) {
	long long ms = query_number("ms", 100);
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	cgi_send_text("Content-Type: text/plain\r\n\r\nclosed\n");
	if (close(STDOUT_FILENO) != 0) return 1;
	return nanosleep(&t, NULL) == 0 ? 0 : 1;
}
