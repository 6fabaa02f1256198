/* SPDX-License-Identifier: Apache-2.0 */
/* Flash that QEMU does not have: RAM that outlasts QEMU, because a file is behind it, written as
 * flash is (programming only clears bits). Two pages for the store, sectors for the model.
 *
 * Power fails on request: the word after the pages counts operations. Where it reaches zero, that
 * operation is left half done and the core stops for good. Zero from the start lets all through. */
#include <stddef.h>
#include <string.h>

#include "port/armv7m/armv7m.h"
#include "port/port.h"
#include "spec/rbnn_spec.h"
#include "spec/target.h"

#define PAGE_BYTES 4096u
#define PAGE_WORDS (PAGE_BYTES / 4u)
#define HALF_A_WORD 0xFFFFu

/* Whether power lasts for one more operation. */
static bool has_power(void)
{
  volatile uint32_t *const fuse = rbnn_store_end;
  if (*fuse == 0u) return true;
  *fuse = *fuse - 1u;
  return *fuse != 0u;
}

static _Noreturn void lose_power(void)
{
  for (;;) __asm volatile("cpsid i\n wfi" ::: "memory");
}

static void erase_at(uint32_t *page)
{
  const bool whole = has_power();
  memset(page, 0xFF, whole ? PAGE_BYTES : PAGE_BYTES / 2u);
  if (!whole) lose_power();
}

static void program_at(volatile uint32_t *to, const uint32_t *data, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    const bool whole = has_power();
    to[i] &= whole ? data[i] : data[i] | HALF_A_WORD;
    if (!whole) lose_power();
  }
}

static void erase(uint32_t page)
{
  erase_at(rbnn_store_start + page * PAGE_WORDS);
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  program_at(rbnn_store_start + page * PAGE_WORDS + word, data, count);
}

static const rbnn_flash flash = {
    .pages = {rbnn_store_start, rbnn_store_start + PAGE_WORDS},
    .page_bytes = PAGE_BYTES,
    .erase = erase,
    .program = program,
};

const rbnn_flash *rbnn_port_store(void)
{
  return &flash;
}

#if RBNN_PARTITION
static void erase_model(uint32_t offset)
{
  erase_at(rbnn_model_start + offset / 4u);
}

static void program_model(uint32_t offset, const uint32_t *data)
{
  program_at(rbnn_model_start + offset / 4u, data, RBNN_MODEL_UNIT_BYTES / 4u);
}

const rbnn_model_flash *rbnn_port_model(void)
{
  static rbnn_model_flash model = {
      .sector_bytes = PAGE_BYTES, .erase = erase_model, .program = program_model};
  model.start = (const uint8_t *)rbnn_model_start;
  model.bytes = (uint32_t)(rbnn_model_end - rbnn_model_start) * 4u;
  return &model;
}
#endif
