/* SPDX-License-Identifier: Apache-2.0 */
/* A product with no serial grammar, of device.h only, as a process:
 * `device_driver CONTAINER PARTITION|- PATTERN|- RESIDENT_LAYERS ARENA_BYTES_LESS STORE|-`. One
 * command a line on standard input; its status, and what belongs to it, on standard output.
 *
 *   enroll | add LICENCE | unlock TASK PSK | switch TASK | lock | stop
 *   infer PIXELS     logits, then scores; keys and pixels as hex
 *   label CLASS
 *   left             bytes that are not zero: memory, scores, keys of streams, unlocked tasks, all
 *                    that the device holds, the fingerprint
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"

#define LINE_BYTES 65536

static rbnn_device device;
static rbnn_device_memory memory;
static uint8_t *pattern;

static uint8_t *read_file(const char *path, uint32_t *size)
{
  FILE *const file = strcmp(path, "-") == 0 ? NULL : fopen(path, "rb");
  *size = 0;
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (uint32_t)ftell(file);
  rewind(file);
  uint8_t *const bytes = aligned_alloc(16, (*size + 15u) / 16u * 16u);
  if (bytes == NULL || fread(bytes, 1, *size, file) != *size) exit(2);
  fclose(file);
  return bytes;
}

/* Memory that has been used before: whatever is left of it shows. */
static uint32_t *take_memory(uint32_t bytes)
{
  uint32_t *const words = malloc(bytes != 0u ? bytes : 1u);
  if (words == NULL) exit(2);
  memset(words, 0x5a, bytes);
  return words;
}

static uint32_t parse_hex(const char *text, uint8_t *bytes, uint32_t capacity)
{
  const uint32_t size = (uint32_t)strlen(text) / 2u;
  if (size > capacity) exit(2);
  for (uint32_t i = 0; i < size; i++) {
    unsigned value = 0;
    if (sscanf(text + 2u * i, "%2x", &value) != 1) exit(2);
    bytes[i] = (uint8_t)value;
  }
  return size;
}

static void print_hex(const uint8_t *bytes, uint32_t size)
{
  putchar(' ');
  for (uint32_t i = 0; i < size; i++) printf("%02x", (unsigned)bytes[i]);
}

static void print_status(rbnn_status status)
{
  const char *text = "ok";
#define CASE(code, name, explanation) \
  if (status == (code)) text = name;
  RBNN_STATUS_LIST(CASE)
#undef CASE
  printf("%s", text);
}

static uint32_t count_left(const void *data, uint32_t bytes)
{
  uint32_t left = 0;
  for (uint32_t i = 0; i < bytes; i++) left += ((const uint8_t *)data)[i] != 0u;
  return left;
}

static void print_left(void)
{
  const rbnn_reconf *const reconf = &device.reconf;
  printf("ok %u", count_left(memory.arena, memory.arena_bytes) +
                      count_left(memory.work, memory.work_bytes) +
                      count_left(memory.params, memory.params_bytes) +
                      count_left(memory.resident, memory.resident_bytes));
  printf(" %u", count_left(device.scores, sizeof device.scores));
  printf(" %u", count_left(reconf->key, sizeof reconf->key) +
                    count_left(reconf->trunk_key, sizeof reconf->trunk_key) +
                    count_left(&reconf->cipher, sizeof reconf->cipher));
  printf(" %u", count_left(device.vault.unlocked, sizeof device.vault.unlocked));
  printf(" %u", count_left(&device, sizeof device));
  printf(" %u", pattern == NULL ? 0u : count_left(pattern, RBNN_PUF_PATTERN_BYTES));
}

static void infer(const char *pixels)
{
  static uint8_t input[LINE_BYTES / 2];
  int32_t logits[RBNN_MAX_CLASSES];
  const uint32_t bytes = parse_hex(pixels, input, sizeof input);
  rbnn_status status = rbnn_device_infer(&device, input, bytes, logits);
  if (status == RBNN_OK) status = rbnn_device_score(&device, logits);
  print_status(status);
  if (status != RBNN_OK) return;
  for (uint32_t i = 0; i < device.score_count; i++) printf(" %" PRId32, logits[i]);
  for (uint32_t i = 0; i < device.score_count; i++) printf(" %" PRIu32, device.scores[i]);
}

