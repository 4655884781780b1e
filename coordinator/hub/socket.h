// SPDX-License-Identifier: Apache-2.0
// The hub's two ROUTER sockets, opened with every limit EVIDENCE (Hardening) asks for, and the
// start-up test that a random key cannot get in. Network thread only.
#ifndef RT_COORDINATOR_HUB_SOCKET_H
#define RT_COORDINATOR_HUB_SOCKET_H

#include "common/base/error.h"
#include "common/crypto/curve.h"
#include "coordinator/hub/zap.h"

// Bind the public ROUTER: CURVE server with our key, ZAP enforced. The ZAP handler must be bound
// already.
enum rt_status rt_socket_public(void *context, const char *endpoint,
                                const struct rt_curve_secret *key, void **ret_socket,
                                struct rt_error *err) RT_WARN_UNUSED;
// Bind the local ROUTER at ipc://path; the folder's mode (0700) is the guard.
enum rt_status rt_socket_local(void *context, const char *path, void **ret_socket,
                               struct rt_error *err) RT_WARN_UNUSED;
// A DEALER with a fresh random key dials endpoint and sends a frame; RT_OK only when the ZAP
// handler was asked and refused, and nothing reached router. Takes up to two seconds.
enum rt_status rt_socket_self_test(void *context, const char *endpoint,
                                   const struct rt_curve_public *server, void *router,
                                   struct rt_zap *zap, struct rt_error *err) RT_WARN_UNUSED;
// Raise RLIMIT_NOFILE to its hard limit and require at least `least` descriptors.
enum rt_status rt_socket_raise_nofile(unsigned least, struct rt_error *err) RT_WARN_UNUSED;

#endif
