// random answers 16 random bytes in hex. No two answers are alike.
#include "cgi.h"

int main(void) {
	unsigned char bytes[16];
	if (getentropy(bytes, sizeof bytes) != 0) return 1;
	head();
	for (size_t i = 0; i < sizeof bytes; i++) printf("%02x", bytes[i]);
	putchar('\n');
	return 0;
}
