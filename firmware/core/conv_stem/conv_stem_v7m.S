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

#endif
