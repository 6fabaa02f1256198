/* SPDX-License-Identifier: Apache-2.0 */
/* dense_finish.h for cores with Thumb-2. */
#include "spec/target.h"

#if RBNN_TARGET_V7M

  .syntax unified
  .thumb
  .text

/* A plane's two lanes of every filter: 16 fields of two bits, 0 .. 2. Mask 0x55555555 in r8. */
.macro add_lanes plane
  and r12, r8, \plane, lsr #1
  sub \plane, \plane, r12
.endm

/* Fields of two planes: 8 of four bits, 0 .. 6. Mask 0x33333333 in r9. */
.macro add_planes to, low, high, odd
  .if \odd
  and \to, r9, \low, lsr #2
  and r12, r9, \high, lsr #2
  .else
  and \to, r9, \low
  and r12, r9, \high
  .endif
  add \to, \to, r12, lsl #1
.endm

/* Fields of two pairs of planes: 4 of eight bits, 0 .. 30. Mask 0x0f0f0f0f in r10. */
.macro add_pairs to, low, high, odd
  .if \odd
  and r12, r10, \high, lsr #4
  and \to, r10, \low, lsr #4
  .else
  and r12, r10, \high
  and \to, r10, \low
  .endif
  add \to, \to, r12, lsl #2
.endm

/* Bytes 0, 2 or 1, 3 of a quarter's word, shifted, to \to. Mask 0x00ff00ff in r8. */
.macro widen to, bytes, odd, shift
  .if \odd
  and r12, r8, \bytes, lsr #8
  .else
  and r12, r8, \bytes
  .endif
  add \to, \to, r12, lsl #\shift
.endm

  .section .text.rbnn_dense_sum_lanes, "ax", %progbits
  .p2align 2
  .global rbnn_dense_sum_lanes
  .type rbnn_dense_sum_lanes, %function
rbnn_dense_sum_lanes:
  push {r4-r11, lr}
  sub sp, #64 /* four words a quarter */
  mov r3, sp
  mov lr, r1
  mov r8, #0x55555555
  mov r9, #0x33333333
  movw r10, #0x0f0f
  movt r10, #0x0f0f
1:
  ldmia r0!, {r4-r7}
  add_lanes r4
  add_lanes r5
  add_lanes r6
  add_lanes r7
  add_planes r11, r4, r5, 0
  add_planes r4, r4, r5, 1
  add_planes r5, r6, r7, 0
  add_planes r6, r6, r7, 1
  add_pairs r7, r11, r5, 1
  add_pairs r11, r11, r5, 0
  add_pairs r5, r4, r6, 0
  add_pairs r4, r4, r6, 1
  strd r11, r7, [r3], #8
  strd r5, r4, [r3], #8
  subs lr, lr, #1
  bne 1b
  mov r8, #0x00ff00ff
  mov lr, #4
  mov r3, sp
2:
  ldr r6, [r3, #16]
  ldr r7, [r3, #32]
  ldr r9, [r3, #48]
  ldr r12, [r3], #4
  cmp r1, #3
  and r4, r8, r12
  and r5, r8, r12, lsr #8
  widen r4, r6, 0, 4
  widen r5, r6, 1, 4
  blo 3f
  widen r4, r7, 0, 8
  widen r5, r7, 1, 8
  beq 3f
  widen r4, r9, 0, 12
  widen r5, r9, 1, 12
3:
  subs lr, lr, #1
  strd r4, r5, [r2], #8
  bne 2b
  add sp, #64
  pop {r4-r11, pc}
  .size rbnn_dense_sum_lanes, . - rbnn_dense_sum_lanes

  .section .text.rbnn_dense_scale, "ax", %progbits
  .p2align 2
  .global rbnn_dense_scale
  .type rbnn_dense_scale, %function
rbnn_dense_scale:
  push {r4-r10, lr}
  ldrd r9, r10, [sp, #32] /* biases, logits */
1:
  ldr r12, [r0], #4
  ldrd r4, r5, [r3], #8
  ldrd r6, r7, [r9], #8
  uxth lr, r12
  lsr r12, r12, #16
  rsb lr, r2, lr, lsl #1
  rsb r12, r2, r12, lsl #1
  mla r6, r4, lr, r6
  mla r7, r5, r12, r7
  strd r6, r7, [r10], #8
  subs r1, r1, #1
  bne 1b
  pop {r4-r10, pc}
  .size rbnn_dense_scale, . - rbnn_dense_scale

#endif
