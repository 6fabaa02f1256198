/* SPDX-License-Identifier: Apache-2.0 */
/* The store's pages: 250 and 251 of the second bank of an STM32L4+, 4 KB each; the pages before
 * them are the partition of the model. Reference manual RM0432, sections 3.3.4 (ECC), 3.3.6
 * and 3.3.7 (erase and program) and 3.7 (registers); erratum ES0393, "data cache might be corrupted
 * during flash memory read-while-write".
 *
 * 64 bits are programmed at a time, once, with 8 bits of ECC beside them. What power cut short may
 * be beyond correction: reading it raises the NMI. So it is asked for before it is read. */
#include <stddef.h>

#include "port/armv7m/armv7m.h"
#include "port/port.h"
#include "spec/rbnn_spec.h"
#include "spec/target.h"

#define FLASH_ACR RBNN_REGISTER(0x40022000u)
#define FLASH_KEYR RBNN_REGISTER(0x40022008u)
#define FLASH_SR RBNN_REGISTER(0x40022010u)
#define FLASH_CR RBNN_REGISTER(0x40022014u)
#define FLASH_ECCR RBNN_REGISTER(0x40022018u)
#define FLASH_OPTR RBNN_REGISTER(0x40022020u)

#define ACR_DCEN (1u << 10)
#define ACR_DCRST (1u << 12)
#define KEY_1 0x45670123u
#define KEY_2 0xCDEF89ABu
#define SR_ERRORS (0xC3FBu) /* and the end of an operation; written as ones, they go */
#define SR_BSY (1u << 16)
#define CR_PG (1u << 0)
#define CR_PER (1u << 1)
#define CR_PAGE(number) ((number) << 3)
#define CR_BKER (1u << 11)
#define CR_STRT (1u << 16)
#define CR_LOCK (1u << 31)
#define ECCR_ECCD2 (1u << 29)
#define ECCR_ECCD (1u << 31)
#define OPTR_DBANK (1u << 22)
#define FIRST_PAGE 250u
#define SLOT_WORDS (RBNN_STORE_SLOT_BYTES / 4u)
#define PAGE_BYTES 0x1000u
#define PAGE_WORDS (PAGE_BYTES / 4u)

static volatile bool is_asking, is_refused;

/* Off for as long as the flash changes, and empty afterwards: it can be emptied only while off. */
static uint32_t stop_data_cache(void)
{
  const uint32_t access = FLASH_ACR;
  FLASH_ACR = access & ~ACR_DCEN;
  return access;
}

static void start_data_cache(uint32_t access)
{
  FLASH_ACR = (access & ~ACR_DCEN) | ACR_DCRST;
  FLASH_ACR = access & ~ACR_DCEN;
  FLASH_ACR = access;
}

static void wait(void)
{
  while (FLASH_SR & SR_BSY) {}
}

static void begin(void)
{
  wait();
  FLASH_KEYR = KEY_1;
  FLASH_KEYR = KEY_2;
  FLASH_SR = SR_ERRORS;
}

static void erase_page(uint32_t number)
{
  const uint32_t control = CR_PER | CR_PAGE(number) | CR_BKER;
  const uint32_t access = stop_data_cache();
  begin();
  FLASH_CR = control;
  FLASH_CR = control | CR_STRT;
  wait();
  FLASH_CR = CR_LOCK;
  start_data_cache(access);
}

static void program_words(uint32_t *place, const uint32_t *data, uint32_t count)
{
  const uint32_t access = stop_data_cache();
  begin();
  FLASH_CR = CR_PG;
  for (uint32_t i = 0; i < count; i += 2u) {
    uint32_t *const to = place + i;
    RBNN_FLASH_WORD(to) = data[i];
    RBNN_FLASH_WORD(to + 1) = data[i + 1u];
    wait();
  }
  FLASH_CR = CR_LOCK;
  start_data_cache(access);
}

static void erase(uint32_t page)
{
  erase_page(FIRST_PAGE + page);
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  program_words(rbnn_store_start + page * PAGE_WORDS + word, data, count);
}

/* Where nobody asked, it is the firmware itself that cannot be read. */
void rbnn_family_nmi(void)
{
  const uint32_t errors = FLASH_ECCR & (ECCR_ECCD | ECCR_ECCD2);
  if (!is_asking || errors == 0u) rbnn_port_reset();
  FLASH_ECCR = errors;
  is_refused = true;
}

static bool can_read_words(const uint32_t *from, uint32_t words)
{
  const uint32_t access = stop_data_cache();
  is_refused = false;
  is_asking = true;
  for (uint32_t i = 0; i < words; i++) (void)RBNN_FLASH_WORD(from + i);
  RBNN_BARRIER();
  is_asking = false;
  start_data_cache(access);
  return !is_refused;
}

static bool can_read(uint32_t page, uint32_t slot, uint32_t slots)
{
  const uint32_t *const from = rbnn_store_start + page * PAGE_WORDS + slot * SLOT_WORDS;
  return can_read_words(from, slots * SLOT_WORDS);
}

static const rbnn_flash flash = {
    .pages = {rbnn_store_start, rbnn_store_start + PAGE_WORDS},
    .page_bytes = PAGE_BYTES,
    .erase = erase,
    .program = program,
    .can_read = can_read,
};

/* With one bank (DBANK 0) the pages have 8 KB and other numbers. */
const rbnn_flash *rbnn_port_store(void)
{
  return FLASH_OPTR & OPTR_DBANK ? &flash : NULL;
}

/* Power may have failed while a probe wrote it. */
const uint8_t *rbnn_port_provisioning(uint32_t *bytes)
{
  const uint32_t *const start = (const uint32_t *)(const void *)rbnn_provisioning_start;
  const uint32_t size = (uint32_t)(rbnn_provisioning_end - rbnn_provisioning_start);
  *bytes = can_read_words(start, size / 4u) ? size : 0u;
  return rbnn_provisioning_start;
}

#if RBNN_PARTITION
static void erase_model(uint32_t offset)
{
  erase_page(offset / PAGE_BYTES);
}

static void program_model(uint32_t offset, const uint32_t *data)
{
  program_words(rbnn_model_start + offset / 4u, data, RBNN_MODEL_UNIT_BYTES / 4u);
}

static bool can_read_model(uint32_t offset, uint32_t bytes)
{
  return can_read_words(rbnn_model_start + offset / 4u, (bytes + 3u) / 4u);
}

const rbnn_model_flash *rbnn_port_model(void)
{
  static rbnn_model_flash model = {
      .sector_bytes = PAGE_BYTES, .program = program_model, .can_read = can_read_model};
  model.start = (const uint8_t *)rbnn_model_start;
  model.bytes = (uint32_t)(rbnn_model_end - rbnn_model_start) * 4u;
  model.erase = FLASH_OPTR & OPTR_DBANK ? erase_model : NULL;
  return &model;
}
#endif
