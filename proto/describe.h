// SPDX-License-Identifier: Apache-2.0
// Prints what the tables of messages, objects, statements and statuses say: docs/PROTOCOL.md, and
// the dictionary and seeds of the fuzzers. The files are checked to equal this output. Pure.
#ifndef RT_PROTO_DESCRIBE_H
#define RT_PROTO_DESCRIBE_H

#include "common/base/bytes.h"

// Append all of docs/PROTOCOL.md.
void rt_describe_protocol(struct rt_buf *out);
// Append all of tests/fuzz/proto.dict, in libFuzzer's dictionary format.
void rt_describe_dictionary(struct rt_buf *out);

#endif
