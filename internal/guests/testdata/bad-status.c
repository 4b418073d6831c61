// bad-status sends ?value= (default "teapot") as its Status field.
#include "cgi.h"

int main(void) {
	char value[256] = "teapot";
	query("value", value, sizeof value);
	printf("Status: %s\r\n", value);
	head();
	puts("sent");
	return 0;
}
