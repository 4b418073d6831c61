// sleep waits ?ms= milliseconds (default 100), then answers "slept".
#include "cgi.h"
#include <time.h>

int main(void) {
	long long ms = query_number("ms", 100);
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	if (nanosleep(&t, NULL) != 0) return 1;
	head();
	puts("slept");
	return 0;
}
