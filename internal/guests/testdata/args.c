// args answers its arguments, one a line, its own name first.
#include "cgi.h"

int main(int argc, char **argv) {
	head();
	for (int i = 0; i < argc; i++) puts(argv[i]);
	return 0;
}
