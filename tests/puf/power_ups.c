/* SPDX-License-Identifier: Apache-2.0 */
/* Power-ups of made-up devices, whose cells are fair coins and flip independently.
 *
 *   power_ups SEED DEVICES POWER-UPS RATE
 *
 * RATE is in 2^-24: the probability that a bit differs from enrolment. Prints how many devices
 * enrolment refused and drew anew, power-ups, how many gave no key, and how many a wrong one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "puf/sketch.h"

#define RATE_BITS 24u
#define WORDS (RBNN_PUF_PATTERN_BYTES / 8u)

static uint64_t state[4];

/* xoshiro256**, Blackman and Vigna 2018. */
static uint64_t draw(void)
{
  const uint64_t mixed = state[1] * 5u;
  const uint64_t result = (mixed << 7 | mixed >> 57) * 9u;
  const uint64_t shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = state[3] << 45 | state[3] >> 19;
  return result;
}

/* splitmix64, to fill the state from a seed. */
static void start(uint64_t seed)
{
  for (int i = 0; i < 4; i++) {
    seed += 0x9E3779B97F4A7C15u;
    uint64_t mixed = seed;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    state[i] = mixed ^ mixed >> 31;
  }
}

/* 64 bits, each 1 with probability rate / 2^24: the digits of the rate from the lowest; a fair coin
 * decides whether a digit or what is below it counts. */
static uint64_t draw_flips(uint32_t rate)
{
  uint64_t bits = 0;
  for (uint32_t digit = 0; digit < RATE_BITS; digit++) {
    const uint64_t coin = draw();
    bits = (rate >> digit & 1u) != 0u ? bits | coin : bits & coin;
  }
  return bits;
}

int main(int count, char **arguments)
{
  if (count != 5) return 2;
  start(strtoull(arguments[1], NULL, 10));
  const uint32_t devices = (uint32_t)atoi(arguments[2]), times = (uint32_t)atoi(arguments[3]);
  const uint32_t rate = (uint32_t)atoi(arguments[4]);
  uint64_t refused = 0, failed = 0, wrong = 0, flipped = 0;
  for (uint32_t device = 0; device < devices; device++) {
    static uint64_t cells[WORDS], again[WORDS];
    uint8_t record[RBNN_HELPER_RECORD_BYTES], root[RBNN_KEY_BYTES], found[RBNN_KEY_BYTES];
    for (;; refused++) {
      for (uint32_t i = 0; i < WORDS; i++) cells[i] = draw();
      if (rbnn_sketch_enroll((const uint8_t *)cells, record, root) == RBNN_OK) break;
    }
    for (uint32_t time = 0; time < times; time++) {
      for (uint32_t i = 0; i < WORDS; i++) {
        const uint64_t flips = draw_flips(rate);
        flipped += (uint64_t)__builtin_popcountll(flips);
        again[i] = cells[i] ^ flips;
      }
      if (rbnn_sketch_reproduce((const uint8_t *)again, record, found) != RBNN_OK) {
        failed++;
      } else if (memcmp(found, root, sizeof root) != 0) {
        wrong++;
      }
    }
  }
  printf("refused %" PRIu64 "\npower-ups %" PRIu64 "\nfailed %" PRIu64 "\nwrong %" PRIu64
         "\nflipped %" PRIu64 "\n",
         refused, (uint64_t)devices * times, failed, wrong, flipped);
  return 0;
}
