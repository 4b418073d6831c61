// sort orders 2^15 numbers n times, by quicksort: short loops and recursion.
typedef unsigned int u32;

enum { N = 1 << 15 };
static u32 a[N];

static void sort(u32 *low, u32 *high) {
	while (low < high) {
		u32 pivot = low[(high - low) / 2], *i = low, *j = high;
		while (i <= j) {
			while (*i < pivot)
				i++;
			while (*j > pivot)
				j--;
			if (i <= j) {
				u32 x = *i;
				*i++ = *j;
				*j-- = x;
			}
		}
		sort(low, j);
		low = i;
	}
}

__attribute__((export_name("run"))) u32 run(u32 n) {
	u32 x = 1, sum = 0;
	while (n-- > 0) {
		for (u32 i = 0; i < N; i++) {
			x ^= x << 13, x ^= x >> 17, x ^= x << 5;
			a[i] = x;
		}
		sort(a, a + N - 1);
		for (u32 i = 0; i < N; i += 997)
			sum = sum * 31 + a[i];
	}
	return sum;
}
