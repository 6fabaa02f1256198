/* SPDX-License-Identifier: Apache-2.0 */
/* Building the tables of a slot; contract in conv_binary_tables.h. */
#include "core/conv_binary/conv_binary_tables.h"
#include "spec/target.h"

#if RBNN_TARGET_V7M
#include "core/conv_binary/conv_binary_v7m.inc"

/* ---- rbnn_table_build: 105 instructions for a group of five channels, 16 filters ----
 *
 * A table is written from its end, four entries at once. With v_i the weights of channel i, one bit
 * a lane, and d_i = 2 v_i - 1, entry n = entry 31 - sum of d_i over the channels that are 0 in n,
 * and entry 31 = sum of v_i. Four entries more differ from the four before only by d_2 or
 * d_3 - d_2. The lower half is the upper one mirrored: entry 31 - n = 5 - entry n.
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

#endif
