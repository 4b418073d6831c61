// bigbody-in reads the whole body and answers how many bytes it had and their
// CRC-32 (IEEE): "12 9a71bb4c".
#include "cgi.h"

int main(void) {
	static uint32_t table[256];
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		table[i] = c;
	}
	static unsigned char buffer[65536];
	unsigned long long total = 0;
	uint32_t crc = 0xffffffffu;
	ssize_t n;
	while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
		total += (unsigned long long)n;
		for (ssize_t i = 0; i < n; i++) crc = table[(crc ^ buffer[i]) & 255] ^ crc >> 8;
	}
	if (n < 0) return cgi_refuse("400 Bad Request");
	head();
	printf("%llu %08x\n", total, (unsigned)~crc);
	return 0;
}
