// status answers with the status ?code= (default 200), ?reason= if given, and
// a body where the status allows one; ?body=1 sends one anyway.
#include "cgi.h"

int main(void) {
	char reason[128] = "";
	int code = (int)query_number("code", 200);
	bool bodiless = (code >= 100 && code < 200) || code == 204 || code == 304;
	query("reason", reason, sizeof reason);
	printf("Status: %d%s%s\r\n", code, *reason ? " " : "", reason);
	if (query_number("body", !bodiless)) {
		head();
		printf("status %d\n", code);
	} else {
		fputs("\r\n", stdout);
	}
	return 0;
}
