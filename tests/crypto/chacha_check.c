/* SPDX-License-Identifier: Apache-2.0 */
/* rbnn_chacha against Monocypher (20 rounds) and against the textbook (20, 12, 8), on the host and
 * on an emulated Cortex-M. Prints one line a failure, counts of instructions where it can, and
 * "done". */
#include <stdio.h>
#include <string.h>

#include "computer.h"
#include "crypto/chacha.h"
#include "crypto/wipe.h"
#include "monocypher.h"

#define GUARD 16u
#define LONGEST 320u
#define STREAM_BYTES 4096u
#define FILL 0xa5u

static uint32_t seed = 1;
static uint32_t failures;

static uint8_t draw(void)
{
  seed = seed * 1664525u + 1013904223u;
  return (uint8_t)(seed >> 24);
}

static void draw_bytes(uint8_t *bytes, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    bytes[i] = draw();
  }
}

static uint32_t rotate_left(uint32_t word, uint32_t bits)
{
  return word << bits | word >> (32u - bits);
}

static void quarter(uint32_t *x, int a, int b, int c, int d)
{
  x[a] += x[b], x[d] = rotate_left(x[d] ^ x[a], 16);
  x[c] += x[d], x[b] = rotate_left(x[b] ^ x[c], 12);
  x[a] += x[b], x[d] = rotate_left(x[d] ^ x[a], 8);
  x[c] += x[d], x[b] = rotate_left(x[b] ^ x[c], 7);
}

/* RFC 8439 sections 2.1 to 2.4, word for word. */
static void textbook(const uint8_t key[32], const uint32_t nonce[3], uint32_t rounds,
                     uint32_t block, const uint8_t *in, uint8_t *out, uint32_t bytes)
{
  uint32_t state[16] = {0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u};
  uint32_t x[16];
  uint8_t stream[64];
  memcpy(state + 4, key, 32);
  memcpy(state + 13, nonce, 12);
  for (uint32_t i = 0; i < bytes; i++) {
    if (i % 64u == 0u) {
      state[12] = block + i / 64u;
      memcpy(x, state, sizeof x);
      for (uint32_t round = 0; round < rounds; round += 2) {
        for (int j = 0; j < 4; j++) {
          quarter(x, j, 4 + j, 8 + j, 12 + j);
        }
        for (int j = 0; j < 4; j++) {
          quarter(x, j, 4 + (j + 1) % 4, 8 + (j + 2) % 4, 12 + (j + 3) % 4);
        }
      }
      for (uint32_t j = 0; j < 16; j++) {
        x[j] += state[j];
      }
      memcpy(stream, x, sizeof stream);
    }
    out[i] = in[i] ^ stream[i % 64u];
  }
}

static void complain(const char *what, uint32_t rounds, uint32_t bytes, uint32_t block)
{
  char line[96];
  failures++;
  snprintf(line, sizeof line, "FAIL %s: %u rounds, %u bytes, block %u\n", what, (unsigned)rounds,
           (unsigned)bytes, (unsigned)block);
  computer_print(line);
}

