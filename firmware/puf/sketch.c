/* SPDX-License-Identifier: Apache-2.0 */
#include "puf/sketch.h"

#include <string.h>

#include "crypto/kdf.h"
#include "crypto/wipe.h"
#include "monocypher.h"
#include "puf/bch.h"

#define HELPER_OFFSET RBNN_HELPER_HEADER_BYTES
#define TAG_OFFSET (RBNN_HELPER_HEADER_BYTES + RBNN_PUF_HELPER_BYTES)
#define CHECKS_OFFSET_BITS (RBNN_PUF_GROUPS * (RBNN_PUF_REPETITION - 1u))
#define LAST_BYTE_MASK 0x0fu

_Static_assert(RBNN_PUF_PATTERN_BITS % 8u == 4u, "the last byte holds four bits");
_Static_assert(TAG_OFFSET + RBNN_PUF_TAG_BYTES == RBNN_HELPER_RECORD_BYTES, "helper record");

static uint8_t get_bit(const uint8_t *bytes, uint32_t index)
{
  return (uint8_t)(((uint32_t)bytes[index / 8u] >> (index % 8u)) & 1u);
}

/* Set a bit of zeroed bytes. */
static void put_bit(uint8_t *bytes, uint32_t index, uint8_t bit)
{
  bytes[index / 8u] |= (uint8_t)(bit << (index % 8u));
}

static void write_header(uint8_t bytes[RBNN_HELPER_HEADER_BYTES])
{
  rbnn_helper_header header = {.version = RBNN_PROVISIONING_VERSION,
                               .helper_bytes = RBNN_PUF_HELPER_BYTES};
  memcpy(header.magic, RBNN_HELPER_MAGIC, sizeof header.magic);
  memcpy(bytes, &header, sizeof header);
}

/* Whether the pattern is one 32-bit word over and over, or too biased. */
static int is_unusable(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES])
{
  uint32_t ones = 0;
  uint32_t changes = 0;
  for (uint32_t i = 0; i < RBNN_PUF_PATTERN_BITS; i++) {
    ones += get_bit(pattern, i);
  }
  for (uint32_t i = 4; i < RBNN_PUF_PATTERN_BYTES - 1u; i++) {
    changes |= (uint32_t)(pattern[i] ^ pattern[i - 4u]);
  }
  return changes == 0u || ones * 100u < RBNN_PUF_ONES_MIN_PERCENT * RBNN_PUF_PATTERN_BITS ||
         ones * 100u > RBNN_PUF_ONES_MAX_PERCENT * RBNN_PUF_PATTERN_BITS;
}

/* Tag of header and helper data, and root key, from the exact pattern `w` of enrolment. */
static void derive(const uint8_t w[RBNN_PUF_PATTERN_BYTES],
                   const uint8_t record[RBNN_HELPER_RECORD_BYTES], uint8_t tag[RBNN_PUF_TAG_BYTES],
                   uint8_t root[RBNN_KEY_BYTES])
{
  static const uint8_t no_parent[RBNN_KEY_BYTES] = {0};
  uint8_t seed[RBNN_KEY_BYTES];
  rbnn_kdf_derive(seed, no_parent, RBNN_LABEL_PUF_SEED, w, RBNN_PUF_PATTERN_BYTES);
  rbnn_kdf_derive(tag, seed, RBNN_LABEL_PUF_TAG, record, TAG_OFFSET);
  rbnn_kdf_derive(root, seed, RBNN_LABEL_ROOT, NULL, 0);
  rbnn_wipe(seed, sizeof seed);
}

