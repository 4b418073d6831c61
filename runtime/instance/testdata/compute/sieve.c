// sieve counts the primes below 2^18 n times.
typedef unsigned char u8;
typedef unsigned int u32;

enum { N = 1 << 18 };
static u8 composite[N];

__attribute__((export_name("run"))) u32 run(u32 n) {
	u32 count = 0;
	while (n-- > 0) {
		for (u32 i = 0; i < N; i++)
			composite[i] = 0;
		for (u32 i = 2; i < N; i++) {
			if (composite[i])
				continue;
			count++;
			for (u32 j = 2 * i; j < N; j += i)
				composite[j] = 1;
		}
	}
	return count;
}
