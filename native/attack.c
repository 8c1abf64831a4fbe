/*
 * Raw system calls for the attacks of `seawall prove`: an addon that the walled Node loads into
 * itself, as whoever has taken that process over could write one and load it. It makes calls and
 * decides nothing; src/prove has the attacks.
 *
 *   address(buffer)                     where its bytes are, as a BigInt
 *   call(steps)                         one call in this process
 *   sequence(steps, results, seconds)   calls in a child with one thread, up to the first that fails
 *   bomb(processes, seconds)            makes processes until it can't, then ends them: how many
 *
 * A step is eight 64-bit numbers: the call's number, a mask of the arguments that are indexes of
 * earlier results, six arguments. Results are as the kernel gives them: -errno on failure. Number -1
 * is a call of the 32-bit kind (getpid), -2 waits for the child whose id is the first argument.
 *
 * Node-API is declared by hand: its ABI is stable, and so no headers are needed to build this.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct napi_env_ *napi_env;
typedef struct napi_value_ *napi_value;
typedef struct napi_info_ *napi_info;
typedef napi_value (*napi_callback)(napi_env, napi_info);
int napi_get_cb_info(napi_env, napi_info, size_t *, napi_value *, napi_value *, void **);
int napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);
int napi_get_value_uint32(napi_env, napi_value, uint32_t *);
int napi_create_bigint_int64(napi_env, int64_t, napi_value *);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);

enum { WORDS = 8, THIRTY_TWO_BIT = -1, WAIT = -2, STACK = 8192 };

static int64_t thirty_two_bit(void) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
  return result;
#else
  return -ENOSYS;
#endif
}

static int64_t run(const int64_t *step, const int64_t *earlier) {
  int64_t a[6];
  for (int i = 0; i < 6; i++) a[i] = step[1] >> i & 1 ? earlier[step[2 + i]] : step[2 + i];
  if (step[0] == THIRTY_TWO_BIT) return thirty_two_bit();
  if (step[0] == WAIT) {
    int status = 0;
    return waitpid((pid_t)a[0], &status, 0) < 0 ? -errno : status;
  }
  long result = syscall(step[0], a[0], a[1], a[2], a[3], a[4], a[5]);
  return result == -1 ? -errno : result;
}

static void *bytes_of(napi_env env, napi_value value, size_t *length) {
  void *data = NULL;
  int type;
  size_t offset;
  napi_value buffer;
  *length = 0;
  napi_get_typedarray_info(env, value, &type, length, &data, &buffer, &offset);
  return data;
}

static napi_value number(napi_env env, int64_t value) {
  napi_value result = NULL;
  napi_create_bigint_int64(env, value, &result);
  return result;
}

static napi_value address(napi_env env, napi_info info) {
  size_t count = 1, length;
  napi_value arguments[1];
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  return number(env, (int64_t)(intptr_t)bytes_of(env, arguments[0], &length));
}

static napi_value call(napi_env env, napi_info info) {
  size_t count = 1, length;
  napi_value arguments[1];
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  const int64_t *step = bytes_of(env, arguments[0], &length);
  return number(env, length < WORDS ? -EINVAL : run(step, step));
}

/* Gives the child's wait status; `results` has one number for each step that was made. */
static napi_value sequence(napi_env env, napi_info info) {
  size_t count = 3, words, places;
  napi_value arguments[3];
  uint32_t seconds = 10;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  const int64_t *steps = bytes_of(env, arguments[0], &words);
  int64_t *results = bytes_of(env, arguments[1], &places);
  napi_get_value_uint32(env, arguments[2], &seconds);
  size_t made = words / WORDS;
  if (places < made || made * sizeof *results > 4096) return number(env, -EINVAL);
  int64_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return number(env, -errno);
  for (size_t i = 0; i < made; i++) shared[i] = results[i];
  pid_t child = fork();
  if (child == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signal = 1; signal < 32; signal++)
      if (signal != SIGKILL && signal != SIGSTOP) sigaction(signal, &(struct sigaction){0}, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(seconds);
    for (size_t i = 0; i < made; i++) {
      shared[i] = run(steps + i * WORDS, shared);
      if (shared[i] < 0 && shared[i] > -4096) break;
    }
    _exit(0);
  }
  int status = 0;
  if (child < 0) status = -errno;
  else while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  memcpy(results, shared, made * sizeof *results);
  munmap(shared, 4096);
  return number(env, status);
}

static int sleeper(void *unused) {
  (void)unused;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (pause() < 0) {
  }
  return 0;
}

/* One memory for all of them, so that what it costs is processes and hardly anything else. */
static int64_t multiply(uint32_t processes) {
  size_t size = (size_t)processes * (STACK + sizeof(pid_t));
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return -errno;
  pid_t *pids = (pid_t *)(memory + (size_t)processes * STACK);
  uint32_t made = 0;
  int error = 0;
  for (; made < processes; made++) {
    pids[made] = clone(sleeper, memory + ((size_t)made + 1) * STACK, CLONE_VM | SIGCHLD, NULL);
    if (pids[made] < 0) {
      error = errno;
      break;
    }
  }
  for (uint32_t i = 0; i < made; i++) kill(pids[i], SIGKILL);
  for (uint32_t i = 0; i < made; i++) waitpid(pids[i], NULL, 0);
  return error == 0 || error == EAGAIN || error == ENOMEM ? (int64_t)made : -(int64_t)error;
}

static napi_value bomb(napi_env env, napi_info info) {
  size_t count = 2;
  napi_value arguments[2];
  uint32_t processes = 0, seconds = 30;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_uint32(env, arguments[0], &processes);
  napi_get_value_uint32(env, arguments[1], &seconds);
  int64_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return number(env, -errno);
  *shared = -EINTR;
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigaction(SIGALRM, &(struct sigaction){0}, NULL);
    alarm(seconds);
    *shared = multiply(processes);
    _exit(0);
  }
  int64_t result = -errno;
  if (child > 0) {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    result = *shared;
  }
  munmap(shared, 4096);
  return number(env, result);
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env,
                                                                          napi_value exports) {
  static const struct {
    const char *name;
    napi_callback function;
  } functions[] = {{"address", address}, {"call", call}, {"sequence", sequence}, {"bomb", bomb}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, strlen(functions[i].name), functions[i].function,
                         NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
