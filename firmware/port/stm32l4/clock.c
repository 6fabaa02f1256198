/* SPDX-License-Identifier: Apache-2.0 */
/* Reference manual RM0432, sections 3.3.3 (wait states), 5.1.8 (range 1 boost mode) and 6.4 (RCC
 * registers); Armv7-M manual, section C1.6.2 (DHCSR). The 16 MHz oscillator is within 1 % from 0 to
 * 85 degrees (data sheet DS12023), which a serial line takes; it needs nothing on the board. */
#include "port/stm32l4/clock_l4.h"

#include "port/armv7m/armv7m.h"

#define RCC_CR RBNN_REGISTER(0x40021000u)
#define RCC_CFGR RBNN_REGISTER(0x40021008u)
#define RCC_PLLCFGR RBNN_REGISTER(0x4002100Cu)
#define RCC_APB1ENR1 RBNN_REGISTER(0x40021058u)
#define RCC_CSR RBNN_REGISTER(0x40021094u)
#define PWR_CR5 RBNN_REGISTER(0x40007080u)
#define FLASH_ACR RBNN_REGISTER(0x40022000u)
#define DEBUG_DHCSR RBNN_REGISTER(0xE000EDF0u)

#define CR_HSION (1u << 8)
#define CR_HSIRDY (1u << 10)
#define CR_PLLON (1u << 24)
#define CR_PLLRDY (1u << 25)
/* 16 MHz / M 2 * N 30 / R 2 = 120 MHz. */
#define PLLCFGR_120_MHZ (2u | (1u << 4) | (30u << 8) | (0u << 25))
#define PLLCFGR_PLLREN (1u << 24)
#define CFGR_SW_HSI 1u
#define CFGR_SW_PLL 3u
#define CFGR_HPRE_DIV2 (8u << 4)
#define CFGR_SWS (3u << 2)
#define CFGR_SWS_PLL (3u << 2)
#define APB1ENR1_PWREN (1u << 28)
#define CR5_R1MODE (1u << 8) /* range 1 without boost, up to 80 MHz */
#define ACR_LATENCY 0xFu
#define ACR_LATENCY_5WS 5u
#define ACR_PRFTEN (1u << 8)
#define ACR_ICEN (1u << 9)
#define ACR_DCEN (1u << 10)
#define CSR_RMVF (1u << 23)
#define CSR_BORRSTF (1u << 27)
/* Firewall, option bytes, software, both watchdogs, low power. */
#define CSR_RESTART ((3u << 24) | (0xFu << 28))
#define DHCSR_DEBUG_ENABLED (1u << 0)

#define MSI_HZ 4000000u
#define HSI_HZ 16000000u
#define PLL_HZ 120000000u
#define WAIT_LOOPS 100000u
#define MICROSECOND_LOOPS 60u /* at 60 MHz, each takes more than one cycle */

static bool wait_for(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
  for (uint32_t i = 0; i < WAIT_LOOPS; i++) {
    if ((*reg & mask) == value) return true;
  }
  return false;
}

uint32_t rbnn_clock_start(void)
{
  RCC_APB1ENR1 |= APB1ENR1_PWREN;
  (void)RCC_APB1ENR1;
  RCC_CR |= CR_HSION;
  if (!wait_for(&RCC_CR, CR_HSIRDY, CR_HSIRDY)) return MSI_HZ;
  /* Into the boost mode with the bus at half the speed, and for a microsecond after. */
  RCC_CFGR = CFGR_HPRE_DIV2;
  PWR_CR5 &= ~CR5_R1MODE;
  FLASH_ACR = ACR_LATENCY_5WS | ACR_PRFTEN | ACR_ICEN | ACR_DCEN;
  RCC_PLLCFGR = PLLCFGR_120_MHZ;
  RCC_CR |= CR_PLLON;
  RCC_PLLCFGR = PLLCFGR_120_MHZ | PLLCFGR_PLLREN;
  if (wait_for(&RCC_CR, CR_PLLRDY, CR_PLLRDY) &&
      wait_for(&FLASH_ACR, ACR_LATENCY, ACR_LATENCY_5WS)) {
    RCC_CFGR = CFGR_HPRE_DIV2 | CFGR_SW_PLL;
    if (wait_for(&RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL)) {
      for (volatile uint32_t i = 0; i < MICROSECOND_LOOPS; i++) {}
      RCC_CFGR = CFGR_SW_PLL;
      return PLL_HZ;
    }
  }
  RCC_CFGR = CFGR_SW_HSI;
  RCC_CR &= ~CR_PLLON;
  return HSI_HZ;
}

/* Power-on is a brown-out that nothing else joined: this chip has one flag for both
 * (RM0432, 6.2.1), and where a brown-out left the RAM as it was, the marker there tells. Flags pile
 * up until a firmware removes them. A probe that has just programmed the flash had its loader in
 * the RAM, and debugging is still enabled; only power-on disables that. */
bool rbnn_family_warm_reset(void)
{
  const uint32_t causes = RCC_CSR;
  RCC_CSR |= CSR_RMVF;
  if (DEBUG_DHCSR & DHCSR_DEBUG_ENABLED) return true;
  return !(causes & CSR_BORRSTF) || (causes & CSR_RESTART);
}
