/* SPDX-License-Identifier: Apache-2.0 */
/* Whole blocks of ChaCha for cores with Thumb-2: 11.6 instructions a byte at 20 rounds.
 *
 * No rotation is ever computed. Words 4..7 (b) and 12..15 (d) are kept before their rotation, which
 * the barrel shifter does where they are used next: between rounds b is pending by 25 to the right,
 * d by 24. A quarter round is eight instructions then.
 *
 * Fourteen words are in registers: a in r0-r3, b in r4-r7, d in r10-r12 and lr; r8 and r9 hold
 * words 8 and 9 or words 10 and 11, whichever two quarter rounds need next. Of four quarter rounds
 * two come with the first pair and two with the second, in columns and in diagonals alike, so the
 * pairs change places once a round.
 *
 * Columns 1 to 3 do not depend on the block counter in the first round: `start` has them done. */
#include "spec/target.h"

#if RBNN_TARGET_V7M

  .syntax unified
  .thumb

/* The frame, from sp. START to LOW are in the order of one load of fourteen registers. */
  .equ START, 0           /* words 0..9, 12..15 */
  .equ START_COUNTER, 40  /* word 12 */
  .equ START_HIGH, 56     /* words 10, 11 */
  .equ LOW, 64            /* words 8, 9 while they are not in registers */
  .equ HIGH, 72           /* words 10, 11 likewise */
  .equ FIRST_C, 80        /* initial words 8..11 */
  .equ FIRST_D, 96        /* initial words 12..15 */
  .equ FIRST_A, 112       /* initial words 0..3 */
  .equ FIRST_B, 128       /* initial words 4..7 */
  .equ POINTERS, 144      /* in, out */
  .equ END, 152           /* number after the last block's */
  .equ PASSES, 156
  .equ LEFT, 160          /* passes left */
  .equ FRAME, 168
  .equ PUSHED, 40

/* Two quarter rounds side by side, so that a core that can issues two instructions at once. */
.macro QUARTERS a, b, c, d, e, f, g, h
  add \a, \a, \b, ror #25
  add \e, \e, \f, ror #25
  eor \d, \a, \d, ror #24
  eor \h, \e, \h, ror #24
  add \c, \c, \d, ror #16
  add \g, \g, \h, ror #16
  eor \b, \c, \b, ror #25
  eor \f, \g, \f, ror #25
  add \a, \a, \b, ror #20
  add \e, \e, \f, ror #20
  eor \d, \a, \d, ror #16
  eor \h, \e, \h, ror #16
  add \c, \c, \d, ror #24
  add \g, \g, \h, ror #24
  eor \b, \c, \b, ror #20
  eor \f, \g, \f, ror #20
.endm

