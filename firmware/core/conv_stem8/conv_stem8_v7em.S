/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of conv_stem8.c for cores with DSP instructions: eight sums, those of four positions
 * and two filters, in registers. */
#include "spec/target.h"

#if RBNN_TARGET_V7EM

  .syntax unified
  .thumb

columns .req r0
weights .req r1
end .req r12

  .set windows_columns, 0
  .set windows_end, 4
  .set windows_half, 8
  .set windows_shift, 12
  .set frame_windows, 0
  .set frame_sums, 4
  .set frame_weights_end, 8

/* Two values of four positions with two filters. */
.macro multiply
  ldrd r2, r3, [weights], #8
  ldr lr, [columns], #4
  smlad r4, lr, r2, r4
  smlad r8, lr, r3, r8
  ldr lr, [columns], #4
  smlad r5, lr, r2, r5
  smlad r9, lr, r3, r9
  ldr lr, [columns], #4
  smlad r6, lr, r2, r6
  smlad r10, lr, r3, r10
  ldr lr, [columns], #4
  smlad r7, lr, r2, r7
  smlad r11, lr, r3, r11
.endm

/* The larger one in `a`. */
.macro larger a, b
  cmp \a, \b
  it lt
  movlt \a, \b
.endm

/* Shift the sums of two filters and store them. */
.macro store first, second, shift, at, offset
  asr \first, \first, \shift
  asr \second, \second, \shift
  pkhbt \first, \first, \second, lsl #16
  str \first, [\at, #\offset]
.endm

/* Keeps windows, sums and the end of a tile's weights on the stack: half as many bytes for two
 * filters as four positions have. */
.macro enter
  push {r4-r11, lr}
  sub sp, sp, #12
  str r0, [sp, #frame_windows]
  str r2, [sp, #frame_sums]
  ldrd r3, end, [r0]
  sub r3, end, r3
  add r3, weights, r3, lsl #2
  str r3, [sp, #frame_weights_end]
.endm

.macro start
  ldr lr, [sp, #frame_windows]
  ldr columns, [lr, #windows_columns]
  ldr r4, [lr, #windows_half]
  mov r5, r4
  mov r6, r4
  mov r7, r4
  mov r8, r4
  mov r9, r4
  mov r10, r4
  mov r11, r4
.endm

.macro finish loop
  adds r3, r3, #4
  str r3, [sp, #frame_sums]
  ldr r3, [sp, #frame_weights_end]
  cmp weights, r3
  bne \loop
  add sp, sp, #12
  pop {r4-r11, pc}
.endm

/* void rbnn_stem8_largest(const rbnn_stem8_windows *windows, const uint32_t *weights,
 *                         int16_t *sums) */
  .section .text.rbnn_stem8_largest, "ax", %progbits
  .p2align 2
  .global rbnn_stem8_largest
  .type rbnn_stem8_largest, %function
rbnn_stem8_largest:
  enter
1:
  start
2:
  multiply
  multiply
  cmp columns, end
  bne 2b
  ldr lr, [sp, #frame_windows]
  larger r4, r5
  larger r6, r7
  larger r8, r9
  larger r10, r11
  larger r4, r6
  larger r8, r10
  ldr r2, [lr, #windows_shift]
  ldr r3, [sp, #frame_sums]
  store r4, r8, r2, r3, 0
  finish 1b
  .size rbnn_stem8_largest, . - rbnn_stem8_largest

/* void rbnn_stem8_each(const rbnn_stem8_windows *windows, const uint32_t *weights,
 *                      int16_t *sums) */
  .section .text.rbnn_stem8_each, "ax", %progbits
  .p2align 2
  .global rbnn_stem8_each
  .type rbnn_stem8_each, %function
rbnn_stem8_each:
  enter
1:
  start
2:
  multiply
  multiply
  cmp columns, end
  bne 2b
  ldr lr, [sp, #frame_windows]
  ldr r2, [lr, #windows_shift]
  ldr r3, [sp, #frame_sums]
  store r4, r8, r2, r3, 0
  store r5, r9, r2, r3, 32
  store r6, r10, r2, r3, 64
  store r7, r11, r2, r3, 96
  finish 1b
  .size rbnn_stem8_each, . - rbnn_stem8_each

#endif
