/* SPDX-License-Identifier: Apache-2.0 */
/* A device: one model, the licences that open its tasks, and the one task that is active.
 *
 * A product needs this header only, and the C and assembly of crypto, store, core, puf, reconf,
 * licence and device, with Monocypher, compiled with firmware/ as the include folder. Nothing here
 * prints, allocates memory or touches a register; firmware/link is one client of it, for a serial
 * line. A whole life in one example, beside the files that `rbnn export` writes:
 *
 *   #include "core/model_image.h"
 *   #include "crypto/wipe.h"
 *   #include "device/device.h"
 *   #include "model_config.h"
 *
 *   static uint32_t arena[RBNN_MODEL_ARENA_BYTES / 4u];
 *   static uint32_t work[RBNN_MODEL_WORK_BYTES / 4u];
 *   static uint32_t params[(RBNN_MODEL_PARAMS_BYTES + 3u) / 4u];
 *   static const rbnn_device_memory memory = {
 *       .arena = arena,   .arena_bytes = sizeof arena,
 *       .work = work,     .work_bytes = sizeof work,
 *       .params = params, .params_bytes = sizeof params,
 *   };
 *   static rbnn_device device;
 *
 *   // At power-on: the provisioning partition in flash, SRAM that nobody has written yet, and two
 *   // pages of flash for what must survive power-off (store/flash.h).
 *   rbnn_status start(const uint8_t *partition, uint32_t bytes, uint8_t *pattern,
 *                     const rbnn_flash *flash)
 *   {
 *     return rbnn_device_start(&device, &memory, rbnn_model_image, rbnn_model_image_bytes,
 *                              partition, bytes, pattern, flash);
 *   }
 *
 *   // Once in a device's life: `record` goes into the partition, device.vault.public_key to the
 *   // provider, who issues licences for it (SPEC.md).
 *   rbnn_status enroll(uint8_t record[RBNN_HELPER_RECORD_BYTES])
 *   {
 *     return rbnn_device_enroll(&device, record);
 *   }
 *
 *   // A licence that comes later; those in the partition are there from the start.
 *   rbnn_status take(const uint8_t licence[RBNN_LICENCE_BYTES])
 *   {
 *     uint32_t slot;
 *     return rbnn_device_add_licence(&device, licence, &slot);
 *   }
 *
 *   // With the user's key for that licence: make the task's network, recognise one image, wipe.
 *   rbnn_status recognise(const char *name, const uint8_t psk[RBNN_KEY_BYTES],
 *                         const uint8_t *pixels, uint32_t bytes,
 *                         uint32_t scores[RBNN_MAX_CLASSES])
 *   {
 *     int32_t logits[RBNN_MAX_CLASSES];
 *     const int32_t found = rbnn_device_find_task(&device, name);
 *     if (found < 0) return (rbnn_status)found;
 *     const uint32_t task = (uint32_t)found;
 *     rbnn_status status = rbnn_device_unlock(&device, task, psk);
 *     if (status == RBNN_OK) status = rbnn_device_switch(&device, task);
 *     if (status == RBNN_OK) status = rbnn_device_infer(&device, pixels, bytes, logits);
 *     if (status == RBNN_OK) status = rbnn_device_score(&device, logits);
 *     for (uint32_t i = 0; i < device.score_count; i++) scores[i] = device.scores[i];
 *     rbnn_wipe(logits, sizeof logits);
 *     rbnn_device_lock(&device);
 *     return status;
 *   }
 *
 * An unlocked task stays unlocked until rbnn_device_lock, and may be switched to again and again. A
 * switch only decrypts and checks the task's parameters; weights are reconfigured while the first
 * inference runs.
 *
 * The caller owns the device, its memory, container, partition and pattern; they must outlive it,
 * and nobody else may write them. Calls on one device may not overlap.
 *
 * Every function that fails says why by an rbnn_status (spec/rbnn_spec.h has all with their texts).
 * RBNN_NO_CONTAINER, RBNN_CONTAINER_FORMAT, RBNN_CONTAINER_DAMAGED and RBNN_CONTAINER_LAYER say
 * what is wrong with the model: a function that needs one returns what rbnn_device_start did. */
#ifndef RBNN_DEVICE_DEVICE_H
#define RBNN_DEVICE_DEVICE_H

#include "core/engine.h"
#include "licence/vault.h"
#include "reconf/reconf.h"

/* Working memory, word by word. The least sizes are in the container's header and, as
 * RBNN_MODEL_*_BYTES, in model_config.h; none may overlap another. */
