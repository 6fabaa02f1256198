/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of conv_stem8.c for cores with DSP instructions: eight sums in registers. */
#include "spec/target.h"

#if RBNN_TARGET_V7EM

  .syntax unified
  .thumb

columns .req r0
weights .req r1
end .req r12

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

/* void rbnn_stem8_sums(const uint32_t *columns, const uint32_t *weights, const uint32_t *end,
 *                      int32_t *sums) */
  .section .text.rbnn_stem8_sums, "ax", %progbits
  .p2align 2
  .global rbnn_stem8_sums
  .type rbnn_stem8_sums, %function
rbnn_stem8_sums:
  push {r3-r11, lr}
  mov end, r2
  movs r4, #0
  movs r5, #0
  movs r6, #0
  movs r7, #0
  mov r8, r4
  mov r9, r4
  mov r10, r4
  mov r11, r4
1:
  multiply
  multiply
  cmp weights, end
  bne 1b
  pop {r3}
  stmia r3, {r4-r11}
  pop {r4-r11, pc}
  .size rbnn_stem8_sums, . - rbnn_stem8_sums

#endif
