/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of conv_stem_lanes.c for cores with Thumb-2. */
#include "spec/target.h"

#if RBNN_TARGET_V7M

  .syntax unified
  .thumb
  .text

  .set dsp, RBNN_TARGET_V7EM

.macro add2 to, from
  .if dsp
  sadd16 \to, \to, \from
  .else
  add \to, \to, \from
  .endif
.endm

.macro sub2 to, from
  .if dsp
  ssub16 \to, \to, \from
  .else
  sub \to, \to, \from
  .endif
.endm

/* Tables. Half an entry, two words, at a time: the values of a wide group fit the registers. */

sources .req r0
table .req r2
low .req r1  /* offset while values are loaded, then the sum's first word */
high .req r3 /* the sum's second word */
v0l .req r4
v0h .req r5
v1l .req r6
v1h .req r7
v2l .req r8
v2h .req r9
v3l .req r10
v3h .req r11
v4l .req r12
v4h .req lr

/* r1 is the offset. */
.macro value number
  ldrd v\number\()l, v\number\()h, [sources, #(16 * \number)]
  ldr v\number\()l, [v\number\()l, r1]
  ldr v\number\()h, [v\number\()h, r1]
  .if !dsp
  and r3, v\number\()l, #0x8000
  sub v\number\()l, v\number\()l, r3, lsl #1
  and r3, v\number\()h, #0x8000
  sub v\number\()h, v\number\()h, r3, lsl #1
  .endif
.endm

/* The last value is added, and the whole, twice the sum, halved. */
.macro halve last
  .if dsp
  shadd16 low, low, v\last\()l
  shadd16 high, high, v\last\()h
  .else
  add low, low, v\last\()l
  add high, high, v\last\()h
  asr low, low, #1
  asr high, high, #1
  .endif
.endm

/* `entry` says which entry the sum is. */
.macro flip number
  .if entry & (1 << \number)
  sub2 low, v\number\()l
  sub2 high, v\number\()h
  .else
  add2 low, v\number\()l
  add2 high, v\number\()h
  .endif
  .set entry, entry ^ (1 << \number)
  strd low, high, [table, #(16 * entry)]
.endm

/* Gray code: each entry differs from the one before it in one value. */
.macro walk1
  flip 0
.endm
.macro walk2
  walk1
  flip 1
  walk1
.endm
.macro walk3
  walk2
  flip 2
  walk2
.endm
.macro walk4
  walk3
  flip 3
  walk3
.endm
.macro walk5
  walk4
  flip 4
  walk4
.endm

.macro start last
  value 0
  value 1
  value 2
  value 3
  .if \last == 4
  value 4
  .endif
  .if dsp
  sadd16 low, v0l, v1l
  sadd16 high, v0h, v1h
  .else
  add low, v0l, v1l
  add high, v0h, v1h
  .endif
  add2 low, v2l
  add2 high, v2h
  .if \last == 4
  add2 low, v3l
  add2 high, v3h
  .endif
  halve \last
  .set entry, (2 << \last) - 1
  strd low, high, [table, #(16 * entry)]
.endm

/* void name(const uint32_t *sources, uint32_t offset, uint32_t *table): both halves. */
.macro table_of name, last, walk
  .section .text.\name, "ax", %progbits
  .p2align 2
  .global \name
  .type \name, %function
\name:
  add r3, table, #8
  push {r1, r3, r4-r11, lr}
1:
  start \last
  \walk
  ldrd r1, r3, [sp]
  add sources, sources, #8
  cmp table, r3
  add table, table, #8
  bne 1b
  pop {r1, r3, r4-r11, pc}
  .size \name, . - \name
.endm

  table_of rbnn_stem_wide_table, 4, walk5
  table_of rbnn_stem_narrow_table, 3, walk4

/* Sums: r0 codes, r1 sums, r4-r7 the sum, r8-r11 an entry, lr filters left. */

.macro add_entry address
  ldmia \address, {r8-r11}
  add2 r4, r8
  add2 r5, r9
  add2 r6, r10
  add2 r7, r11
.endm

.macro sum_groups groups
  .section .text.rbnn_stem_sums_\groups, "ax", %progbits
  .p2align 2
  .global rbnn_stem_sums_\groups
  .type rbnn_stem_sums_\groups, %function
rbnn_stem_sums_\groups:
  push {r4-r11, lr}
  mov lr, #16
1:
  ldmia r0!, {r2, r3, r12}
  ldmia r2, {r4-r7}
  add_entry r3
  add_entry r12
  .rept \groups / 3 - 1
  ldmia r0!, {r2, r3, r12}
  add_entry r2
  add_entry r3
  add_entry r12
  .endr
  subs lr, lr, #1
  stmia r1!, {r4-r7}
  bne 1b
  pop {r4-r11, pc}
  .size rbnn_stem_sums_\groups, . - rbnn_stem_sums_\groups
.endm

  sum_groups 3
  sum_groups 6
  sum_groups 9

#if RBNN_TARGET_V7EM

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

#endif
