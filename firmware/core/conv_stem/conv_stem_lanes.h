/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of a stem for eight positions at once, looked up.
 *
 * A window is cut into groups of four or five values. For eight positions every group has a table
 * of all its +-1 sums; an *entry* is four words of two int16 lanes, two positions a word. A filter
 * is then one entry a group, added lane by lane, and the tables serve all filters. */
#ifndef RBNN_CORE_CONV_STEM_LANES_H
#define RBNN_CORE_CONV_STEM_LANES_H

#include <stdint.h>

#include "spec/rbnn_spec.h"

#define RBNN_STEM_WORDS 4u
#define RBNN_STEM_ENTRY_BYTES (4u * RBNN_STEM_WORDS)
#define RBNN_STEM_LANES (2u * RBNN_STEM_WORDS)
#define RBNN_STEM_NARROW 4u /* values of a group */
#define RBNN_STEM_WIDE 5u
#define RBNN_STEM_STRIDE 3u /* the number of groups is a multiple of this */

/* With the instructions for two lanes the int16 lanes of tables and sums are separate;
 * without them a word is high lane * 65536 + low lane, modulo 2^32, and plain additions serve
 * (RBNN_TARGET_V7EM). */

/* Addresses in the working memory are kept in 32 bits: whole where pointers are that long, else
 * counted from its start. */
#if UINTPTR_MAX == 0xffffffffu
#define RBNN_STEM_ORIGIN(work) ((uintptr_t)0)
#else
#define RBNN_STEM_ORIGIN(work) ((uintptr_t)(work))
#endif

/* Build the tables of all groups, the wide ones first.
 *   sources  for every value of the window the addresses of its four words: int16 lanes that hold
 *            twice the value, at any even address
 *   offset   bytes added to each of them
 *   tables   32 entries for a wide group, 16 for a narrow one; value i of a group is bit i of the
 *            entry's number */
void rbnn_stem_tables(uintptr_t origin, const uint32_t *sources, uint32_t offset, uint32_t wide,
                      uint32_t narrow, uint32_t *tables);

/* Sums of one tile.
 *   codes  for every filter and group the entry's address
 *   sums   16 times four words of two lanes */
void rbnn_stem_sums(uintptr_t origin, const uint32_t *codes, uint32_t groups, uint32_t *sums);

#endif
