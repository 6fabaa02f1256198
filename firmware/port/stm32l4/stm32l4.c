/* SPDX-License-Identifier: Apache-2.0 */
/* STM32L4+ on a Nucleo-144: LPUART1 on PG7 and PG8, wired to the ST-LINK's virtual COM port (user
 * manual UM2179, 6.10). Reference manual RM0432, sections 5.1.4 (port G has a supply of its
 * own), 8.4 (GPIO) and 49.7 (LPUART). */
#include "port/armv7m/armv7m.h"
#include "port/armv7m/receive.h"
#include "port/port.h"
#include "port/stm32l4/clock_l4.h"
#include "spec/rbnn_spec.h"

#define RCC_AHB2ENR RBNN_REGISTER(0x4002104Cu)
#define RCC_APB1ENR2 RBNN_REGISTER(0x4002105Cu)
#define PWR_CR2 RBNN_REGISTER(0x40007004u)
#define GPIOG_MODER RBNN_REGISTER(0x48001800u)
#define GPIOG_PUPDR RBNN_REGISTER(0x4800180Cu)
#define GPIOG_AFRL RBNN_REGISTER(0x48001820u)
#define GPIOG_AFRH RBNN_REGISTER(0x48001824u)
#define LPUART1_CR1 RBNN_REGISTER(0x40008000u)
#define LPUART1_BRR RBNN_REGISTER(0x4000800Cu)
#define LPUART1_ISR RBNN_REGISTER(0x4000801Cu)
#define LPUART1_ICR RBNN_REGISTER(0x40008020u)
#define LPUART1_RDR RBNN_REGISTER(0x40008024u)
#define LPUART1_TDR RBNN_REGISTER(0x40008028u)
#define FLASH_OPTR RBNN_REGISTER(0x40022020u)

#define AHB2ENR_GPIOGEN (1u << 6)
#define APB1ENR2_LPUART1EN (1u << 0)
#define CR2_IOSV (1u << 9)
#define PG7_PG8_MODES (0xFu << 14)
#define PG7_PG8_ALTERNATE (0xAu << 14)
#define PG8_PULLS (3u << 16)
#define PG8_PULL_UP (1u << 16)
#define PG7_FUNCTION (0xFu << 28)
#define PG7_LPUART1 (8u << 28)
#define PG8_FUNCTION 0xFu
#define PG8_LPUART1 8u
#define CR1_UE (1u << 0)
#define CR1_RE (1u << 2)
#define CR1_TE (1u << 3)
#define CR1_RXNEIE (1u << 5)
#define CR1_FIFOEN (1u << 29)
#define ISR_ORE (1u << 3)
#define ISR_RXNE (1u << 5)
#define ISR_TC (1u << 6)
#define ISR_TXE (1u << 7)
#define ICR_ORECF (1u << 3)
#define OPTR_RDP 0xFFu
#define RDP_LEVEL_0 0xAAu
#define RDP_LEVEL_2 0xCCu
#define FLUSH_LOOPS 1000000u
#define LPUART1_INTERRUPT 70u
/* The divider counts 256ths of the clock. */
#define BAUD_256TH (RBNN_BAUD / 256u)

void rbnn_port_init(void)
{
  const uint32_t hz = rbnn_clock_start();
  rbnn_tick_start(hz);
  PWR_CR2 |= CR2_IOSV;
  RCC_AHB2ENR |= AHB2ENR_GPIOGEN;
  RCC_APB1ENR2 |= APB1ENR2_LPUART1EN;
  /* A read back lets the clock reach the peripherals before their first access. */
  (void)RCC_APB1ENR2;
  GPIOG_AFRL = (GPIOG_AFRL & ~PG7_FUNCTION) | PG7_LPUART1;
  GPIOG_AFRH = (GPIOG_AFRH & ~PG8_FUNCTION) | PG8_LPUART1;
  /* An open line must read idle, not noise. */
  GPIOG_PUPDR = (GPIOG_PUPDR & ~PG8_PULLS) | PG8_PULL_UP;
  GPIOG_MODER = (GPIOG_MODER & ~PG7_PG8_MODES) | PG7_PG8_ALTERNATE;
  LPUART1_BRR = (hz + BAUD_256TH / 2u) / BAUD_256TH;
  LPUART1_CR1 = CR1_UE | CR1_RE | CR1_TE | CR1_RXNEIE | CR1_FIFOEN;
  rbnn_interrupt_enable(LPUART1_INTERRUPT);
}

static void serve_lpuart1(void)
{
  while (LPUART1_ISR & ISR_RXNE) rbnn_receive_byte((uint8_t)LPUART1_RDR);
  if (LPUART1_ISR & ISR_ORE) {
    LPUART1_ICR = ICR_ORECF;
    rbnn_receive_overrun();
  }
}

RBNN_FAMILY_VECTORS const rbnn_vector rbnn_family_vectors[] = {
    [LPUART1_INTERRUPT] = serve_lpuart1,
};

/* RM0432, sections 3.5.1 (read protection) and 3.7.8 (FLASH_OPTR). */
const char *rbnn_port_protection(void)
{
  switch (FLASH_OPTR & OPTR_RDP) {
    case RDP_LEVEL_0: return RBNN_PROTECTION_OPEN;
    case RDP_LEVEL_2: return RBNN_PROTECTION_PERMANENT;
    default: return RBNN_PROTECTION_FLASH;
  }
}

void rbnn_port_write(const char *data, uint32_t size)
{
  for (uint32_t i = 0; i < size; i++) {
    while (!(LPUART1_ISR & ISR_TXE)) {}
    LPUART1_TDR = (uint8_t)data[i];
  }
}

void rbnn_family_flush(void)
{
  for (uint32_t i = 0; i < FLUSH_LOOPS && !(LPUART1_ISR & ISR_TC); i++) {}
}
