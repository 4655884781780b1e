// SPDX-License-Identifier: Apache-2.0
// What this machine's primitives cost for one unit of 32 trials: the floor under the coordinator.
// Measured in the same run as the end-to-end figure, so that their ratio holds on any machine. One
// thread; takes a few seconds.
#ifndef RT_COORDINATOR_SPEED_PRIMITIVES_H
#define RT_COORDINATOR_SPEED_PRIMITIVES_H

#include <stddef.h>

#include "common/base/error.h"

// Microseconds of one core for each unit.
struct rt_primitives {
    double sign_us;   // one unit statement
    double verify_us; // one result statement
    double curve_us; // UNIT out, RESULT in, RECEIPT out over CURVE on loopback: this side's half of
                     // the CPU time
    double hash_us;  // SHA-256 of the unit, the result, the leaf and the tree's nodes
    double put_us;   // the values of one unit in LMDB, with its share of a durable commit of 100
};

// Bytes of the frames and objects of a unit of 32 trials, as they are on the wire.
struct rt_unit_sizes {
    size_t unit_frame, result_frame, receipt_frame;
    size_t unit_object, result_object, statement, leaf;
};

// folder: where the LMDB measurement makes its file (on the disk that is to be measured).
enum rt_status rt_primitives_measure(const char *folder, const struct rt_unit_sizes *sizes,
                                     struct rt_primitives *ret,
                                     struct rt_error *err) RT_WARN_UNUSED;
double rt_primitives_total_us(const struct rt_primitives *primitives);

#endif
