// write-file writes ?text= (default "mayfly") to the file ?path=, which it
// makes or empties first, and answers "wrote N" or 403 and the errno.
#include "cgi.h"
#include <fcntl.h>

int main(void) {
	char path[4096] = "/tmp/mayfly", text[4096] = "mayfly";
	query("path", path, sizeof path);
	query("text", text, sizeof text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0) return cgi_refuse("403 Forbidden");
	ssize_t n = write(fd, text, strlen(text));
	if (n < 0 || close(fd) != 0) return cgi_refuse("403 Forbidden");
	head();
	printf("wrote %d\n", (int)n);
	return 0;
}
