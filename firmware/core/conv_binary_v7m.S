/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of conv_binary_tables.h for Cortex-M3, M4, M7. No instruction, address order or
 * branch depends on weights or inputs; addresses do, within tables. */
#include "conv_binary_tables.h"

#if RBNN_TABLE_ASSEMBLY

  .syntax unified
  .thumb
  .text

  .set WORD, 4
  .set ENTRY, RBNN_TABLE_ENTRY_BYTES

.macro function name
  .section .text.\name, "ax", %progbits
  .balign 4
  .global \name
  .thumb_func
  .type \name, %function
\name:
.endm

.macro end name
  .size \name, . - \name
.endm

/* ---- rbnn_table_add: 14 instructions for three groups of five channels, 16 filters ----
 *
 * r0  indices, walking         r8, r9    lanes of one triple, octets 0 and 1
 * r1  sums, walking            r10..r12  addresses of three entries, then an entry
 * r2  columns left             lr        second word of an entry
 * r3  bytes from a position's last index to the next position's first
 * r4, r5  T: all words, octets 0 and 1
 * r6, r7  O: odd lanes, a byte each
 * Of the stack's words the row loop uses: rows, columns, bytes from a row's last position to the
 * next row's first. */
  .set AREA_INDICES, 0
  .set AREA_SUMS, 4
  .set AREA_ROWS, 12
  .set AREA_COLUMNS, 16
  .set AREA_COLUMN_STEP, 20
  .set AREA_ROW_STEP, 24

  .set LOCAL_ROWS, 0
  .set LOCAL_COLUMNS, 4
  .set LOCAL_ROW_STEP, 8
  .set LOCAL_BYTES, 12

/* Add r8, r9 to T and O. */
.macro spill
  add r4, r8
  add r5, r9
  and r8, r8, #0xf0f0f0f0
  and r9, r9, #0xf0f0f0f0
  add r6, r6, r8, lsr #4
  add r7, r7, r9, lsr #4
.endm

