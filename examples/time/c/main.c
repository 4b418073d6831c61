// A sidecar that tells the time, as a CGI program (RFC 3875): the request comes
// in environment variables, the answer goes to stdout. Each request runs main
// in an instance of its own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(void) {
	time_t now = time(NULL);
	char rfc3339[32];
	strftime(rfc3339, sizeof rfc3339, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));

	const char *query = getenv("QUERY_STRING");
	if (query && strcmp(query, "format=text") == 0) {
		printf("Content-Type: text/plain\r\n\r\n%s\n", rfc3339);
		return 0;
	}

	// Drawn anew in each instance, so a caller can tell them apart.
	unsigned char id[8];
	if (getentropy(id, sizeof id) != 0) {
		perror("draw the instance's id");
		return 1;
	}
	printf("Content-Type: application/json\r\n\r\n");
	printf("{\"time\": \"%s\", \"unix\": %lld, \"instance\": \"", rfc3339, (long long)now);
	for (size_t i = 0; i < sizeof id; i++) printf("%02x", id[i]);
	printf("\", \"language\": \"c\"}\n");
	return 0;
}
