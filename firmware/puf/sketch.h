/* SPDX-License-Identifier: Apache-2.0 */
/* Robust secure sketch over the SRAM power-up pattern (rbnn/spec/puf.py, SPEC.md "Fingerprint"). */
#ifndef RBNN_PUF_SKETCH_H
#define RBNN_PUF_SKETCH_H

#include "spec/rbnn_spec.h"

/* Make the helper record (header, helper data, tag) and the root key from a fresh pattern.
 * RBNN_PUF_PATTERN, RBNN_PUF_BIAS or RBNN_PUF_ENTROPY when it is no fingerprint (puf/pattern.h);
 * then `record` and `root` are zero. Constant time but for that refusal. */
rbnn_status rbnn_sketch_enroll(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES],
                               uint8_t record[RBNN_HELPER_RECORD_BYTES],
                               uint8_t root[RBNN_KEY_BYTES]);

/* Correct a noisy pattern with its helper record and derive the root key.
 * RBNN_PUF_HELPER when header or tag do not match, there are too many errors, or too many groups
 * are silent; `root` is zero then. One result for every cause, tag compared in constant time. */
rbnn_status rbnn_sketch_reproduce(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES],
                                  const uint8_t record[RBNN_HELPER_RECORD_BYTES],
                                  uint8_t root[RBNN_KEY_BYTES]);

#endif
