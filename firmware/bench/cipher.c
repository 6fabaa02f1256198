/* SPDX-License-Identifier: Apache-2.0 */
/* The key stream by itself. */
#include <stddef.h>

#include "bench/bench.h"
#include "bench/measure.h"
#include "bench/sources.h"
#include "link/print.h"

#define CIPHER_BYTES 4096u

typedef struct {
  rbnn_reconf reconf;
  rbnn_model model;
  rbnn_container_header header;
} key_stream;

static void derive_key(void *context)
{
  key_stream *const it = context;
  (void)!rbnn_bench_reconf_start(&it->reconf, &it->model, NULL); /* the model has no trunk */
}

static void draw_key_stream(void *context)
{
  key_stream *const it = context;
  (void)rbnn_reconf_source(&it->reconf, 0, 0, CIPHER_BYTES, rbnn_bench_work);
}

void rbnn_bench_run_cipher(void)
{
  static const struct {
    uint8_t cipher;
    uint8_t rounds;
  } ciphers[] = {{RBNN_CIPHER_CHACHA20, 20}, {RBNN_CIPHER_CHACHA12, 12}, {RBNN_CIPHER_CHACHA8, 8}};
  key_stream it;
  it.model = rbnn_bench_layer_model;
  it.header = *rbnn_bench_layer_model.header;
  it.model.header = &it.header;
  for (uint32_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
    it.header.cipher = ciphers[i].cipher;
    const uint32_t key = rbnn_bench_measure(derive_key, &it);
    if (i == 0) {
      rbnn_print("m-key-[");
      rbnn_print_number(key);
      rbnn_print_close();
    }
    const uint32_t counts = rbnn_bench_measure(draw_key_stream, &it);
    rbnn_print("m-cipher-[");
    rbnn_print_number(ciphers[i].rounds);
    rbnn_print(",");
    rbnn_print_number(CIPHER_BYTES);
    rbnn_print(",");
    rbnn_print_number(counts);
    rbnn_print_close();
  }
}
