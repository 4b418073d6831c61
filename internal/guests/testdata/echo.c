// echo answers with the request as it arrived: method, path, query, protocol,
// header fields, an empty line, then the body.
#include "cgi.h"

extern char **environ;

int main(void) {
	head();
	printf("method: %s\n", variable("REQUEST_METHOD"));
	printf("script: %s\n", variable("SCRIPT_NAME"));
	printf("path: %s\n", variable("PATH_INFO"));
	printf("query: %s\n", variable("QUERY_STRING"));
	printf("protocol: %s\n", variable("SERVER_PROTOCOL"));
	printf("type: %s\n", variable("CONTENT_TYPE"));
	printf("length: %s\n", variable("CONTENT_LENGTH"));
	for (char **e = environ; e && *e; e++)
		if (strncmp(*e, "HTTP_", 5) == 0) printf("header: %s\n", *e);
	putchar('\n');
	static char buffer[65536];
	for (size_t n; (n = fread(buffer, 1, sizeof buffer, stdin)) > 0;)
		fwrite(buffer, 1, n, stdout);
	return 0;
}
