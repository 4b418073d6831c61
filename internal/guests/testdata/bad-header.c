// bad-header sends ?line= as a header line (default one whose name has a
// space), then a good answer.
#include "cgi.h"

int main(void) {
	char line[1024] = "Not A Field: x";
	query("line", line, sizeof line);
	printf("%s\r\n", line);
	head();
	puts("sent");
	return 0;
}