/* One stream, at any alignment, guarded on both sides. */
static void check_one(uint32_t rounds, uint32_t block, uint32_t bytes, uint32_t in_shift,
                      uint32_t out_shift, int in_place)
{
  static uint32_t in_words[(LONGEST + 2u * GUARD) / 4u];
  static uint32_t out_words[(LONGEST + 2u * GUARD) / 4u];
  static uint8_t expected[LONGEST];
  static uint8_t library[LONGEST];
  uint8_t *const in = (uint8_t *)in_words + GUARD + in_shift;
  uint8_t *const out = in_place ? in : (uint8_t *)out_words + GUARD + out_shift;
  uint8_t key[33];
  uint8_t nonce_bytes[12];
  uint32_t nonce[3];
  rbnn_chacha cipher;

  draw_bytes(key, sizeof key);
  draw_bytes(nonce_bytes, sizeof nonce_bytes);
  memcpy(nonce, nonce_bytes, sizeof nonce);
  memset(out_words, FILL, sizeof out_words);
  memset(in_words, FILL, sizeof in_words);
  draw_bytes(in, bytes);
  textbook(key + 1, nonce, rounds, block, in, expected, bytes);
  if (rounds == 20u) {
    crypto_chacha20_ietf(library, in, bytes, key + 1, nonce_bytes, block);
    /* Monocypher carries from the counter into the nonce; nothing here comes near. */
    if (block <= UINT32_MAX - LONGEST / 64u && memcmp(library, expected, bytes) != 0) {
      complain("the textbook is not Monocypher", rounds, bytes, block);
    }
  }
  rbnn_chacha_start(&cipher, key + 1, nonce, rounds);
  rbnn_chacha_xor(&cipher, block, in, out, bytes);
  if (memcmp(out, expected, bytes) != 0) {
    complain("the stream differs", rounds, bytes, block);
  }
  for (uint32_t i = 1; i <= GUARD - 4u; i++) {
    if (out[-(int)i] != FILL || out[bytes + i - 1u] != FILL) {
      complain("it wrote outside", rounds, bytes, block);
      break;
    }
  }
}

static void check_lengths(void)
{
  static const uint32_t rounds[] = {20, 12, 8};
  for (uint32_t r = 0; r < 3; r++) {
    for (uint32_t bytes = 0; bytes <= LONGEST - GUARD; bytes++) {
      check_one(rounds[r], bytes * 7919u, bytes, 0, 0, 0);
      check_one(rounds[r], bytes, bytes, bytes % 4u, bytes / 4u % 4u, 0);
      check_one(rounds[r], 3, bytes, 0, 0, 1);
    }
  }
}

/* A stream taken in pieces of whole blocks is the stream. */
static void check_offsets(void)
{
  static uint32_t whole[LONGEST / 4u];
  static uint32_t piece[LONGEST / 4u];
  const uint32_t nonce[3] = {7, 0, 0};
  uint8_t key[32];
  rbnn_chacha cipher;
  draw_bytes(key, sizeof key);
  rbnn_chacha_start(&cipher, key, nonce, 20);
  memset(whole, 0, sizeof whole);
  rbnn_chacha_xor(&cipher, 0, whole, whole, LONGEST);
  for (uint32_t first = 0; first < LONGEST / 64u; first++) {
    for (uint32_t last = first + 1u; last <= LONGEST / 64u; last++) {
      const uint32_t bytes = 64u * (last - first);
      memset(piece, 0, sizeof piece);
      rbnn_chacha_xor(&cipher, first, piece, piece, bytes);
      if (memcmp(piece, whole + 16u * first, bytes) != 0) {
        complain("a piece differs", 20, bytes, first);
      }
    }
  }
}

/* The counter has 32 bits: behind block 2^32 - 1 stands block 0, the nonce as it was. */
static void check_wrap(void)
{
  for (uint32_t blocks = 1; blocks <= 4; blocks++) {
    check_one(20, UINT32_MAX - 1u, 64u * blocks, 0, 0, 0);
    check_one(8, UINT32_MAX - 1u, 64u * blocks + 5u, 0, 1, 0);
  }
}

static void check_wipe(void)
{
  static uint32_t words[40];
  uint8_t *const bytes = (uint8_t *)words;
  for (uint32_t shift = 0; shift < 4; shift++) {
    for (uint32_t count = 0; count <= 130u; count++) {
      memset(words, FILL, sizeof words);
      rbnn_wipe(bytes + 8u + shift, count);
      for (uint32_t i = 0; i < sizeof words; i++) {
        const int inside = i >= 8u + shift && i < 8u + shift + count;
        if (bytes[i] != (inside ? 0u : FILL)) {
          complain("wipe", 0, count, shift);
          return;
        }
      }
    }
  }
}

