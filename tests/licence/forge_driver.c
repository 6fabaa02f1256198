/* SPDX-License-Identifier: Apache-2.0 */
/* Changed bytes for the firmware's parsers, under sanitizers: `forge_driver FOLDER WHAT STRIDE
 * MUTATIONS`. WHAT is licence, provisioning, helper, container, or container-corrected, whose
 * checksum is corrected. Every STRIDEth bit is flipped and every STRIDEth length is tried; of a
 * container, bits of the header only. Then MUTATIONS random changes. Prints how many of each kind
 * there were and how many were accepted, then how often each status was given. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32.h"
#include "licence/provisioning.h"
#include "licence/vault.h"
#include "puf/sketch.h"

#define MOST_CHANGES 4u
#define STATUSES 64

typedef struct {
  uint8_t *bytes;
  uint32_t size;
} file;

typedef rbnn_status accept_function(const uint8_t *bytes, uint32_t size);

static const char *folder;
static file container, partition, pattern, psk;
static rbnn_model model;
static rbnn_vault fresh;
static uint32_t given[STATUSES];
static uint64_t state = 0x9e3779b97f4a7c15u;

static void *take(size_t size)
{
  void *const memory = aligned_alloc(16, (size + 16u) / 16u * 16u);
  if (memory == NULL) exit(2);
  return memory;
}

static file read_file(const char *name)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *const stream = fopen(path, "rb");
  if (stream == NULL) exit(2);
  fseek(stream, 0, SEEK_END);
  file read = {NULL, (uint32_t)ftell(stream)};
  rewind(stream);
  read.bytes = take(read.size);
  if (fread(read.bytes, 1, read.size, stream) != read.size) exit(2);
  fclose(stream);
  return read;
}

static uint32_t random_below(uint32_t limit)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(((state >> 32) * limit) >> 32);
}

/* A copy that ends where its memory ends, so that the sanitizer sees a byte too many. */
static uint8_t *exactly(const uint8_t *bytes, uint32_t size)
{
  uint8_t *const copy = malloc(size != 0u ? size : 1u);
  if (copy == NULL) exit(2);
  memcpy(copy, bytes, size);
  return copy;
}

static rbnn_status accept_licence(const uint8_t *bytes, uint32_t size)
{
  static rbnn_vault vault;
  uint8_t licence[RBNN_LICENCE_BYTES];
  rbnn_licence_prologue prologue;
  uint32_t slot;
  memset(licence, 0, sizeof licence);
  memcpy(licence, bytes, size);
  memcpy(&prologue, licence, sizeof prologue);
  vault = fresh;
  const rbnn_status status = rbnn_vault_add_licence(&vault, licence, &slot);
  return status == RBNN_OK ? rbnn_vault_unlock(&vault, prologue.task, psk.bytes) : status;
}

static rbnn_status accept_provisioning(const uint8_t *bytes, uint32_t size)
{
  rbnn_provisioning view;
  uint8_t *const copy = exactly(bytes, size);
  const rbnn_status status = rbnn_provisioning_open(&view, copy, size);
  free(copy);
  return status;
}

/* What is cut off is erased flash. */
static rbnn_status accept_helper(const uint8_t *bytes, uint32_t size)
{
  static uint8_t record[RBNN_HELPER_RECORD_BYTES];
  uint8_t root[RBNN_KEY_BYTES];
  memset(record, 0xff, sizeof record);
  memcpy(record, bytes, size);
  return rbnn_sketch_reproduce(pattern.bytes, record, root);
}

static rbnn_status open_container(const uint8_t *bytes, uint32_t size, rbnn_model *opened)
{
  uint32_t bad_layer;
  return rbnn_model_open(opened, bytes, size, &bad_layer);
}

static rbnn_status accept_container(const uint8_t *bytes, uint32_t size)
{
  rbnn_model opened;
  uint8_t *const copy = exactly(bytes, size);
  const rbnn_status status = open_container(copy, size, &opened);
  free(copy);
  return status;
}

/* The checksum is anyone's to correct; the licence then names another model. */
static rbnn_status accept_corrected(const uint8_t *bytes, uint32_t size)
{
  static const uint8_t zero[4];
  static rbnn_vault vault;
  rbnn_model opened;
  uint8_t *const copy = exactly(bytes, size);
  const uint32_t at = RBNN_CONTAINER_HEADER_CRC32_OFFSET;
  if (size >= at + 4u) {
    uint32_t crc = rbnn_crc32_update(0, copy, at);
    crc = rbnn_crc32_update(crc, zero, sizeof zero);
    crc = rbnn_crc32_update(crc, copy + at + 4u, size - at - 4u);
    memcpy(copy + at, &crc, sizeof crc);
  }
  rbnn_status status = open_container(copy, size, &opened);
  if (status == RBNN_OK && memcmp(copy, container.bytes, size) == 0) {
    status = RBNN_CONTAINER_DAMAGED; /* only the checksum was changed, and is right again */
  } else if (status == RBNN_OK) {
    vault = fresh;
    vault.model = &opened;
    status = rbnn_vault_unlock(&vault, 0, psk.bytes);
  }
  free(copy);
  return status;
}

