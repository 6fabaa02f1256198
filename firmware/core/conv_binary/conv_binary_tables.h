/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of the binary convolution: matching bits are looked up, not counted.
 *
 * Input channels are taken in *blocks* of 64, or of 32 where a pixel's words are odd in number; a
 * block is cut into *groups* of 5 channels and one shorter group, the tail. For 16 filters a group
 * has a table of 32 *entries*, one for each value of its input bits: two words (filters 0..7,
 * filters 8..15) of eight 4-bit lanes, the number of matching bits of each filter. Three groups
 * together make 15 at most, so three entries are added before lanes are widened.
 *
 * Lanes are widened without being taken apart: T = sum of all words modulo 2^32, whatever carries
 * from lane to lane, and O = sum of the odd lanes, a byte each. Then E = T - 16 O is exactly the
 * even lanes, a byte each, as long as no byte exceeds 255: three blocks of 64.
 *
 * A *slot* is one block at one tap. A pass adds 1..3 slots, neighbours in a kernel row, to the sums
 * of many positions. Input bits are written once as *indices*: for each block of a pixel the
 * addresses of its groups' entries in slot 0's tables. Slot s finds its own entry at a constant
 * distance, so the loop spends no instruction on addresses.
 *
 * Cores with Thumb-2 run conv_binary_*_v7m.S, everything else conv_binary_tables.c. */
#ifndef RBNN_CORE_CONV_BINARY_TABLES_H
#define RBNN_CORE_CONV_BINARY_TABLES_H

#include "spec/target.h"

#define RBNN_TABLE_CHANNELS 5 /* of a group that is not a tail */
#define RBNN_TABLE_GROUPS_32 7
#define RBNN_TABLE_GROUPS_64 13
#define RBNN_TABLE_SLOTS 3
#define RBNN_TABLE_ENTRY_BYTES 8
#define RBNN_TABLE_BYTES 256 /* 32 entries; a tail's table leaves some of it unused */
#define RBNN_TABLE_GROUP_BYTES (RBNN_TABLE_SLOTS * RBNN_TABLE_BYTES)

/* Without two-lane addition, sums are kept with their sign bit inverted until they are finished:
 * none is ever below zero then, and additions of whole words do not carry from lane to lane. */
#if RBNN_TARGET_V7M && !RBNN_TARGET_V7EM
#define RBNN_TABLE_BIAS 0x8000u
#else
#define RBNN_TABLE_BIAS 0u
#endif

#ifndef __ASSEMBLER__

#include <stdint.h>

#include "core/half.h"
#include "spec/rbnn_spec.h"

#define RBNN_UNIT_WORDS 16u /* weights of one tap, 32 channels, 16 filters */

/* Indices are addresses where those have 32 bits, else they count from the tables' start. */
#if UINTPTR_MAX == 0xffffffffu
#define RBNN_TABLE_ORIGIN(tables) ((uint32_t)(uintptr_t)(tables))
#else
#define RBNN_TABLE_ORIGIN(tables) 0u
#endif

/* Positions to which a pass adds; tables as rbnn_table_build has left them. */
typedef struct {
  const uint32_t *indices; /* of the first position's first slot; its slots are consecutive */
  uint32_t *sums;          /* 16 int16 a position, position by position, rows without gaps */
  const uint32_t *tables;
  uint32_t rows;        /* at least 1 */
  uint32_t columns;     /* positions a row, at least 1 */
  uint32_t column_step; /* bytes of indices from a position to the next */
  uint32_t row_step;    /* bytes of indices from a row to the next */
} rbnn_table_area;
_Static_assert(sizeof(uintptr_t) != 4 || sizeof(rbnn_table_area) == 28, "as the assembly reads it");

/* Indices of `blocks` (at least 1) consecutive blocks of 32 or 64 channels.
 *   bits     1 or 2 words a block
 *   indices  7 or 13 words a block */
void rbnn_table_index_32(uint32_t *indices, const uint32_t *bits, uint32_t blocks, uint32_t origin);
void rbnn_table_index_64(uint32_t *indices, const uint32_t *bits, uint32_t blocks, uint32_t origin);

/* Tables of one slot.
 *   tables   of all slots: RBNN_TABLE_GROUP_BYTES a group, within that RBNN_TABLE_BYTES a slot
 *   weights  its units, one (32 channels) or two (64) */
void rbnn_table_build_32(uint32_t *tables, uint32_t slot, const uint32_t *weights);
void rbnn_table_build_64(uint32_t *tables, uint32_t slot, const uint32_t *weights);

/* Add slots 0 .. slots - 1 (1..3) to the sums of all positions of `area`. */
void rbnn_table_add_32(const rbnn_table_area *area, uint32_t slots);
void rbnn_table_add_64(const rbnn_table_area *area, uint32_t slots);

/* Write the same 16 numbers to, or add them to, `positions` sums: 8 words of two lanes. */
void rbnn_table_start(uint32_t *sums, uint32_t positions, const uint32_t *start);
void rbnn_table_add_constant(uint32_t *sums, uint32_t positions, const uint32_t *matches);

/* 16 bits a position: 1 where the sum is not below zero.
 *   bits  of the first position; the next is `step` bytes, an even number, further */
void rbnn_table_take_signs(rbnn_half_bits *bits, uint32_t step, const uint32_t *sums,
                           uint32_t positions);

#endif /* __ASSEMBLER__ */

#endif
