// binary-output sends bytes that no one could take for a header block.
#include "cgi.h"

int main(void) {
	unsigned char bytes[1024];
	for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(255 - i % 256);
	cgi_send("\x89\x00\xff\xfe", 4);
	cgi_send(bytes, sizeof bytes);
	return 0;
}
