/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of all fuzz targets: RBNN_FUZZ_TARGET names one, RBNN_FUZZ_WORLD the folder of a licensed
 * device. Linked with libFuzzer, or with mutator.c. What must never happen is checked where it
 * would: in place of rbnn_vault_unlock, which the linker redirects here. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "licence/vault_slots.h"

fuzz_world world;
uint32_t fuzz_inferences_left;

static fuzz_target *target;

void fuzz_check(int holds, const char *expected)
{
  if (holds) return;
  fprintf(stderr, "does not hold: %s\n", expected);
  abort();
}

uint8_t *fuzz_copy(const uint8_t *bytes, size_t size)
{
  uint8_t *const copy = malloc(size != 0u ? size : 1u);
  if (copy == NULL) exit(2);
  memcpy(copy, bytes, size);
  return copy;
}

static fuzz_bytes read_file(const char *name)
{
  char path[4096];
  fuzz_bytes read = {NULL, 0};
  const char *const folder = getenv("RBNN_FUZZ_WORLD");
  snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : ".", name);
  FILE *const file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "cannot read %s; set RBNN_FUZZ_WORLD\n", path);
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  read.size = (uint32_t)ftell(file);
  rewind(file);
  read.bytes = malloc(read.size);
  if (read.bytes == NULL || fread(read.bytes, 1, read.size, file) != read.size) exit(2);
  fclose(file);
  return read;
}

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
  static const struct {
    const char *name;
    fuzz_target *run;
  } targets[] = {
      {"container", fuzz_container}, {"provisioning", fuzz_provisioning}, {"licence", fuzz_licence},
      {"serial", fuzz_serial},       {"journal", fuzz_journal},
  };
  const char *const wanted = getenv("RBNN_FUZZ_TARGET");
  uint32_t bad_layer;
  (void)count;
  (void)arguments;
  for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
    if (wanted != NULL && strcmp(targets[i].name, wanted) == 0) target = targets[i].run;
  }
  if (target == NULL) {
    fprintf(stderr, "RBNN_FUZZ_TARGET: container, provisioning, licence, serial or journal\n");
    exit(2);
  }
  world.container = read_file("container");
  world.partition = read_file("partition");
  world.pattern = read_file("pattern");
  world.licences = read_file("licences");
  world.psks = read_file("psks");
  world.params = read_file("params");
  world.public_key = read_file("public_key");
  if (rbnn_model_open(&world.model, world.container.bytes, world.container.size, &bad_layer) !=
      RBNN_OK) {
    exit(2);
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  target(data, size);
  return 0;
}

rbnn_status __real_rbnn_vault_unlock(rbnn_vault *vault, uint32_t task,
                                     const uint8_t psk[RBNN_KEY_BYTES]);
rbnn_status __wrap_rbnn_vault_unlock(rbnn_vault *vault, uint32_t task,
                                     const uint8_t psk[RBNN_KEY_BYTES]);

/* A task opens with its own key, its own licence and this device only. */
rbnn_status __wrap_rbnn_vault_unlock(rbnn_vault *vault, uint32_t task,
                                     const uint8_t psk[RBNN_KEY_BYTES])
{
  const rbnn_status status = __real_rbnn_vault_unlock(vault, task, psk);
  if (status == RBNN_OK) {
    const uint8_t *const held = vault->slots[rbnn_vault_find_slot(vault, task)].bytes;
    const uint8_t *const own = world.licences.bytes + task * RBNN_LICENCE_BYTES;
    fuzz_check(memcmp(psk, world.psks.bytes + task * RBNN_KEY_BYTES, RBNN_KEY_BYTES) == 0,
               "only the right user's key unlocks");
    fuzz_check(memcmp(held, own, RBNN_LICENCE_BYTES) == 0, "only the issued licence unlocks");
    fuzz_check(memcmp(vault->public_key, world.public_key.bytes, RBNN_KEY_BYTES) == 0,
               "only the right device unlocks");
  }
  return status;
}

rbnn_status __real_rbnn_engine_infer(const rbnn_engine *engine, const uint8_t *input,
                                     uint32_t input_bytes, int32_t *logits);
rbnn_status __wrap_rbnn_engine_infer(const rbnn_engine *engine, const uint8_t *input,
                                     uint32_t input_bytes, int32_t *logits);

/* An input may ask for a thousand inferences, which differ in nothing. */
rbnn_status __wrap_rbnn_engine_infer(const rbnn_engine *engine, const uint8_t *input,
                                     uint32_t input_bytes, int32_t *logits)
{
  if (fuzz_inferences_left == 0u) return RBNN_OK;
  fuzz_inferences_left--;
  return __real_rbnn_engine_infer(engine, input, input_bytes, logits);
}
