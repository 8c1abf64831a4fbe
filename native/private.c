/*
 * build/private.node: loaded into a Node.js process before it holds a secret. Nothing of its memory
 * can be had from outside afterwards by anybody but root: not through /proc/PID/mem or ptrace, not
 * even by the same user (PR_SET_DUMPABLE, prctl(2)), and not as a core dump.
 *
 * execve(2) makes a process dumpable again, so a launcher can't do this for it.
 */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Node exports it to addons (node_api.h); declared here so that no header of Node's is needed. */
int napi_throw_error(void *env, const char *code, const char *message);

__attribute__((visibility("default"))) void *napi_register_module_v1(void *env, void *exports) {
  /* 1 and not 0: with a pipe in core_pattern the kernel ignores 0, and takes 1 to mean none. */
  struct rlimit none = {1, 1};
  if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
      prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
    napi_throw_error(env, "EPERM", strerror(errno));
  return exports;
}
