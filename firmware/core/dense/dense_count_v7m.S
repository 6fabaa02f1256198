/* SPDX-License-Identifier: Apache-2.0 */
/* rbnn_dense_add_blocks for cores with Thumb-2. */
#include "spec/target.h"

#if RBNN_TARGET_V7M

  .syntax unified
  .thumb
  .text

weights .req r0
masks .req r1
plane0 .req r2
plane1 .req r3

/* Four mixed words into plane 0; the carries are \x and \sum. */
.macro first x, sum
  ldmia weights!, {r4-r7}
  ldmia masks!, {r8-r11}
  eor r4, r4, r8   /* sum of the first two */
  eor r5, r5, r9   /* x ^ plane 0 */
  eor r6, r6, r10
  eor r7, r7, r11
  orr r5, r5, r4   /* not all equal */
  eor plane0, plane0, r4
  bic r7, r7, r6
  eor \x, plane0, r5
  eor plane0, plane0, r6
  eor \sum, r5, r7
.endm

/* Two pairs into \plane; the carries come in \sa (x) and \xa (sum). */
.macro add_pairs plane, xa, sa, xb, sb
  eor \xa, \xa, \plane
  eor \plane, \plane, \sa
  orr \xa, \xa, \sa
  eor \xb, \xb, \plane
  eor \sa, \plane, \xa
  bic \xb, \xb, \sb
  eor \plane, \plane, \sb
  eor \xa, \xa, \xb
.endm

/* Eight words; their carries, of weight 4, onto the stack. */
.macro half_unit
  first r12, lr
  first r4, r5
  add_pairs plane1, r12, lr, r4, r5
  push {r12, lr}
.endm

/* Frame: 8 pairs while a block runs; then planes 2, 3, 4; carries; end of the weights; planes. */
.set frame_planes2, 64
.set frame_carries, 12
.set frame_end, 16
.set frame_planes, 20

  .global rbnn_dense_add_blocks
  .type rbnn_dense_add_blocks, %function
rbnn_dense_add_blocks:
  push {r4-r11, lr}
  ldr r7, [sp, #36] /* carries */
  mov r9, r0
  mov weights, r1
  mov masks, r2
  add r8, weights, r3, lsl #8 /* 256 bytes a block */
  ldmia r9, {r2-r6}
  push {r4-r9}
.Lblock:
  .rept 8
  half_unit
  .endr
  ldrd r8, r9, [sp, #frame_planes2]
  /* From the pairs as sum, x to carries as x, sum and back, level by level. */
  pop {r6, r7, r11, r12}
  add_pairs r8, r12, r11, r7, r6
  pop {r4-r7}
  add_pairs r8, r5, r4, r7, r6
  add_pairs r9, r11, r12, r4, r5
  pop {r4-r7}
  add_pairs r8, r5, r4, r7, r6
  pop {r6, r7, r10, lr}
  add_pairs r8, r7, r6, lr, r10
  ldr r10, [sp, #8]
  add_pairs r9, r4, r5, r6, r7
  add_pairs r10, r12, r11, r5, r4
  stmia sp, {r8-r10}
  ldrd r4, r5, [sp, #frame_carries]
  strd r11, r12, [r4], #8
  cmp weights, r5
  str r4, [sp, #frame_carries]
  bne.w .Lblock
  ldr r9, [sp, #frame_planes]
  pop {r4-r6}
  stmia r9, {r2-r6}
  add sp, #12
  pop {r4-r11, pc}
  .size rbnn_dense_add_blocks, . - rbnn_dense_add_blocks

#endif
