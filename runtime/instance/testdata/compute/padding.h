// padding.h puts a function before all others, which moves them by some bytes of machine code. Where a tight loop happens to lie makes as
// much of a difference as what is measured, so each program is there in several places.
#if PADDING
static volatile int padding[PADDING];

__attribute__((export_name("padding"))) void pad(void) {
	for (int i = 0; i < PADDING; i++)
		padding[i] = i;
}
#endif
