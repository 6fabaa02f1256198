/* SPDX-License-Identifier: Apache-2.0 */
/* STM32H7 on a Nucleo-144: USART3 on PD8 and PD9, wired to the ST-LINK's virtual COM port (user
 * manual UM1974, 6.9). Reference manual RM0433, sections 11.4 (GPIO) and 48.7 (USART). */
#include "port/armv7m/armv7m.h"
#include "port/armv7m/receive.h"
#include "port/port.h"
#include "port/stm32h7/clock_h7.h"
#include "spec/rbnn_spec.h"

#define RCC_AHB4ENR RBNN_REGISTER(0x580244E0u)
#define RCC_APB1LENR RBNN_REGISTER(0x580244E8u)
#define GPIOD_MODER RBNN_REGISTER(0x58020C00u)
#define GPIOD_PUPDR RBNN_REGISTER(0x58020C0Cu)
#define GPIOD_AFRH RBNN_REGISTER(0x58020C24u)
#define USART3_CR1 RBNN_REGISTER(0x40004800u)
#define USART3_BRR RBNN_REGISTER(0x4000480Cu)
#define USART3_ISR RBNN_REGISTER(0x4000481Cu)
#define USART3_ICR RBNN_REGISTER(0x40004820u)
#define USART3_RDR RBNN_REGISTER(0x40004824u)
#define USART3_TDR RBNN_REGISTER(0x40004828u)
#define FLASH_OPTSR_CUR RBNN_REGISTER(0x5200201Cu)

#define AHB4ENR_GPIODEN (1u << 3)
#define APB1LENR_USART3EN (1u << 18)
#define PD8_PD9_MODES (0xFu << 16)
#define PD8_PD9_ALTERNATE (0xAu << 16)
#define PD9_PULLS (3u << 18)
#define PD9_PULL_UP (1u << 18)
#define PD8_PD9_FUNCTIONS 0xFFu
#define PD8_PD9_USART3 0x77u
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
#define OPTSR_RDP (0xFFu << 8)
#define RDP_LEVEL_0 (0xAAu << 8)
#define RDP_LEVEL_2 (0xCCu << 8)
#define FLUSH_LOOPS 4000000u
#define USART3_INTERRUPT 39u

void rbnn_port_init(void)
{
  uint32_t apb1_hz;
  rbnn_cache_start();
  rbnn_tick_start(rbnn_clock_start(&apb1_hz));
  RCC_AHB4ENR |= AHB4ENR_GPIODEN;
  RCC_APB1LENR |= APB1LENR_USART3EN;
  /* A read back lets the clock reach the peripherals before their first access. */
  (void)RCC_APB1LENR;
  GPIOD_AFRH = (GPIOD_AFRH & ~PD8_PD9_FUNCTIONS) | PD8_PD9_USART3;
  /* An open line must read idle, not noise. */
  GPIOD_PUPDR = (GPIOD_PUPDR & ~PD9_PULLS) | PD9_PULL_UP;
  GPIOD_MODER = (GPIOD_MODER & ~PD8_PD9_MODES) | PD8_PD9_ALTERNATE;
  USART3_BRR = (apb1_hz + RBNN_BAUD / 2u) / RBNN_BAUD;
  USART3_CR1 = CR1_UE | CR1_RE | CR1_TE | CR1_RXNEIE | CR1_FIFOEN;
  rbnn_interrupt_enable(USART3_INTERRUPT);
}

static void serve_usart3(void)
{
  while (USART3_ISR & ISR_RXNE) rbnn_receive_byte((uint8_t)USART3_RDR);
  if (USART3_ISR & ISR_ORE) {
    USART3_ICR = ICR_ORECF;
    rbnn_receive_overrun();
  }
}

RBNN_FAMILY_VECTORS const rbnn_vector rbnn_family_vectors[] = {
    [USART3_INTERRUPT] = serve_usart3,
};

/* RM0433, sections 4.5.3 (read protection) and 4.9.8 (FLASH_OPTSR_CUR). */
const char *rbnn_port_protection(void)
{
  switch (FLASH_OPTSR_CUR & OPTSR_RDP) {
    case RDP_LEVEL_0: return RBNN_PROTECTION_OPEN;
    case RDP_LEVEL_2: return RBNN_PROTECTION_PERMANENT;
    default: return RBNN_PROTECTION_FLASH;
  }
}

void rbnn_port_write(const char *data, uint32_t size)
{
  for (uint32_t i = 0; i < size; i++) {
    while (!(USART3_ISR & ISR_TXE)) {}
    USART3_TDR = (uint8_t)data[i];
  }
}

void rbnn_family_flush(void)
{
  for (uint32_t i = 0; i < FLUSH_LOOPS && !(USART3_ISR & ISR_TC); i++) {}
}
