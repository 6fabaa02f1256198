/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers for every primitive that the device relies on, a round trip of the sketch, and the
 * container check. */
#include <stddef.h>
#include <string.h>

#include "crypto/aead.h"
#include "crypto/chacha.h"
#include "link/commands.h"
#include "link/print.h"
#include "monocypher.h"
#include "puf/sketch.h"

#define ROUNDS 20u

/* `bytes` bytes of the key stream from `block` on. */
static void take_stream(uint8_t *stream, uint32_t bytes, const uint8_t key[32],
                        const uint32_t nonce[3], uint32_t block)
{
  rbnn_chacha cipher;
  memset(stream, 0, bytes);
  rbnn_chacha_start(&cipher, key, nonce, ROUNDS);
  rbnn_chacha_xor(&cipher, block, stream, stream, bytes);
}

/* RFC 8439 section 2.3.2: key 00..1f, nonce 000000090000004a00000000, block counter 1. */
static bool check_chacha20(void)
{
  static const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
  static const uint8_t expected[16] = {0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15,
                                       0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4};
  uint8_t key[32], stream[16];
  for (uint32_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)i;
  take_stream(stream, sizeof stream, key, nonce, 1);
  return memcmp(stream, expected, sizeof stream) == 0;
}

/* BLAKE2b-256 of "abc", its first half. */
static bool check_blake2b(void)
{
  static const uint8_t expected[16] = {0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72,
                                       0x31, 0x71, 0xef, 0x3f, 0xee, 0x98, 0x57, 0x9b};
  uint8_t hash[32];
  crypto_blake2b(hash, sizeof hash, (const uint8_t *)"abc", 3);
  return memcmp(hash, expected, sizeof expected) == 0;
}

/* RFC 7748 section 5.2, the first iteration; the first half of its result. */
static bool check_x25519(void)
{
  static const uint8_t nine[32] = {9};
  static const uint8_t expected[16] = {0x42, 0x2c, 0x8e, 0x7a, 0x62, 0x27, 0xd7, 0xbc,
                                       0xa1, 0x35, 0x0b, 0x3e, 0x2b, 0xb7, 0x27, 0x9f};
  uint8_t shared[32];
  crypto_x25519(shared, nine, nine);
  return memcmp(shared, expected, sizeof expected) == 0;
}

/* RFC 8439 construction over 16 zero bytes under key 80..9f, nonce 07 00 00 00 40..47 and
 * associated data 50..5b; a changed tag is refused. */
static bool check_aead(void)
{
  static const uint8_t nonce[12] = {7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47};
  static const uint8_t zeros[16];
  uint8_t sealed[32] = {0x9f, 0x7b, 0xe9, 0x5d, 0x01, 0xfd, 0x40, 0xba, 0x15, 0xe2, 0x8f,
                        0xfb, 0x36, 0x81, 0x0a, 0xae, 0xf3, 0x2a, 0x62, 0xc2, 0xcd, 0x08,
                        0x6e, 0xf7, 0xb1, 0x1b, 0xa8, 0xb7, 0x18, 0x16, 0x40, 0x0d};
  uint8_t key[32], data[12], text[16];
  for (uint32_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)(0x80u + i);
  for (uint32_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(0x50u + i);
  if (!rbnn_aead_open(text, key, nonce, data, sizeof data, sealed, sizeof text)) return false;
  if (memcmp(text, zeros, sizeof text) != 0) return false;
  sealed[sizeof text] ^= 1u;
  return !rbnn_aead_open(text, key, nonce, data, sizeof data, sealed, sizeof text);
}

_Static_assert(RBNN_PUF_PATTERN_BYTES + RBNN_HELPER_RECORD_BYTES <= RBNN_INPUT_BUFFER_BYTES,
               "the input buffer holds what the stack does not");

/* Enrol a made-up pattern, disturb every 97th bit (1 % errors), get the same root key back; a
 * changed helper record is refused. Takes the input buffer, which is empty afterwards. */
static bool check_sketch(rbnn_link *link)
{
  uint8_t *const pattern = link->input;
  uint8_t *const record = link->input + RBNN_PUF_PATTERN_BYTES;
  uint8_t root[RBNN_KEY_BYTES], again[RBNN_KEY_BYTES];
  static const uint8_t key[RBNN_KEY_BYTES] = "rbnn selftest, no secret at all";
  static const uint32_t nonce[3];
  rbnn_link_drop_input(link);
  take_stream(pattern, RBNN_PUF_PATTERN_BYTES, key, nonce, 0);
  if (rbnn_sketch_enroll(pattern, record, root) != RBNN_OK) return false;
  for (uint32_t bit = 0; bit < 8u * RBNN_PUF_PATTERN_BYTES; bit += 97u) {
    pattern[bit / 8u] ^= (uint8_t)(1u << (bit % 8u));
  }
  if (rbnn_sketch_reproduce(pattern, record, again) != RBNN_OK) return false;
  if (memcmp(root, again, sizeof root) != 0) return false;
  record[RBNN_HELPER_HEADER_BYTES] ^= 1u;
  return rbnn_sketch_reproduce(pattern, record, again) == RBNN_PUF_HELPER;
}

static bool check_container(const rbnn_link *link)
{
  rbnn_model model;
  uint32_t bad_layer;
  const rbnn_device *const device = link->device;
  return device->model_status == RBNN_OK &&
         rbnn_model_open(&model, device->model.bytes, device->model.size, &bad_layer) == RBNN_OK;
}

static bool report(const char *part, bool passed)
{
  rbnn_print("m-selftest-[");
  rbnn_print(part);
  rbnn_print(passed ? ",ok]" : ",failed]");
  rbnn_print_end();
  return passed;
}

rbnn_status rbnn_link_selftest(rbnn_link *link, const char *words)
{
  (void)words;
  bool passed = report("chacha20", check_chacha20());
  passed &= report("blake2b", check_blake2b());
  passed &= report("x25519", check_x25519());
  passed &= report("aead", check_aead());
  passed &= report("sketch", check_sketch(link));
  if (link->device->model_status == RBNN_NO_CONTAINER) {
    rbnn_print("m-selftest-[container,absent]");
    rbnn_print_end();
  } else {
    passed &= report("container", check_container(link));
  }
  return passed ? RBNN_OK : RBNN_SELF_TEST;
}
