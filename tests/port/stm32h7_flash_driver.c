/* SPDX-License-Identifier: Apache-2.0 */
/* The STM32H7 port's flash over a fake controller that follows RM0433, section 4.3: locked until
 * both keys were written in order, units of 8 words with PG, each once, erase by SER, SNB and
 * START, busy for a while after each, DBECCERR when a unit cannot be corrected. What the manual
 * forbids ends the program with a message. `driver OPTSR` prints the operations. */
#define OPTSR 0x5200201Cu
#define KEYR 0x52002104u
#define CR 0x5200210Cu
#define SR 0x52002110u
#define CCR 0x52002114u
#define SCB_CCR 0xE000ED14u
#define BUSY 5u
#define REFUSED (1u << 26)
#define PAGE_WORDS 0x8000u
#define UNIT 8u

#include "flash_driver.h"

const uint8_t rbnn_provisioning_start[4], rbnn_provisioning_end[4];
static uint32_t optsr, keyr, cr = 1u, sr, ccr, scb_ccr, other;
static uint32_t keys, busy, in_unit, errors, refused = UINT32_MAX;
static uint32_t pending, *pending_place;

static void settle(void)
{
  if (keyr != 0u) {
    if (keyr != (keys == 0u ? 0x45670123u : 0xCDEF89ABu)) stop("wrong key: locked until reset");
    keyr = 0;
    if (++keys == 2u) cr &= ~1u;
  }
  if (pending_place != NULL) {
    const uint32_t at = (uint32_t)(pending_place - rbnn_store_start);
    if (cr != 0x32u) stop("programming out of order");
    if (busy != 0u) stop("programming while busy");
    if (at % UNIT != in_unit) stop("not a whole unit");
    if (*pending_place != UINT32_MAX) stop("programmed twice");
    *pending_place = pending;
    pending_place = NULL;
    in_unit = (in_unit + 1u) % UNIT;
    if (in_unit == 0u) {
      printf("program %u\n", at - 7u);
      busy = 3;
    }
  }
  if (cr & 0x80u) {
    if ((cr & 0x37u) != 0x34u) stop("erasing out of order");
    const uint32_t sector = (cr >> 8 & 7u) - 6u;
    if (sector > 1u) stop("another sector");
    memset(rbnn_store_start + sector * PAGE_WORDS, 0xFF, 4u * PAGE_WORDS);
    printf("erase %u\n", sector);
    cr &= ~0x80u;
    busy = 5;
  }
  if (cr & 1u && keys == 2u) keys = 0;
  if (ccr & REFUSED) errors = 0;
  ccr = 0;
}

volatile uint32_t *fake_register(uint32_t address)
{
  settle();
  switch (address) {
    case OPTSR: return &optsr;
    case KEYR: return &keyr;
    case CR:
      if (busy != 0u) stop("control while busy");
      return &cr;
    case SR:
      sr = errors | (busy != 0u ? BUSY : 0u);
      busy -= busy != 0u;
      return &sr;
    case CCR: return &ccr;
    case SCB_CCR: return &scb_ccr;
    default: return &other;
  }
}

volatile uint32_t *fake_flash_word(const uint32_t *place)
{
  settle();
  const uint32_t at = (uint32_t)(place - rbnn_store_start);
  if (cr & 2u) {
    pending_place = rbnn_store_start + at;
    pending = UINT32_MAX;
    return &pending;
  }
  if (at / UNIT == refused) {
    if (!(scb_ccr >> 8 & 1u)) stop("bus fault");
    errors = REFUSED;
  }
  return &other;
}

int main(int count, char **arguments)
{
  if (count != 2) return 2;
  optsr = (uint32_t)strtoul(arguments[1], NULL, 16);
  const rbnn_flash *const flash = rbnn_port_store();
  if (flash == NULL) {
    puts("none");
    return 0;
  }
  static const uint32_t data[16] = {0x12345678u, 0xFFFFFFFFu, 0u, 4u, 5u, 6u, 7u, 8u, 9u};
  drive_store(flash, data, 16);
  printf("locked %u\n", cr & 1u);
  refused = (PAGE_WORDS + 8u) / UNIT;
  printf("reads %d %d %d\n", flash->can_read(0, 1, 1), flash->can_read(1, 1, 1),
         flash->can_read(1, 2, 1));
  printf("faults ignored %u\n", scb_ccr >> 8 & 1u);
  return 0;
}
