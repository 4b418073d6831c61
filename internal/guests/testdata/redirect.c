// redirect sends ?to= (default "/elsewhere?a=b") as its Location field and
// nothing more: a path is a local redirect, a URI one for the client. With
// ?status= it sends that status and a body too (RFC 3875, 6.2).
#include "cgi.h"

int main(void) {
	char to[1024] = "/elsewhere?a=b", status[64];
	query("to", to, sizeof to);
	printf("Location: %s\r\n", to);
	if (query("status", status, sizeof status)) {
		printf("Status: %s\r\n", status);
		head();
		puts("moved");
	} else {
		fputs("\r\n", stdout);
	}
	return 0;
}
