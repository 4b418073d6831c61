// env answers its environment, one variable a line, in the order it came.
#include "cgi.h"

extern char **environ;

int main(void) {
	head();
	for (char **e = environ; e && *e; e++) puts(*e);
	return 0;
}
