/* SPDX-License-Identifier: Apache-2.0 */
#include "puf/sketch.h"

#include <string.h>

#include "crypto/kdf.h"
#include "crypto/wipe.h"
#include "monocypher.h"
#include "puf/bch.h"
#include "puf/pattern.h"

#define KEPT_OFFSET RBNN_HELPER_HEADER_BYTES
#define VALUES_OFFSET (KEPT_OFFSET + RBNN_PUF_PAIR_BYTES)
#define CHECKS_OFFSET (VALUES_OFFSET + RBNN_PUF_PAIR_BYTES)
#define TAG_OFFSET (CHECKS_OFFSET + RBNN_PUF_CHECK_BYTES)

_Static_assert(TAG_OFFSET + RBNN_PUF_TAG_BYTES == RBNN_HELPER_RECORD_BYTES, "helper record");

/* The 24 bits of a group in a string of 3 bytes a group. */
static uint32_t load_group(const uint8_t *bytes, uint32_t group)
{
  const uint8_t *const at = bytes + group * RBNN_PUF_GROUP_BYTES;
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
}

static void store_group(uint8_t *bytes, uint32_t group, uint32_t bits)
{
  uint8_t *const at = bytes + group * RBNN_PUF_GROUP_BYTES;
  at[0] = (uint8_t)bits;
  at[1] = (uint8_t)(bits >> 8);
  at[2] = (uint8_t)(bits >> 16);
}

/* First cells of a group's pairs (`distance` 0), or second ones (RBNN_PUF_PAIR_DISTANCE). */
static uint32_t load_cells(const uint8_t *pattern, uint32_t group, uint32_t distance)
{
  uint32_t bits = 0;
  for (uint32_t i = 0; i < RBNN_PUF_GROUP_BYTES; i++) {
    const uint32_t pair = group * RBNN_PUF_GROUP_BYTES + i;
    bits |= (uint32_t)pattern[rbnn_puf_first(pair) + distance] << (8u * i);
  }
  return bits;
}

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

/* Tag of header and helper data, and root key, from the exact secret of enrolment. */
static void derive(const uint8_t secret[RBNN_PUF_SECRET_BYTES],
                   const uint8_t record[RBNN_HELPER_RECORD_BYTES], uint8_t tag[RBNN_PUF_TAG_BYTES],
                   uint8_t root[RBNN_KEY_BYTES])
{
  static const uint8_t no_parent[RBNN_KEY_BYTES] = {0};
  uint8_t seed[RBNN_KEY_BYTES];
  rbnn_kdf_derive(seed, no_parent, RBNN_LABEL_PUF_SEED, secret, RBNN_PUF_SECRET_BYTES);
  rbnn_kdf_derive(tag, seed, RBNN_LABEL_PUF_TAG, record, TAG_OFFSET);
  rbnn_kdf_derive(root, seed, RBNN_LABEL_ROOT, NULL, 0);
  rbnn_wipe(seed, sizeof seed);
}

rbnn_status rbnn_sketch_enroll(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES],
                               uint8_t record[RBNN_HELPER_RECORD_BYTES],
                               uint8_t root[RBNN_KEY_BYTES])
{
  uint8_t secret[RBNN_PUF_SECRET_BYTES] = {0};
  uint8_t bits[RBNN_PUF_BCH_LENGTH];
  uint32_t checks[RBNN_BCH_CHECK_WORDS];

  memset(record, 0, RBNN_HELPER_RECORD_BYTES);
  memset(root, 0, RBNN_KEY_BYTES);
  const rbnn_status status = rbnn_pattern_check(pattern);
  if (status != RBNN_OK) {
    return status;
  }
  write_header(record);

  for (uint32_t block = 0; block < RBNN_PUF_BLOCKS; block++) {
    for (uint32_t i = 0; i < RBNN_PUF_BCH_LENGTH; i++) {
      const uint32_t group = block * RBNN_PUF_BCH_LENGTH + i;
      const uint32_t first = load_cells(pattern, group, 0);
      const uint32_t kept = first ^ load_cells(pattern, group, RBNN_PUF_PAIR_DISTANCE);
      const uint32_t lowest = kept & (0u - kept);
      const uint32_t value = first & lowest;
      bits[i] = (uint8_t)((0u - value) >> 31);
      put_bit(secret, group, bits[i]);
      store_group(record + KEPT_OFFSET, group, kept);
      store_group(record + VALUES_OFFSET, group, kept & (first ^ (0u - (uint32_t)bits[i])));
    }
    rbnn_bch_remainder(bits, checks);
    for (uint32_t i = 0; i < RBNN_PUF_BCH_CHECKS; i++) {
      put_bit(record + CHECKS_OFFSET, block * RBNN_PUF_BCH_CHECKS + i,
              (uint8_t)((checks[i / 32u] >> (i % 32u)) & 1u));
    }
  }
  derive(secret, record, record + TAG_OFFSET, root);
  rbnn_wipe(secret, sizeof secret);
  rbnn_wipe(bits, sizeof bits);
  return RBNN_OK;
}

