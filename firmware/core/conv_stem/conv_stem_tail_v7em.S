/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of conv_stem_tail.c for cores with DSP instructions. */
#include "spec/target.h"

#if RBNN_TARGET_V7EM

  .syntax unified
  .thumb

/* Comparing: r0 sums, r1 thresholds, r2 result, r3 pairs of filters left. */

.macro collect signs, sum, threshold
  qsub16 \sum, \sum, \threshold
  and \sum, \sum, #0x80008000
  orr \signs, \sum, \signs, lsr #1
.endm

.macro compare threshold
  ldmia r0!, {r4-r7}
  collect r8, r4, \threshold
  collect r9, r5, \threshold
  collect r10, r6, \threshold
  collect r11, r7, \threshold
.endm

/* void rbnn_stem_compare(const uint32_t *sums, const uint32_t *thresholds, uint32_t *negative) */
  .section .text.rbnn_stem_compare, "ax", %progbits
  .p2align 2
  .global rbnn_stem_compare
  .type rbnn_stem_compare, %function
rbnn_stem_compare:
  push {r4-r11, lr}
  mov r3, #8
  mov r8, #0
  mov r9, #0
  mov r10, #0
  mov r11, #0
1:
  ldrd r12, lr, [r1], #8
  compare r12
  compare lr
  subs r3, r3, #1
  bne 1b
  stmia r2, {r8-r11}
  pop {r4-r11, pc}
  .size rbnn_stem_compare, . - rbnn_stem_compare

.macro larger to, other
  ssub16 r12, \to, \other
  sel \to, \to, \other
.endm

.macro compare_largest threshold
  ldmia r0!, {r4-r7}
  larger r4, r5
  larger r6, r7
  larger r4, r6
  collect r8, r4, \threshold
.endm

/* void rbnn_stem_compare_largest(const uint32_t *sums, const uint32_t *thresholds,
 *                                uint32_t *negative) */
  .section .text.rbnn_stem_compare_largest, "ax", %progbits
  .p2align 2
  .global rbnn_stem_compare_largest
  .type rbnn_stem_compare_largest, %function
rbnn_stem_compare_largest:
  push {r4-r9, lr}
  mov r3, #8
  mov r8, #0
1:
  ldrd r9, lr, [r1], #8
  compare_largest r9
  compare_largest lr
  subs r3, r3, #1
  bne 1b
  str r8, [r2]
  pop {r4-r9, pc}
  .size rbnn_stem_compare_largest, . - rbnn_stem_compare_largest

/* Turning: two filters at a time, r4-r7 the even one's positions, r8-r11 the odd one's. */

.macro turn_pair word, even, odd
  pkhbt r12, \even, \odd, lsl #16
  pkhtb r3, \odd, \even, asr #16
  str r12, [r1, #(64 * \word)]
  str r3, [r1, #(64 * \word + 32)]
.endm

/* void rbnn_stem_turn(const uint32_t *sums, int16_t *turned) */
  .section .text.rbnn_stem_turn, "ax", %progbits
  .p2align 2
  .global rbnn_stem_turn
  .type rbnn_stem_turn, %function
rbnn_stem_turn:
  push {r4-r11, lr}
  mov lr, #8
1:
  ldmia r0!, {r4-r11}
  turn_pair 0, r4, r8
  turn_pair 1, r5, r9
  turn_pair 2, r6, r10
  turn_pair 3, r7, r11
  add r1, r1, #4
  subs lr, lr, #1
  bne 1b
  pop {r4-r11, pc}
  .size rbnn_stem_turn, . - rbnn_stem_turn

/* void rbnn_stem_turn_largest(const uint32_t *sums, int16_t *turned) */
  .section .text.rbnn_stem_turn_largest, "ax", %progbits
  .p2align 2
  .global rbnn_stem_turn_largest
  .type rbnn_stem_turn_largest, %function
rbnn_stem_turn_largest:
  push {r4-r11, lr}
  mov lr, #8
1:
  ldmia r0!, {r4-r11}
  larger r4, r5
  larger r6, r7
  larger r8, r9
  larger r10, r11
  larger r4, r6
  larger r8, r10
  pkhbt r12, r4, r8, lsl #16
  pkhtb r3, r8, r4, asr #16
  str r12, [r1], #4
  str r3, [r1, #28]
  subs lr, lr, #1
  bne 1b
  pop {r4-r11, pc}
  .size rbnn_stem_turn_largest, . - rbnn_stem_turn_largest

#endif
