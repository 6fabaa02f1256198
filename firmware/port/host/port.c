/* SPDX-License-Identifier: Apache-2.0 */
/* A workstation process as a board, for tests under sanitizers. */
#define _POSIX_C_SOURCE 200809L
#include "port/port.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "port/host/process.h"
#include "spec/rbnn_spec.h"

static uint8_t received[4096];
static size_t received_bytes, received_at;

void rbnn_port_init(void)
{
}

const char *rbnn_port_board(void)
{
  return "host";
}

const char *rbnn_port_protection(void)
{
  return RBNN_PROTECTION_NONE;
}

int rbnn_port_read(void)
{
  if (received_at == received_bytes) return -1;
  return received[received_at++];
}

bool rbnn_port_take_overrun(void)
{
  return false;
}

void rbnn_port_wait(void)
{
  const ssize_t bytes = read(STDIN_FILENO, received, sizeof received);
  if (bytes <= 0) exit(0);
  received_bytes = (size_t)bytes;
  received_at = 0;
}

void rbnn_port_write(const char *data, uint32_t size)
{
  while (size > 0) {
    const ssize_t sent = write(STDOUT_FILENO, data, size);
    if (sent <= 0) exit(0);
    data += sent;
    size -= (uint32_t)sent;
  }
}

uint64_t rbnn_port_ticks(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t rbnn_port_ticks_hz(void)
{
  return 1000000000u;
}

uint8_t *rbnn_port_power_up_pattern(void)
{
  return rbnn_host_warm ? NULL : rbnn_host_pattern;
}

const uint8_t *rbnn_port_provisioning(uint32_t *bytes)
{
  *bytes = sizeof rbnn_host_provisioning;
  return rbnn_host_provisioning;
}

static void erase(uint32_t page)
{
  memset(rbnn_host_store + page * RBNN_HOST_STORE_PAGE_BYTES / 4u, 0xFF,
         RBNN_HOST_STORE_PAGE_BYTES);
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  uint32_t *const to = rbnn_host_store + page * RBNN_HOST_STORE_PAGE_BYTES / 4u + word;
  for (uint32_t i = 0; i < count; i++) to[i] &= data[i];
}

const rbnn_flash *rbnn_port_store(void)
{
  static rbnn_flash flash = {
      .page_bytes = RBNN_HOST_STORE_PAGE_BYTES, .erase = erase, .program = program};
  if (rbnn_host_store == NULL) return NULL;
  flash.pages[0] = rbnn_host_store;
  flash.pages[1] = rbnn_host_store + RBNN_HOST_STORE_PAGE_BYTES / 4u;
  return &flash;
}

static void erase_model(uint32_t offset)
{
  memset(rbnn_host_model + offset / 4u, 0xFF, RBNN_HOST_SECTOR_BYTES);
}

static void program_model(uint32_t offset, const uint32_t *data)
{
  uint32_t *const to = rbnn_host_model + offset / 4u;
  for (uint32_t i = 0; i < RBNN_MODEL_UNIT_BYTES / 4u; i++) to[i] &= data[i];
}

const rbnn_model_flash *rbnn_port_model(void)
{
  static rbnn_model_flash flash = {
      .sector_bytes = RBNN_HOST_SECTOR_BYTES, .erase = erase_model, .program = program_model};
  if (rbnn_host_model == NULL) return NULL;
  flash.start = (const uint8_t *)rbnn_host_model;
  flash.bytes = rbnn_host_model_bytes;
  return &flash;
}

/* A process has no painted stack: both are zero. */
void rbnn_port_stack(uint32_t *used, uint32_t *reserved)
{
  *used = 0;
  *reserved = 0;
}

_Noreturn void rbnn_port_reset(void)
{
  rbnn_host_restart();
}