/* Most likely bits of a block's groups; the number of groups whose votes balance. */
static uint32_t vote(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES],
                     const uint8_t record[RBNN_HELPER_RECORD_BYTES], uint32_t block,
                     uint8_t bits[RBNN_PUF_BCH_LENGTH])
{
  uint32_t silent = 0;
  for (uint32_t i = 0; i < RBNN_PUF_BCH_LENGTH; i++) {
    const uint32_t group = block * RBNN_PUF_BCH_LENGTH + i;
    const uint32_t first = load_cells(pattern, group, 0);
    const uint32_t differ = first ^ load_cells(pattern, group, RBNN_PUF_PAIR_DISTANCE);
    const uint32_t voting = differ & load_group(record + KEPT_OFFSET, group);
    const uint32_t ones = voting & (first ^ load_group(record + VALUES_OFFSET, group));
    const uint32_t lead = 2u * rbnn_puf_count(ones) - rbnn_puf_count(voting);
    bits[i] = (uint8_t)((0u - lead) >> 31);
    silent += 1u - ((lead | (0u - lead)) >> 31);
  }
  return silent;
}

rbnn_status rbnn_sketch_reproduce(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES],
                                  const uint8_t record[RBNN_HELPER_RECORD_BYTES],
                                  uint8_t root[RBNN_KEY_BYTES])
{
  uint8_t secret[RBNN_PUF_SECRET_BYTES] = {0};
  uint8_t bits[RBNN_PUF_BCH_LENGTH];
  uint8_t header[RBNN_HELPER_HEADER_BYTES];
  uint8_t tag[RBNN_PUF_TAG_BYTES];
  uint32_t checks[RBNN_BCH_CHECK_WORDS];
  uint32_t silent = 0;

  for (uint32_t block = 0; block < RBNN_PUF_BLOCKS; block++) {
    silent += vote(pattern, record, block, bits);
    rbnn_bch_remainder(bits, checks);
    for (uint32_t i = 0; i < RBNN_PUF_BCH_CHECKS; i++) {
      const uint8_t stored = get_bit(record + CHECKS_OFFSET, block * RBNN_PUF_BCH_CHECKS + i);
      checks[i / 32u] ^= (uint32_t)stored << (i % 32u);
    }
    rbnn_bch_correct(bits, checks);
    for (uint32_t i = 0; i < RBNN_PUF_BCH_LENGTH; i++) {
      put_bit(secret, block * RBNN_PUF_BCH_LENGTH + i, bits[i]);
    }
  }
  write_header(header);
  derive(secret, record, tag, root);

  const int other_header = memcmp(header, record, sizeof header); /* public */
  const int other_tag = crypto_verify32(tag, record + TAG_OFFSET);
  const int is_silenced = -(int)((RBNN_PUF_SILENT_MAX - silent) >> 31);
  rbnn_wipe(secret, sizeof secret);
  rbnn_wipe(bits, sizeof bits);
  rbnn_wipe(checks, sizeof checks);
  rbnn_wipe(tag, sizeof tag);
  if (other_header != 0 || (other_tag | is_silenced) != 0) {
    rbnn_wipe(root, RBNN_KEY_BYTES);
    return RBNN_PUF_HELPER;
  }
  return RBNN_OK;
}
