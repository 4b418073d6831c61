// exit ends with the code in its first argument, else in ?code=, else 0, and
// says nothing.
#include "cgi.h"

int main(int argc, char **argv) {
	exit(argc > 1 ? atoi(argv[1]) : (int)query_number("code", 0));
}