typedef struct {
  uint32_t *arena; /* activations: header->arena_bytes */
  uint32_t arena_bytes;
  uint32_t *work; /* tables and tiles: header->work_bytes; more may mean fewer passes */
  uint32_t work_bytes;
  uint32_t *params; /* the active task's parameters: header->params_bytes */
  uint32_t params_bytes;
  uint32_t *resident; /* layers that stay reconfigured while their task is active, or NULL */
  uint32_t resident_bytes;
  uint64_t
      resident_layers; /* which ones: bit l for layer l; rbnn_reconf_resident_bytes() of them */
  void *listener; /* wiped whenever a task is left: an rbnn_listener (audio/listener.h), or NULL */
  uint32_t listener_bytes;
} rbnn_device_memory;

/* Read-only for callers. You may read the first group, and of the vault `puf`, `provisioning`, the
 * public keys, `slots`, `active` and `store.status`. */
typedef struct {
  rbnn_status model_status; /* RBNN_OK, or what is wrong with the container */
  uint32_t bad_layer;       /* which layer, where that is RBNN_CONTAINER_LAYER */
  rbnn_model model;         /* all zero unless model_status is RBNN_OK */
  uint32_t
      scores[RBNN_MAX_CLASSES]; /* parts per million, of the active task's last scored logits */
  uint32_t score_count;         /* 0 if what was asked for last has none */
  rbnn_vault vault;

  const rbnn_device_memory *memory;
  rbnn_reconf reconf;
  rbnn_engine engine;
  uint8_t *pattern;
} rbnn_device;

/* Open the container and the provisioning partition, and derive the device's keys from the
 * fingerprint where the partition has its helper data. Returns model_status: a device without a
 * usable model still enrols and answers.
 *   container  16-byte aligned
 *   partition  NULL or erased where nothing was provisioned; any alignment
 *   pattern    SRAM as it was at power-on (RBNN_PUF_PATTERN_BYTES), or NULL after a warm reset.
 *              It is wiped here; on a device that is not enrolled yet, by rbnn_device_enroll
 *   flash      where floors and counts are kept, or NULL: then no licence with a limit opens, no
 *              notice of revocation is taken, and older licences open after newer ones.
 *              rbnn_device_enroll empties it; a device whose store is damaged or gone opens nothing
 */
rbnn_status rbnn_device_start(rbnn_device *device, const rbnn_device_memory *memory,
                              const uint8_t *container, uint32_t container_bytes,
                              const uint8_t *partition, uint32_t partition_bytes, uint8_t *pattern,
                              const rbnn_flash *flash);

/* Make helper data from the fingerprint, and the device's keys, which are live from then on.
 * RBNN_ENROLLED, RBNN_POWER_CYCLE, RBNN_PROVISIONING_DAMAGED (flash it again, or erase it to enrol
 * anew), RBNN_PUF_PATTERN or RBNN_STORE_DAMAGED; then `record` is zero. The fingerprint is wiped.
 */
rbnn_status rbnn_device_enroll(rbnn_device *device, uint8_t record[RBNN_HELPER_RECORD_BYTES]);

/* Keep a licence until power-off, in place of an earlier one for its task, which is locked; `*slot`
 * says where. RBNN_LICENCE_FORMAT, RBNN_LICENCE_MODEL, RBNN_LICENCE_OLD; then nothing has changed.
 */
rbnn_status rbnn_device_add_licence(rbnn_device *device, const uint8_t licence[RBNN_LICENCE_BYTES],
                                    uint32_t *slot);

/* Take the provider's notice of revocation: licences of `notice->task` with a lower sequence than
 * `notice->sequence` never open again. RBNN_LICENCE_FORMAT, RBNN_LICENCE_MODEL,
 * RBNN_LICENCE_REFUSED (not this provider's, not for this device, or changed), RBNN_NO_STORE,
 * RBNN_STORE_DAMAGED, and what rbnn_device_unlock says without keys. */
rbnn_status rbnn_device_revoke(rbnn_device *device, const uint8_t bytes[RBNN_LICENCE_BYTES],
                               rbnn_licence_prologue *notice);

/* Say what this device is, signed with the key that rbnn_device_enroll made, over a challenge:
 * whoever has device.vault.sign.public_key knows that this device answered, and not earlier. The
 * caller sets `challenge` and `protection`; the rest is zero. What rbnn_device_unlock says without
 * keys. */
rbnn_status rbnn_device_attest(const rbnn_device *device, rbnn_statement *statement,
                               uint8_t signature[RBNN_SIGNATURE_BYTES]);

/* Give up the licence of task `task` for good, and sign that, as rbnn_device_attest does: neither
 * it nor an older one opens again. Once it no longer opens, asking again gives another receipt.
 * RBNN_LOCKED (unlock it first), RBNN_UNKNOWN_TASK, RBNN_NO_LICENCE, RBNN_NO_STORE,
 * RBNN_STORE_DAMAGED, and what rbnn_device_unlock says without keys. */
