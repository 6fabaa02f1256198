/* SPDX-License-Identifier: Apache-2.0 */
/* Sums before and after the tables, and the indices of input bits; contract in
 * conv_binary_tables.h. */
#include "core/conv_binary/conv_binary_tables.h"
#include "spec/target.h"

#if RBNN_TARGET_V7M
#include "core/conv_binary/conv_binary_v7m.inc"

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
#if RBNN_TARGET_V7EM
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
#if RBNN_TARGET_V7EM
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
