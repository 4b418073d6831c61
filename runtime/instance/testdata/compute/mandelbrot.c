// mandelbrot counts the iterations of n times n points: a loop of floating point that keeps everything in registers.
typedef unsigned int u32;

__attribute__((export_name("run"))) u32 run(u32 n) {
	u32 sum = 0;
	for (u32 y = 0; y < n; y++)
		for (u32 x = 0; x < n; x++) {
			double cr = 2.0 * x / n - 1.5, ci = 2.0 * y / n - 1.0;
			double zr = 0, zi = 0, r2 = 0, i2 = 0;
			u32 i = 0;
			for (; i < 200 && r2 + i2 <= 4.0; i++) {
				zi = 2 * zr * zi + ci;
				zr = r2 - i2 + cr;
				r2 = zr * zr;
				i2 = zi * zi;
			}
			sum += i;
		}
	return sum;
}
