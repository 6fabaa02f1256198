/* SPDX-License-Identifier: Apache-2.0 */
/* The store's pages: the first 16 KB of sectors 6 and 7 of an STM32H743's second bank. Reference
 * manual RM0433, sections 4.3.9 and 4.3.10 (program and erase), 4.7.3 (errors of the ECC) and 4.9
 * (registers). A page is shorter than its sector so that taking it over stays quick.
 *
 * 256 bits are programmed at a time, once: a slot of the store. What power cut short may be beyond
 * correction: reading it is a bus fault. So it is asked for before it is read, with bus faults off.
 */
#include <stddef.h>

#include "port/armv7m/armv7m.h"
#include "port/port.h"
#include "spec/rbnn_spec.h"

#define FLASH_OPTSR_CUR RBNN_REGISTER(0x5200201Cu)
#define FLASH_KEYR2 RBNN_REGISTER(0x52002104u)
#define FLASH_CR2 RBNN_REGISTER(0x5200210Cu)
#define FLASH_SR2 RBNN_REGISTER(0x52002110u)
#define FLASH_CCR2 RBNN_REGISTER(0x52002114u)
#define SCB_CCR RBNN_REGISTER(0xE000ED14u)

#define KEY_1 0x45670123u
#define KEY_2 0xCDEF89ABu
#define CR_LOCK (1u << 0)
#define CR_PG (1u << 1)
#define CR_SER (1u << 2)
#define CR_PSIZE_64 (3u << 4)
#define CR_START (1u << 7)
#define CR_SECTOR(number) ((number) << 8)
#define SR_BSY (1u << 0)
#define SR_QW (1u << 2)
#define SR_DBECCERR (1u << 26)
#define CCR_ERRORS 0x07EF0000u
#define CCR_BFHFNMIGN (1u << 8)
#define OPTSR_SWAP_BANK_OPT (1u << 31)
#define FIRST_SECTOR 6u
#define SECTOR_WORDS 0x8000u
#define SLOT_WORDS (RBNN_STORE_SLOT_BYTES / 4u)
#define PAGE_BYTES 0x4000u
#define UNIT_WORDS 8u

static void wait(void)
{
  while (FLASH_SR2 & (SR_BSY | SR_QW)) {}
}

static void begin(void)
{
  wait();
  FLASH_KEYR2 = KEY_1;
  FLASH_KEYR2 = KEY_2;
  FLASH_CCR2 = CCR_ERRORS;
}

static void erase(uint32_t page)
{
  const uint32_t control = CR_SER | CR_PSIZE_64 | CR_SECTOR(FIRST_SECTOR + page);
  begin();
  FLASH_CR2 = control;
  FLASH_CR2 = control | CR_START;
  RBNN_BARRIER();
  wait();
  FLASH_CR2 = CR_LOCK;
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  uint32_t *const to = rbnn_store_start + page * SECTOR_WORDS + word;
  begin();
  FLASH_CR2 = CR_PG | CR_PSIZE_64;
  for (uint32_t unit = 0; unit < count; unit += UNIT_WORDS) {
    RBNN_BARRIER();
    for (uint32_t i = unit; i < unit + UNIT_WORDS; i++) RBNN_FLASH_WORD(to + i) = data[i];
    RBNN_BARRIER();
    wait();
  }
  FLASH_CR2 = CR_LOCK;
}

static bool can_read_words(const uint32_t *from, uint32_t words)
{
  FLASH_CCR2 = CCR_ERRORS;
  RBNN_FAULTS_OFF();
  SCB_CCR |= CCR_BFHFNMIGN;
  RBNN_BARRIER();
  for (uint32_t i = 0; i < words; i++) (void)RBNN_FLASH_WORD(from + i);
  RBNN_BARRIER();
  SCB_CCR &= ~CCR_BFHFNMIGN;
  RBNN_FAULTS_ON();
  const bool is_refused = FLASH_SR2 & SR_DBECCERR;
  FLASH_CCR2 = CCR_ERRORS;
  return !is_refused;
}

static bool can_read(uint32_t page, uint32_t slot, uint32_t slots)
{
  const uint32_t *const from = rbnn_store_start + page * SECTOR_WORDS + slot * SLOT_WORDS;
  return can_read_words(from, slots * SLOT_WORDS);
}

static const rbnn_flash flash = {
    .pages = {rbnn_store_start, rbnn_store_start + SECTOR_WORDS},
    .page_bytes = PAGE_BYTES,
    .erase = erase,
    .program = program,
    .can_read = can_read,
};

/* With the banks swapped, the addresses are those of the other bank. */
const rbnn_flash *rbnn_port_store(void)
{
  return FLASH_OPTSR_CUR & OPTSR_SWAP_BANK_OPT ? NULL : &flash;
}

/* Power may have failed while a probe wrote it. */
const uint8_t *rbnn_port_provisioning(uint32_t *bytes)
{
  const uint32_t *const start = (const uint32_t *)(const void *)rbnn_provisioning_start;
  const uint32_t size = (uint32_t)(rbnn_provisioning_end - rbnn_provisioning_start);
  *bytes = can_read_words(start, size / 4u) ? size : 0u;
  return rbnn_provisioning_start;
}
