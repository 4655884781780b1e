// SPDX-License-Identifier: Apache-2.0
// The report's tidy table for files that also know the engine, whose headers cannot be included
// beside those of the report's renderings. Pure.
#ifndef RT_INTEROP_TIDY_H
#define RT_INTEROP_TIDY_H

#include "common/base/bytes.h"

struct rt_study;
// rt_report_tidy of common/report/render.h.
enum rt_status rt_interop_tidy(const struct rt_study *study, struct rt_buf *out) RT_WARN_UNUSED;

#endif
