// sleep-cmd is a command that waits as many milliseconds as its first argument
// says (default 100).
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
	long long ms = argc > 1 ? atoll(argv[1]) : 100;
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	return nanosleep(&t, NULL) == 0 ? 0 : 1;
}
