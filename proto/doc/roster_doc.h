// SPDX-License-Identifier: Apache-2.0
// What the files that read rosters share. Nothing else includes this.
#ifndef RT_PROTO_DOC_ROSTER_DOC_H
#define RT_PROTO_DOC_ROSTER_DOC_H

#include "proto/doc/table.h"
#include "proto/roster.h"

extern const struct rt_doc_table rt_roster_table;

#endif
