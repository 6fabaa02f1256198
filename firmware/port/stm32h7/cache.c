/* SPDX-License-Identifier: Apache-2.0 */
/* The Cortex-M7's caches and MPU: Armv7-M manual, sections B2.2.7 (cache maintenance) and B3.5
 * (MPU).
 *
 * The data cache holds constants of the flash only. It never holds data that are written: the DTCM
 * is beside it, and what else changes is in regions that are not cached. So a write to the flash
 * reaches its controller, a read back reads the flash and not the cache, what is wiped leaves no
 * copy, and no line has to be cleaned. (Write-through would do for the RAM, but this core may
 * corrupt data in it: Arm erratum 1259864, ST's ES0392.) */
#include "port/armv7m/armv7m.h"
#include "port/stm32h7/clock_h7.h"

#define SCB_CCR RBNN_REGISTER(0xE000ED14u)
#define SCB_CCSIDR RBNN_REGISTER(0xE000ED80u)
#define SCB_CSSELR RBNN_REGISTER(0xE000ED84u)
#define MPU_CTRL RBNN_REGISTER(0xE000ED94u)
#define MPU_RBAR RBNN_REGISTER(0xE000ED9Cu)
#define MPU_RASR RBNN_REGISTER(0xE000EDA0u)
#define SCB_ICIALLU RBNN_REGISTER(0xE000EF50u)
#define SCB_DCISW RBNN_REGISTER(0xE000EF60u)

#define CCR_DC (1u << 16)
#define CCR_IC (1u << 17)
#define CTRL_ENABLE_WITH_DEFAULT_MAP 5u
#define RBAR_REGION(number) ((1u << 4) | (number))
/* Normal memory that is not cached, for data: TEX 1, C 0, B 0; full access; no instructions. */
#define RASR_UNCACHED ((1u << 28) | (3u << 24) | (1u << 19) | 1u)
#define RASR_4_KB (11u << 1)
#define RASR_512_KB (18u << 1)
/* Of eighths of 64 KB, not the first two: they are the image's last sector. */
#define RASR_WITHOUT_FIRST_QUARTER (3u << 8)
#define NOINIT_PAGE 0x2407F000u
#define LAST_FOUR_SECTORS 0x08180000u

static void empty_data_cache(void)
{
  SCB_CSSELR = 0;
  RBNN_BARRIER();
  const uint32_t size = SCB_CCSIDR;
  const uint32_t sets = size >> 13 & 0x7FFFu, ways = size >> 3 & 0x3FFu;
  for (uint32_t set = 0; set <= sets; set++) {
    for (uint32_t way = 0; way <= ways; way++) SCB_DCISW = way << 30 | set << 5;
  }
}

void rbnn_cache_start(void)
{
  MPU_RBAR = LAST_FOUR_SECTORS | RBAR_REGION(0u);
  MPU_RASR = RASR_UNCACHED | RASR_512_KB | RASR_WITHOUT_FIRST_QUARTER;
  MPU_RBAR = NOINIT_PAGE | RBAR_REGION(1u);
  MPU_RASR = RASR_UNCACHED | RASR_4_KB;
  MPU_CTRL = CTRL_ENABLE_WITH_DEFAULT_MAP;
  RBNN_BARRIER();
  SCB_ICIALLU = 0;
  empty_data_cache();
  RBNN_BARRIER();
  SCB_CCR |= CCR_IC | CCR_DC;
  RBNN_BARRIER();
}
