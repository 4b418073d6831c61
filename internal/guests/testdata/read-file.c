// read-file answers with the bytes of the file ?path=, or 404 and the errno.
#include "cgi.h"

int main(void) {
	char path[4096] = "/etc/hostname";
	static char buffer[65536];
	query("path", path, sizeof path);
	FILE *file = fopen(path, "r");
	if (!file) return cgi_refuse("404 Not Found");
	fputs("Content-Type: application/octet-stream\r\n\r\n", stdout);
	for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
		fwrite(buffer, 1, n, stdout);
	if (ferror(file)) fprintf(stderr, "read %s: errno %d: %s\n", path, errno, strerror(errno));
	return ferror(file) ? 1 : 0;
}
