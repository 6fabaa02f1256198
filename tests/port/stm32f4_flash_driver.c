/* SPDX-License-Identifier: Apache-2.0 */
/* The STM32F4 port's flash over a fake controller that follows RM0390, section 3: locked until both
 * keys were written in order, one word at a time with PG and PSIZE 32, erase by SER, SNB and STRT,
 * busy for a while after each. What the manual forbids ends the program with a message.
 * `driver HSION` prints the operations, and the store's first words after each. */
#define RCC_CR 0x40023800u
#define ACR 0x40023C00u
#define KEYR 0x40023C04u
#define SR 0x40023C0Cu
#define CR 0x40023C10u
#define BUSY (1u << 16)
#define PAGE_WORDS 0x1000u
#define MODEL_BYTES 393216 /* sectors 5, 6 and 7 */

#include "flash_driver.h"

static uint32_t rcc_cr, acr = 0x705u, keyr, sr, cr = 1u << 31, other;
static uint32_t acr_before = 0x705u, keys, busy, resets;
static uint32_t pending, *pending_place;

static void settle(void)
{
  if (keyr != 0u) {
    if (keyr != (keys == 0u ? 0x45670123u : 0xCDEF89ABu)) stop("wrong key: locked until reset");
    keyr = 0;
    if (++keys == 2u) cr &= ~(1u << 31);
  }
  if (pending_place != NULL) {
    if (cr >> 31 || (cr & 3u) != 1u || (cr >> 8 & 3u) != 2u) stop("programming out of order");
    if (busy != 0u) stop("programming while busy");
    *pending_place &= pending;
    if (pending_place >= rbnn_store_start && pending_place < rbnn_store_start + 2u * PAGE_WORDS) {
      printf("program %u %08x\n", (unsigned)(pending_place - rbnn_store_start), pending);
    }
    pending_place = NULL;
    busy = 3;
  }
  if (cr >> 16 & 1u) {
    if (cr >> 31 || (cr & 3u) != 2u || (cr >> 8 & 3u) != 2u) stop("erasing out of order");
    const uint32_t sector = cr >> 3 & 15u;
#if RBNN_PARTITION
    if (sector >= 5u && sector <= 7u) {
      memset(rbnn_model_start + (sector - 5u) * 0x8000u, 0xFF, 0x20000u);
    } else
#endif
    {
      if (sector < 1u || sector > 2u) stop("another sector");
      memset(rbnn_store_start + (sector - 1u) * PAGE_WORDS, 0xFF, 4u * PAGE_WORDS);
    }
    printf("erase %u\n", sector);
    cr &= ~(1u << 16);
    busy = 5;
  }
  if (cr >> 31 && keys == 2u) keys = 0;
  if (acr != acr_before) {
    if ((acr & 1u << 12) && (acr & 1u << 10)) stop("cache reset while it is on");
    resets += acr >> 12 & 1u;
    acr_before = acr;
  }
}

volatile uint32_t *fake_register(uint32_t address)
{
  settle();
  switch (address) {
    case RCC_CR: return &rcc_cr;
    case ACR: return &acr;
    case KEYR: return &keyr;
    case SR:
      sr = busy != 0u ? BUSY : 0u;
      busy -= busy != 0u;
      return &sr;
    case CR:
      if (busy != 0u) stop("control while busy");
      return &cr;
    default: return &other;
  }
}

volatile uint32_t *fake_flash_word(const uint32_t *place)
{
  settle();
  pending_place = (uint32_t *)(uintptr_t)place;
  pending = UINT32_MAX;
  return &pending;
}

int main(int count, char **arguments)
{
  if (count != 2) return 2;
  rcc_cr = (uint32_t)strtoul(arguments[1], NULL, 16);
#if RBNN_PARTITION
  return drive_model();
#endif
  const rbnn_flash *const flash = rbnn_port_store();
  if (flash == NULL) {
    puts("none");
    return 0;
  }
  static const uint32_t data[] = {0x12345678u, 0xFFFFFFFFu, 0u};
  drive_store(flash, data, 3);
  printf("locked %u\ncache %08x\nresets %u\n", cr >> 31, acr, resets);
  return 0;
}
