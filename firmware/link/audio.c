/* SPDX-License-Identifier: Apache-2.0 */
/* Listening: audio start, audio N, audio stop. */
#include <stddef.h>

#include "audio/listener.h"
#include "core/divide.h"
#include "crypto/wipe.h"
#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"
#include "port/port.h"
#include "spec/target.h"

#if RBNN_AUDIO
typedef struct {
  uint64_t front_end; /* ticks */
  uint64_t network;
  uint32_t inferences;
} share;

static rbnn_listener *listener_of(const rbnn_link *link)
{
  return link->device->memory->listener;
}

static void print_detection(const rbnn_listener *listener, int32_t class_number, uint32_t score)
{
  rbnn_print("m-detected-[");
  rbnn_print_number(rbnn_listener_first(listener));
  rbnn_print(",");
  rbnn_print_number((uint32_t)class_number);
  rbnn_print(",");
  rbnn_print_ppm(score);
  rbnn_print_close();
}

static void print_microseconds(uint64_t ticks)
{
  rbnn_print(",");
  rbnn_print_number(rbnn_divide(ticks * 1000000u, rbnn_port_ticks_hz(), NULL));
}

static void print_position(const rbnn_listener *listener, const share *taken)
{
  rbnn_print("m-audio-[");
  rbnn_print_number(rbnn_listener_position(listener));
  rbnn_print(",");
  rbnn_print_number(listener->column_count);
  rbnn_print(",");
  rbnn_print_number(taken->inferences);
  print_microseconds(taken->front_end);
  print_microseconds(taken->network);
  rbnn_print_close();
}

/* Give the picture that is due to the network, and print what is detected. */
static rbnn_status look(rbnn_link *link, uint64_t ignored, share *taken)
{
  rbnn_device *const device = link->device;
  rbnn_listener *const listener = listener_of(link);
  int32_t logits[RBNN_MAX_CLASSES] = {0};
  uint32_t score;
  const uint64_t start = rbnn_port_ticks();
  rbnn_status status =
      rbnn_device_infer(device, rbnn_listener_input(listener), RBNN_AUDIO_PICTURE_BYTES, logits);
  if (status == RBNN_OK) status = rbnn_device_score(device, logits);
  taken->network += rbnn_port_ticks() - start;
  taken->inferences++;
  rbnn_wipe(logits, sizeof logits);
  if (status != RBNN_OK) return status;
  const int32_t found =
      rbnn_listener_judge(listener, device->scores, device->score_count, ignored, &score);
  if (found >= 0) print_detection(listener, found, score);
  return RBNN_OK;
}

/* Take the loaded buffer as the stream's next samples. */
static rbnn_status take(rbnn_link *link, uint32_t samples)
{
  rbnn_listener *const listener = listener_of(link);
  const uint8_t *pcm = link->input;
  share taken = {0};
  if (samples == 0 || samples > RBNN_AUDIO_MAX_BLOCK_SAMPLES) return RBNN_BUFFER_SIZE;
  rbnn_status status = rbnn_link_check_input(link, 2u * samples);
  if (status != RBNN_OK) return status;
  if (listener->threshold == 0) rbnn_listener_start(listener, RBNN_AUDIO_THRESHOLD_PPM);
  const uint64_t ignored = rbnn_device_background(link->device);
  while (samples > 0 && status == RBNN_OK) {
    const uint64_t start = rbnn_port_ticks();
    const uint32_t count = rbnn_listener_take(listener, pcm, samples);
    taken.front_end += rbnn_port_ticks() - start;
    pcm += 2u * count;
    samples -= count;
    if (listener->due) status = look(link, ignored, &taken);
  }
  if (status == RBNN_OK) print_position(listener, &taken);
  return status;
}

static rbnn_status run(rbnn_link *link, const char *words)
{
  rbnn_listener *const listener = listener_of(link);
  uint32_t number = RBNN_AUDIO_THRESHOLD_PPM;
  rbnn_status status = rbnn_device_check_sound(link->device);
  if (status != RBNN_OK) return status;
  const bool start = rbnn_words_take(&words, "start");
  if (!(start && *words == 0) && !rbnn_words_number(&words, &number)) return RBNN_ARGUMENT;
  if (*words != 0) return RBNN_ARGUMENT;
  if (!start) return take(link, number);
  if (number == 0 || number > RBNN_SCORE_PPM) return RBNN_ARGUMENT;
  rbnn_listener_start(listener, number);
  print_position(listener, &(share){0});
  return RBNN_OK;
}

rbnn_status rbnn_link_audio(rbnn_link *link, const char *words)
{
  const bool stop = rbnn_words_take(&words, "stop") && *words == 0;
  const rbnn_status status = stop ? RBNN_OK : run(link, words);
  /* Samples are taken once; after a refusal or a stop, nothing of the sound stays. */
  rbnn_link_forget_input(link);
  if (stop || status != RBNN_OK) rbnn_device_forget_sound(link->device);
  return status;
}
#endif
