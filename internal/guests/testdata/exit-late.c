// exit-late answers in full and then exits with ?code= (default 1).
#include "cgi.h"

int main(void) {
	head();
	puts("answered");
	fflush(stdout);
	exit((int)query_number("code", 1));
}
