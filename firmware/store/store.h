/* SPDX-License-Identifier: Apache-2.0 */
/* What a device must not forget when it loses power: of every task, the newest licence that was
 * opened, and what that licence has used (SPEC.md, Store; docs/decisions/0025).
 *
 * A journal in two pages of flash. Each slot has a tag under a key of the device, for its page's
 * generation and its own number, so none can be made or moved by others, or come from another
 * device. A change is one more slot: it is there as a whole, or not at all. A full page is taken
 * over into the other one, whose header is written last. */
#ifndef RBNN_STORE_STORE_H
#define RBNN_STORE_STORE_H

#include "spec/rbnn_spec.h"
#include "store/flash.h"

/* So that a page that was just taken over has room for as much again. */
#define RBNN_STORE_LEAST_PAGE_BYTES ((1u + 2u * RBNN_STORE_TASKS) * RBNN_STORE_SLOT_BYTES)

/* Caller-owned. The caller sets `flash`, NULL where there is none; only firmware/store writes the
 * rest. `key` is secret. */
typedef struct {
  const rbnn_flash *flash;
  rbnn_status status; /* RBNN_OK, RBNN_NO_STORE, RBNN_STORE_DAMAGED */
  uint32_t page;      /* the current one, 0 or 1 */
  uint32_t slots;     /* in use, its header included */
  uint8_t key[RBNN_KEY_BYTES];
} rbnn_store;

/* Find the current page, check every slot, and finish what a power cut interrupted. `root` is the
 * device's root key. */
void rbnn_store_open(rbnn_store *store, const uint8_t root[RBNN_KEY_BYTES]);

/* Begin anew, for a device that is just being enrolled: all that the flash held is void. */
void rbnn_store_format(rbnn_store *store, const uint8_t root[RBNN_KEY_BYTES]);

/* What is kept of a task of a model; without a record, one of a licence that has used nothing and
 * is the oldest that is accepted. Needs status RBNN_OK. */
void rbnn_store_find(const rbnn_store *store, const uint8_t model_id[16], uint32_t task,
                     rbnn_store_record *record);

/* Generation of the current page and slots in use on it: with every change, one of them grows and
 * the generation never falls. Both zero unless status is RBNN_OK. */
void rbnn_store_age(const rbnn_store *store, uint32_t *generation, uint32_t *slots);

/* Keep a record that rbnn_store_find gave and that was changed. RBNN_OK: it is in flash, and sound.
 * RBNN_LICENCE_OLD: it would lower a floor or a count; nothing is written. Any other status: it may
 * be there or not, and the store is closed until the next start. */
rbnn_status rbnn_store_put(rbnn_store *store, rbnn_store_record *record);

#endif
