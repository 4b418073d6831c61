// stderr writes two lines and a piece of a third to stderr, and answers.
#include "cgi.h"

int main(void) {
	fputs("first line\nsecond line\npartial last line", stderr);
	head();
	puts("wrote to stderr");
	return 0;
}
