// env answers its environment, one variable a line, in the order it came.
#include "cgi.h"

extern char **environ;

int main(void) {
	head();
	getenv("");  // wasi-libc fills environ on first use
	for (char **e = environ; e && *e; e++) puts(*e);
	return 0;
}
