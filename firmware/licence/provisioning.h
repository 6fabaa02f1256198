/* SPDX-License-Identifier: Apache-2.0 */
/* The provisioning partition: helper record of the fingerprint, and the licences in flash. */
#ifndef RBNN_LICENCE_PROVISIONING_H
#define RBNN_LICENCE_PROVISIONING_H

#include "spec/rbnn_spec.h"

/* Views into a partition that the caller keeps readable and unchanged; unaligned. */
typedef struct {
  const uint8_t *helper_record; /* RBNN_HELPER_RECORD_BYTES */
  const uint8_t *licences;      /* licence_count times RBNN_LICENCE_BYTES */
  uint32_t licence_count;       /* at most RBNN_MAX_LICENCES */
} rbnn_provisioning;

/* Check a partition of at most `capacity` bytes; reads nothing outside it, whatever the bytes are.
 * RBNN_NO_PROVISIONING when it is absent (NULL or too small for a header) or its header is erased
 * (all 0xFF) or blank (all zero); RBNN_PROVISIONING_DAMAGED for everything else that is not whole.
 * `view` is zero on failure. */
rbnn_status rbnn_provisioning_open(rbnn_provisioning *view, const uint8_t *partition,
                                   uint32_t capacity);

#endif
