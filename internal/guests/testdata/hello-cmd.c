// hello-cmd is a command that says hello on stdout and on stderr.
#include <stdio.h>

int main(void) {
	puts("hello from a command");
	fputs("and from its stderr\n", stderr);
	return 0;
}