/* Three groups of one slot. Loads the tail's address too, unused, where that walks over it. */
.macro triple slot, walks_over_tail
  .if \walks_over_tail
  ldmia r0!, {r10, r11, r12, lr}
  .else
  ldmia r0!, {r10, r11, r12}
  .endif
  ldrd r8, r9, [r10, #(RBNN_TABLE_BYTES * \slot)]
  ldrd r10, lr, [r11, #(RBNN_TABLE_BYTES * \slot)]
  add r8, r10
  add r9, lr
  ldrd r10, r11, [r12, #(RBNN_TABLE_BYTES * \slot)]
  add r8, r10
  add r9, r11
  spill
.endm

/* The same for the first three: begins T and O. */
.macro first_triple
  ldmia r0!, {r10, r11, r12}
  ldrd r4, r5, [r10]
  ldrd r8, r9, [r11]
  add r4, r8
  add r5, r9
  ldrd r8, r9, [r12]
  add r4, r8
  add r5, r9
  and r6, r4, #0xf0f0f0f0
  and r7, r5, #0xf0f0f0f0
  lsrs r6, r6, #4
  lsrs r7, r7, #4
.endm

/* The tails of all slots, at most one triple; r0 is behind the last. */
.macro tails groups, slots
  ldr r10, [r0, #(-WORD * ((\slots - 1) * \groups + 1))]
  .if \slots > 1
  ldr r11, [r0, #(-WORD * ((\slots - 2) * \groups + 1))]
  .endif
  .if \slots > 2
  ldr r12, [r0, #(-WORD * ((\slots - 3) * \groups + 1))]
  .endif
  ldrd r8, r9, [r10]
  .if \slots > 1
  ldrd r10, lr, [r11, #RBNN_TABLE_BYTES]
  add r8, r10
  add r9, lr
  .endif
  .if \slots > 2
  ldrd r10, r11, [r12, #(2 * RBNN_TABLE_BYTES)]
  add r8, r10
  add r9, r11
  .endif
  spill
.endm

/* Add bytes 0, 2 and bytes 1, 3 of `bytes` to two words of 16-bit lanes. */
.macro widen low, high, bytes
#if defined(__ARM_FEATURE_DSP)
  uxtab16 \low, \low, \bytes
  uxtab16 \high, \high, \bytes, ror #8
#else
  and lr, \bytes, #0x00ff00ff
  add \low, lr
  bic lr, \bytes, #0x00ff00ff
  add \high, \high, lr, lsr #8
#endif
.endm

/* One octet's sums: even lanes are filters 0, 2, 1, 3, odd lanes 4, 6, 5, 7. */
.macro add_octet all, odd
  sub \all, \all, \odd, lsl #4
  ldmia r1, {r8, r9, r10, r11}
  widen r8, r9, \all
  widen r10, r11, \odd
  stmia r1!, {r8, r9, r10, r11}
.endm

/* All positions of an area; r0 is the area. */
.macro add_slots groups, slots
  sub sp, #LOCAL_BYTES
  ldr r4, [r0, #AREA_ROWS]
  ldr r2, [r0, #AREA_COLUMNS]
  ldr r3, [r0, #AREA_COLUMN_STEP]
  ldr r5, [r0, #AREA_ROW_STEP]
  ldr r1, [r0, #AREA_SUMS]
  ldr r0, [r0, #AREA_INDICES]
  mls r5, r2, r3, r5
  subs r3, #(WORD * \groups * \slots)
  str r4, [sp, #LOCAL_ROWS]
  str r2, [sp, #LOCAL_COLUMNS]
  str r5, [sp, #LOCAL_ROW_STEP]
1:
  .set slot, 0
  .rept \slots
  .set group, 0
  .rept \groups / 3
  .if slot + group == 0
  first_triple
  .else
  .set over, 0
  .if group == \groups / 3 - 1
  .set over, 1
  .endif
  triple slot, over
  .endif
  .set group, group + 1
  .endr
  .set slot, slot + 1
  .endr
  tails \groups, \slots
  add_octet r4, r6
  add_octet r5, r7
  add r0, r3
  subs r2, #1
  bne.w 1b
  ldr r4, [sp, #LOCAL_ROWS]
  ldr r5, [sp, #LOCAL_ROW_STEP]
  ldr r2, [sp, #LOCAL_COLUMNS]
  add r0, r5
  subs r4, #1
  str r4, [sp, #LOCAL_ROWS]
  bne.w 1b
  add sp, #LOCAL_BYTES
  pop {r4-r11, pc}
.endm

/* r1: slots, 1..3. */
.macro add_area groups
  push {r4-r11, lr}
  cmp r1, #2
  beq.w 2f
  bhi.w 3f
  add_slots \groups, 1
2:
  add_slots \groups, 2
3:
  add_slots \groups, 3
.endm

function rbnn_table_add_32
  add_area RBNN_TABLE_GROUPS_32
  end rbnn_table_add_32

function rbnn_table_add_64
  add_area RBNN_TABLE_GROUPS_64
  end rbnn_table_add_64

/* ---- rbnn_table_build: 105 instructions for a group of five channels, 16 filters ----
 *
 * A table is written from its end, four entries at once. With v_i the weights of channel i, one bit
 * a lane, and d_i = 2 v_i - 1, entry n = entry 31 - sum of d_i over the channels that are 0 in n,
 * and entry 31 = sum of v_i. Four entries more differ from the four before by d_2 or d_3 - d_2
 * alone. The lower half is the upper one mirrored: entry 31 - n = 5 - entry n.
 *
 * r0        end of the table, walking down
 * r1..r8    four entries, words of octets 0 and 1 in turn: a0 a1, b0 b1, c0 c1, d0 d1
 * r9, r10   d_2 of both octets
 * r11, r12  (d_3 - d_2) / 2
 * lr        0x11111111
 * stack     weights; a return address */
  .set LOCAL_WEIGHTS, 0
  .set LOCAL_RETURN, 4
  .set BUILD_BYTES, 8

/* Channel `first + i` from the word of group first / 4 or from the next. */
.macro channel to, i, first, word, next
  .if (\first + \i) / 4 == \first / 4
  and \to, lr, \word, lsr #((\first + \i) % 4)
  .else
  and \to, lr, \next, lsr #((\first + \i) % 4)
  .endif
.endm

/* Entries 28..31 (12..15 of four channels) and steps of one octet. `word` may be d, `next` c. */
.macro octet first, size, word, next, a, b, c, d, step2, step3
  channel \step2, 2, \first, \word, \next
  channel \step3, 3, \first, \word, \next
  .if \size > 4
  channel \a, 4, \first, \word, \next
  add \a, \step2
  add \a, \step3
  .else
  add \a, \step2, \step3
  .endif
  channel \b, 1, \first, \word, \next
  channel \c, 0, \first, \word, \next
  add \d, \a, \b
  add \d, \c
  sub \step3, \step3, \step2
  rsb \step2, lr, \step2, lsl #1
  rsb \c, lr, \c, lsl #1
  rsb \b, lr, \b, lsl #1
  sub \b, \d, \b
  sub \a, \b, \c
  sub \c, \d, \c
.endm

.macro store_four
  stmdb r0!, {r1-r8}
.endm

.macro step even, odd, shift=0
  .irp entry, r1, r3, r5, r7
  sub \entry, \entry, \even, lsl #\shift
  .endr
  .irp entry, r2, r4, r6, r8
  sub \entry, \entry, \odd, lsl #\shift
  .endr
.endm

.macro store_sixteen
  store_four
  step r9, r10
  store_four
  step r11, r12, 1
  store_four
  step r9, r10
  store_four
.endm

.macro mirror one, other
  rsb lr, \other, #0x55555555
  rsb \other, \one, #0x55555555
  mov \one, lr
.endm

/* `first` counts from the weights in LOCAL_WEIGHTS. Leaves r0 at the end of the next full table. */
.macro group first
  ldr r2, [sp, #LOCAL_WEIGHTS]
  mov lr, #0x11111111
  ldrd r4, r8, [r2, #(ENTRY * (\first / 4))]
  ldrd r10, r6, [r2, #(ENTRY * (\first / 4 + 1))]
  octet \first, 5, r4, r10, r1, r3, r5, r7, r9, r11
  octet \first, 5, r8, r6, r2, r4, r6, r8, r10, r12
  store_sixteen
  mirror r1, r7
  mirror r2, r8
  mirror r3, r5
  mirror r4, r6
  store_sixteen
  add r0, #(RBNN_TABLE_GROUP_BYTES + RBNN_TABLE_BYTES)
.endm

/* Four groups are 20 channels, whole words of weights; after that everything repeats. */
  .section .text.rbnn_table_build, "ax", %progbits
  .balign 4
  .thumb_func
  .type first_two_groups, %function
first_two_groups:
  str lr, [sp, #LOCAL_RETURN]
  group 0
  group 5
  ldr pc, [sp, #LOCAL_RETURN]
  end first_two_groups

  .thumb_func
  .type last_two_groups, %function
last_two_groups:
  str lr, [sp, #LOCAL_RETURN]
  group 10
  group 15
  ldr r1, [sp, #LOCAL_WEIGHTS]
  adds r1, #(20 / 4 * ENTRY)
  str r1, [sp, #LOCAL_WEIGHTS]
  ldr pc, [sp, #LOCAL_RETURN]
  end last_two_groups

/* r0 tables, r1 slot, r2 weights. */
.macro build_begin
  push {r4-r11, lr}
  sub sp, #BUILD_BYTES
  str r2, [sp, #LOCAL_WEIGHTS]
  add r0, r0, r1, lsl #8
  add r0, #RBNN_TABLE_BYTES
.endm

/* From the end of a full table to that of one for `size` channels. */
.macro tail size
  sub r0, #(RBNN_TABLE_BYTES - (ENTRY << \size))
  ldr r2, [sp, #LOCAL_WEIGHTS]
  mov lr, #0x11111111
.endm

.macro build_end
  add sp, #BUILD_BYTES
  pop {r4-r11, pc}
.endm

/* 12 groups; the tail is channels 60..63, the first word of what is left. */
function rbnn_table_build_64
  build_begin
  .rept 3
  bl first_two_groups
  bl last_two_groups
  .endr
  tail 4
  ldrd r4, r8, [r2]
  octet 0, 4, r4, r4, r1, r3, r5, r7, r9, r11
  octet 0, 4, r8, r8, r2, r4, r6, r8, r10, r12
  store_sixteen
  build_end
  end rbnn_table_build_64

/* Two channels: v_0, v_1 give four entries. */
.macro octet_of_two word, a, b, c, d
  channel \c, 2, 0, \word, \word
  channel \b, 3, 0, \word, \word
  add \d, \b, \c
  rsb \c, lr, \c, lsl #1
  rsb \b, lr, \b, lsl #1
  sub \b, \d, \b
  sub \a, \b, \c
  sub \c, \d, \c
.endm

/* Six groups; the tail is channels 30 and 31, the upper half of the third word of what is left. */
function rbnn_table_build_32
  build_begin
  bl first_two_groups
  bl last_two_groups
  bl first_two_groups
  tail 2
  ldrd r9, r10, [r2, #(2 * ENTRY)]
  octet_of_two r9, r1, r3, r5, r7
  octet_of_two r10, r2, r4, r6, r8
  store_four
  build_end
  end rbnn_table_build_32

/* ---- Sums as a whole: r0 sums, r1 positions ---- */

/* r2: 16 sums. */
function rbnn_table_start
  push {r4-r9, lr}
  mov lr, r1
  ldmia r2, {r2-r9}
1:
  stmia r0!, {r2-r9}
  subs lr, #1
  bne 1b
  pop {r4-r9, pc}
  end rbnn_table_start

/* r2: 16 matches. */
function rbnn_table_add_constant
  push {r4-r11, lr}
  ldmia r2!, {r4-r7}
  ldmia r2, {r8-r11}
.macro add_lanes to, from
#if defined(__ARM_FEATURE_DSP)
  uadd16 \to, \to, \from
#else
  add \to, \from
#endif
.endm
1:
  ldmia r0, {r2, r3, r12, lr}
  add_lanes r2, r4
  add_lanes r3, r5
  add_lanes r12, r6
  add_lanes lr, r7
  stmia r0!, {r2, r3, r12, lr}
  ldmia r0, {r2, r3, r12, lr}
  add_lanes r2, r8
  add_lanes r3, r9
  add_lanes r12, r10
  add_lanes lr, r11
  stmia r0!, {r2, r3, r12, lr}
  subs r1, #1
  bne 1b
  pop {r4-r11, pc}
  end rbnn_table_add_constant

/* r0 bits, r1 step, r2 sums, r3 positions. A word's two signs move down as the next ones come; in
 * the end even filters are bits 1, 3, .., 15, odd filters bits 17, 19, .., 31. */
function rbnn_table_take_signs
  push {r4-r9, lr}
1:
  ldmia r2!, {r4-r7}
  ldmia r2!, {r8, r9, r12, lr}
  and r4, r4, #0x80008000
  .irp word, r5, r6, r7, r8, r9, r12, lr
  and \word, \word, #0x80008000
  orr r4, \word, r4, lsr #2
  .endr
  lsrs r5, r4, #16
  ubfx r4, r4, #1, #15
  orrs r4, r5
#if defined(__ARM_FEATURE_DSP)
  mvns r4, r4 /* signs are not inverted yet */
#endif
  strh r4, [r0]
  add r0, r1
  subs r3, #1
  bne 1b
  pop {r4-r9, pc}
  end rbnn_table_take_signs

/* ---- rbnn_table_index: r0 indices, r1 bits, r2 blocks, r3 origin ----
 *
 * r4, r5   bits of a block     r6..r9  indices
 * r3       first entry of the group's table of slot 0 */

/* Channels `first` .. of a word, five where it has them. */
.macro index to, word, first
  .if \first > 27
  lsr \to, \word, #\first
  .else
  ubfx \to, \word, #\first, #5
  .endif
  point \to
.endm

.macro point to
  add \to, r3, \to, lsl #3
  add r3, #RBNN_TABLE_GROUP_BYTES
.endm

function rbnn_table_index_32
  push {r4-r9, lr}
1:
  ldr r4, [r1], #WORD
  index r6, r4, 0
  index r7, r4, 5
  index r8, r4, 10
  index r9, r4, 15
  stmia r0!, {r6, r7, r8, r9}
  index r6, r4, 20
  index r7, r4, 25
  index r8, r4, 30
  stmia r0!, {r6, r7, r8}
  sub r3, #(RBNN_TABLE_GROUPS_32 * RBNN_TABLE_GROUP_BYTES)
  subs r2, #1
  bne 1b
  pop {r4-r9, pc}
  end rbnn_table_index_32

function rbnn_table_index_64
  push {r4-r9, lr}
1:
  ldrd r4, r5, [r1], #(2 * WORD)
  index r6, r4, 0
  index r7, r4, 5
  index r8, r4, 10
  index r9, r4, 15
  stmia r0!, {r6, r7, r8, r9}
  index r6, r4, 20
  index r7, r4, 25
  lsr r8, r4, #30
  bfi r8, r5, #2, #3
  point r8
  index r9, r5, 3
  stmia r0!, {r6, r7, r8, r9}
  index r6, r5, 8
  index r7, r5, 13
  index r8, r5, 18
  index r9, r5, 23
  stmia r0!, {r6, r7, r8, r9}
  index r6, r5, 28
  str r6, [r0], #WORD
  sub r3, #(RBNN_TABLE_GROUPS_64 * RBNN_TABLE_GROUP_BYTES)
  subs r2, #1
  bne 1b
  pop {r4-r9, pc}
  end rbnn_table_index_64

#endif
