/* SPDX-License-Identifier: Apache-2.0 */
/* Adding the tables' entries to the sums of positions; contract in conv_binary_tables.h. */
#include "core/conv_binary/conv_binary_tables.h"
#include "spec/target.h"

#if RBNN_TARGET_V7M
#include "core/conv_binary/conv_binary_v7m.inc"

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

/* The tails of all slots, at most one triple; r0 is after the last. */
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
#if RBNN_TARGET_V7EM
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

#endif
