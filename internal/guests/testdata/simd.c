// simd adds two rows of 64 bytes with vector instructions and answers the sums
// in hex: byte i is 20i+1.
#include "cgi.h"
#include <wasm_simd128.h>

int main(void) {
	unsigned char a[64], b[64], sum[64];
	for (int i = 0; i < 64; i++) {
		a[i] = (unsigned char)(i * 7);
		b[i] = (unsigned char)(i * 13 + 1);
	}
	for (int i = 0; i < 64; i += 16)
		wasm_v128_store(sum + i, wasm_i8x16_add(wasm_v128_load(a + i), wasm_v128_load(b + i)));
	head();
	for (int i = 0; i < 64; i++) printf("%02x", sum[i]);
	putchar('\n');
	return 0;
}
