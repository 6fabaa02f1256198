/* SPDX-License-Identifier: Apache-2.0 */
/* Which licences are too old, and what they have left. Between the vault's own files. */
#ifndef RBNN_LICENCE_VAULT_COUNTS_H
#define RBNN_LICENCE_VAULT_COUNTS_H

#include "licence/vault.h"

/* Whether the device knows that a licence is old: RBNN_LICENCE_OLD. RBNN_OK also without a store.
 */
rbnn_status rbnn_vault_check_age(const rbnn_vault *vault, const rbnn_licence_prologue *prologue);

/* From now on, licences with a lower sequence than this licence or notice, for its task, are old.
 * Nothing is written if they are already. RBNN_LICENCE_OLD if it is old itself, RBNN_NO_STORE,
 * RBNN_STORE_DAMAGED. */
rbnn_status rbnn_vault_raise_floor(rbnn_vault *vault, const rbnn_licence_prologue *prologue);

/* Whether a licence that was just opened may be used; then older ones are old from now on.
 * RBNN_LICENCE_OLD, RBNN_NO_STORE, RBNN_STORE_DAMAGED. */
rbnn_status rbnn_vault_admit(rbnn_vault *vault, const rbnn_licence_prologue *prologue);

/* Count an activation. RBNN_LIMIT, RBNN_STORE_DAMAGED. */
rbnn_status rbnn_vault_count_activation(rbnn_vault *vault, const rbnn_licence_prologue *prologue);

#endif