/* Same sizes, same count, whatever key, nonce and text. */
static void check_constant(void)
{
  static uint32_t text[LONGEST / 4u];
  uint32_t expected[3] = {0};
  for (uint32_t i = 0; i < 30; i++) {
    uint8_t key[32];
    uint32_t nonce[3];
    rbnn_chacha cipher;
    draw_bytes(key, sizeof key);
    draw_bytes((uint8_t *)nonce, sizeof nonce);
    draw_bytes((uint8_t *)text, sizeof text);
    const uint32_t begin = computer_count();
    rbnn_chacha_start(&cipher, key, nonce, 20);
    rbnn_chacha_xor(&cipher, 0, text, text, LONGEST - i % 3u);
    const uint32_t count = computer_count() - begin;
    if (i >= 3u && count + 1u - expected[i % 3u] > 2u) {
      complain("the time differs", 20, count, expected[i % 3u]);
    }
    expected[i % 3u] = count;
  }
}

#if defined(__arm__)
/* No word of key or state stays below the stack pointer. */
static void check_stack(void)
{
  static uint32_t text[LONGEST / 4u];
  static uint32_t state[16] = {0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u};
  rbnn_chacha cipher;
  draw_bytes((uint8_t *)(state + 4), 48);
  rbnn_chacha_start(&cipher, (const uint8_t *)(state + 4), state + 13, 20);
  memset(text, 0, sizeof text);
  rbnn_chacha_xor(&cipher, 0, text, text, LONGEST - 5u);
  const volatile uint32_t *below;
  __asm volatile("mov %0, sp" : "=r"(below));
  for (uint32_t i = 1; i <= 256; i++) {
    for (uint32_t j = 0; j < 14; j++) { /* the text's last two words are not whole */
      if (below[-(int)i] == text[j] || below[-(int)i] == text[LONGEST / 4u - 16u + j] ||
          (j >= 4u && j < 12u && below[-(int)i] == state[j])) {
        complain("a secret stays on the stack", 20, i, j);
      }
    }
  }
}
#else
static void check_stack(void)
{
}
#endif

static void measure(void)
{
  static const uint32_t rounds[] = {20, 12, 8};
  static const uint32_t lengths[] = {64, 256, 1024, STREAM_BYTES};
  static uint32_t room[STREAM_BYTES / 4u];
  static const uint8_t key[32] = {1};
  static const uint32_t nonce[3] = {2, 0, 0};
  static const uint8_t nonce_bytes[12] = {2};
  char line[96];
  rbnn_chacha cipher;
  for (uint32_t i = 0; i < 4; i++) {
    const uint32_t bytes = lengths[i];
    for (uint32_t r = 0; r < 3; r++) {
      rbnn_chacha_start(&cipher, key, nonce, rounds[r]);
      const uint32_t begin = computer_count();
      rbnn_chacha_xor(&cipher, 0, room, room, bytes);
      const uint32_t count = computer_count() - begin;
      snprintf(line, sizeof line, "chacha%u %u %u\n", (unsigned)rounds[r], (unsigned)bytes,
               (unsigned)count);
      computer_print(line);
    }
    const uint32_t begin = computer_count();
    crypto_chacha20_ietf((uint8_t *)room, (uint8_t *)room, bytes, key, nonce_bytes, 0);
    const uint32_t count = computer_count() - begin;
    snprintf(line, sizeof line, "monocypher %u %u\n", (unsigned)bytes, (unsigned)count);
    computer_print(line);
  }
  uint32_t begin = computer_count();
  rbnn_chacha_start(&cipher, key, nonce, 20);
  uint32_t count = computer_count() - begin;
  snprintf(line, sizeof line, "start 0 %u\n", (unsigned)count);
  computer_print(line);
  begin = computer_count();
  rbnn_wipe(room, sizeof room);
  count = computer_count() - begin;
  snprintf(line, sizeof line, "wipe %u %u\n", (unsigned)sizeof room, (unsigned)count);
  computer_print(line);
}

int main(void)
{
  check_lengths();
  check_offsets();
  check_wrap();
  check_wipe();
  check_constant();
  check_stack();
  measure();
  computer_print(failures == 0u ? "done\n" : "failed\n");
  return failures == 0u ? 0 : 1;
}
