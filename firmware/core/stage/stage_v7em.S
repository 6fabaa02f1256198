/* SPDX-License-Identifier: Apache-2.0 */
/* The loops over positions of stage.c for cores with DSP instructions: two filters a word. Bits are
 * gathered as signs: bits 15 and 31 of `signs`, which moves down by two for each pair of
 * filters. */
#include "spec/target.h"

#if RBNN_TARGET_V7EM

  .syntax unified
  .thumb

  .set affine_bytes, 64
  .set rprelu_bytes, 64
  .set thresholds_bytes, 16
  .set half_bytes, affine_bytes + rprelu_bytes + thresholds_bytes

sums .req r0
signs .req r12

/* 16 bits from `signs`, whose other bits are zero. */
.macro merge to
  ubfx \to, signs, #1, #15
  orr \to, \to, signs, lsr #16
  mvn \to, \to
.endm

/* void rbnn_stage_threshold_loop(const int16_t *sums, uint16_t *bits, uint32_t skip,
 *                                uint32_t count, const rbnn_stage_tile *tile)
 *   skip  bytes from one position's bits to the next's */
.macro compare to, threshold
  qsub16 \to, \to, \threshold
  and \to, \to, #0x80008000
  orr signs, \to, signs, lsr #2
.endm

  .section .text.rbnn_stage_threshold_loop, "ax", %progbits
  .p2align 2
  .global rbnn_stage_threshold_loop
  .type rbnn_stage_threshold_loop, %function
rbnn_stage_threshold_loop:
  push {r2, r4-r11, lr}
  ldr r12, [sp, #40]
  add r4, r12, #(affine_bytes + rprelu_bytes)
  add r12, r4, #half_bytes
  ldmia r4, {r4-r7}
  ldmia r12, {r8-r11}
1:
  ldrd r2, lr, [sums], #8
  qsub16 r2, r2, r4
  and signs, r2, #0x80008000
  compare lr, r5
  ldrd r2, lr, [sums], #8
  compare r2, r6
  compare lr, r7
  ldrd r2, lr, [sums], #8
  compare r2, r8
  compare lr, r9
  ldrd r2, lr, [sums], #8
  compare r2, r10
  compare lr, r11
  ldr r2, [sp]
  merge lr
  strh lr, [r1]
  add r1, r1, r2
  subs r3, r3, #1
  bne 1b
  pop {r2, r4-r11, pc}
  .size rbnn_stage_threshold_loop, . - rbnn_stage_threshold_loop

/* Residual stages.
 *   void f(const int16_t *sums, const rbnn_stage_tile *tile, const int16_t *shortcut,
 *          int16_t *stream, uint32_t shortcut_skip, uint32_t stream_skip, const int16_t *end,
 *          uint32_t bits_skip, uint16_t *bits)
 *   skips  bytes from the end of one position to the next; of bits, from one position to the next
 *   end    after the last sum */
tile .req r1
shortcut .req r2
stream .req r3

/* Four pairs: scale, bias, shortcut. Leaves the stream in r4..r7. */
.macro affine pair
  ldmia tile!, {r8-r11}
  smlawb r10, r8, \pair, r10
  smlawt r11, r9, \pair, r11
  ssat r10, #16, r10
  ssat r11, #16, r11
  pkhbt \pair, r10, r11, lsl #16
.endm

.macro residual
  ldmia sums!, {r4-r7}
  affine r4
  affine r5
  affine r6
  affine r7
  ldmia shortcut!, {r8-r11}
  qadd16 r4, r4, r8
  qadd16 r5, r5, r9
  qadd16 r6, r6, r10
  qadd16 r7, r7, r11
.endm

.macro sign pair
  and \pair, \pair, #0x80008000
  orr signs, \pair, signs, lsr #2
.endm

/* d = r - point; (1 or slope) * d + offset. A sum with itself tells the sign. lr is 1.0, twice. */
.macro rprelu pair
  ldmia tile!, {r8-r11}
  qsub16 \pair, \pair, r8
  sadd16 r8, \pair, \pair
  sel r9, lr, r9
  smlabb r10, \pair, r9, r10
  smlatt r11, \pair, r9, r11
  ssat r10, #16, r10, asr #14
  ssat r11, #16, r11, asr #14
  pkhbt \pair, r10, r11, lsl #16
.endm

.macro enter
  push {r4-r11, lr}
  add r4, sp, #36
  ldmia r4, {r4-r8}
  push {r4-r8}
.endm

.macro leave
  add sp, sp, #20
  pop {r4-r11, pc}
.endm

.macro plain_half number
  residual
  stmia stream!, {r4-r7}
  .if \number
  sign r4
  .else
  and signs, r4, #0x80008000
  .endif
  sign r5
  sign r6
  sign r7
.endm

  .section .text.rbnn_stage_residual_loop, "ax", %progbits
  .p2align 2
  .global rbnn_stage_residual_loop
  .type rbnn_stage_residual_loop, %function
rbnn_stage_residual_loop:
  enter
  mov lr, r8
1:
  plain_half 0
  add tile, tile, #(half_bytes - affine_bytes)
  plain_half 1
  sub tile, tile, #(half_bytes + affine_bytes)
  ldmia sp, {r4-r7}
  merge r8
  strh r8, [lr]
  add lr, lr, r7
  add shortcut, shortcut, r4
  add stream, stream, r5
  cmp sums, r6
  bne 1b
  leave
  .size rbnn_stage_residual_loop, . - rbnn_stage_residual_loop

.macro compared_half number, with_rprelu
  residual
  .if \with_rprelu
  rprelu r4
  rprelu r5
  rprelu r6
  rprelu r7
  .else
  add tile, tile, #rprelu_bytes
  .endif
  ldmia tile!, {r8-r11}
  stmia stream!, {r4-r7}
  .if \number
  compare r4, r8
  .else
  qsub16 r4, r4, r8
  and signs, r4, #0x80008000
  .endif
  compare r5, r9
  compare r6, r10
  compare r7, r11
.endm

.macro compared_loop name, with_rprelu
  .section .text.\name, "ax", %progbits
  .p2align 2
  .global \name
  .type \name, %function
\name:
  enter
  mov lr, #0x40004000
1:
  compared_half 0, \with_rprelu
  compared_half 1, \with_rprelu
  sub tile, tile, #(2 * half_bytes)
  ldmia sp, {r4-r8}
  merge r9
  strh r9, [r8]
  add r8, r8, r7
  str r8, [sp, #16]
  add shortcut, shortcut, r4
  add stream, stream, r5
  cmp sums, r6
  bne 1b
  leave
  .size \name, . - \name
.endm

  compared_loop rbnn_stage_rsign_loop, 0
  compared_loop rbnn_stage_rprelu_loop, 1

#endif
