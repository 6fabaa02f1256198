/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets marked as undefined: Valgrind reports each branch and each address that depends on them.
 * Prints the number of reports of each part. */
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "crypto/kdf.h"
#include "licence/noise.h"
#include "puf/bch.h"
#include "puf/sketch.h"

static volatile uint8_t table[256];
static uint8_t pattern[RBNN_PUF_PATTERN_BYTES];
static uint8_t record[RBNN_HELPER_RECORD_BYTES];

static void report(const char *part)
{
  static unsigned before;
  const unsigned now = VALGRIND_COUNT_ERRORS;
  printf("%s %u\n", part, now - before);
  before = now;
}

int main(void)
{
  static const uint8_t nine[32] = {9};
  uint8_t bits[RBNN_PUF_BCH_LENGTH];
  uint32_t checks[RBNN_BCH_CHECK_WORDS];
  uint8_t key[RBNN_KEY_BYTES];
  uint8_t other[RBNN_KEY_BYTES];
  uint8_t root[RBNN_KEY_BYTES];
  rbnn_noise_payload payload;
  volatile uint8_t sink;

  uint32_t state = 2463534242u; /* Marsaglia's xorshift32 */
  for (uint32_t i = 0; i < sizeof pattern; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    pattern[i] = (uint8_t)(state >> 11);
  }
  for (uint32_t i = 0; i < sizeof bits; i++) {
    bits[i] = (uint8_t)(i % 3u == 0u);
  }
  memset(key, 1, sizeof key);
  memset(other, 2, sizeof other);
  report("setup");

  /* The branches that are meant say whether the pattern is refused, and why. The record is public,
   * and counts as known afterwards. */
  VALGRIND_MAKE_MEM_UNDEFINED(pattern, sizeof pattern);
  const rbnn_status status = rbnn_sketch_enroll(pattern, record, root);
  report("enroll");
  VALGRIND_MAKE_MEM_DEFINED(&status, sizeof status);
  VALGRIND_MAKE_MEM_DEFINED(pattern, sizeof pattern);
  VALGRIND_MAKE_MEM_DEFINED(record, sizeof record);
  if (status != RBNN_OK) {
    return 2;
  }

  VALGRIND_MAKE_MEM_UNDEFINED(bits, sizeof bits);
  rbnn_bch_remainder(bits, checks);
  rbnn_bch_correct(bits, checks);
  report("bch");

  VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
  VALGRIND_MAKE_MEM_UNDEFINED(other, sizeof other);
  rbnn_kdf_derive(root, key, RBNN_LABEL_ROOT, NULL, 0);
  report("kdf");
  rbnn_noise_read_kpsk0(&payload, nine, sizeof nine, nine, key, nine, other, nine);
  report("noise");

  /* One branch is meant: whether the tag matched, which the caller learns anyway. */
  VALGRIND_MAKE_MEM_UNDEFINED(pattern, sizeof pattern);
  (void)rbnn_sketch_reproduce(pattern, record, root);
  report("reproduce");

  VALGRIND_MAKE_MEM_DEFINED(bits, sizeof bits);
  VALGRIND_MAKE_MEM_UNDEFINED(bits, 1);
  sink = table[bits[0]];
  (void)sink;
  report("control");
  return 0;
}
