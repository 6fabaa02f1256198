/* SPDX-License-Identifier: Apache-2.0 */
/* The STM32L4+ port's flash over a fake controller that follows RM0432, section 3.3: locked until
 * both keys were written in order, double words with PG, each once, erase by PER, PNB, BKER and
 * STRT, busy for a while after each, an NMI when a double word cannot be corrected. What the manual
 * forbids ends the program with a message. `driver OPTR` prints the operations. */
#define ACR 0x40022000u
#define KEYR 0x40022008u
#define SR 0x40022010u
#define CR 0x40022014u
#define ECCR 0x40022018u
#define OPTR 0x40022020u
#define BUSY (1u << 16)
#define ERASE 2u
#define PROGRAM 1u
#define PAGE_WORDS 0x400u
#define MODEL_BYTES 1024000 /* pages 0 to 249 of the second bank */
#define REFUSED 1u << 31
#define DATA_CACHE (1u << 10)

#include "flash_driver.h"

const uint8_t rbnn_provisioning_start[4], rbnn_provisioning_end[4];
static uint32_t acr = 0x705u, keyr, sr, cr = 1u << 31, eccr, optr, other;
static uint32_t keys, busy, resets, half, refused = UINT32_MAX;
static uint32_t pending, *pending_place;

_Noreturn void rbnn_port_reset(void)
{
  stop("restarted");
  exit(1);
}

static void settle(void)
{
  if (keyr != 0u) {
    if (keyr != (keys == 0u ? 0x45670123u : 0xCDEF89ABu)) stop("wrong key: locked until reset");
    keyr = 0;
    if (++keys == 2u) cr &= ~(1u << 31);
  }
  if (pending_place != NULL) {
    const bool is_store =
        pending_place >= rbnn_store_start && pending_place < rbnn_store_start + 2u * PAGE_WORDS;
    const uint32_t at = (uint32_t)((uintptr_t)pending_place / 4u) -
                        (is_store ? (uint32_t)((uintptr_t)rbnn_store_start / 4u) : 0u);
    if (cr != PROGRAM) stop("programming out of order");
    if (acr & DATA_CACHE) stop("programming with the data cache on");
    if (busy != 0u) stop("programming while busy");
    if (at % 2u != half) stop("not a double word");
    if (*pending_place != UINT32_MAX) stop("programmed twice");
    *pending_place = pending;
    pending_place = NULL;
    half ^= 1u;
    if (half == 0u) {
      if (is_store) {
        printf("program %u %08x%08x\n", (unsigned)at - 1u, rbnn_store_start[at],
               rbnn_store_start[at - 1u]);
      }
      busy = 3;
    }
  }
  if (cr >> 16 & 1u) {
    if (cr >> 31 || (cr & 7u) != ERASE || !(cr >> 11 & 1u)) stop("erasing out of order");
    if (acr & DATA_CACHE) stop("erasing with the data cache on");
    const uint32_t page = (cr >> 3 & 0xFFu) - 250u;
#if RBNN_PARTITION
    if (page + 250u < 250u) {
      memset(rbnn_model_start + (page + 250u) * PAGE_WORDS, 0xFF, 4u * PAGE_WORDS);
    } else
#endif
    {
      if (page > 1u) stop("another page");
      memset(rbnn_store_start + page * PAGE_WORDS, 0xFF, 4u * PAGE_WORDS);
    }
    printf("erase %u\n", page);
    cr &= ~(1u << 16);
    busy = 5;
  }
  if (cr >> 31 && keys == 2u) keys = 0;
  if (acr >> 12 & 1u) {
    if (acr & DATA_CACHE) stop("cache reset while it is on");
    resets++;
  }
}

volatile uint32_t *fake_register(uint32_t address)
{
  settle();
  switch (address) {
    case ACR: return &acr;
    case KEYR: return &keyr;
    case SR:
      sr = busy != 0u ? BUSY : 0u;
      busy -= busy != 0u;
      return &sr;
    case CR:
      if (busy != 0u) stop("control while busy");
      return &cr;
    case ECCR: return &eccr;
    case OPTR: return &optr;
    default: return &other;
  }
}

volatile uint32_t *fake_flash_word(const uint32_t *place)
{
  settle();
  const uint32_t at = (uint32_t)(place - rbnn_store_start);
  if (cr & PROGRAM) {
    pending_place = (uint32_t *)(uintptr_t)place;
    pending = UINT32_MAX;
    return &pending;
  }
  other = *place;
  if (at / 2u == refused) {
    eccr = REFUSED;
    rbnn_family_nmi();
    if (!(eccr & REFUSED)) stop("the error was not written to be cleared");
    eccr = 0;
  }
  return &other;
}

int main(int count, char **arguments)
{
  if (count != 2) return 2;
  optr = (uint32_t)strtoul(arguments[1], NULL, 16);
#if RBNN_PARTITION
  return drive_model();
#endif
  const rbnn_flash *const flash = rbnn_port_store();
  if (flash == NULL) {
    puts("none");
    return 0;
  }
  static const uint32_t data[] = {0x12345678u, 0xFFFFFFFFu, 0u, 0x9ABCDEF0u};
  drive_store(flash, data, 4);
  printf("locked %u\ncache %08x\nresets %u\n", cr >> 31, acr, resets);
  refused = (PAGE_WORDS + 10u) / 2u;
  printf("reads %d %d %d\n", flash->can_read(0, 1, 1), flash->can_read(1, 1, 1),
         flash->can_read(1, 0, 1));
  printf("cache %08x\n", acr);
  fflush(stdout);
  eccr = REFUSED;
  rbnn_family_nmi(); /* nobody asked: the firmware itself cannot be read */
  return 0;
}
