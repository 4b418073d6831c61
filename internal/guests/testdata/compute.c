// compute does ?millions= million rounds (default 2000, some seconds) of a
// 64 bit xorshift and answers the last state in hex. It makes no host call
// until it is done.
#include "cgi.h"

int main(void) {
	uint64_t x = 88172645463325252u;
	for (long long i = query_number("millions", 2000) * 1000000; i > 0; i--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	head();
	printf("%016llx\n", (unsigned long long)x);
	return 0;
}
