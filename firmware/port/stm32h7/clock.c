/* SPDX-License-Identifier: Apache-2.0 */
/* Reference manual RM0433, sections 4.3.8 (wait states), 6.6.2 (voltage scaling), 8.5.5 (PLLs)
 * and 8.7 (RCC registers). 400 MHz is what voltage scale 1 carries on every revision of the chip.
 * The internal oscillator is within 1 % at room temperature and 2 % from -20 to 105 degrees
 * (DS12110), which a serial line takes. */
#include "port/armv7m/armv7m.h"
#include "port/stm32h7/clock_h7.h"

#define RCC_CR RBNN_REGISTER(0x58024400u)
#define RCC_CFGR RBNN_REGISTER(0x58024410u)
#define RCC_D1CFGR RBNN_REGISTER(0x58024418u)
#define RCC_D2CFGR RBNN_REGISTER(0x5802441Cu)
#define RCC_D3CFGR RBNN_REGISTER(0x58024420u)
#define RCC_PLLCKSELR RBNN_REGISTER(0x58024428u)
#define RCC_PLLCFGR RBNN_REGISTER(0x5802442Cu)
#define RCC_PLL1DIVR RBNN_REGISTER(0x58024430u)
#define RCC_RSR RBNN_REGISTER(0x580244D0u)
#define PWR_CSR1 RBNN_REGISTER(0x58024804u)
#define PWR_CR3 RBNN_REGISTER(0x5802480Cu)
#define PWR_D3CR RBNN_REGISTER(0x58024818u)
#define FLASH_ACR RBNN_REGISTER(0x52002000u)
#define DEBUG_DHCSR RBNN_REGISTER(0xE000EDF0u)

#define CR_PLL1ON (1u << 24)
#define CR_PLL1RDY (1u << 25)
#define CFGR_SW_PLL1 3u
#define CFGR_SWS (7u << 3)
#define CFGR_SWS_PLL1 (3u << 3)
#define D1CFGR_HALVES (8u | (4u << 4)) /* AXI half of the core, APB3 half of that */
#define D2CFGR_HALVES ((4u << 4) | (4u << 8))
#define D3CFGR_HALF (4u << 4)
/* 64 MHz / M 4 * N 50 / P 2 = 400 MHz. */
#define PLLCKSELR_HSI_4 (0u | (4u << 4))
#define PLLCFGR_8_TO_16_MHZ_P ((3u << 2) | (1u << 16))
#define PLL1DIVR_N50_P2 (49u | (1u << 9) | (1u << 16) | (1u << 24))
#define CSR1_ACTVOSRDY (1u << 13)
#define CR3_SUPPLIES 7u
#define CR3_LDOEN (1u << 1)
#define D3CR_VOS_SCALE_1 (3u << 14)
#define D3CR_VOSRDY (1u << 13)
#define ACR_2WS_HIGH_FREQUENCY (2u | (2u << 4))
#define RSR_RMVF (1u << 16)
#define RSR_PORRSTF (1u << 23)
/* Software, both watchdogs, low power. */
#define RSR_RESTART ((1u << 24) | (1u << 26) | (1u << 28) | (1u << 30))
#define DHCSR_DEBUG_ENABLED (1u << 0)

#define HSI_HZ 64000000u
#define PLL_HZ 400000000u
#define WAIT_LOOPS 100000u

static bool wait_for(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
  for (uint32_t i = 0; i < WAIT_LOOPS; i++) {
    if ((*reg & mask) == value) return true;
  }
  return false;
}

uint32_t rbnn_clock_start(uint32_t *apb1_hz)
{
  /* The first write of the supplies, after power-on only, is what lets the voltage be scaled. */
  PWR_CR3 = (PWR_CR3 & ~CR3_SUPPLIES) | CR3_LDOEN;
  const bool has_supply = wait_for(&PWR_CSR1, CSR1_ACTVOSRDY, CSR1_ACTVOSRDY);
  PWR_D3CR |= D3CR_VOS_SCALE_1;
  if (has_supply && wait_for(&PWR_D3CR, D3CR_VOSRDY, D3CR_VOSRDY)) {
    RCC_PLLCKSELR = PLLCKSELR_HSI_4;
    RCC_PLLCFGR = PLLCFGR_8_TO_16_MHZ_P;
    RCC_PLL1DIVR = PLL1DIVR_N50_P2;
    RCC_CR |= CR_PLL1ON;
    FLASH_ACR = ACR_2WS_HIGH_FREQUENCY;
    if (wait_for(&RCC_CR, CR_PLL1RDY, CR_PLL1RDY) &&
        wait_for(&FLASH_ACR, UINT32_MAX, ACR_2WS_HIGH_FREQUENCY)) {
      RCC_D1CFGR = D1CFGR_HALVES;
      RCC_D2CFGR = D2CFGR_HALVES;
      RCC_D3CFGR = D3CFGR_HALF;
      RCC_CFGR = CFGR_SW_PLL1;
      if (wait_for(&RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL1)) {
        *apb1_hz = PLL_HZ / 4u;
        return PLL_HZ;
      }
    }
  }
  RCC_CFGR = 0;
  RCC_CR &= ~CR_PLL1ON;
  RCC_D1CFGR = 0;
  RCC_D2CFGR = 0;
  RCC_D3CFGR = 0;
  *apb1_hz = HSI_HZ;
  return HSI_HZ;
}

/* RM0433, table 56: power-on sets this flag and those of pin and brown-out. A brown-out by itself
 * does not set it. Flags pile up until a firmware removes them. A probe that has just programmed
 * the flash had its loader in the RAM, and debugging is still enabled; only power-on disables that.
 */
bool rbnn_family_warm_reset(void)
{
  const uint32_t causes = RCC_RSR;
  RCC_RSR |= RSR_RMVF;
  if (DEBUG_DHCSR & DHCSR_DEBUG_ENABLED) return true;
  return !(causes & RSR_PORRSTF) || (causes & RSR_RESTART);
}
