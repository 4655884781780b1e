// SPDX-License-Identifier: Apache-2.0
// Inspect logs of a whole campaign: one a lab × subject × temperature, each as `.json` and as
// `.eval`, with the same samples. Their names, ids and times come from the campaign, so that the
// same log gives the same bytes. Writes files; one thread.
#ifndef RT_INTEROP_INSPECT_LOG_H
#define RT_INTEROP_INSPECT_LOG_H

#include "interop/collect.h"

struct rt_export_sums {
    uint64_t logs;
    uint64_t trials;
    uint64_t with_transcript;
    uint64_t kept_away; // committed to, and not at hand: kept at the lab, or sealed
};

// Write into folder, which is made. Files of earlier exports with the same names are replaced.
enum rt_status rt_inspect_export(struct rt_collected *collected, const char *folder,
                                 struct rt_export_sums *ret_sums,
                                 struct rt_error *err) RT_WARN_UNUSED;

#endif
