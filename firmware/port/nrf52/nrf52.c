/* SPDX-License-Identifier: Apache-2.0 */
/* nRF52840 on its DK: UART0 on P0.06 and P0.08, wired to the J-Link's virtual COM port (DK user
 * guide, Virtual COM port). Product Specification v1.7: CLOCK, POWER (RESETREAS), UICR (APPROTECT),
 * GPIO, UART; the access port protection of revision 3 as in Nordic's nRF5 MDK
 * (nrf52_handle_approtect).
 *
 * The core has 64 MHz from any source, and needs no wait states; the crystal is for the serial
 * line. SysTick stands still while the core sleeps, so that `timestamp` counts the time that it
 * works. */
#include "port/armv7m/armv7m.h"
#include "port/armv7m/receive.h"
#include "port/port.h"
#include "spec/rbnn_spec.h"

#define CLOCK_TASKS_HFCLKSTART RBNN_REGISTER(0x40000000u)
#define CLOCK_EVENTS_HFCLKSTARTED RBNN_REGISTER(0x40000100u)
#define POWER_RESETREAS RBNN_REGISTER(0x40000400u)
#define APPROTECT_DISABLE RBNN_REGISTER(0x40000558u)
#define FICR_PART RBNN_REGISTER(0x10000130u)
#define FICR_REVISION RBNN_REGISTER(0x10000134u)
#define UICR_APPROTECT RBNN_REGISTER(0x10001208u)
#define NVMC_ICACHECNF RBNN_REGISTER(0x4001E540u)
#define P0_OUTSET RBNN_REGISTER(0x50000508u)
#define P0_PIN_CNF6 RBNN_REGISTER(0x50000718u)
#define P0_PIN_CNF8 RBNN_REGISTER(0x50000720u)
#define UART0_TASKS_STARTRX RBNN_REGISTER(0x40002000u)
#define UART0_TASKS_STARTTX RBNN_REGISTER(0x40002008u)
#define UART0_EVENTS_RXDRDY RBNN_REGISTER(0x40002108u)
#define UART0_EVENTS_TXDRDY RBNN_REGISTER(0x4000211Cu)
#define UART0_EVENTS_ERROR RBNN_REGISTER(0x40002124u)
#define UART0_INTENSET RBNN_REGISTER(0x40002304u)
#define UART0_ERRORSRC RBNN_REGISTER(0x40002480u)
#define UART0_ENABLE RBNN_REGISTER(0x40002500u)
#define UART0_PSEL_TXD RBNN_REGISTER(0x4000250Cu)
#define UART0_PSEL_RXD RBNN_REGISTER(0x40002514u)
#define UART0_RXD RBNN_REGISTER(0x40002518u)
#define UART0_TXD RBNN_REGISTER(0x4000251Cu)
#define UART0_BAUDRATE RBNN_REGISTER(0x40002524u)
#define DEBUG_DHCSR RBNN_REGISTER(0xE000EDF0u)

#define ICACHECNF_CACHEEN 1u
#define PIN_CNF_OUTPUT ((1u << 0) | (1u << 1)) /* its input is off */
#define PIN_CNF_INPUT_PULLED_UP (3u << 2)
#define PIN_TXD 6u
#define PIN_RXD 8u
#define BAUDRATE_115200 0x01D7E000u
#define ENABLE_UART 4u
#define INTENSET_RXDRDY (1u << 2)
#define INTENSET_ERROR (1u << 9)
#define ERRORSRC_OVERRUN (1u << 0)
#define APPROTECT_PALL 0xFFu
#define APPROTECT_HW_DISABLED 0x5Au
#define APPROTECT_DISABLED 0xFFu /* by hardware only, on older revisions */
#define PART_NRF52840 8u
#define REVISION_3 3u
#define UART0_INTERRUPT 2u
#define DHCSR_DEBUG_ENABLED (1u << 0)
#define CORE_HZ 64000000u
#define WAIT_LOOPS 100000u

_Static_assert(RBNN_BAUD == 115200, "BAUDRATE_115200");

/* From its revision 3 on, the chip opens to probes only if UICR and firmware both say so. */
static bool needs_consent(void)
{
  return FICR_PART == PART_NRF52840 && FICR_REVISION >= REVISION_3;
}

void rbnn_port_init(void)
{
  if (needs_consent()) APPROTECT_DISABLE = UICR_APPROTECT;
  NVMC_ICACHECNF = ICACHECNF_CACHEEN;
  CLOCK_TASKS_HFCLKSTART = 1u;
  for (uint32_t i = 0; i < WAIT_LOOPS && !CLOCK_EVENTS_HFCLKSTARTED; i++) {}
  rbnn_tick_start(CORE_HZ);
  P0_OUTSET = 1u << PIN_TXD;
  P0_PIN_CNF6 = PIN_CNF_OUTPUT;
  /* An open line must read idle, not noise. */
  P0_PIN_CNF8 = PIN_CNF_INPUT_PULLED_UP;
  UART0_PSEL_TXD = PIN_TXD;
  UART0_PSEL_RXD = PIN_RXD;
  UART0_BAUDRATE = BAUDRATE_115200;
  UART0_ENABLE = ENABLE_UART;
  UART0_INTENSET = INTENSET_RXDRDY | INTENSET_ERROR;
  UART0_TASKS_STARTRX = 1u;
  UART0_TASKS_STARTTX = 1u;
  rbnn_interrupt_enable(UART0_INTERRUPT);
}

static void serve_uart0(void)
{
  while (UART0_EVENTS_RXDRDY) {
    UART0_EVENTS_RXDRDY = 0;
    rbnn_receive_byte((uint8_t)UART0_RXD);
  }
  if (UART0_EVENTS_ERROR) {
    UART0_EVENTS_ERROR = 0;
    const uint32_t errors = UART0_ERRORSRC;
    UART0_ERRORSRC = errors;
    if (errors & ERRORSRC_OVERRUN) rbnn_receive_overrun();
  }
}

RBNN_FAMILY_VECTORS const rbnn_vector rbnn_family_vectors[] = {
    [UART0_INTERRUPT] = serve_uart0,
};

/* Power-on and brown-out leave no cause; where a brown-out left the RAM as it was, the marker there
 * tells. Causes pile up until a firmware removes them. A probe that has just programmed the flash
 * had its loader in the RAM, and debugging is still enabled; only power-on disables that. */
bool rbnn_family_warm_reset(void)
{
  const uint32_t causes = POWER_RESETREAS;
  POWER_RESETREAS = causes;
  return causes != 0u || (DEBUG_DHCSR & DHCSR_DEBUG_ENABLED);
}

/* Closed, no probe reaches flash or RAM; it can erase all of the chip, which opens it. */
const char *rbnn_port_protection(void)
{
  const uint32_t open = needs_consent() ? APPROTECT_HW_DISABLED : APPROTECT_DISABLED;
  return (UICR_APPROTECT & APPROTECT_PALL) == open ? RBNN_PROTECTION_OPEN : RBNN_PROTECTION_CHIP;
}

void rbnn_port_write(const char *data, uint32_t size)
{
  for (uint32_t i = 0; i < size; i++) {
    UART0_EVENTS_TXDRDY = 0;
    UART0_TXD = (uint8_t)data[i];
    while (!UART0_EVENTS_TXDRDY) {}
  }
}

/* rbnn_port_write returns when its last byte was sent. */
void rbnn_family_flush(void)
{
}
