// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/file.h"
#include "coordinator/store/internal.h"

// Address space only: the file grows with what is in it. Growing a map later crashed with a reader
// open (EVIDENCE, Hardening), so it is reserved once; sanitizers cannot map as much.
#ifdef RT_SANITIZED
#define MAP_BYTES ((size_t)16 << 30)
#else
#define MAP_BYTES ((size_t)1 << 40)
#endif
#define READERS_MOST   512
#define FORMAT_VERSION 1
// Leaves whose bytes are hashed again at every start; fsck does all of them.
#define RECHECKED_LEAVES 1024

// ---- LMDB

enum rt_status store_status(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return RT_OK;
    case MDB_NOTFOUND:
        return RT_NOT_FOUND;
    case MDB_KEYEXIST:
        return RT_EXISTS;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
        return RT_NO_SPACE;
    case ENOMEM:
        return RT_NO_MEMORY;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_PANIC:
        return RT_CORRUPT;
    case MDB_READERS_FULL:
        return RT_AGAIN;
    default:
        return RT_IO;
    }
}

enum rt_status store_error(struct rt_error *err, int rc, const char *what)
{
    return rt_error_set(err, store_status(rc), "store: %s: %s", what, mdb_strerror(rc));
}

static const char *const table_names[TABLE_COUNT] = {
#define X(NAME, name, doc) name,
    STORE_TABLES(X)
#undef X
};

bool store_sealed(enum store_table table)
{
    return table != TABLE_LEAF && table != TABLE_NODE && table != TABLE_OBJECT &&
           table != TABLE_UNIT;
}

static void seal_of(enum store_table table, struct rt_bytes key, struct rt_bytes value,
                    uint8_t ret_seal[SEAL_BYTES])
{
    struct rt_sha256_state state;
    struct rt_digest digest;
    uint8_t key_size = (uint8_t)key.size;
    rt_sha256_init(&state);
    rt_sha256_update(&state, table_names[table], strlen(table_names[table]) + 1);
    rt_sha256_update(&state, &key_size, 1);
    rt_sha256_update(&state, key.data, key.size);
    rt_sha256_update(&state, value.data, value.size);
    rt_sha256_final(&state, &digest);
    memcpy(ret_seal, digest.bytes, SEAL_BYTES);
}

enum rt_status store_unseal(enum store_table table, struct rt_bytes key, struct rt_bytes *value)
{
    uint8_t seal[SEAL_BYTES];
    if (!store_sealed(table))
        return RT_OK;
    if (value->size < SEAL_BYTES)
        return RT_CORRUPT;
    value->size -= SEAL_BYTES;
    seal_of(table, key, *value, seal);
    return memcmp(seal, value->data + value->size, SEAL_BYTES) ? RT_CORRUPT : RT_OK;
}

enum rt_status store_put(struct rt_store *store, enum store_table table, const struct row *key,
                         struct rt_bytes value, unsigned flags, struct rt_error *err)
{
    bool sealed = store_sealed(table);
    struct rt_bytes key_bytes = {key->bytes, key->size};
    MDB_val k = {key->size, (void *)(uintptr_t)key->bytes};
    MDB_val v = {value.size + (sealed ? SEAL_BYTES : 0), NULL};
    int rc = mdb_put(store->txn, store->tables[table], &k, &v, flags | MDB_RESERVE);
    if (rc != MDB_SUCCESS) {
        if (rc != MDB_KEYEXIST)
            store->poison = store_status(rc);
        return store_error(err, rc, table_names[table]);
    }
    if (value.size)
        memcpy(v.mv_data, value.data, value.size);
    if (sealed)
        seal_of(table, key_bytes, value, (uint8_t *)v.mv_data + value.size);
    return RT_OK;
}

enum rt_status store_get(struct rt_store *store, MDB_txn *txn, enum store_table table,
                         const struct row *key, struct rt_bytes *ret_value)
{
    MDB_val k = {key->size, (void *)(uintptr_t)key->bytes}, v;
    int rc = mdb_get(txn, store->tables[table], &k, &v);
    if (rc != MDB_SUCCESS)
        return store_status(rc);
    *ret_value = rt_bytes(v.mv_data, v.mv_size);
    return store_unseal(table, rt_bytes(key->bytes, key->size), ret_value);
}

