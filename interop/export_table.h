// SPDX-License-Identifier: Apache-2.0
// The plain exports: one JSON object a line and trial, and the tidy table, one row a cell, that
// `ringtrial-audit report --csv` reads. Fields are documented in docs/INTEROP.md. Writes files; one
// thread.
#ifndef RT_INTEROP_EXPORT_TABLE_H
#define RT_INTEROP_EXPORT_TABLE_H

#include "interop/inspect_log.h"

// folder/trials.jsonl
enum rt_status rt_jsonl_export(struct rt_collected *collected, const char *folder,
                               struct rt_export_sums *ret_sums,
                               struct rt_error *err) RT_WARN_UNUSED;
// folder/cells.csv
enum rt_status rt_csv_export(struct rt_collected *collected, const char *folder,
                             struct rt_export_sums *ret_sums, struct rt_error *err) RT_WARN_UNUSED;

#endif