rbnn_status rbnn_sketch_enroll(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES],
                               uint8_t record[RBNN_HELPER_RECORD_BYTES],
                               uint8_t root[RBNN_KEY_BYTES])
{
  uint8_t w[RBNN_PUF_PATTERN_BYTES];
  uint8_t bits[RBNN_PUF_BCH_LENGTH];
  uint32_t checks[RBNN_BCH_CHECK_WORDS];
  uint8_t *helper = record + HELPER_OFFSET;

  memset(record, 0, RBNN_HELPER_RECORD_BYTES);
  memset(root, 0, RBNN_KEY_BYTES);
  if (is_unusable(pattern)) {
    return RBNN_PUF_PATTERN;
  }
  memcpy(w, pattern, sizeof w);
  w[RBNN_PUF_PATTERN_BYTES - 1u] &= LAST_BYTE_MASK;
  write_header(record);

  for (uint32_t block = 0; block < RBNN_PUF_BLOCKS; block++) {
    for (uint32_t i = 0; i < RBNN_PUF_BCH_LENGTH; i++) {
      const uint32_t group = block * RBNN_PUF_BCH_LENGTH + i;
      const uint32_t first = group * RBNN_PUF_REPETITION;
      bits[i] = get_bit(w, first);
      for (uint32_t j = 1; j < RBNN_PUF_REPETITION; j++) {
        put_bit(helper, group * (RBNN_PUF_REPETITION - 1u) + j - 1u,
                get_bit(w, first + j) ^ bits[i]);
      }
    }
    rbnn_bch_remainder(bits, checks);
    for (uint32_t i = 0; i < RBNN_PUF_BCH_CHECKS; i++) {
      put_bit(helper, CHECKS_OFFSET_BITS + block * RBNN_PUF_BCH_CHECKS + i,
              (uint8_t)((checks[i / 32u] >> (i % 32u)) & 1u));
    }
  }
  derive(w, record, record + TAG_OFFSET, root);
  rbnn_wipe(w, sizeof w);
  rbnn_wipe(bits, sizeof bits);
  return RBNN_OK;
}

/* Most likely first bits of a block's groups, by majority over each group. */
static void vote(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES], const uint8_t *helper,
                 uint32_t block, uint8_t bits[RBNN_PUF_BCH_LENGTH])
{
  for (uint32_t i = 0; i < RBNN_PUF_BCH_LENGTH; i++) {
    const uint32_t group = block * RBNN_PUF_BCH_LENGTH + i;
    const uint32_t first = group * RBNN_PUF_REPETITION;
    uint32_t votes = get_bit(pattern, first);
    for (uint32_t j = 1; j < RBNN_PUF_REPETITION; j++) {
      votes += (uint32_t)(get_bit(pattern, first + j) ^
                          get_bit(helper, group * (RBNN_PUF_REPETITION - 1u) + j - 1u));
    }
    bits[i] = (uint8_t)((RBNN_PUF_REPETITION / 2u - votes) >> 31);
  }
}

rbnn_status rbnn_sketch_reproduce(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES],
                                  const uint8_t record[RBNN_HELPER_RECORD_BYTES],
                                  uint8_t root[RBNN_KEY_BYTES])
{
  uint8_t w[RBNN_PUF_PATTERN_BYTES] = {0};
  uint8_t bits[RBNN_PUF_BCH_LENGTH];
  uint8_t header[RBNN_HELPER_HEADER_BYTES];
  uint8_t tag[RBNN_PUF_TAG_BYTES];
  uint32_t checks[RBNN_BCH_CHECK_WORDS];
  const uint8_t *helper = record + HELPER_OFFSET;

  for (uint32_t block = 0; block < RBNN_PUF_BLOCKS; block++) {
    vote(pattern, helper, block, bits);
    rbnn_bch_remainder(bits, checks);
    for (uint32_t i = 0; i < RBNN_PUF_BCH_CHECKS; i++) {
      const uint8_t stored = get_bit(helper, CHECKS_OFFSET_BITS + block * RBNN_PUF_BCH_CHECKS + i);
      checks[i / 32u] ^= (uint32_t)stored << (i % 32u);
    }
    rbnn_bch_correct(bits, checks);
    for (uint32_t i = 0; i < RBNN_PUF_BCH_LENGTH; i++) {
      const uint32_t group = block * RBNN_PUF_BCH_LENGTH + i;
      const uint32_t first = group * RBNN_PUF_REPETITION;
      put_bit(w, first, bits[i]);
      for (uint32_t j = 1; j < RBNN_PUF_REPETITION; j++) {
        put_bit(w, first + j,
                bits[i] ^ get_bit(helper, group * (RBNN_PUF_REPETITION - 1u) + j - 1u));
      }
    }
  }
  write_header(header);
  derive(w, record, tag, root);

  const int other_header = memcmp(header, record, sizeof header); /* public */
  const int other_tag = crypto_verify32(tag, record + TAG_OFFSET);
  rbnn_wipe(w, sizeof w);
  rbnn_wipe(bits, sizeof bits);
  rbnn_wipe(checks, sizeof checks);
  rbnn_wipe(tag, sizeof tag);
  if (other_header != 0 || other_tag != 0) {
    rbnn_wipe(root, RBNN_KEY_BYTES);
    return RBNN_PUF_HELPER;
  }
  return RBNN_OK;
}