enum rt_status store_delete(struct rt_store *store, enum store_table table, const struct row *key,
                            struct rt_error *err)
{
    MDB_val k = {key->size, (void *)(uintptr_t)key->bytes};
    int rc = mdb_del(store->txn, store->tables[table], &k, NULL);
    if (rc == MDB_SUCCESS || rc == MDB_NOTFOUND)
        return RT_OK;
    store->poison = store_status(rc);
    return store_error(err, rc, table_names[table]);
}

struct row store_name(const char *name)
{
    struct row key = {.size = 0};
    row_bytes(&key, name, strlen(name));
    return key;
}

// ---- the lock

static enum rt_status take_lock(struct rt_store *store, const char *folder, struct rt_error *err)
{
    char path[4096], holder[64] = "";
    enum rt_status status = rt_path_join(path, sizeof path, folder, "store.lock");
    if (status != RT_OK)
        return rt_error_set(err, status, "%s: path too long", folder);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock_fd < 0)
        return rt_error_errno(err, errno, "%s", path);
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return rt_error_errno(err, errno, "%s", path);
        if (pread(store->lock_fd, holder, sizeof holder - 1, 0) <= 0)
            holder[0] = 0;
        return rt_error_set(err, RT_BUSY,
                            "%s: in use by process %s: stop it, or ask it through the command "
                            "that reads from a running coordinator",
                            folder, holder[0] ? holder : "unknown");
    }
    int size = snprintf(holder, sizeof holder, "%ld", (long)getpid());
    // The number is for people; on a full disk the lock holds without it.
    if (ftruncate(store->lock_fd, 0) != 0 || pwrite(store->lock_fd, holder, (size_t)size, 0) < 0)
        return RT_OK;
    return RT_OK;
}

// ---- head

enum rt_status store_head_get(struct rt_store *store, MDB_txn *txn, struct rt_store_head *ret_head,
                              struct rt_error *err)
{
    struct row key = store_name("head");
    struct rt_bytes value;
    enum rt_status status = store_get(store, txn, TABLE_META, &key, &value);
    if (status != RT_OK)
        return rt_error_set(err, status == RT_NOT_FOUND ? RT_CORRUPT : status,
                            "store: the head of the log: %s", rt_status_text(status));
    struct scan scan = scan_of(value);
    ret_head->size = scan_u64(&scan);
    scan_bytes(&scan, ret_head->root.bytes, RT_DIGEST_BYTES);
    ret_head->received_ms = (int64_t)scan_u64(&scan);
    if (!scan_done(&scan))
        return rt_error_set(err, RT_CORRUPT, "store: the head of the log has a wrong length");
    return RT_OK;
}

// The last leaves again from their bytes, then the whole root from the stored nodes.
static enum rt_status check_tree(struct rt_store *store, MDB_txn *txn, struct rt_error *err)
{
    struct rt_store_head head;
    enum rt_status status = store_head_get(store, txn, &head, err);
    if (status != RT_OK)
        return status;
    uint64_t first = head.size > RECHECKED_LEAVES ? head.size - RECHECKED_LEAVES : 0;
    for (uint64_t i = first; i < head.size; i++) {
        struct row key = key_u64(i);
        struct rt_bytes value;
        struct rt_digest hash;
        status = store_get(store, txn, TABLE_LEAF, &key, &value);
        if (status != RT_OK || value.size < RT_DIGEST_BYTES)
            return rt_error_set(err, RT_CORRUPT, "store: leaf %" PRIu64 " is missing or cut", i);
        rt_leaf_hash(rt_bytes(value.data + RT_DIGEST_BYTES, value.size - RT_DIGEST_BYTES), &hash);
        if (memcmp(hash.bytes, value.data, RT_DIGEST_BYTES))
            return rt_error_set(err, RT_CORRUPT,
                                "store: leaf %" PRIu64 " does not have its recorded hash", i);
    }
    MDB_stat leaves;
    int rc = mdb_stat(txn, store->tables[TABLE_LEAF], &leaves);
    if (rc != MDB_SUCCESS)
        return store_error(err, rc, "counting leaves");
    if (leaves.ms_entries != head.size)
        return rt_error_set(err, RT_CORRUPT, "store: %zu leaves, the head says %" PRIu64,
                            leaves.ms_entries, head.size);
    struct rt_view view = {.store = store, .txn = txn, .head = head};
    status = rt_tree_load(&store->tree, head.size, rt_view_node, &view);
    if (status != RT_OK)
        return rt_error_set(err, RT_CORRUPT, "store: a node of the tree is missing");
    rt_tree_root(&store->tree, &store->root);
    if (!rt_digest_equal(&store->root, &head.root))
        return rt_error_set(err, RT_CORRUPT,
                            "store: the root over %" PRIu64
                            " leaves is not the recorded one: restore a backup, or run fsck",
                            head.size);
    store->committed_tree = store->tree;
    store->received_ms = store->committed_received_ms = head.received_ms;
    return RT_OK;
}

