/* SPDX-License-Identifier: Apache-2.0 */
/* Arm MPS2 (AN385, AN386, AN500): CMSDK UART0, core clock 25 MHz. */
#include "port/armv7m/armv7m.h"
#include "port/armv7m/receive.h"
#include "port/port.h"
#include "spec/rbnn_spec.h"

#define UART_DATA RBNN_REGISTER(0x40004000u)
#define UART_STATE RBNN_REGISTER(0x40004004u)
#define UART_CTRL RBNN_REGISTER(0x40004008u)
#define UART_INTCLEAR RBNN_REGISTER(0x4000400Cu)
#define UART_BAUDDIV RBNN_REGISTER(0x40004010u)
#define STATE_TX_FULL 1u
#define STATE_RX_FULL 2u
#define STATE_RX_OVERRUN 8u
#define CTRL_TX_RX_AND_RX_INTERRUPT 0x0Bu
#define INT_RX 2u
#define CORE_HZ 25000000u
#define FLUSH_LOOPS 10000u
#define UART0_RX_INTERRUPT 0u

void rbnn_port_init(void)
{
  rbnn_tick_start(CORE_HZ);
  UART_BAUDDIV = CORE_HZ / RBNN_BAUD;
  UART_CTRL = CTRL_TX_RX_AND_RX_INTERRUPT;
  rbnn_interrupt_enable(UART0_RX_INTERRUPT);
}

static void serve_uart0_rx(void)
{
  UART_INTCLEAR = INT_RX;
  while (UART_STATE & STATE_RX_FULL) rbnn_receive_byte((uint8_t)UART_DATA);
  if (UART_STATE & STATE_RX_OVERRUN) {
    UART_STATE = STATE_RX_OVERRUN;
    rbnn_receive_overrun();
  }
}

RBNN_FAMILY_VECTORS const rbnn_vector rbnn_family_vectors[] = {
    [UART0_RX_INTERRUPT] = serve_uart0_rx,
};

/* The board has no reset-cause register; the marker in RAM decides. */
bool rbnn_family_warm_reset(void)
{
  return false;
}

const char *rbnn_port_protection(void)
{
  return RBNN_PROTECTION_NONE;
}

void rbnn_port_write(const char *data, uint32_t size)
{
  for (uint32_t i = 0; i < size; i++) {
    while (UART_STATE & STATE_TX_FULL) {}
    UART_DATA = (uint8_t)data[i];
  }
}

void rbnn_family_flush(void)
{
  for (uint32_t i = 0; i < FLUSH_LOOPS && (UART_STATE & STATE_TX_FULL); i++) {}
  /* The UART does not say when its shift register is empty: let one byte's time pass. */
  for (volatile uint32_t i = 0; i < 10u * CORE_HZ / RBNN_BAUD; i++) {}
}
