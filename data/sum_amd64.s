#include "textflag.h"

// No fused multiply-add here: every product is rounded, as in the Go versions.

// func addFourAVX(dst, a, b, c, d *float32, n int, w *[4]float32)
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

// func addTapsAVX(dst, src *float32, n int, w *float32, rows, cols, rowStep, colStep int)
// Blocks of 32 samples, then of 8, stay in registers while all taps are added.
TEXT ·addTapsAVX(SB), NOSPLIT, $0-64
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ w+24(FP), DX
	MOVQ cols+40(FP), BX
	MOVQ rowStep+48(FP), R9
	SHLQ $2, R9
	MOVQ colStep+56(FP), R8
	SHLQ $2, R8

block32:
	CMPQ    CX, $32
	JLT     block8
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	MOVQ    SI, R11
	MOVQ    DX, R12
	MOVQ    rows+32(FP), R13

row32:
	MOVQ R11, R10
	MOVQ BX, AX

tap32:
	VBROADCASTSS (R12), Y8
	VMULPS  (R10), Y8, Y4
	VMULPS  32(R10), Y8, Y5
	VMULPS  64(R10), Y8, Y6
	VMULPS  96(R10), Y8, Y7
	VADDPS  Y4, Y0, Y0
	VADDPS  Y5, Y1, Y1
	VADDPS  Y6, Y2, Y2
	VADDPS  Y7, Y3, Y3
	ADDQ    R8, R10
	ADDQ    $4, R12
	DECQ    AX
	JNZ     tap32
	ADDQ    R9, R11
	DECQ    R13
	JNZ     row32
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	ADDQ    $128, DI
	ADDQ    $128, SI
	SUBQ    $32, CX
	JMP     block32

block8:
	CMPQ    CX, $8
	JLT     done
	VMOVUPS (DI), Y0
	MOVQ    SI, R11
	MOVQ    DX, R12
	MOVQ    rows+32(FP), R13

row8:
	MOVQ R11, R10
	MOVQ BX, AX

tap8:
	VBROADCASTSS (R12), Y8
	VMULPS  (R10), Y8, Y4
	VADDPS  Y4, Y0, Y0
	ADDQ    R8, R10
	ADDQ    $4, R12
	DECQ    AX
	JNZ     tap8
	ADDQ    R9, R11
	DECQ    R13
	JNZ     row8
	VMOVUPS Y0, (DI)
	ADDQ    $32, DI
	ADDQ    $32, SI
	SUBQ    $8, CX
	JMP     block8

done:
	VZEROUPPER
	RET
