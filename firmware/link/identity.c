/* SPDX-License-Identifier: Apache-2.0 */
/* Who the device is: name, timestamp, profile, id, enroll. */
#include <stddef.h>

#include "link/commands.h"
#include "link/print.h"
#include "port/port.h"
#include "spec/target.h"

static void print_line(const char *prefix, const char *text)
{
  rbnn_print(prefix);
  rbnn_print(text);
  rbnn_print_close();
}

rbnn_status rbnn_link_name(rbnn_link *link, const char *words)
{
  (void)link;
  (void)words;
  print_line("m-name-dut-[", rbnn_port_board());
  return RBNN_OK;
}

rbnn_status rbnn_link_timestamp(rbnn_link *link, const char *words)
{
  (void)link;
  (void)words;
  rbnn_print_lap(rbnn_port_ticks());
  return RBNN_OK;
}

/* What the active task is called by the benchmark's runner; NULL if it stands for no benchmark. */
static const char *benchmark_name(const rbnn_device *device)
{
  static const char names[RBNN_BENCHMARKS][RBNN_BENCHMARK_NAME_BYTES] = RBNN_BENCHMARK_NAMES;
  if (device->vault.active < 0) return NULL;
  const uint32_t number = device->model.tasks[device->vault.active].benchmark;
  return number == RBNN_BENCHMARK_NONE || number >= RBNN_BENCHMARKS ? NULL : names[number];
}

rbnn_status rbnn_link_profile(rbnn_link *link, const char *words)
{
  (void)words;
  const rbnn_device *const device = link->device;
  const char *const name = benchmark_name(device);
  print_line("m-profile-[", RBNN_MSG_PROFILE " " RBNN_FIRMWARE_VERSION);
  rbnn_print("m-model-[");
  if (name != NULL) {
    rbnn_print(name);
  } else if (device->model_status == RBNN_OK) {
    rbnn_print_padded(device->model.header->architecture, RBNN_NAME_BYTES);
  } else {
    rbnn_print("none");
  }
  rbnn_print_close();
  return RBNN_OK;
}

static const char *puf_name(rbnn_puf_state state)
{
  switch (state) {
    case RBNN_PUF_FRESH: return "fresh";
    case RBNN_PUF_ENROLLED: return "enrolled";
    case RBNN_PUF_POWER_CYCLE: return "power-cycle";
    case RBNN_PUF_DAMAGED: return "damaged";
  }
  return "unknown";
}

static void print_public(const rbnn_link *link)
{
  rbnn_print_hex_line("m-public-[", link->device->vault.public_key, RBNN_KEY_BYTES);
}

rbnn_status rbnn_link_id(rbnn_link *link, const char *words)
{
  uint8_t digest[32];
  (void)words;
  print_line("m-firmware-[", RBNN_FIRMWARE_VERSION);
  print_line("m-build-[", RBNN_DEVELOPMENT ? "development" : "release");
  print_line("m-board-[", rbnn_port_board());
  print_line("m-protection-[", rbnn_port_protection());
  const rbnn_device *const device = link->device;
  if (device->model_status == RBNN_OK) {
    const rbnn_container_header *const header = device->model.header;
    rbnn_print_hex_line("m-model-id-[", header->model_id, sizeof header->model_id);
    rbnn_vault_model_digest(&device->model, digest);
    rbnn_print_hex_line("m-model-digest-[", digest, sizeof digest);
  }
  print_line("m-puf-[", puf_name(device->vault.puf));
  if (device->vault.puf == RBNN_PUF_ENROLLED) print_public(link);
  return RBNN_OK;
}

rbnn_status rbnn_link_enroll(rbnn_link *link, const char *words)
{
  uint8_t *const record = link->input; /* the stack is too small for it */
  (void)words;
  rbnn_link_drop_input(link);
  const rbnn_status status = rbnn_device_enroll(link->device, record);
  if (status != RBNN_OK) return status;
  for (uint32_t offset = 0; offset < RBNN_HELPER_RECORD_BYTES; offset += RBNN_HEX_BYTES_PER_LINE) {
    const uint32_t left = RBNN_HELPER_RECORD_BYTES - offset;
    rbnn_print("m-helper-[");
    rbnn_print_number(offset);
    rbnn_print_hex_line(",", record + offset,
                        left < RBNN_HEX_BYTES_PER_LINE ? left : RBNN_HEX_BYTES_PER_LINE);
  }
  print_public(link);
  rbnn_print_hex_line("m-sign-public-[", link->device->vault.sign.public_key, RBNN_KEY_BYTES);
  return RBNN_OK;
}
