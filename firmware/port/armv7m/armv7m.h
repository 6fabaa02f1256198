/* SPDX-License-Identifier: Apache-2.0 */
/* What every Cortex-M port shares: start-up, 64-bit tick counter, stack mark, warm-reset marker,
 * sleep and restart. A chip family adds clocks and a serial line. */
#ifndef RBNN_PORT_ARMV7M_H
#define RBNN_PORT_ARMV7M_H

#include <stdbool.h>
#include <stdint.h>

/* A memory-mapped register. */
#define RBNN_REGISTER(address) (*(volatile uint32_t *)(address))

/* A word of flash that is being programmed, or whose errors are looked for. */
#define RBNN_FLASH_WORD(place) (*(volatile uint32_t *)(place))

/* What was begun is done before anything else is. */
#define RBNN_BARRIER() __asm volatile("dsb\n isb" ::: "memory")

/* Between the two, no interrupt and no fault but the NMI is served. */
#define RBNN_FAULTS_OFF() __asm volatile("cpsid f" ::: "memory")
#define RBNN_FAULTS_ON() __asm volatile("cpsie f" ::: "memory")

/* From the linker script. */
extern uint32_t rbnn_stack_bottom[], rbnn_stack_top[];
extern const uint8_t rbnn_provisioning_start[], rbnn_provisioning_end[];
extern uint32_t rbnn_store_start[], rbnn_store_end[];
extern uint32_t rbnn_model_start[], rbnn_model_end[];

/* A handler, as the vector table holds it. */
typedef void (*rbnn_vector)(void);

/* The chip family's part of the vector table: from external interrupt 0 to the last one that it
 * lets through; the others stay masked. Define it with RBNN_FAMILY_VECTORS in front of it, and the
 * linker script puts it after the core's own 16 words. */
#define RBNN_FAMILY_VECTORS __attribute__((section(".vectors.family"), used))
extern const rbnn_vector rbnn_family_vectors[];

/* The chip family's reset-cause register: true when it knows that this start is no power-on.
 * Forgets the cause: called once. */
bool rbnn_family_warm_reset(void);

/* The non-maskable interrupt. A family whose flash reports errors by it defines this; elsewhere it
 * is a fault. */
void rbnn_family_nmi(void);

/* Wait until all bytes have left the serial line; bounded, works with interrupts off. */
void rbnn_family_flush(void);

/* Start SysTick on the core clock. */
void rbnn_tick_start(uint32_t hz);

/* Let external interrupt `number` through. */
void rbnn_interrupt_enable(uint32_t number);

/* Sleep unless `*head != *tail`; an interrupt between test and sleep is not lost. */
void rbnn_sleep_while_equal(const volatile uint32_t *head, const volatile uint32_t *tail);

#endif
