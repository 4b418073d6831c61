#include "go_asm.h"
#include "textflag.h"

#define SYS_nanosleep 35
#define SYS_futex 202

// func keepTicking(w *words)
TEXT ·keepTicking(SB), NOSPLIT, $16-8
	MOVQ	w+0(FP), R12
	MOVL	$1, words_started(R12)
busy:
	MOVL	$const_idleTicks, R13
tick:
	MOVQ	$0, seconds-16(SP)
	MOVQ	$const_tickNanoseconds, nanoseconds-8(SP)
	LEAQ	seconds-16(SP), DI
	XORL	SI, SI
	MOVL	$SYS_nanosleep, AX
	SYSCALL
	MOVQ	words_tick(R12), BX
	INCL	(BX)
	MOVL	words_running(R12), AX
	TESTL	AX, AX
	JLT	end
	JNE	busy
	DECL	R13
	JNE	tick

	// Either the kernel sees that running is not 0, or whoever changes it sees that parked is 1.
	MOVL	$1, AX
	XCHGL	AX, words_parked(R12)
	LEAQ	words_running(R12), DI
	MOVL	$const_futexWait, SI
	XORL	DX, DX
	XORL	R10, R10
	MOVL	$SYS_futex, AX
	SYSCALL
	MOVL	$0, words_parked(R12)
	MOVL	words_running(R12), AX
	TESTL	AX, AX
	JGE	busy
end:
	RET
