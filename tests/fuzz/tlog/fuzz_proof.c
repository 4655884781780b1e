// SPDX-License-Identifier: Apache-2.0
// A receipt from outside. What parses and has no extra line, written again, is the same bytes, and
// it is then checked against the vectors' log and a leaf.
#include "common/tlog/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_tlog_proof proof;
    if (rt_tlog_proof_parse(rt_bytes(data, size), &proof))
        return 0;
    RT_ASSERT(proof.proof.count <= RT_PROOF_MOST);
    if (!proof.has_extra) {
        struct rt_buf out;
        rt_buf_init(&out, RT_TLOG_PROOF_MOST);
        rt_tlog_proof_format(proof.index, &proof.proof, proof.checkpoint, &out);
        RT_ASSERT(rt_bytes_equal(rt_buf_bytes(&out), rt_bytes(data, size)));
        rt_buf_release(&out);
    }
    struct rt_vkey log;
    struct rt_digest leaf = {{0}};
    RT_ASSERT(rt_vkey_parse(rt_bytes_str("replicate.example/log/2026a+1a7b4e36+"
                                         "AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk"),
                            &log) == RT_OK);
    RT_ASSERT(rt_tlog_proof_verify_log(&proof, &leaf, &log, NULL) != RT_OK);
    return 0;
}
