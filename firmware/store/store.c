/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <stddef.h>
#include <string.h>

#include "crypto/kdf.h"
#include "crypto/wipe.h"
#include "monocypher.h"

#define SLOT_WORDS (RBNN_STORE_SLOT_BYTES / 4u)
#define ERASED 0xFFFFFFFFu
#define TAG_OFFSET offsetof(rbnn_store_record, tag)
#define TASK_BYTES offsetof(rbnn_store_record, activations) /* of model and task */

_Static_assert(RBNN_STORE_TAG_BYTES == 16u, "crypto_verify16");
_Static_assert(sizeof(rbnn_store_header) == sizeof(rbnn_store_record) &&
                   offsetof(rbnn_store_header, tag) == TAG_OFFSET,
               "header and records take a slot each");

/* How every header begins. */
static const rbnn_store_header start = {.magic = RBNN_STORE_MAGIC, .version = RBNN_STORE_VERSION};

static uint32_t count_slots(const rbnn_store *store)
{
  return store->flash->page_bytes / RBNN_STORE_SLOT_BYTES;
}

static const void *slot_at(const rbnn_store *store, uint32_t page, uint32_t slot)
{
  return store->flash->pages[page] + slot * SLOT_WORDS;
}

/* Whether the flash can read `slots` slots. Called from three places: in each, it takes more flash.
 */
static bool can_read(const rbnn_store *store, uint32_t page, uint32_t slot, uint32_t slots)
{
  const rbnn_flash *const flash = store->flash;
  return flash->can_read == NULL || flash->can_read(page, slot, slots);
}

/* Whether a page is erased from a slot on. */
static bool is_erased(const rbnn_store *store, uint32_t page, uint32_t slot)
{
  const uint32_t slots = count_slots(store);
  const uint32_t *word = slot_at(store, page, slot);
  const uint32_t *const end = slot_at(store, page, slots);
  if (!can_read(store, page, slot, slots - slot)) return false; /* of none, where it is the end */
  while (word < end && *word == ERASED) word++;
  return word == end;
}

/* The tag of a slot's content at its place. */
static void make_tag(const rbnn_store *store, const void *content, uint32_t generation,
                     uint32_t slot, uint8_t tag[RBNN_STORE_TAG_BYTES])
{
  uint32_t input[TAG_OFFSET / 4u + 2u];
  uint8_t whole[RBNN_KEY_BYTES];
  memcpy(input, content, TAG_OFFSET);
  input[TAG_OFFSET / 4u] = generation;
  input[TAG_OFFSET / 4u + 1u] = slot;
  rbnn_kdf_derive(whole, store->key, RBNN_LABEL_STORE_TAG, input, sizeof input);
  memcpy(tag, whole, RBNN_STORE_TAG_BYTES);
}

static const rbnn_store_header *header_of(const rbnn_store *store, uint32_t page)
{
  return slot_at(store, page, 0);
}

static bool is_sound(const rbnn_store *store, uint32_t page, uint32_t generation, uint32_t slot)
{
  const rbnn_store_record *const found = slot_at(store, page, slot);
  uint8_t tag[RBNN_STORE_TAG_BYTES];
  make_tag(store, found, generation, slot, tag);
  return crypto_verify16(tag, found->tag) == 0; /* in a time that tells nothing about the tag */
}

/* Sound slots at the start of a page; 0 if its header is not one. */
static uint32_t count_sound(const rbnn_store *store, uint32_t page)
{
  const rbnn_store_header *const header = header_of(store, page);
  uint32_t slot = 0;
  while (slot < count_slots(store) && can_read(store, page, slot, 1) &&
         memcmp(header, &start, offsetof(rbnn_store_header, generation)) == 0 &&
         is_sound(store, page, header->generation, slot))
    slot++;
  return slot;
}

/* Write a slot, a header or a record, with its tag. False if what is there then is not sound: its
 * tag is computed again, so that no fault in the first time makes a slot that the next start drops.
 */
static bool write_slot(const rbnn_store *store, uint32_t page, uint32_t generation, uint32_t slot,
                       const void *content)
{
  uint32_t data[SLOT_WORDS];
  memcpy(data, content, TAG_OFFSET);
  make_tag(store, content, generation, slot, (uint8_t *)data + TAG_OFFSET);
  store->flash->program(page, slot * SLOT_WORDS, data, SLOT_WORDS);
  return is_sound(store, page, generation, slot);
}

/* The slot of a task's last record among the current page's slots up to `slot`, or 0. */
static uint32_t find_slot(const rbnn_store *store, const void *key, uint32_t slot)
{
  while (--slot > 0u && memcmp(slot_at(store, store->page, slot), key, TASK_BYTES) != 0) {}
  return slot;
}

/* Whether a new page takes over the record in a slot: the task's last one, above `base`. */
static bool is_kept(const rbnn_store *store, uint32_t slot, uint32_t base)
{
  const rbnn_store_record *const record = slot_at(store, store->page, slot);
  return record->floor > base && find_slot(store, record, store->slots) == slot;
}

/* The base above which there are at most RBNN_STORE_TASKS records to keep. The lowest floors go:
 * without a record, all their licences are refused, as they were issued before the others'. */