static uint32_t count(rbnn_status status)
{
  given[-(int)status]++;
  return status == RBNN_OK;
}

static void change(uint8_t *bytes, uint32_t size)
{
  const uint32_t at = random_below(size);
  uint32_t run = 1u + random_below(32);
  if (run > size - at) run = size - at;
  switch (random_below(4)) {
    case 0: bytes[at] ^= (uint8_t)(1u << random_below(8)); break;
    case 1: bytes[at] = (uint8_t)random_below(256); break;
    case 2: memset(bytes + at, random_below(2) != 0u ? 0xff : 0, run); break;
    default:
      for (uint32_t i = 0; i < run; i++) bytes[at + i] = (uint8_t)random_below(256);
  }
}

static void try_all(accept_function *accept, const file *own, uint32_t bits, uint32_t stride,
                    uint32_t mutations)
{
  uint32_t tried = 0, accepted = 0;
  uint8_t *const changed = take(own->size);
  memcpy(changed, own->bytes, own->size);
  for (uint32_t bit = 0; bit < bits; bit += stride, tried++) {
    changed[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
    accepted += count(accept(changed, own->size));
    changed[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
  }
  printf("flips %" PRIu32 " %" PRIu32 "\n", tried, accepted);
  tried = accepted = 0;
  for (uint32_t size = 0; size < own->size; size += stride, tried++) {
    accepted += count(accept(own->bytes, size));
  }
  printf("truncations %" PRIu32 " %" PRIu32 "\n", tried, accepted);
  tried = accepted = 0;
  while (tried < mutations) {
    memcpy(changed, own->bytes, own->size);
    for (uint32_t i = 1u + random_below(MOST_CHANGES); i > 0u; i--) change(changed, own->size);
    if (memcmp(changed, own->bytes, own->size) == 0) continue;
    accepted += count(accept(changed, own->size));
    tried++;
  }
  printf("mutations %" PRIu32 " %" PRIu32 "\n", tried, accepted);
  free(changed);
}

static const char *name_of(rbnn_status status)
{
#define CASE(code, name, text) \
  if (status == (code)) return name;
  RBNN_STATUS_LIST(CASE)
#undef CASE
  return status == RBNN_OK ? "ok" : "unnamed";
}

int main(int arguments, char **argument)
{
  if (arguments != 5) return 2;
  folder = argument[1];
  const uint32_t stride = (uint32_t)strtoul(argument[3], NULL, 10);
  const uint32_t mutations = (uint32_t)strtoul(argument[4], NULL, 10);
  container = read_file("container");
  partition = read_file("partition");
  pattern = read_file("pattern");
  psk = read_file("psk");
  const file licence = read_file("licence");
  const file helper = {partition.bytes + RBNN_PROVISIONING_HEADER_BYTES, RBNN_HELPER_RECORD_BYTES};
  const struct {
    const char *name;
    accept_function *accept;
    const file *own;
    uint32_t bits;
  } all[] = {
      {"licence", accept_licence, &licence, 8u * RBNN_LICENCE_BYTES},
      {"provisioning", accept_provisioning, &partition, 8u * partition.size},
      {"helper", accept_helper, &helper, 8u * RBNN_HELPER_RECORD_BYTES},
      {"container", accept_container, &container, 8u * RBNN_CONTAINER_HEADER_BYTES},
      {"container-corrected", accept_corrected, &container, 8u * RBNN_CONTAINER_HEADER_BYTES},
  };
  uint8_t *const read = exactly(pattern.bytes, pattern.size);
  if (open_container(container.bytes, container.size, &model) != RBNN_OK) return 3;
  rbnn_vault_start(&fresh, &model, partition.bytes, partition.size, read, NULL);
  free(read);
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    if (strcmp(all[i].name, argument[2]) != 0) continue;
    /* What is not changed is accepted. */
    if (i < 4u && all[i].accept(all[i].own->bytes, all[i].own->size) != RBNN_OK) return 3;
    try_all(all[i].accept, all[i].own, all[i].bits, stride, mutations);
  }
  for (int i = 0; i < STATUSES; i++) {
    if (given[i] != 0u) printf("%s %" PRIu32 " 0\n", name_of((rbnn_status)-i), given[i]);
  }
  free(container.bytes);
  free(partition.bytes);
  free(pattern.bytes);
  free(psk.bytes);
  free(licence.bytes);
  return 0;
}
