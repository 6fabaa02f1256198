/* SPDX-License-Identifier: Apache-2.0 */
/* In place of the port's own: registers are those of the fake chip in stm32f4_driver.c. */
#ifndef RBNN_PORT_ARMV7M_H
#define RBNN_PORT_ARMV7M_H

#include <stdbool.h>
#include <stdint.h>

volatile uint32_t *fake_register(uint32_t address);

#define RBNN_REGISTER(address) (*fake_register(address))

volatile uint32_t *fake_flash_word(const uint32_t *place);

#define RBNN_FLASH_WORD(place) (*fake_flash_word(place))

#define RBNN_BARRIER()
#define RBNN_FAULTS_OFF()
#define RBNN_FAULTS_ON()

extern const uint8_t rbnn_provisioning_start[], rbnn_provisioning_end[];
extern uint32_t rbnn_store_start[], rbnn_store_end[];
extern uint32_t rbnn_model_start[], rbnn_model_end[];

typedef void (*rbnn_vector)(void);

#define RBNN_FAMILY_VECTORS
extern const rbnn_vector rbnn_family_vectors[];

bool rbnn_family_warm_reset(void);
void rbnn_family_nmi(void);
void rbnn_family_flush(void);
void rbnn_tick_start(uint32_t hz);
void rbnn_interrupt_enable(uint32_t number);

#endif
