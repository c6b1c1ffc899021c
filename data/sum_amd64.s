#include "textflag.h"

// func addFourAVX(dst, a, b, c, d *float32, n int, w *[4]float32)
// No fused multiply-add: every product is rounded, as in addFourGo.
TEXT ·addFourAVX(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), R8
	MOVQ c+24(FP), R9
	MOVQ d+32(FP), R10
	MOVQ n+40(FP), CX
	MOVQ w+48(FP), DX
	VBROADCASTSS 0(DX), Y0
	VBROADCASTSS 4(DX), Y1
	VBROADCASTSS 8(DX), Y2
	VBROADCASTSS 12(DX), Y3
	XORQ AX, AX

loop:
	VMULPS  (SI)(AX*4), Y0, Y4
	VMULPS  (R8)(AX*4), Y1, Y5
	VADDPS  Y5, Y4, Y4
	VMULPS  (R9)(AX*4), Y2, Y6
	VMULPS  (R10)(AX*4), Y3, Y7
	VADDPS  Y7, Y6, Y6
	VADDPS  Y6, Y4, Y4
	VADDPS  (DI)(AX*4), Y4, Y4
	VMOVUPS Y4, (DI)(AX*4)
	ADDQ    $8, AX
	CMPQ    AX, CX
	JLT     loop
	VZEROUPPER
	RET
