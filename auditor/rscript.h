// SPDX-License-Identifier: Apache-2.0
// An R script that computes a report's headline figures again from the exported tidy table, with
// metafor and lme4, and prints them beside ours: for readers who trust R more than us. Writes text
// into a buffer; never runs anything.
#ifndef RT_AUDITOR_RSCRIPT_H
#define RT_AUDITOR_RSCRIPT_H

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/report/model.h"

// table: path of the tidy table as the script will find it. The script exits with 1 where a figure
// differs by more than one in a million.
enum rt_status rt_rscript(const struct rt_report *report, const char *table, struct rt_buf *out,
                          struct rt_error *err) RT_WARN_UNUSED;

#endif
