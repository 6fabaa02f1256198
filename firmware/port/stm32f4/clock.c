/* SPDX-License-Identifier: Apache-2.0 */
/* Reference manual RM0390, sections 3.4 (wait states) and 6.3 (RCC registers); Armv7-M manual,
 * section C1.6.2 (DHCSR). */
#include "port/stm32f4/clock.h"

#include "port/armv7m/armv7m.h"

#define RCC_CR RBNN_REGISTER(0x40023800u)
#define RCC_PLLCFGR RBNN_REGISTER(0x40023804u)
#define RCC_CFGR RBNN_REGISTER(0x40023808u)
#define RCC_CSR RBNN_REGISTER(0x40023874u)
#define FLASH_ACR RBNN_REGISTER(0x40023C00u)
#define DEBUG_DHCSR RBNN_REGISTER(0xE000EDF0u)

#define CR_HSION (1u << 0)
#define CR_HSEON (1u << 16)
#define CR_HSERDY (1u << 17)
#define CR_HSEBYP (1u << 18)
#define CR_PLLON (1u << 24)
#define CR_PLLRDY (1u << 25)
/* 8 MHz / M 4 * N 168 / P 2 = 168 MHz; Q 7 gives 48 MHz; R 2 is its lowest legal value. */
#define PLLCFGR_168_MHZ (4u | (168u << 6) | (0u << 16) | (1u << 22) | (7u << 24) | (2u << 28))
#define CFGR_APB1_QUARTER_APB2_HALF ((5u << 10) | (4u << 13))
#define CFGR_SWITCH_PLL 2u
#define CFGR_STATUS_MASK (3u << 2)
#define CFGR_STATUS_PLL (2u << 2)
#define ACR_WAITS_MASK 0xFu
#define ACR_5_WAITS 5u
#define ACR_5_WAITS_CACHES (ACR_5_WAITS | (7u << 8))
#define CSR_REMOVE_FLAGS (1u << 24)
#define CSR_POWER_ON (1u << 27)
#define CSR_RESTART (0xF0u << 24) /* software, both watchdogs, low power */
#define CSR_ANY_CAUSE (0xFEu << 24)
#define DHCSR_DEBUG_ENABLED (1u << 0)

#define HSI_HZ 16000000u
#define PLL_HZ 168000000u
#define WAIT_LOOPS 100000u

static bool wait_for(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
  for (uint32_t i = 0; i < WAIT_LOOPS; i++) {
    if ((*reg & mask) == value) return true;
  }
  return false;
}

/* HSION is set after every reset and stays so. Where it reads 0 there is no RCC. */
bool rbnn_clock_is_real(void)
{
  return RCC_CR & CR_HSION;
}

uint32_t rbnn_clock_start(uint32_t *apb1_hz)
{
  if (!rbnn_clock_is_real()) { /* the emulator runs the core at a fixed 168 MHz */
    *apb1_hz = PLL_HZ / 4u;
    return PLL_HZ;
  }
  RCC_CR |= CR_HSEBYP;
  RCC_CR |= CR_HSEON;
  if (wait_for(&RCC_CR, CR_HSERDY, CR_HSERDY)) {
    RCC_PLLCFGR = PLLCFGR_168_MHZ;
    RCC_CR |= CR_PLLON;
    FLASH_ACR = ACR_5_WAITS_CACHES;
    if (wait_for(&RCC_CR, CR_PLLRDY, CR_PLLRDY) &&
        wait_for(&FLASH_ACR, ACR_WAITS_MASK, ACR_5_WAITS)) {
      RCC_CFGR = CFGR_APB1_QUARTER_APB2_HALF;
      RCC_CFGR = CFGR_APB1_QUARTER_APB2_HALF | CFGR_SWITCH_PLL;
      if (wait_for(&RCC_CFGR, CFGR_STATUS_MASK, CFGR_STATUS_PLL)) {
        *apb1_hz = PLL_HZ / 4u;
        return PLL_HZ;
      }
    }
  }
  RCC_CFGR = 0;
  RCC_CR &= ~(CR_PLLON | CR_HSEON);
  *apb1_hz = HSI_HZ;
  return HSI_HZ;
}

/* A brown-out by itself leaves the RAM as it is; power-on sets that flag, too. Flags pile up until
 * a firmware removes them: power-on together with a restart is an older start of another firmware,
 * whose data are in the RAM. A probe that has just programmed the flash resets by the same pin as
 * power-on does, but its loader was in the RAM, and debugging is still enabled; only power-on
 * disables that. */
bool rbnn_family_warm_reset(void)
{
  const uint32_t causes = RCC_CSR & CSR_ANY_CAUSE;
  RCC_CSR |= CSR_REMOVE_FLAGS;
  if (DEBUG_DHCSR & DHCSR_DEBUG_ENABLED) return true;
  return causes != 0 && (!(causes & CSR_POWER_ON) || (causes & CSR_RESTART));
}