// ---- open

static enum rt_status open_env(struct rt_store *store, const char *folder, struct rt_error *err)
{
    char path[4096];
    if (rt_path_join(path, sizeof path, folder, "store.mdb") != RT_OK)
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    int rc = mdb_env_create(&store->env);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_mapsize(store->env, MAP_BYTES);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_maxreaders(store->env, READERS_MOST);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_open(store->env, path,
                          MDB_NOSUBDIR | MDB_NOTLS | (store->read_only ? MDB_RDONLY : 0u), 0600);
    if (rc != MDB_SUCCESS)
        return store_error(err, rc, path);
    int dead = 0;
    rc = mdb_reader_check(store->env, &dead);
    return rc == MDB_SUCCESS ? RT_OK : store_error(err, rc, path);
}

static enum rt_status open_tables(struct rt_store *store, bool create, struct rt_error *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(store->env, NULL, create ? 0 : MDB_RDONLY, &txn);
    for (size_t i = 0; i < TABLE_COUNT && rc == MDB_SUCCESS; i++) {
        rc = mdb_dbi_open(txn, table_names[i], create ? MDB_CREATE : 0, &store->tables[i]);
        if (rc != MDB_SUCCESS)
            mdb_txn_abort(txn);
    }
    if (rc == MDB_SUCCESS)
        rc = mdb_txn_commit(txn);
    if (rc == MDB_NOTFOUND)
        return rt_error_set(err, RT_CORRUPT, "store: not a ringtrial store");
    return rc == MDB_SUCCESS ? RT_OK : store_error(err, rc, "opening the tables");
}

enum rt_status store_head_put(struct rt_store *store, struct rt_error *err)
{
    rt_tree_root(&store->tree, &store->root);
    struct row key = store_name("head"), value = {.size = 0};
    row_u64(&value, store->tree.size);
    row_bytes(&value, store->root.bytes, RT_DIGEST_BYTES);
    row_u64(&value, (uint64_t)store->received_ms);
    return store_put(store, TABLE_META, &key, rt_bytes(value.bytes, value.size), 0, err);
}

static enum rt_status initialise(struct rt_store *store, const char *origin, struct rt_error *err)
{
    struct row origin_key = store_name("origin"), format_key = store_name("format");
    struct row format = key_u32(FORMAT_VERSION);
    enum rt_status status = rt_store_begin(store, err);
    if (status == RT_OK)
        status = store_put(store, TABLE_META, &origin_key, rt_bytes_str(origin), 0, err);
    if (status == RT_OK)
        status =
            store_put(store, TABLE_META, &format_key, rt_bytes(format.bytes, format.size), 0, err);
    if (status == RT_OK)
        status = rt_store_commit(store, err);
    else
        rt_store_abort(store);
    return status;
}

static enum rt_status check_meta(struct rt_store *store, MDB_txn *txn, const char *origin,
                                 struct rt_error *err)
{
    struct row origin_key = store_name("origin"), format_key = store_name("format");
    struct rt_bytes value;
    enum rt_status status = store_get(store, txn, TABLE_META, &format_key, &value);
    if (status != RT_OK || value.size != 4 || rt_get_u32be(value.data) != FORMAT_VERSION)
        return rt_error_set(err, status == RT_OK ? RT_UNSUPPORTED : RT_CORRUPT,
                            "store: its format is unknown to this version");
    status = store_get(store, txn, TABLE_META, &origin_key, &value);
    if (status != RT_OK)
        return rt_error_set(err, RT_CORRUPT, "store: the log's name is missing or damaged");
    if (origin && !rt_bytes_equal_str(value, origin))
        return rt_error_set(err, RT_CONFLICT, "store: it holds the log '%.*s', not '%s'",
                            (int)value.size, (const char *)value.data, origin);
    return check_tree(store, txn, err);
}

