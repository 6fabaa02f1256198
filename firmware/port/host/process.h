/* SPDX-License-Identifier: Apache-2.0 */
/* What a workstation process has in place of chip memory; filled in by process.c. */
#ifndef RBNN_PORT_HOST_PROCESS_H
#define RBNN_PORT_HOST_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/rbnn_spec.h"

#define RBNN_HOST_PROVISIONING_BYTES 131072u
#define RBNN_HOST_STORE_PAGE_BYTES 4096u
#define RBNN_HOST_SECTOR_BYTES 4096u

extern uint8_t rbnn_host_provisioning[RBNN_HOST_PROVISIONING_BYTES];
extern uint8_t rbnn_host_pattern[RBNN_PUF_PATTERN_BYTES];
extern bool rbnn_host_warm;
/* The store's pages, in a file that this process shares; NULL without one. */
extern uint32_t *rbnn_host_store;
/* The partition of the model, in a file likewise; NULL without one. */
extern uint32_t *rbnn_host_model;
extern uint32_t rbnn_host_model_bytes;

/* Start the program again with its own arguments, as a warm reset. */
_Noreturn void rbnn_host_restart(void);

#endif
