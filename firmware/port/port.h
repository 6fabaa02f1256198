/* SPDX-License-Identifier: Apache-2.0 */
/* Between a chip and the application. One folder per chip family implements it; nothing else
 * touches registers. `port/host` implements it for a workstation process. The last function is the
 * other way round: the application defines it and the port calls it. */
#ifndef RBNN_PORT_PORT_H
#define RBNN_PORT_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/model_flash.h"
#include "store/flash.h"

/* Clocks, serial line, time base. Called once, before anything else here. */
void rbnn_port_init(void);

/* Board name as in its manifest, for example "qemu". */
const char *rbnn_port_board(void);

/* Next received byte, or -1 when none waits. */
int rbnn_port_read(void);

/* True once after bytes were lost before the last one read; asking clears it. */
bool rbnn_port_take_overrun(void);

/* Sleep until something may have arrived. */
void rbnn_port_wait(void);

/* Send bytes; blocks until all are handed to the line. */
void rbnn_port_write(const char *data, uint32_t size);

/* Ticks since start, and how many make a second. */
uint64_t rbnn_port_ticks(void);
uint32_t rbnn_port_ticks_hz(void);

/* The power-up pattern's region (RBNN_PUF_PATTERN_BYTES), untouched since power-on; NULL after a
 * warm reset, when what is left of the pattern is wiped. Called once. */
uint8_t *rbnn_port_power_up_pattern(void);

/* The provisioning partition in flash. */
const uint8_t *rbnn_port_provisioning(uint32_t *bytes);

/* Whether a debug probe reaches the flash: one of the RBNN_PROTECTION words. */
const char *rbnn_port_protection(void);

/* Flash for the store: how to read, erase and program its two pages. NULL where there is none. */
const rbnn_flash *rbnn_port_store(void);

/* The partition of the model, in builds that have one: where it is, and how to erase and program
 * it.
 */
const rbnn_model_flash *rbnn_port_model(void);

/* Stack: bytes used at its deepest so far, and bytes reserved. */
void rbnn_port_stack(uint32_t *used, uint32_t *reserved);

/* Send what is pending, then restart without losing power. Does not return. */
_Noreturn void rbnn_port_reset(void);

/* The application: everything after start-up. Called once, with .data and .bss ready. */
_Noreturn void rbnn_app_run(void);

#endif