.macro COLUMNS
  QUARTERS r0, r4, r8, r10, r1, r5, r9, r11
  strd r8, r9, [sp, #LOW]
  ldrd r8, r9, [sp, #HIGH]
  QUARTERS r2, r6, r8, r12, r3, r7, r9, lr
.endm

.macro DIAGONALS_HIGH
  QUARTERS r0, r5, r8, lr, r1, r6, r9, r10
  strd r8, r9, [sp, #HIGH]
.endm

.macro DIAGONALS_LOW
  ldrd r8, r9, [sp, #LOW]
  QUARTERS r2, r7, r8, r11, r3, r4, r9, r12
.endm

/* void rbnn_chacha_blocks(const rbnn_chacha *cipher, uint32_t block, const uint32_t *in,
 *                         uint32_t *out, uint32_t blocks), blocks > 0 */
  .section .text.rbnn_chacha_blocks, "ax", %progbits
  .global rbnn_chacha_blocks
  .type rbnn_chacha_blocks, %function
  .thumb_func
  .balign 4
rbnn_chacha_blocks:
  push {r3-r11, lr}
  ldr r12, [sp, #PUSHED]
  sub sp, #FRAME
  mov lr, sp
  ldmia r0!, {r4-r11}
  stmia lr!, {r4-r11}
  ldmia r0!, {r4-r11}
  stmia lr!, {r4-r11}
  add lr, sp, #FIRST_A
  ldmia r0!, {r4-r11}
  stmia lr, {r4-r11}
  add lr, sp, #FIRST_C
  ldmia r0!, {r4-r11}
  stmia lr, {r4-r11}
  ldr r0, [r0]
  add r12, r12, r1
  strd r2, r3, [sp, #POINTERS]
  strd r12, r0, [sp, #END]
  str r1, [sp, #FIRST_D]
  ror r1, r1, #8
  str r1, [sp, #START_COUNTER]

.Lblock:
  ldr r0, [sp, #PASSES]
  str r0, [sp, #LEFT]
  ldm sp, {r0-r12, lr}
  /* What is left of the first round: column 0. */
  add r0, r0, r4, ror #25
  eor r10, r0, r10, ror #24
  add r8, r8, r10, ror #16
  eor r4, r8, r4, ror #25
  add r0, r0, r4, ror #20
  eor r10, r0, r10, ror #16
  add r8, r8, r10, ror #24
  eor r4, r8, r4, ror #20
  strd r8, r9, [sp, #LOW]
  ldrd r8, r9, [sp, #START_HIGH]
  b .Lafter_columns

.Lpass:
  COLUMNS
.Lafter_columns:
  DIAGONALS_HIGH
  DIAGONALS_LOW
  COLUMNS
  DIAGONALS_HIGH
  ldr r8, [sp, #LEFT]
  subs r8, #1
  str r8, [sp, #LEFT]
  DIAGONALS_LOW
  bne .Lpass

  strd r8, r9, [sp, #LOW]
  push {r10-r12, lr}
  ldrd r12, lr, [sp, #POINTERS + 16]
  ldrd r8, r9, [sp, #FIRST_A + 16]
  ldrd r10, r11, [sp, #FIRST_A + 24]
  add r0, r0, r8
  add r1, r1, r9
  add r2, r2, r10
  add r3, r3, r11
  ldmia r12!, {r8-r11}
  eor r0, r0, r8
  eor r1, r1, r9
  eor r2, r2, r10
  eor r3, r3, r11
  stmia lr!, {r0-r3}
  ldrd r0, r1, [sp, #FIRST_B + 16]
  ldrd r2, r3, [sp, #FIRST_B + 24]
  add r4, r0, r4, ror #25
  add r5, r1, r5, ror #25
  add r6, r2, r6, ror #25
  add r7, r3, r7, ror #25
  ldmia r12!, {r8-r11}
  eor r4, r4, r8
  eor r5, r5, r9
  eor r6, r6, r10
  eor r7, r7, r11
  stmia lr!, {r4-r7}
  add r0, sp, #LOW + 16
  ldmia r0!, {r1-r8}      /* words 8..11, and what they began with */
  add r1, r1, r5
  add r2, r2, r6
  add r3, r3, r7
  add r4, r4, r8
  ldmia r0, {r5-r8}
  pop {r0, r9-r11}
  add r0, r5, r0, ror #24
  add r9, r6, r9, ror #24
  add r10, r7, r10, ror #24
  add r11, r8, r11, ror #24
  add r5, r5, #1
  ror r6, r5, #8
  str r5, [sp, #FIRST_D]
  str r6, [sp, #START_COUNTER]
  ldr r6, [sp, #END]
  cmp r5, r6
  ldmia r12!, {r5-r8}
  eor r1, r1, r5
  eor r2, r2, r6
  eor r3, r3, r7
  eor r4, r4, r8
  stmia lr!, {r1-r4}
  ldmia r12!, {r5-r8}
  eor r0, r0, r5
  eor r9, r9, r6
  eor r10, r10, r7
  eor r11, r11, r8
  stmia lr!, {r0, r9-r11}
  strd r12, lr, [sp, #POINTERS]
  bne .Lblock

  /* The frame held the key, the registers still hold the stream. */
  mov r0, #0
  mov r1, #0
  mov r2, #0
  mov r3, #0
  mov r4, #0
  mov r5, #0
  mov r6, #0
  mov r12, sp
  stmia r12!, {r0-r6}
  stmia r12!, {r0-r6}
  stmia r12!, {r0-r6}
  stmia r12!, {r0-r6}
  stmia r12!, {r0-r6}
  stmia r12!, {r0-r6}
  add sp, #FRAME
  pop {r3-r11, pc}
  .size rbnn_chacha_blocks, . - rbnn_chacha_blocks

#endif
