/* SPDX-License-Identifier: Apache-2.0 */
/* The application: everything that happens after a port's start-up. */
#ifndef RBNN_APP_APP_H
#define RBNN_APP_APP_H

/* Serve the serial line for ever. Called once by the port, with .data and .bss ready. */
_Noreturn void rbnn_app_run(void);

#endif
