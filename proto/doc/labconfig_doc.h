// SPDX-License-Identifier: Apache-2.0
// What the files that read worker.yaml share. Nothing else includes this.
#ifndef RT_PROTO_DOC_LABCONFIG_DOC_H
#define RT_PROTO_DOC_LABCONFIG_DOC_H

#include "proto/doc/table.h"
#include "proto/labconfig.h"

extern const struct rt_doc_table rt_labconfig_table;

#endif
