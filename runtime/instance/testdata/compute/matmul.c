// matmul multiplies two matrices of 128 by 128 numbers of 64 bits n times.
typedef unsigned int u32;

enum { N = 128 };
static double a[N][N], b[N][N], c[N][N];

__attribute__((export_name("run"))) u32 run(u32 n) {
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			a[i][j] = i + j;
			b[i][j] = i - j;
		}
	double trace = 0;
	while (n-- > 0) {
		for (int i = 0; i < N; i++)
			for (int j = 0; j < N; j++) {
				double sum = 0;
				for (int k = 0; k < N; k++)
					sum += a[i][k] * b[k][j];
				c[i][j] = sum;
			}
		for (int i = 0; i < N; i++)
			trace += c[i][i];
		a[0][0]++;
	}
	return (u32)(long long)trace;
}
