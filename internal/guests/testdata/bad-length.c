// bad-length announces ?announce= bytes (default 10) and sends ?send= (default
// 5): too few or too many.
#include "cgi.h"

int main(void) {
	printf("Content-Type: text/plain\r\nContent-Length: %lld\r\n\r\n", query_number("announce", 10));
	for (long long n = query_number("send", 5); n > 0; n--) putchar('x');
	return 0;
}
