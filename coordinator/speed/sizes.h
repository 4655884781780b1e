// SPDX-License-Identifier: Apache-2.0
// How large a unit's frames and objects really were: read from the last result in a store.
#ifndef RT_COORDINATOR_SPEED_SIZES_H
#define RT_COORDINATOR_SPEED_SIZES_H

#include "coordinator/speed/primitives.h"

enum rt_status rt_unit_sizes_read(const char *store_folder, struct rt_unit_sizes *ret,
                                  struct rt_error *err) RT_WARN_UNUSED;

#endif
