// cat is a command that copies stdin to stdout as it comes.
#include "cgi.h"

int main(void) {
	static char buffer[65536];
	for (ssize_t n; (n = read(STDIN_FILENO, buffer, sizeof buffer)) != 0;) {
		if (n < 0) return 1;
		cgi_send(buffer, (size_t)n);
	}
	return 0;
}
