/* SPDX-License-Identifier: Apache-2.0 */
/* An application for tests only: runs test vectors through the firmware's own cryptography.
 *
 * Takes lines `command word ...%`, words being hex or `-` for no bytes, and answers `m-[hex]` for
 * each result or `e-[name: text]`, then `m-ready`. It prints keys, so it is never linked with a
 * model and never flashed to a user's board.
 *
 *   kdf PARENT LABEL CONTEXT                  derived key (LABEL as hex of its text)
 *   x25519 PRIVATE PUBLIC                     shared secret
 *   aead KEY NONCE AD SEALED                  plaintext
 *   noise PROLOGUE INITIATOR PRIVATE PSK MESSAGE   payload, handshake hash
 *   sketch-enroll PATTERN                     helper record, root key
 *   sketch-reproduce PATTERN RECORD           root key
 */
#include <stddef.h>
#include <string.h>

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "licence/noise.h"
#include "link/print.h"
#include "link/words.h"
#include "monocypher.h"
#include "port/port.h"
#include "puf/sketch.h"

#define LINE_BYTES 16384u
#define DATA_BYTES (LINE_BYTES / 2u)
#define MAX_WORDS 5u

typedef struct {
  const uint8_t *bytes;
  uint32_t size;
} word;

static char line[LINE_BYTES + 1u];
static uint8_t data[DATA_BYTES]; /* the words' bytes */
static uint8_t result[DATA_BYTES];

/* Decode `text` into `words`; their number, or UINT32_MAX when it is malformed. */
static uint32_t decode(const char *text, word words[MAX_WORDS])
{
  uint32_t count = 0;
  uint32_t used = 0;
  while (*text != 0) {
    const char *end = strchr(text, ' ');
    const uint32_t digits = end != NULL ? (uint32_t)(end - text) : (uint32_t)strlen(text);
    uint32_t size = digits / 2u;
    if (count == MAX_WORDS) {
      return UINT32_MAX;
    }
    if (digits == 1u && text[0] == '-') {
      size = 0;
    } else if (digits % 2u != 0u || !rbnn_words_hex(text, data + used, size)) {
      return UINT32_MAX;
    }
    words[count].bytes = data + used;
    words[count].size = size;
    count++;
    used += size;
    text += digits + (end != NULL ? 1u : 0u);
  }
  return count;
}

static void print_result(const uint8_t *bytes, uint32_t size)
{
  rbnn_print("m-[");
  rbnn_print_hex(bytes, size);
  rbnn_print_close();
}

static rbnn_status run_kdf(const word *words)
{
  static const char *const labels[] = {
      RBNN_LABEL_WEIGHTS,       RBNN_LABEL_PARAMS,      RBNN_LABEL_PARAMS_NONCE,
      RBNN_LABEL_PUF_SEED,      RBNN_LABEL_PUF_TAG,     RBNN_LABEL_ROOT,
      RBNN_LABEL_DEVICE_X25519, RBNN_LABEL_DEVICE_SIGN, RBNN_LABEL_DEVICE_STORE,
      RBNN_LABEL_STORE_TAG,     RBNN_LABEL_MODEL_SIGN,  RBNN_LABEL_USER_PSK,
      RBNN_LABEL_TRUNK};
  if (words[0].size != RBNN_KEY_BYTES) {
    return RBNN_ARGUMENT;
  }
  for (uint32_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
    if (strlen(labels[i]) == words[1].size &&
        memcmp(labels[i], words[1].bytes, words[1].size) == 0) {
      rbnn_kdf_derive(result, words[0].bytes, labels[i], words[2].bytes, words[2].size);
      print_result(result, RBNN_KEY_BYTES);
      return RBNN_OK;
    }
  }
  return RBNN_ARGUMENT;
}

static rbnn_status run_x25519(const word *words)
{
  if (words[0].size != 32u || words[1].size != 32u) {
    return RBNN_ARGUMENT;
  }
  crypto_x25519(result, words[0].bytes, words[1].bytes);
  print_result(result, 32);
  return RBNN_OK;
}

static rbnn_status run_aead(const word *words)
{
  if (words[0].size != 32u || words[1].size != RBNN_SEALED_NONCE_BYTES ||
      words[3].size < RBNN_SEALED_TAG_BYTES) {
    return RBNN_ARGUMENT;
  }
  const uint32_t bytes = words[3].size - RBNN_SEALED_TAG_BYTES;
  if (!rbnn_aead_open(result, words[0].bytes, words[1].bytes, words[2].bytes, words[2].size,
                      words[3].bytes, bytes)) {
    return RBNN_SEALED_BLOCK;
  }
  print_result(result, bytes);
  return RBNN_OK;
}