rbnn_status rbnn_device_release(rbnn_device *device, uint32_t task, rbnn_statement *statement,
                                uint8_t signature[RBNN_SIGNATURE_BYTES]);

/* Number of the task called `name`, or RBNN_UNKNOWN_TASK. */
int32_t rbnn_device_find_task(const rbnn_device *device, const char *name);

/* Whether task `task` has a licence, is unlocked, is active. */
rbnn_task_state rbnn_device_task_state(const rbnn_device *device, uint32_t task);

/* Open the task's licence with its pre-shared key, which the caller wipes. The
 * model digest is taken here, and the task's sealed block is authenticated. RBNN_NOT_ENROLLED,
 * RBNN_POWER_CYCLE, RBNN_PUF_HELPER, RBNN_PROVISIONING_DAMAGED, RBNN_UNKNOWN_TASK, RBNN_NO_LICENCE,
 * RBNN_DEVELOPMENT_BUILD (the licence is for release builds, spec/target.h), RBNN_LICENCE_MODEL,
 * RBNN_SEALED_BLOCK, RBNN_LICENCE_OLD, RBNN_STORE_DAMAGED, RBNN_NO_STORE, or RBNN_LICENCE_REFUSED
 * for a wrong key and a wrong device alike. A failure changes no state. */
rbnn_status rbnn_device_unlock(rbnn_device *device, uint32_t task,
                               const uint8_t psk[RBNN_KEY_BYTES]);

/* Make an unlocked task the active one. What the task before it left in memory is wiped first. On
 * failure no task is active and nothing of either remains: RBNN_UNKNOWN_TASK, RBNN_NO_LICENCE,
 * RBNN_LOCKED, RBNN_LIMIT (no activation is left), RBNN_STORE_DAMAGED, RBNN_SEALED_BLOCK (its
 * parameters do not suit the model, or their memory is too small) or RBNN_ARGUMENT (other memory is
 * too small). The last two may lock all tasks. */
rbnn_status rbnn_device_switch(rbnn_device *device, uint32_t task);

/* Whether a task is active. RBNN_NO_ACTIVE_TASK. */
rbnn_status rbnn_device_check_active(const rbnn_device *device);

/* The header of the active task's parameters: its input, its number of classes. NULL without a
 * task. */
const rbnn_params_header *rbnn_device_params(const rbnn_device *device);

/* Name of a class of the active task, zero-terminated; NULL where there is none. */
const char *rbnn_device_label(const rbnn_device *device, uint32_t class_number);

/* Bytes of one input of the active task: rows, columns, channels, a byte each. 0 without a task. */
uint32_t rbnn_device_input_bytes(const rbnn_device *device);

/* Count one inference, and run it; scores of before are forgotten, also if it is refused.
 * RBNN_NO_ACTIVE_TASK, RBNN_ARGUMENT (not rbnn_device_input_bytes; nothing is counted then),
 * RBNN_LIMIT (the licence allows no more), RBNN_STORE_DAMAGED.
 *   logits  of the task's classes, at most the model's, Q12.20; the caller's, who wipes them
 * The time taken depends on the model only, not on input, weights or keys. */
rbnn_status rbnn_device_infer(rbnn_device *device, const uint8_t *input, uint32_t input_bytes,
                              int32_t *logits);

/* Turn logits of the active task into scores, and keep them in the device until the task is left.
 * RBNN_NO_ACTIVE_TASK. Timing is not constant. */
rbnn_status rbnn_device_score(rbnn_device *device, const int32_t *logits);

/* Wipe the scores; score_count is 0 afterwards. */
void rbnn_device_forget_scores(rbnn_device *device);

/* Whether the active task's input is what the audio front end makes, and the device has a listener
 * for it: RBNN_OK, RBNN_NO_SOUND, RBNN_NO_ACTIVE_TASK. */
rbnn_status rbnn_device_check_sound(const rbnn_device *device);

/* A bit for each class of the active task that is background: never detected. */
uint64_t rbnn_device_background(const rbnn_device *device);

/* Wipe the listener, if the device has one. */
void rbnn_device_forget_sound(rbnn_device *device);

/* Call `observer` after each layer from now on; NULL ends that. */
void rbnn_device_observe(rbnn_device *device, rbnn_layer_observer observer, void *context);

/* Lock all tasks and wipe what the active one has in memory: parameters, keys, weights,
 * activations, scores. The device's own keys stay, and so do the licences. */
void rbnn_device_lock(rbnn_device *device);

/* Wipe all that the device holds, its own keys and the fingerprint's memory included. */
void rbnn_device_stop(rbnn_device *device);

#endif
