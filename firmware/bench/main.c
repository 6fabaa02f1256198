/* SPDX-License-Identifier: Apache-2.0 */
/* An application for `rbnn bench device` only: measures layers, key stream and a network.
 *
 * Takes commands ended by `%`, answers in the product's grammar, each answer closed by `m-ready`:
 *
 *   name       as in the product
 *   loops      counter's rate, what an empty call and known loops cost
 *   layers     layers by themselves
 *   cipher     key and key stream
 *   network    the network, layer by layer
 *   inputs N   the first layer over N random inputs and two extreme ones
 *   network-inputs N   the same of the network
 *
 * It carries a task secret in clear, made for the measurement; never flash it to a user's board.
 */
#include "bench/bench.h"
#include "bench/measure.h"
#include "link/print.h"
#include "link/words.h"
#include "port/counter.h"
#include "port/port.h"

#define LINE_BYTES 63u

rbnn_bench_buffers rbnn_bench_memory;
uint32_t rbnn_bench_work[RBNN_BENCH_WORDS(RBNN_MODEL_WORK_BYTES)];

static bool has_counter;

static void print_name(void)
{
  rbnn_print("m-name-dut-[");
  rbnn_print(rbnn_port_board());
  rbnn_print_close();
}

static void print_loops(void)
{
  rbnn_print("m-counter-[");
  rbnn_print_number(has_counter ? rbnn_port_counter_hz() : 0);
  rbnn_print_close();
  rbnn_bench_print_loops();
}

static rbnn_status dispatch(const char *text)
{
  uint32_t inputs;
  if (*text == 0) {
    return RBNN_OK;
  }
  if (rbnn_words_take(&text, "name")) {
    print_name();
  } else if (rbnn_words_take(&text, "loops")) {
    print_loops();
  } else if (rbnn_words_take(&text, "layers")) {
    return rbnn_bench_run_layers();
  } else if (rbnn_words_take(&text, "cipher")) {
    rbnn_bench_run_cipher();
  } else if (rbnn_words_take(&text, "network")) {
    return rbnn_bench_run_network();
  } else if (rbnn_words_take(&text, "inputs")) {
    if (!rbnn_words_number(&text, &inputs)) return RBNN_ARGUMENT;
    return rbnn_bench_run_layer_inputs(inputs);
  } else if (rbnn_words_take(&text, "network-inputs")) {
    if (!rbnn_words_number(&text, &inputs)) return RBNN_ARGUMENT;
    return rbnn_bench_run_network_inputs(inputs);
  } else {
    return RBNN_UNKNOWN_COMMAND;
  }
  return RBNN_OK;
}

static void answer(const char *text)
{
  const rbnn_status status = dispatch(text);
  if (status != RBNN_OK) {
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
  rbnn_print(RBNN_MSG_READY);
  rbnn_print_end();
}

_Noreturn void rbnn_app_run(void)
{
  static char line[LINE_BYTES + 1u];
  uint32_t size = 0;

  rbnn_port_init();
  has_counter = rbnn_port_counter_start();
  rbnn_print(RBNN_MSG_READY);
  rbnn_print_end();
  for (;;) {
    const int byte = rbnn_port_read();
    if (byte < 0) {
      rbnn_port_wait();
    } else if (byte == RBNN_COMMAND_END) {
      line[size] = 0;
      size = 0;
      answer(line);
    } else if (byte != '\r' && byte != '\n' && size < LINE_BYTES) {
      line[size++] = (char)byte;
    }
  }
}