static uint32_t choose_base(const rbnn_store *store)
{
  uint32_t base = header_of(store, store->page)->base;
  for (;;) {
    uint32_t kept = 0;
    uint32_t lowest = UINT32_MAX;
    for (uint32_t slot = 1; slot < store->slots; slot++) {
      if (is_kept(store, slot, base)) {
        const rbnn_store_record *const record = slot_at(store, store->page, slot);
        lowest = record->floor < lowest ? record->floor : lowest;
        kept++;
      }
    }
    if (kept <= RBNN_STORE_TASKS) return base;
    base = lowest;
  }
}

/* Begin page `page` with the records that the current one keeps, of the first `store->slots`. */
static rbnn_status begin_page(rbnn_store *store, uint32_t page, uint32_t generation, uint32_t base)
{
  const uint32_t slots = store->slots;
  uint32_t to = 1;
  bool sound = true;
  store->flash->erase(page);
  for (uint32_t slot = 1; slot < slots; slot++) {
    if (is_kept(store, slot, base)) {
      sound &= write_slot(store, page, generation, to++, slot_at(store, store->page, slot));
    }
  }
  rbnn_store_header header = start;
  header.generation = generation;
  header.base = base;
  /* The header comes last: until it is there, the old page counts. */
  sound = sound && write_slot(store, page, generation, 0, &header);
  if (sound) {
    store->page = page;
    store->slots = to;
    store->flash->erase(page ^ 1u);
  }
  return sound ? RBNN_OK : RBNN_STORE_DAMAGED;
}

static rbnn_status turn_page(rbnn_store *store)
{
  return begin_page(store, store->page ^ 1u, header_of(store, store->page)->generation + 1u,
                    choose_base(store));
}

static bool prepare(rbnn_store *store, const uint8_t root[RBNN_KEY_BYTES])
{
  const rbnn_flash *const flash = store->flash;
  store->status = flash == NULL ? RBNN_NO_STORE : RBNN_STORE_DAMAGED;
  store->page = 0;
  store->slots = 0;
  rbnn_kdf_derive(store->key, root, RBNN_LABEL_DEVICE_STORE, NULL, 0);
  return flash != NULL && flash->page_bytes >= RBNN_STORE_LEAST_PAGE_BYTES;
}

void rbnn_store_format(rbnn_store *store, const uint8_t root[RBNN_KEY_BYTES])
{
  if (prepare(store, root)) {
    store->status = begin_page(store, 0, 1, 0);
  }
}

void rbnn_store_open(rbnn_store *store, const uint8_t root[RBNN_KEY_BYTES])
{
  if (!prepare(store, root)) return;
  const uint32_t first = count_sound(store, 0);
  const uint32_t second = count_sound(store, 1);
  if (second != 0u &&
      (first == 0u || header_of(store, 1)->generation > header_of(store, 0)->generation)) {
    store->page = 1;
  }
  store->slots = store->page == 0u ? first : second;
  if (store->slots == 0u) return;
  /* A header that is whole took over all of the other page. */
  if (!is_erased(store, store->page ^ 1u, 0)) store->flash->erase(store->page ^ 1u);
  if (is_erased(store, store->page, store->slots)) {
    store->status = RBNN_OK;
  } else if (is_erased(store, store->page, store->slots + 1u)) {
    store->status = turn_page(store); /* a slot that power cut short; nobody relied on it */
  }
}

void rbnn_store_find(const rbnn_store *store, const uint8_t model_id[16], uint32_t task,
                     rbnn_store_record *record)
{
  rbnn_wipe(record, sizeof *record);
  memcpy(record->model, model_id, sizeof record->model);
  record->task = (uint8_t)task;
  const uint32_t slot = find_slot(store, record, store->slots);
  if (slot != 0u) {
    memcpy(record, slot_at(store, store->page, slot), sizeof *record);
  } else {
    record->floor = header_of(store, store->page)->base + 1u;
  }
}

void rbnn_store_age(const rbnn_store *store, uint32_t *generation, uint32_t *slots)
{
  const bool is_sound = store->status == RBNN_OK;
  *generation = is_sound ? header_of(store, store->page)->generation : 0;
  *slots = is_sound ? store->slots : 0;
}

/* Whether a record takes back what is kept: a count, or a floor. No right caller asks for that. */
static bool goes_back(const rbnn_store *store, const rbnn_store_record *record)
{
  const uint32_t slot = find_slot(store, record, store->slots);
  const rbnn_store_record *const held = slot_at(store, store->page, slot);
  return slot != 0u && (held->floor > record->floor ||
                        (held->floor == record->floor &&
                         (held->used > record->used || held->activations > record->activations)));
}

rbnn_status rbnn_store_put(rbnn_store *store, rbnn_store_record *record)
{
  if (goes_back(store, record)) return RBNN_LICENCE_OLD;
  if (store->status == RBNN_OK && store->slots == count_slots(store)) {
    store->status = turn_page(store);
  }
  if (store->status == RBNN_OK) {
    const uint32_t generation = header_of(store, store->page)->generation;
    if (write_slot(store, store->page, generation, store->slots, record)) {
      store->slots++;
    } else {
      store->status = RBNN_STORE_DAMAGED;
    }
  }
  return store->status;
}
