/* SPDX-License-Identifier: Apache-2.0 */
/* The flash of store_driver.c, and what power leaves of an erase. */
#ifndef RBNN_TESTS_FAKE_FLASH_H
#define RBNN_TESTS_FAKE_FLASH_H

#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>

#include "spec/rbnn_spec.h"
#include "store/store.h"

#define PAGE_WORDS (RBNN_STORE_LEAST_PAGE_BYTES / 4u + RBNN_STORE_SLOT_BYTES / 4u)
#define PAGE_BYTES (4u * PAGE_WORDS)

#ifndef UNIT_WORDS
#define UNIT_WORDS 1u
#endif
#define HAS_ECC (UNIT_WORDS > 1u)
#define PAGE_UNITS (PAGE_WORDS / UNIT_WORDS)
#define UNIT_BYTES (4u * UNIT_WORDS)

typedef struct {
  uint32_t words[2][PAGE_WORDS];
  bool is_refused[2][PAGE_UNITS]; /* whether reading a unit is a fault */
} contents;

static _Alignas(32) contents now;
static uint64_t random_state = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 32) % below;
}

/* Let the driver see all of the flash, or let nobody see what cannot be read. */
static void open_flash(void)
{
  if (HAS_ECC) __asan_unpoison_memory_region(&now, sizeof now);
}

static void close_flash(void)
{
  for (uint32_t i = 0; HAS_ECC && i < 2u * PAGE_UNITS; i++) {
    if ((&now.is_refused[0][0])[i]) {
      __asan_poison_memory_region(&now.words[0][0] + i * UNIT_WORDS, UNIT_BYTES);
    }
  }
}

static bool can_read(uint32_t page, uint32_t slot, uint32_t slots)
{
  const uint32_t units = RBNN_STORE_SLOT_BYTES / UNIT_BYTES; /* of a slot */
  for (uint32_t unit = slot * units; unit < (slot + slots) * units; unit++) {
    if (now.is_refused[page][unit]) return false;
  }
  return true;
}

/* What is left of an erase: the words before `word` are erased, that one partly. */
static void erase_until(uint32_t page, uint32_t word)
{
  for (uint32_t i = 0; i < word; i++) {
    now.words[page][i] = UINT32_MAX;
    now.is_refused[page][i / UNIT_WORDS] = false;
  }
  if (word < PAGE_WORDS) {
    now.words[page][word] |= draw(UINT32_MAX);
    now.is_refused[page][word / UNIT_WORDS] = HAS_ECC && draw(2) != 0u;
  }
}

#endif
