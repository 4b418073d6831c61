// clock answers the wall and the monotonic clock in nanoseconds, the latter
// twice: "wall=… monotonic=… later=…".
#include "cgi.h"
#include <time.h>

static long long now(clockid_t clock) {
	struct timespec t;
	if (clock_gettime(clock, &t) != 0) exit(1);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
	long long wall = now(CLOCK_REALTIME), monotonic = now(CLOCK_MONOTONIC);
	head();
	printf("wall=%lld monotonic=%lld later=%lld\n", wall, monotonic, now(CLOCK_MONOTONIC));
	return 0;
}