static rbnn_status run_noise(const word *words)
{
  rbnn_noise_payload payload;
  uint8_t public_key[32];
  uint8_t hash[RBNN_NOISE_HASH_BYTES];
  crypto_blake2b_ctx mix;
  if (words[1].size != 32u || words[2].size != 32u || words[3].size != RBNN_KEY_BYTES ||
      words[4].size < 32u + RBNN_NOISE_TAG_BYTES) {
    return RBNN_ARGUMENT;
  }
  const uint8_t *sealed = words[4].bytes + 32;
  const uint32_t sealed_bytes = words[4].size - 32u;
  const uint32_t bytes = sealed_bytes - RBNN_NOISE_TAG_BYTES;
  crypto_x25519_public_key(public_key, words[2].bytes);
  rbnn_noise_read_kpsk0(&payload, words[0].bytes, words[0].size, words[1].bytes, words[2].bytes,
                        public_key, words[3].bytes, words[4].bytes);
  const rbnn_status status = rbnn_noise_open_payload(&payload, sealed, bytes, result);
  if (status != RBNN_OK) {
    return status;
  }
  print_result(result, bytes);
  crypto_blake2b_init(&mix, sizeof hash);
  crypto_blake2b_update(&mix, payload.hash, sizeof payload.hash);
  crypto_blake2b_update(&mix, sealed, sealed_bytes);
  crypto_blake2b_final(&mix, hash);
  print_result(hash, sizeof hash);
  return RBNN_OK;
}

static rbnn_status run_enroll(const word *words)
{
  uint8_t root[RBNN_KEY_BYTES];
  if (words[0].size != RBNN_PUF_PATTERN_BYTES) {
    return RBNN_ARGUMENT;
  }
  const rbnn_status status = rbnn_sketch_enroll(words[0].bytes, result, root);
  if (status == RBNN_OK) {
    print_result(result, RBNN_HELPER_RECORD_BYTES);
    print_result(root, sizeof root);
  }
  return status;
}

static rbnn_status run_reproduce(const word *words)
{
  uint8_t root[RBNN_KEY_BYTES];
  if (words[0].size != RBNN_PUF_PATTERN_BYTES || words[1].size != RBNN_HELPER_RECORD_BYTES) {
    return RBNN_ARGUMENT;
  }
  const rbnn_status status = rbnn_sketch_reproduce(words[0].bytes, words[1].bytes, root);
  if (status == RBNN_OK) {
    print_result(root, sizeof root);
  }
  return status;
}

static const struct {
  const char *name;
  uint32_t words;
  rbnn_status (*run)(const word *words);
} commands[] = {
    {"kdf", 3, run_kdf},
    {"x25519", 2, run_x25519},
    {"aead", 4, run_aead},
    {"noise", 5, run_noise},
    {"sketch-enroll", 1, run_enroll},
    {"sketch-reproduce", 2, run_reproduce},
};

static rbnn_status dispatch(const char *text)
{
  word words[MAX_WORDS];
  for (uint32_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
    if (rbnn_words_take(&text, commands[i].name)) {
      return decode(text, words) == commands[i].words ? commands[i].run(words) : RBNN_ARGUMENT;
    }
  }
  return RBNN_UNKNOWN_COMMAND;
}

static void print_error(rbnn_status status)
{
  rbnn_print("e-[");
  switch (status) {
#define CASE(code, name, line) \
  case code: rbnn_print_packed(line); break;
    RBNN_STATUS_LIST(CASE)
#undef CASE
    case RBNN_OK:
    default: break;
  }
  rbnn_print_close();
}

_Noreturn void rbnn_app_run(void)
{
  uint32_t size = 0;
  bool dropped = false;

  rbnn_port_init();
  rbnn_print(RBNN_MSG_READY);
  rbnn_print_end();
  for (;;) {
    const int byte = rbnn_port_read();
    if (byte < 0) {
      rbnn_port_wait();
    } else if (byte == RBNN_COMMAND_END) {
      line[size] = 0;
      const rbnn_status status = rbnn_port_take_overrun() ? RBNN_OVERRUN
                                 : dropped                ? RBNN_LINE_TOO_LONG
                                                          : dispatch(line);
      if (status != RBNN_OK) {
        print_error(status);
      }
      rbnn_print(RBNN_MSG_READY);
      rbnn_print_end();
      size = 0;
      dropped = false;
    } else if (byte != '\r' && byte != '\n') {
      dropped = dropped || size == LINE_BYTES;
      if (!dropped) {
        line[size++] = (char)byte;
      }
    }
  }
}
