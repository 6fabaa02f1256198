/* SPDX-License-Identifier: Apache-2.0 */
/* STM32H7 clock tree, and its caches. */
#ifndef RBNN_PORT_CLOCK_H7_H
#define RBNN_PORT_CLOCK_H7_H

#include <stdint.h>

/* Bring the core to 400 MHz from the internal 64 MHz, or stay there where the PLL does not start.
 * Returns the core clock; `*apb1_hz` is USART3's. */
uint32_t rbnn_clock_start(uint32_t *apb1_hz);

/* Keep fingerprint, store and provisioning out of the data cache, and turn both caches on. */
void rbnn_cache_start(void);

#endif
