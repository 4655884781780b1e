// SPDX-License-Identifier: Apache-2.0
#include "proto/evidence.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/text.h"

const char rt_evidence_readme[] =
    "This folder is a bundle: everything that is needed to check one campaign of a ring trial,\n"
    "offline and without asking anybody.\n"
    "\n"
    "  ringtrial-audit verify .          all checks, each with its clause and what it found\n"
    "  ringtrial-audit report .          the report, computed again from the results\n"
    "  ringtrial-audit show . 17         leaf 17 of the log\n"
    "\n"
    "What is in it\n"
    "\n"
    "  log/checkpoint     size and root of the log, signed by its key (C2SP signed note)\n"
    "  log/tile/          the log itself, leaf by leaf (C2SP tlog-tiles, RFC 6962 hashes); a leaf\n"
    "                     is a short readable text with the signatures of those who vouch for it\n"
    "  objects/           what those texts name, each file under its own SHA-256: rosters, the\n"
    "                     campaign, its bench and scenarios, units and who dealt them, results,\n"
    "                     and what served the models\n"
    "  keys/              the rosters as people read them, the log's key, and the key that signed\n"
    "                     the manifest\n"
    "  receipts/          where there are any: inclusion proofs a lab was given (C2SP tlog-proof)\n"
    "  report.json        the published report; report.html says the same for people\n"
    "  manifest.sha256    for other people's tools: sha256sum -c manifest.sha256\n"
    "  manifest.minisig   minisign -V -p keys/operator.pub -x manifest.minisig -m manifest.sha256\n"
    "\n"
    "The manifest shows that the folder arrived as it was sent, and nothing else. What the "
    "results\n"
    "are worth follows from the signatures, the log and the report computed again. Whether this "
    "is\n"
    "the log that the labs know can only be told from outside: compare the words of its key, "
    "which\n"
    "`verify` prints, with those in a lab's invitation, and give it as --log-key or --policy.\n"
    "\n"
    "bundle format 1\n";

void rt_evidence_object_path(const struct rt_digest *digest, char *ret_path)
{
    char hex[2 * RT_DIGEST_BYTES + 1];
    rt_hex_encode(digest->bytes, RT_DIGEST_BYTES, hex);
    snprintf(ret_path, RT_EVIDENCE_PATH_BYTES, "objects/%.2s/%s", hex, hex + 2);
}

enum rt_status rt_evidence_object_parse(struct rt_bytes path, struct rt_digest *ret_digest)
{
    char hex[2 * RT_DIGEST_BYTES];
    if (path.size != 8 + 3 + sizeof hex - 2 || memcmp(path.data, "objects/", 8) != 0 ||
        path.data[10] != '/')
        return RT_MALFORMED;
    memcpy(hex, path.data + 8, 2);
    memcpy(hex + 2, path.data + 11, sizeof hex - 2);
    return rt_hex_decode(hex, sizeof hex, ret_digest->bytes, RT_DIGEST_BYTES);
}

void rt_evidence_roster_path(uint64_t version, char *ret_path)
{
    snprintf(ret_path, RT_EVIDENCE_PATH_BYTES, "keys/roster-%" PRIu64 ".yaml", version);
}

enum rt_status rt_evidence_roster_parse(struct rt_bytes path, uint64_t *ret_version)
{
    char digits[24];
    if (path.size <= 12 + 5 || path.size - 17 >= sizeof digits ||
        memcmp(path.data, "keys/roster-", 12) != 0 ||
        memcmp(path.data + path.size - 5, ".yaml", 5) != 0 || memchr(path.data, 0, path.size))
        return RT_MALFORMED;
    memcpy(digits, path.data + 12, path.size - 17);
    digits[path.size - 17] = 0;
    enum rt_status status = rt_parse_u64(digits, ret_version);
    return !status && *ret_version == 0 ? RT_MALFORMED : status;
}

bool rt_evidence_path_valid(struct rt_bytes path)
{
    if (path.size == 0 || path.size >= RT_EVIDENCE_PATH_BYTES)
        return false;
    bool start = true; // of a part
    for (size_t i = 0; i < path.size; i++) {
        uint8_t c = path.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-' || c == '.';
        if (c == '/' ? start : !plain || (start && c == '.'))
            return false;
        start = c == '/';
    }
    return !start;
}

void rt_evidence_manifest_add(const char *path, const struct rt_digest *digest, struct rt_buf *out)
{
    char hex[2 * RT_DIGEST_BYTES + 1];
    rt_hex_encode(digest->bytes, RT_DIGEST_BYTES, hex);
    rt_buf_printf(out, "%s  %s\n", hex, path);
}

enum rt_status rt_evidence_manifest_next(struct rt_bytes *rest, const char *previous,
                                         char *ret_path, struct rt_digest *ret_digest)
{
    if (rest->size == 0)
        return RT_NOT_FOUND;
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t head = 2 * RT_DIGEST_BYTES + 2, size = end ? (size_t)(end - rest->data) : 0;
    struct rt_digest digest;
    if (size <= head ||
        rt_hex_decode((const char *)rest->data, head - 2, digest.bytes, sizeof digest.bytes) ||
        memcmp(rest->data + head - 2, "  ", 2) != 0)
        return RT_MALFORMED;
    struct rt_bytes path = rt_bytes(rest->data + head, size - head);
    if (!rt_evidence_path_valid(path) || rt_bytes_compare(rt_bytes_str(previous), path) >= 0)
        return RT_MALFORMED;
    memcpy(ret_path, path.data, path.size);
    ret_path[path.size] = 0;
    *ret_digest = digest;
    *rest = rt_bytes(end + 1, rest->size - size - 1);
    return RT_OK;
}
