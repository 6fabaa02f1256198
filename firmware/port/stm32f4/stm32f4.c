/* SPDX-License-Identifier: Apache-2.0 */
/* STM32F4 on a Nucleo-64: USART2 on PA2 and PA3, wired to the ST-LINK's virtual COM port.
 * Reference manual RM0390, sections 7.4 (GPIO) and 25.6 (USART). */
#include "port/armv7m/armv7m.h"
#include "port/armv7m/receive.h"
#include "port/port.h"
#include "port/stm32f4/clock.h"
#include "spec/rbnn_spec.h"

#define RCC_AHB1ENR RBNN_REGISTER(0x40023830u)
#define RCC_APB1ENR RBNN_REGISTER(0x40023840u)
#define GPIOA_MODER RBNN_REGISTER(0x40020000u)
#define GPIOA_PUPDR RBNN_REGISTER(0x4002000Cu)
#define GPIOA_AFRL RBNN_REGISTER(0x40020020u)
#define USART2_SR RBNN_REGISTER(0x40004400u)
#define USART2_DR RBNN_REGISTER(0x40004404u)
#define USART2_BRR RBNN_REGISTER(0x40004408u)
#define USART2_CR1 RBNN_REGISTER(0x4000440Cu)

#define AHB1ENR_GPIOA (1u << 0)
#define APB1ENR_USART2 (1u << 17)
#define PA2_PA3_MODES (0xFu << 4)
#define PA2_PA3_ALTERNATE (0xAu << 4)
#define PA3_PULL_UP (1u << 6)
#define PA3_PULLS (3u << 6)
#define PA2_PA3_FUNCTIONS (0xFFu << 8)
#define PA2_PA3_USART2 (0x77u << 8)
#define SR_OVERRUN (1u << 3)
#define SR_RX_READY (1u << 5)
#define SR_TX_DONE (1u << 6)
#define SR_TX_EMPTY (1u << 7)
#define CR1_ENABLE_RX_TX_AND_RX_INTERRUPT ((1u << 13) | (1u << 5) | (1u << 3) | (1u << 2))
#define FLUSH_LOOPS 1000000u
#define USART2_INTERRUPT 38u
#define FLASH_OPTCR RBNN_REGISTER(0x40023C14u)
#define OPTCR_RDP 8u
#define OPTCR_RDP_MASK 0xFFu
#define RDP_LEVEL_0 0xAAu
#define RDP_LEVEL_2 0xCCu

void rbnn_port_init(void)
{
  uint32_t apb1_hz;
  rbnn_tick_start(rbnn_clock_start(&apb1_hz));
  RCC_AHB1ENR |= AHB1ENR_GPIOA;
  RCC_APB1ENR |= APB1ENR_USART2;
  /* A read back lets the clock reach the peripherals before their first access. */
  (void)RCC_APB1ENR;
  GPIOA_AFRL = (GPIOA_AFRL & ~PA2_PA3_FUNCTIONS) | PA2_PA3_USART2;
  /* An open line must read idle, not noise. */
  GPIOA_PUPDR = (GPIOA_PUPDR & ~PA3_PULLS) | PA3_PULL_UP;
  GPIOA_MODER = (GPIOA_MODER & ~PA2_PA3_MODES) | PA2_PA3_ALTERNATE;
  USART2_BRR = (apb1_hz + RBNN_BAUD / 2u) / RBNN_BAUD;
  USART2_CR1 = CR1_ENABLE_RX_TX_AND_RX_INTERRUPT;
  rbnn_interrupt_enable(USART2_INTERRUPT);
}

static void serve_usart2(void)
{
  /* Reading SR and then DR clears both flags. */
  const uint32_t status = USART2_SR;
  if (!(status & (SR_RX_READY | SR_OVERRUN))) return;
  const uint8_t byte = (uint8_t)USART2_DR;
  if (status & SR_RX_READY) rbnn_receive_byte(byte);
  if (status & SR_OVERRUN) rbnn_receive_overrun();
}

RBNN_FAMILY_VECTORS const rbnn_vector rbnn_family_vectors[] = {
    [USART2_INTERRUPT] = serve_usart2,
};

/* RM0390, sections 3.6 (read protection) and 3.8.6 (FLASH_OPTCR). */
const char *rbnn_port_protection(void)
{
  if (!rbnn_clock_is_real()) return RBNN_PROTECTION_NONE;
  switch (FLASH_OPTCR >> OPTCR_RDP & OPTCR_RDP_MASK) {
    case RDP_LEVEL_0: return RBNN_PROTECTION_OPEN;
    case RDP_LEVEL_2: return RBNN_PROTECTION_PERMANENT;
    default: return RBNN_PROTECTION_FLASH;
  }
}

void rbnn_port_write(const char *data, uint32_t size)
{
  for (uint32_t i = 0; i < size; i++) {
    while (!(USART2_SR & SR_TX_EMPTY)) {}
    USART2_DR = (uint8_t)data[i];
  }
}

void rbnn_family_flush(void)
{
  for (uint32_t i = 0; i < FLUSH_LOOPS && !(USART2_SR & SR_TX_DONE); i++) {}
}
