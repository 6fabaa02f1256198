/* SPDX-License-Identifier: Apache-2.0 */
/* What an emulated core executes and which memory it accesses, as hashes: hooks for Unicorn, which
 * calls them tens of millions of times. */
#include <stdbool.h>
#include <stdint.h>

#define CHECKPOINT_BLOCKS 1024u
#define CHECKPOINTS 65536u
#define EXECUTED_BYTES (1u << 20)

typedef struct {
  uint64_t blocks;                   /* basic blocks executed */
  uint64_t accesses;                 /* loads and stores */
  uint64_t path;                     /* hash of the blocks' addresses */
  uint64_t addresses;                /* hash of the addresses of loads and stores */
  uint32_t flash;                    /* where code starts */
  uint32_t stack;                    /* where the stack's reserve starts, below all other RAM */
  uint32_t public_start, public_end; /* a function whose loads and stores are left out */
  uint32_t is_public;
  uint32_t lowest;            /* address in RAM that was accessed; begins with the stack pointer */
  uint32_t at[CHECKPOINTS];   /* every CHECKPOINT_BLOCKS blocks: where it was, */
  uint64_t seen[CHECKPOINTS]; /* and both hashes */
  uint8_t executed[EXECUTED_BYTES / 2u]; /* for each half-word of code */
} trace;

static uint64_t mix(uint64_t hash, uint64_t value)
{
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 29);
}

void trace_block(void *engine, uint64_t address, uint32_t size, void *user)
{
  trace *const state = user;
  (void)engine;
  const uint32_t place = (uint32_t)address;
  state->is_public = place >= state->public_start && place < state->public_end;
  state->path = mix(state->path, place);
  const uint64_t checkpoint = state->blocks / CHECKPOINT_BLOCKS;
  if (state->blocks % CHECKPOINT_BLOCKS == 0u && checkpoint < CHECKPOINTS) {
    state->at[checkpoint] = place;
    state->seen[checkpoint] = mix(state->path, state->addresses);
  }
  state->blocks++;
  for (uint32_t i = (place - state->flash) / 2u; size > 1u && i < EXECUTED_BYTES / 2u; size -= 2u) {
    state->executed[i++] = 1;
  }
}

bool trace_access(void *engine, int kind, uint64_t address, int size, int64_t value, void *user)
{
  trace *const state = user;
  (void)engine;
  (void)value;
  if (address < state->lowest && address >= state->stack) state->lowest = (uint32_t)address;
  if (!state->is_public) {
    state->addresses = mix(state->addresses, address << 16 | (uint64_t)size << 8 | (uint64_t)kind);
    state->accesses++;
  }
  return true;
}
