// SPDX-License-Identifier: Apache-2.0
// The ZAP handler (ZeroMQ RFC 27): answers libzmq's question "may this key connect?" from the
// admission table. It must be bound before the ROUTER it guards. Answers 300 to an unknown key,
// because 400 makes a libzmq 4.3.4 client give up for ever (EVIDENCE, Hardening). One thread: the
// hub's.
#ifndef RT_COORDINATOR_HUB_ZAP_H
#define RT_COORDINATOR_HUB_ZAP_H

#include <stdint.h>

#include "common/base/error.h"
#include "coordinator/hub/admission.h"

#define RT_ZAP_DOMAIN "ringtrial"

struct rt_zap {
    void *socket; // REP, bound to inproc://zeromq.zap.01
    struct rt_admission *admission;
    uint64_t admitted;
    uint64_t refused;
    const uint8_t *testing; // the start-up test's key: while set, no other is admitted
    uint64_t test_refused;  // times that key was refused
};

enum rt_status rt_zap_open(struct rt_zap *zap, void *context, struct rt_admission *admission,
                           struct rt_error *err) RT_WARN_UNUSED;
void rt_zap_close(struct rt_zap *zap);
// Answer every waiting request; never blocks.
void rt_zap_serve(struct rt_zap *zap);

#endif
