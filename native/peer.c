/*
 * build/peer.node: whose process is at the other end of a Unix socket (SO_PEERCRED, unix(7)), which
 * Node.js has no word for.
 *
 *   peerUid(fd)   its user's id as this process sees it, -errno when it can't be told
 *
 * Node-API is declared by hand: its ABI is stable, and so no headers are needed to build this.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct napi_env_ *napi_env;
typedef struct napi_value_ *napi_value;
typedef struct napi_info_ *napi_info;
typedef napi_value (*napi_callback)(napi_env, napi_info);
int napi_get_cb_info(napi_env, napi_info, size_t *, napi_value *, napi_value *, void **);
int napi_get_value_int32(napi_env, napi_value, int32_t *);
int napi_create_int64(napi_env, int64_t, napi_value *);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);

static napi_value peer_uid(napi_env env, napi_info info) {
  size_t count = 1;
  napi_value argument, result = NULL;
  int32_t fd = -1;
  struct ucred peer;
  socklen_t length = sizeof peer;
  int64_t uid = -EINVAL;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) == 0 && count == 1 &&
      napi_get_value_int32(env, argument, &fd) == 0)
    uid = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ? -errno : (int64_t)peer.uid;
  napi_create_int64(env, uid, &result);
  return result;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  if (napi_create_function(env, "peerUid", 7, peer_uid, NULL, &function) == 0)
    napi_set_named_property(env, exports, "peerUid", function);
  return exports;
}
