/* SPDX-License-Identifier: Apache-2.0 */
/* A counter fine enough to measure a kernel. Only the bench application uses it. */
#ifndef RBNN_PORT_COUNTER_H
#define RBNN_PORT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/* Start it. Called once, after rbnn_port_init; false where the chip (or its emulator) has none. */
bool rbnn_port_counter_start(void);

/* Counts a second. */
uint32_t rbnn_port_counter_hz(void);

/* Mask interrupts and read the counter; it runs upwards and wraps at 2^32. */
uint32_t rbnn_port_measure_begin(void);

/* Read the counter and let interrupts through again. */
uint32_t rbnn_port_measure_end(void);

#endif
