// abort-midheader traps in the middle of a header line.
#include "cgi.h"

int main(void) {
	cgi_send_text("Content-Type: text/plain\r\nX-Half: ");
	__builtin_trap();
}
