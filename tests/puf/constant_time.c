/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets marked as undefined: Valgrind reports each branch and each address that depends on them.
 * Prints the number of reports of each part. */
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "crypto/aead.h"
#include "crypto/chacha.h"
#include "crypto/kdf.h"
#include "licence/noise.h"
#include "link/words.h"
#include "monocypher.h"
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

  /* What the licence's secret and the task's keys open; whether the tag matched is no secret. */
  static const uint8_t nonce[12];
  static const uint32_t stream_nonce[3];
  uint8_t sealed[100 + RBNN_AEAD_TAG_BYTES] = {1};
  uint8_t text[100];
  VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
  const bool right = rbnn_aead_is_authentic(key, nonce, nine, sizeof nine, sealed, sizeof text);
  (void)right;
  report("tag");
  rbnn_aead_decrypt(text, key, nonce, sealed, sizeof text);
  report("decrypt");

  /* A part of a block, as for the last tile of a layer. */
  rbnn_chacha cipher;
  rbnn_chacha_start(&cipher, key, stream_nonce, 20);
  rbnn_chacha_xor(&cipher, 3, sealed, text, sizeof text);
  report("stream");

  /* A typed key, all of it hex digits. */
  char typed[2 * RBNN_KEY_BYTES + 1];
  memset(typed, 'b', sizeof typed);
  VALGRIND_MAKE_MEM_UNDEFINED(typed, sizeof typed);
  (void)rbnn_words_hex(typed, text, RBNN_KEY_BYTES);
  report("typed-key");

  uint8_t sign_key[64];
  crypto_x25519_public_key(text, key);
  crypto_eddsa_key_pair(sign_key, text, key);
  report("device-keys");
  uint8_t signature[RBNN_SIGNATURE_BYTES];
  crypto_eddsa_sign(signature, sign_key, nine, sizeof nine);
  report("sign");

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