static void serve(char *line)
{
  uint8_t bytes[RBNN_HELPER_RECORD_BYTES];
  uint32_t slot;
  const char *const word = strtok(line, " \n");
  const char *const first = strtok(NULL, " \n");
  const char *const second = strtok(NULL, " \n");

  if (strcmp(word, "enroll") == 0) {
    print_status(rbnn_device_enroll(&device, bytes));
    print_hex(bytes, RBNN_HELPER_RECORD_BYTES);
    print_hex(device.vault.public_key, RBNN_KEY_BYTES);
  } else if (strcmp(word, "add") == 0) {
    (void)parse_hex(first, bytes, RBNN_LICENCE_BYTES);
    print_status(rbnn_device_add_licence(&device, bytes, &slot));
  } else if (strcmp(word, "unlock") == 0 || strcmp(word, "switch") == 0) {
    const int32_t task = rbnn_device_find_task(&device, first);
    if (task < 0) {
      print_status((rbnn_status)task);
    } else if (word[0] == 's') {
      print_status(rbnn_device_switch(&device, (uint32_t)task));
    } else {
      (void)parse_hex(second, bytes, RBNN_KEY_BYTES);
      print_status(rbnn_device_unlock(&device, (uint32_t)task, bytes));
    }
  } else if (strcmp(word, "infer") == 0) {
    infer(first);
  } else if (strcmp(word, "label") == 0) {
    const char *const label = rbnn_device_label(&device, (uint32_t)strtoul(first, NULL, 10));
    printf("%s", label != NULL ? label : "-");
  } else if (strcmp(word, "left") == 0) {
    print_left();
  } else if (strcmp(word, "lock") == 0) {
    rbnn_device_lock(&device);
    printf("ok");
  } else if (strcmp(word, "stop") == 0) {
    rbnn_device_stop(&device);
    printf("ok");
  } else {
    exit(2);
  }
  putchar('\n');
  fflush(stdout);
}

/* The store in this process's memory: the file's content at the start, written back at the end. */
#define PAGE_BYTES 4096u
static uint32_t pages[2][PAGE_BYTES / 4u];

static void erase(uint32_t page)
{
  memset(pages[page], 0xFF, PAGE_BYTES);
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) pages[page][word + i] &= data[i];
}

static const rbnn_flash *use_store(const char *path)
{
  static const rbnn_flash flash = {
      .pages = {pages[0], pages[1]}, .page_bytes = PAGE_BYTES, .erase = erase, .program = program};
  if (strcmp(path, "-") == 0) return NULL;
  FILE *const file = fopen(path, "rb");
  if (file != NULL) {
    (void)!fread(pages, 1, sizeof pages, file);
    fclose(file);
  }
  return &flash;
}

static void keep_store(const char *path)
{
  FILE *const file = fopen(path, "wb");
  if (file == NULL || fwrite(pages, 1, sizeof pages, file) != sizeof pages) exit(2);
  fclose(file);
}

int main(int count, char **arguments)
{
  static char line[LINE_BYTES];
  uint32_t container_bytes, partition_bytes, pattern_bytes;
  if (count != 7) return 2;
  uint8_t *const container = read_file(arguments[1], &container_bytes);
  uint8_t *const partition = read_file(arguments[2], &partition_bytes);
  pattern = read_file(arguments[3], &pattern_bytes);

  const rbnn_container_header *const header = (const void *)container;
  memory.resident_layers = strtoull(arguments[4], NULL, 0);
  memory.arena_bytes = header->arena_bytes - (uint32_t)strtoul(arguments[5], NULL, 0);
  memory.work_bytes = header->work_bytes;
  memory.params_bytes = (header->params_bytes + 3u) / 4u * 4u;
  memory.resident_bytes = header->weights_bytes;
  memory.arena = take_memory(memory.arena_bytes);
  memory.work = take_memory(memory.work_bytes);
  memory.params = take_memory(memory.params_bytes);
  memory.resident = take_memory(memory.resident_bytes);
  memset(memory.resident, 0, memory.resident_bytes); /* only what is resident is wiped */
  memset(&device, 0x5a, sizeof device);
  print_status(rbnn_device_start(&device, &memory, container, container_bytes, partition,
                                 partition_bytes, pattern, use_store(arguments[6])));
  putchar('\n');
  while (fgets(line, sizeof line, stdin) != NULL) serve(line);
  if (strcmp(arguments[6], "-") != 0) keep_store(arguments[6]);
  free(memory.arena);
  free(memory.work);
  free(memory.params);
  free(memory.resident);
  free(container);
  free(partition);
  free(pattern);
  return 0;
}
