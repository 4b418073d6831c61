#include "go_asm.h"
#include "textflag.h"

#define SYS_nanosleep 101
#define SYS_futex 98

// func keepTicking(w *words)
TEXT ·keepTicking(SB), NOSPLIT, $16-8
	MOVD	w+0(FP), R19
	MOVW	$1, R0
	MOVW	R0, words_started(R19)
busy:
	MOVW	$const_idleTicks, R20
tick:
	MOVD	$const_tickNanoseconds, R0
	MOVD	ZR, seconds-16(SP)
	MOVD	R0, nanoseconds-8(SP)
	MOVD	$seconds-16(SP), R0
	MOVD	ZR, R1
	MOVD	$SYS_nanosleep, R8
	SVC
	MOVD	words_tick(R19), R1
	MOVWU	(R1), R2
	ADDW	$1, R2
	MOVW	R2, (R1)
	MOVW	words_running(R19), R0
	TBNZ	$31, R0, end
	CBNZW	R0, busy
	SUBW	$1, R20
	CBNZW	R20, tick

	// Either the kernel sees that running is not 0, or whoever changes it sees that parked is 1.
	MOVW	$1, R0
	MOVW	R0, words_parked(R19)
	DMB	$0xb
	MOVD	$words_running(R19), R0
	MOVD	$const_futexWait, R1
	MOVD	ZR, R2
	MOVD	ZR, R3
	MOVD	$SYS_futex, R8
	SVC
	MOVW	ZR, words_parked(R19)
	MOVW	words_running(R19), R0
	TBZ	$31, R0, busy
end:
	RET