static enum rt_status open_checked(struct rt_store *store, const char *folder,
                                   enum rt_store_mode mode, const char *origin,
                                   struct rt_error *err)
{
    // A reader stands beside the one writer: LMDB gives it a snapshot of its own.
    enum rt_status status = mode == RT_STORE_READ ? RT_OK : take_lock(store, folder, err);
    if (status == RT_OK)
        status = open_env(store, folder, err);
    if (status == RT_OK)
        status = open_tables(store, mode == RT_STORE_CREATE, err);
    if (status == RT_OK && mode == RT_STORE_CREATE)
        status = initialise(store, origin ? origin : "", err);
    if (status != RT_OK)
        return status;
    MDB_txn *txn;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (rc != MDB_SUCCESS)
        return store_error(err, rc, "reading");
    status = check_meta(store, txn, origin, err);
    mdb_txn_abort(txn);
    return status;
}

enum rt_status rt_store_open(const char *folder, enum rt_store_mode mode, const char *origin,
                             struct rt_store **ret_store, struct rt_error *err)
{
    char path[4096];
    if (rt_path_join(path, sizeof path, folder, "store.mdb") != RT_OK)
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    bool exists = rt_file_exists(path);
    if (mode == RT_STORE_CREATE && exists)
        return rt_error_set(err, RT_EXISTS, "%s: there is a store already", path);
    if (mode != RT_STORE_CREATE && !exists)
        return rt_error_set(err, RT_NOT_FOUND, "%s: no store here: run `init` first", path);
    enum rt_status status = rt_file_check_local(folder, err);
    if (status == RT_OK && mode == RT_STORE_CREATE)
        status = rt_file_mkdir(folder, 0700, err);
    if (status != RT_OK)
        return status;
    struct rt_store *store = calloc(1, sizeof *store);
    if (!store)
        return rt_error_set(err, RT_NO_MEMORY, "%s: out of memory", folder);
    store->lock_fd = -1;
    store->read_only = mode == RT_STORE_READ;
    rt_tree_init(&store->tree);
    rt_tree_init(&store->committed_tree);
    rt_buf_init(&store->buffer, (size_t)1 << 20);
    store->nodes = calloc(NODE_CACHE_LEVELS * NODE_CACHE_EACH, sizeof *store->nodes);
    status = store->nodes ? open_checked(store, folder, mode, origin, err)
                          : rt_error_set(err, RT_NO_MEMORY, "%s: out of memory", folder);
    if (status != RT_OK) {
        rt_store_close(store);
        return status;
    }
    *ret_store = store;
    return RT_OK;
}

void rt_store_close(struct rt_store *store)
{
    if (!store)
        return;
    if (store->txn)
        rt_store_abort(store);
    if (store->reader)
        mdb_txn_abort(store->reader);
    store_cache_drop(store);
    if (store->env)
        mdb_env_close(store->env);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    rt_buf_release(&store->buffer);
    free(store->nodes);
    free(store);
}

void rt_store_check_readers(struct rt_store *store)
{
    int dead = 0;
    (void)mdb_reader_check(store->env, &dead);
}

enum rt_status rt_store_raise_epoch(struct rt_store *store, uint64_t *ret_epoch,
                                    struct rt_error *err)
{
    struct row key = store_name("epoch");
    struct rt_bytes value;
    uint64_t epoch = 0;
    enum rt_status status = rt_store_begin(store, err);
    if (status != RT_OK)
        return status;
    status = store_get(store, store->txn, TABLE_META, &key, &value);
    if (status == RT_OK && value.size == 8)
        epoch = rt_get_u64be(value.data);
    else if (status != RT_NOT_FOUND)
        status = rt_error_set(err, RT_CORRUPT, "store: the epoch is damaged");
    struct row next = key_u64(epoch + 1);
    if (status == RT_OK || status == RT_NOT_FOUND)
        status = store_put(store, TABLE_META, &key, rt_bytes(next.bytes, next.size), 0, err);
    if (status != RT_OK) {
        rt_store_abort(store);
        return status;
    }
    status = rt_store_commit(store, err);
    if (status == RT_OK)
        *ret_epoch = epoch + 1;
    return status;
}
