// half-header ends well in the middle of a header line.
#include "cgi.h"

int main(void) {
	cgi_send_text("Content-Type: text/pl");
	return 0;
}
