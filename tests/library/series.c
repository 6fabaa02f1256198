/* SPDX-License-Identifier: Apache-2.0 */
/* A device with a sensor: series FOLDER LICENCE_KEY < values. In FOLDER: fingerprint, partition,
 * licence. Prints the input and the logits of each window. */
#include <stdio.h>
#include <stdlib.h>

#include "rbnn.h"

static rbnn_context context;
static uint32_t memory[RBNN_MEMORY_BYTES / 4u];
static uint8_t fingerprint[RBNN_FINGERPRINT_BYTES], partition[RBNN_PARTITION_BYTES];
static uint8_t licence[RBNN_LICENCE_BYTES];

static void read_file(const char *folder, const char *name, uint8_t *bytes, size_t size)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *const file = fopen(path, "rb");
  if (file == NULL || fread(bytes, size, 1, file) != 1) exit(2);
  fclose(file);
}

static void say(const char *what, rbnn_status status)
{
  printf("%s %d\n", what, (int)status);
}

int main(int count, char **words)
{
  static float values[RBNN_INPUT_BYTES];
  static uint8_t input[RBNN_INPUT_BYTES];
  uint8_t key[RBNN_KEY_BYTES];
  int32_t logits[RBNN_CLASSES];
  if (count != 3) return 2;
  read_file(words[1], "fingerprint", fingerprint, sizeof fingerprint);
  read_file(words[1], "partition", partition, sizeof partition);
  read_file(words[1], "licence", licence, sizeof licence);
  for (uint32_t i = 0; i < RBNN_KEY_BYTES; i++) {
    unsigned int byte = 0;
    if (sscanf(words[2] + 2u * i, "%2x", &byte) != 1) return 2;
    key[i] = (uint8_t)byte;
  }
  const rbnn_setup setup = {.memory = memory,
                            .memory_bytes = sizeof memory,
                            .fingerprint = fingerprint,
                            .partition = partition,
                            .partition_bytes = sizeof partition};
  say("start", rbnn_start(&context, &setup));
  say("add", rbnn_add_licence(&context, licence));
  say("no task", rbnn_series_input(&context, values, RBNN_INPUT_BYTES, input));
  say("unlock", rbnn_unlock(&context, 0, key));
  say("switch", rbnn_switch(&context, 0));
  say("too few", rbnn_series_input(&context, values, RBNN_INPUT_BYTES - 1u, input));
  while (fread(values, sizeof values, 1, stdin) == 1) {
    if (rbnn_series_input(&context, values, RBNN_INPUT_BYTES, input) != RBNN_OK) return 3;
    if (rbnn_infer(&context, input, RBNN_INPUT_BYTES, logits) != RBNN_OK) return 4;
    for (uint32_t i = 0; i < RBNN_INPUT_BYTES; i++) printf("%02x", input[i]);
    for (uint32_t i = 0; i < rbnn_classes(&context); i++) printf(" %d", (int)logits[i]);
    printf("\n");
  }
  rbnn_stop(&context);
  return 0;
}
